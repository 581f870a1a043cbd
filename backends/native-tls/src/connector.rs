use async_native_tls::TlsConnector;
use native_tls::{Certificate, Protocol};
use turnkey_backend::{
    Below, BoxFuture, BuildError, ConnectConfig, ConnectError, Connector, Socket, Stream, Whole,
};

use crate::native_identity;

/// Speaks TLS to other servers with the operating system's stack.
#[derive(Debug)]
pub struct NativeTlsConnector {
    connector: TlsConnector,
}

impl NativeTlsConnector {
    /// A connector for `config`.
    pub fn new(config: &ConnectConfig) -> Result<Self, BuildError> {
        let mut builder = native_tls::TlsConnector::builder();
        builder.min_protocol_version(Some(Protocol::Tlsv12));
        if let Some(anchors) = &config.anchors {
            // Those that are named, and nobody else.
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
        // async-native-tls builds it for each connection; what is wrong with it shall be known now.
        builder.build().map_err(|e| BuildError::Setup(e.into()))?;
        Ok(Self { connector: builder.into() })
    }
}

impl Connector for NativeTlsConnector {
    fn connect<'a>(
        &'a self,
        socket: Socket,
        server_name: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Stream>, ConnectError>> {
        Box::pin(async move {
            let (socket, course) = Below::new(socket);
            let connecting = self.connector.connect(server_name, socket);
            let stream = connecting.await.map_err(|e| ConnectError::Tls(e.into()))?;
            Ok(Box::new(Whole::new(stream, course)) as Box<dyn Stream>)
        })
    }
}
