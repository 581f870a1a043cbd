//! One connection at a time between a backend and a client, on loopback.

use std::io::{self, Read as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ClientConnection, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    DigitallySignedStruct, HandshakeKind, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};
use smol::future::FutureExt as _;
use smol::io::{AsyncReadExt as _, AsyncWriteExt as _};
use turnkey_backend::{
    Accepted, Backend, Certificate, ClientPolicy, HandshakeError, Identities,
    Resumption as Sessions, Socket, Timer, TlsConfig, TlsInfo, VersionRange,
};
use turnkey_rustls::Rustls;

use crate::pki::{Ca, Holder};

/// What the server says on a connection that stands.
const GREETING: &str = "hello";
const PATIENCE: Duration = Duration::from_secs(20);

/// Both ends of a connection.
pub(crate) struct Met {
    pub(crate) server: Result<TlsInfo, HandshakeError>,
    /// The connection after the server's greeting, or why there is none.
    pub(crate) client: io::Result<ClientConnection>,
}

impl Met {
    /// What was negotiated on a connection that stands.
    pub(crate) fn info(self) -> TlsInfo {
        self.client.expect("the client is content");
        self.server.expect("the server is content")
    }

    /// Whether a connection that stands was resumed, on which both ends agree.
    pub(crate) fn resumed(&self) -> bool {
        let client = self.client.as_ref().expect("the client is content");
        let server = self.server.as_ref().expect("the server is content");
        let resumed = client.handshake_kind() == Some(HandshakeKind::Resumed);
        assert_eq!(server.resumed, Some(resumed));
        resumed
    }

    /// Why there is no connection, and the alert that the client was sent.
    pub(crate) fn refusal(self) -> (HandshakeError, rustls::AlertDescription) {
        let error = self.server.expect_err("the server refuses");
        let told = self.client.expect_err("the client is refused");
        match told.get_ref().and_then(|e| e.downcast_ref()) {
            Some(rustls::Error::AlertReceived(alert)) => (error, *alert),
            _ => panic!("no alert but {told}; {error:?}"),
        }
    }
}

/// Connects as `localhost`.
pub(crate) fn meet(backend: &Rustls, client: &Arc<ClientConfig>) -> Met {
    meet_as(backend, client, "localhost")
}

pub(crate) fn meet_as(backend: &Rustls, client: &Arc<ClientConfig>, name: &str) -> Met {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let (server, client) = serve_one(backend, |address| {
        let mut connection = ClientConnection::new(Arc::clone(client), name).unwrap();
        let mut socket = connect(address);
        let mut said = String::new();
        rustls::Stream::new(&mut connection, &mut socket).read_to_string(&mut said)?;
        assert_eq!(said, GREETING);
        Ok(connection)
    });
    Met { server, client }
}

/// Has a backend serve one connection, and `client` use it.
pub(crate) fn serve_one<T>(
    backend: &Rustls,
    client: impl FnOnce(SocketAddr) -> T,
) -> (Result<TlsInfo, HandshakeError>, T) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::scope(|scope| {
        let server = scope.spawn(|| {
            let late = async {
                Timer::after(PATIENCE).await;
                panic!("the server has waited too long")
            };
            smol::block_on(serve(backend, listener).or(late))
        });
        let client = client(address);
        (server.join().expect("the server"), client)
    })
}

async fn serve(backend: &Rustls, listener: TcpListener) -> Result<TlsInfo, HandshakeError> {
    let tcp = Socket::tcp(listener.accept().unwrap().0).unwrap();
    let mut held = tcp.clone();
    let outcome = match backend.accept(tcp).await {
        Ok(Accepted { mut stream, tls }) => {
            // The client may have left in the meantime.
            let _ = stream.write_all(GREETING.as_bytes()).await;
            let _ = stream.close().await;
            Ok(tls.unwrap())
        }
        Err(error) => Err(error),
    };
    // What is not read yet would turn the end into a reset, and with it what the client was sent.
    let _ = held.shutdown_write();
    while held.read(&mut [0; 1024]).await.is_ok_and(|n| n > 0) {}
    outcome
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Sends bytes, and reads what comes until the end.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut socket = connect(address);
    io::Write::write_all(&mut socket, bytes).unwrap();
    let mut answer = Vec::new();
    // A reset is an end, too.
    let _ = socket.read_to_end(&mut answer);
    answer
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Both versions of TLS, to run a test in each.
pub(crate) const VERSIONS: [&SupportedProtocolVersion; 2] =
    [&rustls::version::TLS12, &rustls::version::TLS13];

/// A client that trusts `server`, and shows the certificate of `holder`, trusted or not.
pub(crate) fn client(
    server: &Ca,
    holder: Option<&Holder>,
    version: &'static SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    client_with(provider(), server, holder, version)
}

pub(crate) fn client_with(
    provider: Arc<CryptoProvider>,
    server: &Ca,
    holder: Option<&Holder>,
    version: &'static SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(server.der.clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match holder {
        Some(Holder { chain, key }) => {
            let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
            builder.with_client_auth_cert(chain.clone(), key.into()).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::in_memory_sessions(32);
    Arc::new(config)
}

/// A client that takes whatever it is shown, and what that was.
pub(crate) fn credulous_client(
    version: &'static SupportedProtocolVersion,
) -> (Arc<ClientConfig>, Arc<Shown>) {
    let shown = Arc::new(Shown::default());
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(shown.clone())
        .with_no_client_auth();
    (Arc::new(config), shown)
}

/// What a server has shown last.
#[derive(Debug, Default)]
pub(crate) struct Shown(Mutex<(Vec<u8>, Vec<u8>)>);

impl Shown {
    pub(crate) fn leaf(&self) -> Certificate {
        Certificate::from_der(&self.0.lock().unwrap().0).unwrap()
    }

    pub(crate) fn ocsp_response(&self) -> Vec<u8> {
        self.0.lock().unwrap().1.clone()
    }
}

impl ServerCertVerifier for Shown {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().unwrap() = (leaf.to_vec(), ocsp_response.to_vec());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _leaf: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A server's side: its identity, and the CA that it is from.
pub(crate) struct Site {
    pub(crate) ca: Ca,
    pub(crate) identities: Identities,
}

impl Site {
    pub(crate) fn new() -> Self {
        let ca = Ca::root("the server's CA");
        let identities = ca.server(&["localhost"]).identity().into();
        Self { ca, identities }
    }

    pub(crate) fn config(&self, clients: ClientPolicy) -> TlsConfig {
        TlsConfig {
            identities: self.identities.clone(),
            clients,
            versions: VersionRange::default(),
            resumption: Sessions::Off,
        }
    }

    pub(crate) fn backend(&self, clients: ClientPolicy) -> Rustls {
        Rustls::new(&self.config(clients)).unwrap()
    }

    pub(crate) fn backend_with(&self, clients: ClientPolicy, resumption: Sessions) -> Rustls {
        Rustls::new(&TlsConfig { resumption, ..self.config(clients) }).unwrap()
    }
}
