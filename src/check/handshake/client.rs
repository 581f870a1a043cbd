use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, ProtocolVersion, RootCertStore,
    SignatureScheme, Stream,
};
use smol::future::FutureExt;
use smol::io::AsyncWriteExt;
use turnkey::backend::{Accepted, HandshakeError, Socket, Timer};
use turnkey::tls::{Certificate, Identity};
use turnkey_rustls::{fault_in_words, io_in_words};

use super::Serving;
use crate::check::report::Attempt;
use crate::console::causes::with_causes;

/// A client that accepts every certificate, and keeps those that the server sent.
pub(super) struct Client {
    config: Arc<ClientConfig>,
    shown: Arc<Shown>,
}

/// The result of a handshake.
#[derive(Debug)]
pub(super) struct ClientHandshake {
    /// The certificates that the server sent, in that order, if the handshake got so far.
    pub(super) shown: Option<Vec<Certificate>>,
    pub(super) version: Option<&'static str>,
    pub(super) cipher: Option<String>,
    /// Why there was no connection.
    pub(super) refusal: Option<Refusal>,
}

/// Why there was no connection.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) text: String,
    /// The server requires a certificate.
    pub(super) no_certificate: bool,
    /// The server rejected the client's certificate.
    pub(super) of_client: bool,
}

impl ClientHandshake {
    /// What both sides negotiated.
    pub(super) fn negotiated(&self) -> String {
        let version = self.version.unwrap_or("a version unknown");
        let certificates = self.shown.as_ref().map_or(0, Vec::len);
        let plural = if certificates == 1 { "" } else { "s" };
        let cipher = self.cipher.as_deref().unwrap_or("a cipher unknown");
        format!("{version}, {cipher}, {certificates} certificate{plural} sent")
    }

    pub(super) fn attempt(
        self,
        server_name: String,
        client: Option<std::path::PathBuf>,
    ) -> Attempt {
        let shown = self.shown.unwrap_or_default();
        Attempt {
            server_name,
            client,
            version: self.version,
            cipher: self.cipher,
            chain: shown.iter().map(|c| c.subject().to_owned()).collect(),
            refused: self.refusal.map(|refusal| refusal.text),
        }
    }
}

impl Client {
    /// A client that shows `identity`, if there is one.
    pub(super) fn new(identity: Option<&Identity>) -> io::Result<Self> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let shown = Arc::new(Shown { provider: Arc::clone(&provider), chain: Mutex::default() });
        let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(&shown) as _;
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match identity {
            None => config.with_no_client_auth(),
            Some(identity) => {
                let resolver = SingleCertAndKey::from(certified(identity, &provider)?);
                config.with_client_cert_resolver(Arc::new(resolver))
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), shown })
    }

    /// One handshake with the backend of `serving`, which ends by `deadline`.
    pub(super) fn shake_hands(
        self,
        serving: Serving<'_>,
        name: &ServerName<'static>,
        deadline: Instant,
    ) -> io::Result<ClientHandshake> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let left =
            || deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        // The connection is open as soon as it is in the listener's queue.
        let mut tcp = TcpStream::connect_timeout(&listener.local_addr()?, left())?;
        let (accepted, peer) = listener.accept()?;
        if peer != tcp.local_addr()? {
            return Err(io::Error::other("another program was faster to connect"));
        }
        tcp.set_read_timeout(Some(left()))?;
        tcp.set_write_timeout(Some(left()))?;
        let mut tls = ClientConnection::new(Arc::clone(&self.config), name.clone())
            .map_err(io::Error::other)?;

        let (read, served, tls) = thread::scope(|scope| {
            let client = scope.spawn(move || {
                // In TLS 1.3 a client learns from its first read whether it is let in.
                let read = Stream::new(&mut tls, &mut tcp).read_exact(&mut [0]);
                (read, tls)
            });
            let served = smol::block_on(serve(serving, accepted, left()));
            let (read, tls) = client.join().map_err(|_| io::Error::other("the client failed"))?;
            Ok::<_, io::Error>((read, served, tls))
        })?;
        let refusal = match (served, read) {
            (Ok(()), Ok(())) => None,
            // The server's error is more exact than its alert.
            (Err(Unserved::Handshake(error)), read) => Some(refusal(&error, read.err())),
            (Err(Unserved::TimedOut), _) => Some(Refusal::other("it takes too long".to_owned())),
            (Ok(()), Err(error)) => {
                Some(Refusal::other(format!("the client: {}", io_in_words(error))))
            }
        };
        Ok(ClientHandshake {
            shown: self.shown.chain.lock().unwrap_or_else(PoisonError::into_inner).take(),
            version: tls.protocol_version().and_then(version),
            cipher: tls.negotiated_cipher_suite().map(|suite| iana_name(suite.suite().as_str())),
            refusal,
        })
    }
}

