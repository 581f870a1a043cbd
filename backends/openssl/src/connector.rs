use std::fmt;

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{SslConnector, SslMethod, SslVersion};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use turnkey_backend::{
    BoxFuture, BuildError, ConnectConfig, ConnectError, Connected, Connector, EstablishedStream,
    HandshakeIo, Identity, Socket, TlsStream, TrustAnchors,
};

use crate::stream::OpenSslSession;
use crate::{groups, info, setup};

/// Connects to other servers with OpenSSL.
pub struct OpenSslConnector {
    connector: SslConnector,
}

impl OpenSslConnector {
    /// A connector for `config`.
    pub fn new(config: &ConnectConfig) -> Result<Self, BuildError> {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(setup)?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_2)).map_err(setup)?;
        builder.set_alpn_protos(b"\x08http/1.1").map_err(setup)?;
        groups::offer(&mut builder).map_err(setup)?;
        if let Some(anchors) = &config.anchors {
            let store = store(anchors).map_err(|e| BuildError::ServerCa(e.into()))?;
            builder.set_cert_store(store.build());
        }
        let mut connector = builder;
        if let Some(identity) = &config.identity {
            show(&mut connector, identity).map_err(|e| BuildError::Identity(e.into()))?;
        }
        Ok(Self { connector: connector.build() })
    }

    async fn handshake(&self, socket: Socket, name: &str) -> Result<Connected, ConnectError> {
        let failed = |e: ErrorStack| ConnectError::Tls(e.into());
        let ssl = self.connector.configure().map_err(failed)?.into_ssl(name).map_err(failed)?;
        let (below, progress) = HandshakeIo::new(socket);
        let mut session = OpenSslSession::new(ssl, below).map_err(failed)?;
        match session.connect().await {
            Ok(()) => {
                let tls = info::negotiated(session.ssl());
                Ok(Connected {
                    stream: Box::new(EstablishedStream::new(TlsStream(session), progress)),
                    tls,
                })
            }
            Err(error) => {
                let verified = session.ssl().verify_result();
                // The fault of the certificate is more useful than "verification failed".
                Err(ConnectError::Tls(if verified == openssl::x509::X509VerifyResult::OK {
                    error.into()
                } else {
                    format!("its certificate is not good: {}", verified.error_string()).into()
                }))
            }
        }
    }
}

impl Connector for OpenSslConnector {
    fn connect<'a>(
        &'a self,
        socket: Socket,
        server_name: &'a str,
    ) -> BoxFuture<'a, Result<Connected, ConnectError>> {
        Box::pin(self.handshake(socket, server_name))
    }
}

impl fmt::Debug for OpenSslConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSslConnector").finish_non_exhaustive()
    }
}

/// Only the given CAs; an intermediate among them is an anchor too.
fn store(anchors: &TrustAnchors) -> Result<X509StoreBuilder, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    store.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    for anchor in anchors.certificates() {
        store.add_cert(X509::from_der(anchor.der())?)?;
    }
    Ok(store)
}

fn show(
    connector: &mut openssl::ssl::SslConnectorBuilder,
    identity: &Identity,
) -> Result<(), ErrorStack> {
    connector.set_certificate(&*X509::from_der(identity.leaf().der())?)?;
    let key = PKey::private_key_from_pkcs8(identity.key().secret_pkcs8_der())?;
    connector.set_private_key(&key)?;
    for issuer in identity.chain().iter().skip(1) {
        connector.add_extra_chain_cert(X509::from_der(issuer.der())?)?;
    }
    connector.check_private_key()
}
