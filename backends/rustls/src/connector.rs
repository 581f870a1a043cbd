use std::sync::Arc;

use futures_rustls::TlsConnector;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use turnkey_backend::{
    BoxFuture, BuildError, ConnectConfig, ConnectError, Connected, Connector, EstablishedStream,
    HandshakeIo, Socket, TrustAnchors,
};

use crate::info::negotiated;
use crate::provider::provider;
use crate::words::{Worded, io_in_words};

/// Connects to other servers with rustls.
#[derive(Debug)]
pub struct RustlsConnector {
    config: Arc<ClientConfig>,
}

impl RustlsConnector {
    /// A connector for `config`.
    pub fn new(config: &ConnectConfig) -> Result<Self, BuildError> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|e| BuildError::Setup(Worded::from(&e).into()))?
            .with_root_certificates(roots(config.anchors.as_ref())?);
        let mut client = match &config.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = identity.chain().iter().map(|c| c.der().clone()).collect();
                let key = identity.key().clone_key().into();
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|e| BuildError::Identity(Worded::from(&e).into()))?
            }
        };
        client.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(client) })
    }
}

impl Connector for RustlsConnector {
    fn connect<'a>(
        &'a self,
        socket: Socket,
        server_name: &'a str,
    ) -> BoxFuture<'a, Result<Connected, ConnectError>> {
        Box::pin(async move {
            let name = ServerName::try_from(server_name.to_owned())
                .map_err(|_| ConnectError::Name(server_name.to_owned()))?;
            let (socket, progress) = HandshakeIo::new(socket);
            let connecting = TlsConnector::from(Arc::clone(&self.config)).connect(name, socket);
            let stream = connecting.await.map_err(|e| ConnectError::Tls(io_in_words(e).into()))?;
            let tls = negotiated(stream.get_ref().1);
            let stream = EstablishedStream::new(stream, progress).in_words(io_in_words);
            Ok(Connected { stream: Box::new(stream), tls })
        })
    }
}

/// The given CAs, or those that the system trusts.
fn roots(anchors: Option<&TrustAnchors>) -> Result<RootCertStore, BuildError> {
    let mut roots = RootCertStore::empty();
    let Some(anchors) = anchors else {
        let system = rustls_native_certs::load_native_certs();
        let (added, _) = roots.add_parsable_certificates(system.certs);
        return if added > 0 {
            Ok(roots)
        } else {
            let none = "the system has no CAs to trust; name one";
            Err(BuildError::Setup(system.errors.into_iter().next().map_or(none.into(), Into::into)))
        };
    };
    for certificate in anchors.certificates() {
        roots
            .add(certificate.der().clone())
            .map_err(|e| BuildError::ServerCa(Worded::from(&e).into()))?;
    }
    Ok(roots)
}
