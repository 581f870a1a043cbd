//! The rustls backend, on the aws-lc-rs provider, which is given explicitly: the process-wide
//! default provider is global state, and this is a library.

mod connector;
mod errors;
mod info;
mod lists;
mod paths;
mod provider;
mod refusal;
mod resolver;
mod slot;
mod tickets;
mod verifier;
mod webpki_error;
mod words;

use std::sync::Arc;

use futures_rustls::TlsAcceptor;
use rustls::SupportedProtocolVersion;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    NoServerSessionStorage, ServerConfig, ServerConnection, WebPkiClientVerifier,
};
use turnkey_backend::{
    Accepted, Backend, BackendFactory, BoxFuture, BuildError, Capabilities, Certificate,
    EstablishedStream, HandshakeError, HandshakeIo, HandshakeProgress, Resumption, Socket,
    TlsConfig, TlsInfo, TlsVersion, VersionRange, Vouched,
};

pub use self::connector::RustlsConnector;
use self::errors::handshake_error;
use self::provider::provider;
use self::resolver::Resolver;
use self::slot::Word;
use self::tickets::SharedTickets;
use self::verifier::Verifier;
use self::words::Worded;
pub use self::words::{fault_in_words, io_in_words};

/// Serves TLS with rustls.
#[derive(Debug)]
pub struct Rustls {
    config: Arc<ServerConfig>,
    /// `None` where clients are not asked.
    verifier: Option<Arc<Verifier>>,
}

impl Rustls {
    /// What this backend can do. Its verifier, webpki, refuses X.509 version 1, and a CA's certificate in place of a
    /// server's.
    pub const CAPABILITIES: Capabilities = Capabilities {
        name: "rustls",
        tls: true,
        client_certificates: true,
        tls13: true,
        sni: true,
        crl: true,
        alpn: true,
        resumption_control: true,
        ocsp: true,
        partial_chain: true,
        self_signed_upstreams: false,
        x509_v1: false,
        name_constraints: false,
        ed25519: true,
        ed448: false,
        max_rsa_bits: 8192,
    };

    /// A backend for `config`.
    pub fn new(config: &TlsConfig) -> Result<Self, BuildError> {
        let provider = provider();
        let resolver = Resolver::new(&config.identities, &provider)?;
        let verifier = Verifier::new(&config.clients, &provider)?.map(Arc::new);
        let asked: Arc<dyn ClientCertVerifier> = match &verifier {
            Some(verifier) => Arc::<Verifier>::clone(verifier),
            None => WebPkiClientVerifier::no_client_auth(),
        };

        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions(config.versions))
            .map_err(|e| BuildError::Setup(Worded::from(&e).into()))?
            .with_client_cert_verifier(asked)
            .with_cert_resolver(Arc::new(resolver));
        server.alpn_protocols = vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()];
        // All offered suites are good, but auditors require that the server chooses.
        server.ignore_client_order = true;
        // The ticket contains the whole session: the server keeps nothing, and there are no session ids.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        match &config.resumption {
            Resumption::Off => server.send_tls13_tickets = 0,
            Resumption::On => {
                let tickets = aws_lc_rs::Ticketer::new();
                server.ticketer =
                    tickets.map_err(|e| BuildError::Setup(Worded::from(&e).into()))?;
            }
            Resumption::Shared(key) => {
                server.ticketer = Arc::new(SharedTickets::new(key, &config.clients)?);
            }
        }
        Ok(Self { config: Arc::new(server), verifier })
    }

    /// The name and version of the TLS stack.
    #[must_use]
    pub fn library() -> String {
        // rustls does not export its version. A test compares this with Cargo.toml.
        "rustls 0.23, aws-lc-rs".to_owned()
    }
}

impl Backend for Rustls {
    fn accept(&self, socket: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
        Box::pin(async {
            let (socket, progress) = HandshakeIo::new(socket);
            let handshake = TlsAcceptor::from(Arc::clone(&self.config)).accept(socket);
            let (stream, path) = match slot::collecting(handshake).await {
                (Ok(stream), Word { verified, .. }) => (stream, verified),
                (Err(_), Word { refused: Some(refused), .. }) => return Err(refused.into()),
                (Err(error), Word { shown: Some(ours), .. }) => {
                    return Err(handshake_error(error).having_shown(ours));
                }
                (Err(error), _) => return Err(handshake_error(error)),
            };
            let tls = self.negotiated(stream.get_ref().1, path, &progress)?;
            let stream = EstablishedStream::new(stream, progress).in_words(io_in_words);
            Ok(Accepted { stream: Box::new(stream), tls: Some(tls) })
        })
    }

    fn verify_again(
        &self,
        leaf: &Certificate,
        others: &[Certificate],
    ) -> Result<Option<Vouched>, HandshakeError> {
        let Some(verifier) = &self.verifier else { return Ok(None) };
        let others: Vec<_> =
            others.iter().map(|one| CertificateDer::from(&one.der()[..])).collect();
        verifier.verify_again(leaf.der(), &others).map(Some)
    }
}

impl Rustls {
    /// The negotiated values. `path` is the one that this handshake verified; a resumed session has none, and gets it
    /// from the certificates that the client sent when the session began.
    fn negotiated(
        &self,
        session: &ServerConnection,
        path: Option<Vouched>,
        progress: &HandshakeProgress,
    ) -> Result<TlsInfo, HandshakeError> {
        let mut tls = info::negotiated(session);
        progress.hold_tickets(tls.version);
        tls.server_name = session.server_name().map(str::to_owned);
        let shown = session.peer_certificates().and_then(<[_]>::split_first);
        let (Some((leaf, others)), Some(verifier)) = (shown, &self.verifier) else {
            return Ok(tls);
        };
        let vouched = match path {
            Some(path) => path,
            None => verifier.verify_again(leaf, others)?,
        };
        tls.set_client(Some(vouched));
        Ok(tls)
    }
}

/// Builds [`Rustls`].
#[derive(Debug, Clone, Copy, Default)]
pub struct RustlsFactory;

impl BackendFactory for RustlsFactory {
    fn capabilities(&self) -> Capabilities {
        Rustls::CAPABILITIES
    }

    fn library(&self) -> String {
        Rustls::library()
    }

    fn build(&self, config: &TlsConfig) -> Result<Box<dyn Backend>, BuildError> {
        Ok(Box::new(Rustls::new(config)?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_is_built_with() {
        let manifest = include_str!("../Cargo.toml");
        let version = Rustls::library().split([' ', ',']).nth(1).unwrap().to_owned();
        assert!(manifest.contains(&format!("\nrustls = {{ version = \"{version}\"")), "{version}");
    }
}
