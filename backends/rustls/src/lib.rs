//! The rustls backend, on the aws-lc-rs provider, which is given explicitly: the process-wide
//! default provider is global state, and this is a library.

use std::sync::Arc;

use futures_rustls::TlsAcceptor;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ServerConfig, WebPkiClientVerifier};
use rustls::{
    HandshakeKind, InconsistentKeys, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
};
use turnkey_backend::{
    Accepted, Backend, BoxFuture, BuildError, Capabilities, Certificate, ClientPolicy,
    HandshakeError, Tcp, TlsConfig, TlsInfo, TlsVersion, TrustAnchors, VersionRange,
};

/// Serves TLS with rustls.
#[derive(Debug)]
pub struct Rustls {
    config: Arc<ServerConfig>,
}

impl Rustls {
    /// What this backend can do.
    pub const CAPABILITIES: Capabilities = Capabilities::RUSTLS;

    /// A backend for `config`.
    pub fn new(config: &TlsConfig) -> Result<Self, BuildError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain = config.identities.first().chain().iter().map(|c| c.der().clone()).collect();
        let key = config.identities.first().key().clone_key().into();

        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions(config.versions))
            .map_err(|e| BuildError::Setup(e.into()))?
            .with_client_cert_verifier(verifier(&config.clients, provider)?)
            .with_single_cert(chain, key)
            .map_err(identity_error)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()];
        if !config.clients.is_none() {
            // A resumed session skips the check of the client's certificate: one that has expired
            // or lost its CA since would still be let in.
            server.session_storage = Arc::new(NoServerSessionStorage {});
            server.send_tls13_tickets = 0;
        }
        Ok(Self { config: Arc::new(server) })
    }

    /// The name and version of the TLS stack.
    #[must_use]
    pub fn library() -> String {
        // rustls does not tell its version. Keep in step with Cargo.toml: a test does.
        "rustls 0.23, aws-lc-rs".to_owned()
    }
}

impl Backend for Rustls {
    fn accept(&self, tcp: Tcp) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
        Box::pin(async {
            let stream = TlsAcceptor::from(self.config.clone())
                .accept(tcp)
                .await
                .map_err(handshake_error)?;
            let (_, session) = stream.get_ref();

            let mut tls = TlsInfo::default();
            tls.version = session.protocol_version().and_then(|v| match v {
                ProtocolVersion::TLSv1_2 => Some(TlsVersion::Tls12),
                ProtocolVersion::TLSv1_3 => Some(TlsVersion::Tls13),
                _ => None,
            });
            tls.cipher_suite =
                session.negotiated_cipher_suite().map(|s| iana_name(&format!("{:?}", s.suite())));
            tls.alpn = session.alpn_protocol().map(|p| String::from_utf8_lossy(p).into_owned());
            tls.server_name = session.server_name().map(str::to_owned);
            tls.resumed = session.handshake_kind().map(|k| k == HandshakeKind::Resumed);
            tls.client_certificate = session
                .peer_certificates()
                .and_then(|chain| chain.first())
                .map(|leaf| Certificate::from_der(leaf))
                .transpose()
                .map_err(|e| HandshakeError::Tls(e.into()))?;
            Ok(Accepted { stream: Box::new(stream), tls: Some(tls) })
        })
    }
}

fn versions(range: VersionRange) -> &'static [&'static SupportedProtocolVersion] {
    static TLS12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
    static TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];
    static BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

    match (range.min(), range.max()) {
        (TlsVersion::Tls12, TlsVersion::Tls12) => TLS12,
        (TlsVersion::Tls13, _) => TLS13,
        (TlsVersion::Tls12, TlsVersion::Tls13) => BOTH,
    }
}

fn verifier(
    policy: &ClientPolicy,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, BuildError> {
    let builder = match policy {
        ClientPolicy::None => return Ok(WebPkiClientVerifier::no_client_auth()),
        ClientPolicy::Optional(trust) => {
            WebPkiClientVerifier::builder_with_provider(roots(trust.anchors())?, provider)
                .allow_unauthenticated()
        }
        ClientPolicy::Required(trust) => {
            WebPkiClientVerifier::builder_with_provider(roots(trust.anchors())?, provider)
        }
    };
    builder.build().map_err(|e| BuildError::ClientCa(e.into()))
}

fn roots(anchors: &TrustAnchors) -> Result<Arc<RootCertStore>, BuildError> {
    let mut roots = RootCertStore::empty();
    for certificate in anchors.certificates() {
        roots.add(certificate.der().clone()).map_err(|e| BuildError::ClientCa(e.into()))?;
    }
    Ok(Arc::new(roots))
}

fn identity_error(error: rustls::Error) -> BuildError {
    match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => BuildError::KeyMismatch,
        other => BuildError::Identity(other.into()),
    }
}

/// futures-rustls wraps the errors of rustls in I/O errors.
fn handshake_error(error: std::io::Error) -> HandshakeError {
    match error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::NoCertificatesPresented) => HandshakeError::NoClientCertificate,
        Some(other) => HandshakeError::Tls(other.clone().into()),
        None => HandshakeError::Io(error),
    }
}

/// rustls calls the suites of TLS 1.3 `TLS13_…`, to tell them apart; their registered names begin
/// with `TLS_`.
fn iana_name(suite: &str) -> String {
    match suite.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => suite.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_is_built_with() {
        let manifest = include_str!("../Cargo.toml");
        let version = Rustls::library().split([' ', ',']).nth(1).unwrap().to_owned();
        assert!(manifest.contains(&format!("\nrustls = {{ version = \"{version}\"")), "{version}");
    }

    #[test]
    fn suites_have_their_registered_names() {
        assert_eq!(iana_name("TLS13_AES_128_GCM_SHA256"), "TLS_AES_128_GCM_SHA256");
        let tls12 = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
        assert_eq!(iana_name(tls12), tls12);
    }
}