/// An identity for rustls. Reading the identity has already checked that the key matches the certificate.
/// rustls would use webpki for that, which rejects version 1.
fn certified(identity: &Identity, provider: &CryptoProvider) -> io::Result<CertifiedKey> {
    let chain = identity.chain().iter().map(|c| c.der().clone()).collect();
    let key = provider.key_provider.load_private_key(identity.key().clone_key().into());
    Ok(CertifiedKey::new(chain, key.map_err(io::Error::other)?))
}

impl Refusal {
    fn other(text: String) -> Self {
        Self { text, no_certificate: false, of_client: false }
    }
}

enum Unserved {
    Handshake(HandshakeError),
    TimedOut,
}

/// The server's side: a handshake, and one byte.
async fn serve(serving: Serving<'_>, tcp: TcpStream, limit: Duration) -> Result<(), Unserved> {
    let serve = async {
        let io = |error| Unserved::Handshake(HandshakeError::Io(error));
        let tcp = Socket::tcp(tcp).map_err(io)?;
        let accepted = serving.clients.accept(serving.backend, tcp.clone()).await;
        let Accepted { mut stream, .. } = accepted.map_err(Unserved::Handshake)?;
        stream.write_all(b".").await.map_err(io)?;
        stream.flush().await.map_err(io)?;
        // It does not matter whether the close arrives.
        _ = stream.close().await;
        Ok(())
    };
    let late = async {
        Timer::after(limit).await;
        Err(Unserved::TimedOut)
    };
    serve.or(late).await
}

fn refusal(error: &HandshakeError, read: Option<io::Error>) -> Refusal {
    let text = match (error, read) {
        // The client closed the connection, so its error is the cause.
        (HandshakeError::Io(_) | HandshakeError::Alert { .. }, Some(read)) => {
            format!("the client: {}", io_in_words(read))
        }
        _ => with_causes(error),
    };
    let no_certificate = matches!(error, HandshakeError::NoClientCertificate);
    let of_client = matches!(error, HandshakeError::ClientCertificate(_));
    Refusal { text, no_certificate, of_client }
}

/// Whether a client that trusts `anchor` accepts the certificates that the server sent for `name`.
pub(super) fn verify(
    shown: &[Certificate],
    anchor: &Certificate,
    name: &ServerName<'_>,
) -> Result<(), String> {
    if shown.first().is_some_and(Certificate::lacks_extensions) {
        return Err("it is X.509 version 1, which clients built on rustls do not accept".to_owned());
    }
    let mut roots = RootCertStore::empty();
    roots.add(anchor.der().clone()).map_err(|error| fault_in_words(&error))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|_| "there is no CA to go by".to_owned())?;
    let mut shown = shown.iter().map(|certificate| certificate.der().clone());
    let Some(leaf) = shown.next() else { return Err("there is no certificate".to_owned()) };
    let others: Vec<_> = shown.collect();
    let outcome = verifier.verify_server_cert(&leaf, &others, name, &[], UnixTime::now());
    outcome.map(drop).map_err(|error| fault_in_words(&error))
}

/// The certificates that a server sent.
#[derive(Debug)]
struct Shown {
    provider: Arc<CryptoProvider>,
    chain: Mutex<Option<Vec<Certificate>>>,
}

impl ServerCertVerifier for Shown {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = [leaf].into_iter().chain(others);
        let chain = chain.filter_map(|der| Certificate::from_der(der).ok()).collect();
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = Some(chain);
        // Other checks report problems of the certificate.
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        lenient(certificate, || verify_tls12_signature(message, certificate, signature, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        lenient(certificate, || verify_tls13_signature(message, certificate, signature, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// webpki cannot read certificates of X.509 version 1. Building the backend has already checked that the server
/// has the key for its certificate.
fn lenient(
    certificate: &CertificateDer<'_>,
    verify: impl FnOnce() -> Result<HandshakeSignatureValid, Error>,
) -> Result<HandshakeSignatureValid, Error> {
    match Certificate::from_der(certificate) {
        Ok(old) if old.lacks_extensions() => Ok(HandshakeSignatureValid::assertion()),
        _ => verify(),
    }
}

fn version(version: ProtocolVersion) -> Option<&'static str> {
    match version {
        ProtocolVersion::TLSv1_2 => Some("TLS 1.2"),
        ProtocolVersion::TLSv1_3 => Some("TLS 1.3"),
        _ => None,
    }
}

/// rustls names the suites of TLS 1.3 with a prefix that the registered names do not have.
fn iana_name(suite: Option<&str>) -> String {
    let suite = suite.unwrap_or("a cipher without a name");
    suite.strip_prefix("TLS13_").map_or_else(|| suite.to_owned(), |rest| format!("TLS_{rest}"))
}
