use std::fmt;

use native_tls::{Certificate, Protocol, TlsConnector};
use turnkey_backend::{
    BoxFuture, BuildError, ConnectConfig, ConnectError, Connected, Connector, EstablishedStream,
    HandshakeIo, Socket, TlsInfo,
};

use crate::{native_identity, session};

/// Connects to other servers with the operating system's stack.
pub struct NativeTlsConnector {
    connector: TlsConnector,
}

impl NativeTlsConnector {
    /// A connector for `config`.
    pub fn new(config: &ConnectConfig) -> Result<Self, BuildError> {
        let mut builder = TlsConnector::builder();
        builder.min_protocol_version(Some(Protocol::Tlsv12));
        if let Some(anchors) = &config.anchors {
            // Only the given CAs.
            builder.disable_built_in_roots(true);
            for anchor in anchors.certificates() {
                let certificate = Certificate::from_der(anchor.der());
                let certificate = certificate.map_err(|e| BuildError::ServerCa(e.into()))?;
                builder.add_root_certificate(certificate);
            }
        }
        if let Some(identity) = &config.identity {
            builder.identity(native_identity(identity)?);
        }
        // Built once: it reads all CAs of the system, which takes as long as a hundred handshakes.
        let connector = builder.build().map_err(|e| BuildError::Setup(e.into()))?;
        Ok(Self { connector })
    }
}

/// Not all stacks implement `Debug` for their connectors.
impl fmt::Debug for NativeTlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeTlsConnector").finish_non_exhaustive()
    }
}

impl Connector for NativeTlsConnector {
    fn connect<'a>(
        &'a self,
        socket: Socket,
        server_name: &'a str,
    ) -> BoxFuture<'a, Result<Connected, ConnectError>> {
        Box::pin(async move {
            let (below, progress) = HandshakeIo::new(socket);
            let connecting = session::connect(&self.connector, server_name, below);
            let stream = connecting.await.map_err(|e| ConnectError::Tls(e.into()))?;
            // native-tls does not report what was negotiated.
            let tls = TlsInfo::default();
            Ok(Connected { stream: Box::new(EstablishedStream::new(stream, progress)), tls })
        })
    }
}
