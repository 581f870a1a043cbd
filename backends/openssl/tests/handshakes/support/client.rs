//! A client of rustls's, over a blocking socket.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionMemoryCache, ClientSessionStore, Resumption};
use rustls::client::{ResolvesClientCert, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, HandshakeKind, NamedGroup,
    SignatureScheme, StreamOwned, version,
};
use turnkey_backend::{Certificate, TlsVersion};

use super::Leaf;

/// Who comes, and how. What it has kept of one server it shows to any other.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    config: ClientConfig,
    verifier: Arc<Verifier>,
    name: String,
}

impl Client {
    /// Trusts any server, and asks for `localhost`.
    pub(crate) fn new(version: TlsVersion) -> Self {
        Self::with_provider(version, provider())
    }

    /// Begins with a group that the server has not, so that it has to begin again.
    pub(crate) fn guessing_wrong() -> Self {
        let mut provider = provider();
        provider.kx_groups.insert(0, aws_lc_rs::kx_group::MLKEM768);
        Self::with_provider(TlsVersion::Tls13, provider)
    }

    fn with_provider(version: TlsVersion, provider: CryptoProvider) -> Self {
        let versions = match version {
            TlsVersion::Tls12 => &version::TLS12,
            TlsVersion::Tls13 => &version::TLS13,
        };
        let verifier = Arc::<Verifier>::default();
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[versions])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as _)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.resumption = Resumption::store(Arc::<OneStore>::default());
        Self { config, verifier, name: "localhost".to_owned() }
    }

    /// Shows a certificate.
    pub(crate) fn with(self, identity: &Leaf) -> Self {
        let key = identity.key.clone();
        self.with_key(identity, &key)
    }

    /// Shows a certificate, and signs with another's key if need be.
    pub(crate) fn with_key(mut self, identity: &Leaf, key: &str) -> Self {
        let chain = CertificateDer::pem_slice_iter(identity.chain.as_bytes());
        let chain = chain.collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
        let shown = Shown(Arc::new(CertifiedKey::new(chain, key)));
        self.config.client_auth_cert_resolver = Arc::new(shown);
        self
    }

    /// Asks for a server of that name.
    pub(crate) fn asking_for(&self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self.clone() }
    }

    /// Asks for no name.
    pub(crate) fn asking_for_none(mut self) -> Self {
        self.config.enable_sni = false;
        self
    }

    /// Refuses the server's certificate.
    pub(crate) fn refusing(mut self, why: rustls::CertificateError) -> Self {
        self.verifier = Arc::new(Verifier { refuse: Some(why), ..Verifier::default() });
        self.config.dangerous().set_certificate_verifier(Arc::clone(&self.verifier) as _);
        self
    }

    /// Offers no application protocol, or others.
    pub(crate) fn speaking(mut self, protocols: &[&str]) -> Self {
        self.config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        self
    }

    /// Comes, and reads what the server says first: in TLS 1.3 that is when it learns whether it
    /// is let in.
    pub(crate) fn connect(&self, to: SocketAddr) -> Result<Met, Error> {
        let tcp = TcpStream::connect(to).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut stream = StreamOwned::new(self.connection(), tcp);
        let mut byte = [0];
        if let Err(error) = stream.read_exact(&mut byte) {
            return Err(error.downcast().unwrap_or_else(|e| Error::General(e.to_string())));
        }
        stream.write_all(b"!").unwrap();
        // Without a goodbye it is an error.
        assert_eq!(stream.read(&mut byte).unwrap(), 0);
        stream.conn.send_close_notify();
        let _ = stream.flush();

        let tls = &stream.conn;
        let chain = tls.peer_certificates().unwrap_or_default().iter();
        Ok(Met {
            chain: chain.map(|c| name_of(c)).collect(),
            status: self.verifier.status.lock().unwrap().take(),
            kind: tls.handshake_kind().unwrap(),
            tickets: tls.tls13_tickets_received(),
            alpn: tls.alpn_protocol().map(|p| String::from_utf8(p.to_vec()).unwrap()),
        })
    }

    /// The first that it sends.
    pub(crate) fn hello(&self) -> Vec<u8> {
        let mut hello = Vec::new();
        self.connection().write_tls(&mut hello).unwrap();
        hello
    }

    fn connection(&self) -> ClientConnection {
        let name = ServerName::try_from(self.name.clone()).unwrap();
        ClientConnection::new(Arc::new(self.config.clone()), name).unwrap()
    }
}

/// What a client found.
#[derive(Debug)]
pub(crate) struct Met {
    /// The common names of the server's chain, as it was sent.
    pub(crate) chain: Vec<String>,
    /// The response of an OCSP responder.
    pub(crate) status: Option<Vec<u8>>,
    pub(crate) kind: HandshakeKind,
    /// How many came before the server said anything, in TLS 1.3.
    pub(crate) tickets: u32,
    pub(crate) alpn: Option<String>,
}

fn name_of(certificate: &CertificateDer<'_>) -> String {
    Certificate::from_der(certificate).unwrap().common_name().unwrap().to_owned()
}

/// Takes any certificate, or none; and keeps the response of an OCSP responder.
#[derive(Debug, Default)]
struct Verifier {
    refuse: Option<rustls::CertificateError>,
    status: Mutex<Option<Vec<u8>>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        status: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.status.lock().unwrap() = (!status.is_empty()).then(|| status.to_vec());
        match &self.refuse {
            Some(why) => Err(why.clone().into()),
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

/// Shows its certificate whoever asks, and whatever CAs they name.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Keeps sessions without regard to whose they are.
#[derive(Debug)]
struct OneStore(ClientSessionMemoryCache);

impl Default for OneStore {
    fn default() -> Self {
        Self(ClientSessionMemoryCache::new(8))
    }
}

fn any() -> ServerName<'static> {
    ServerName::try_from("any").unwrap()
}

impl ClientSessionStore for OneStore {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.0.set_kx_hint(any(), group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.kx_hint(&any())
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.set_tls12_session(any(), value);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(&any())
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.0.remove_tls12_session(&any());
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(any(), value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(&any())
    }
}
