use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, HandshakeKind, SignatureScheme};
use smol::Async;

use crate::Options;
use crate::http::Connection;

/// Where connections go, and how.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    address: SocketAddr,
    path: String,
    /// `None` without TLS.
    tls: Option<Arc<ClientConfig>>,
    resume: bool,
}

impl Target {
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let tls = options.tls.as_deref().map(|version| client_config(version, options));
        let tls = tls.transpose()?.map(Arc::new);
        if options.resume && tls.is_none() {
            bail!("--resume takes --tls");
        }
        Ok(Self { address: options.to, path: options.path.clone(), tls, resume: options.resume })
    }

    /// The same, with sessions of its own.
    pub(crate) fn with_own_sessions(&self) -> Self {
        let tls = self.tls.as_ref().map(|config| {
            let mut config = ClientConfig::clone(config);
            config.resumption = if self.resume {
                Resumption::in_memory_sessions(8)
            } else {
                Resumption::disabled()
            };
            Arc::new(config)
        });
        Self { tls, ..self.clone() }
    }

    /// The request that is sent each time.
    pub(crate) fn request(&self) -> Vec<u8> {
        format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", self.path, self.address).into_bytes()
    }

    /// A new connection, with its handshake done.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        let tcp = Async::<TcpStream>::connect(self.address).await.context("cannot connect")?;
        tcp.get_ref().set_nodelay(true)?;
        let Some(config) = &self.tls else { return Ok(Connection::plain(tcp)) };
        let name = ServerName::try_from("localhost")?;
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = connector.connect(name, tcp).await.context("the handshake failed")?;
        Ok(Connection::tls(stream))
    }

    /// Whether a handshake was of the kind that was asked for.
    pub(crate) fn is_as_asked(&self, connection: &Connection) -> bool {
        let resumed = connection.handshake() == Some(HandshakeKind::Resumed);
        self.tls.is_none() || resumed == self.resume
    }
}

/// The stream below a connection of TLS.
pub(crate) type Tls = TlsStream<Async<TcpStream>>;

fn client_config(version: &str, options: &Options) -> Result<ClientConfig> {
    let versions = match version {
        "1.2" => &[&rustls::version::TLS12],
        "1.3" => &[&rustls::version::TLS13],
        _ => bail!("--tls {version}: expected 1.2 or 1.3"),
    };
    let mut groups = aws_lc_rs::ALL_KX_GROUPS.iter().copied();
    let group = groups.find(|group| format!("{:?}", group.name()) == options.group);
    let group =
        group.with_context(|| format!("--group {}: there is no such group", options.group))?;
    let provider = CryptoProvider { kx_groups: vec![group], ..aws_lc_rs::default_provider() };
    let provider = Arc::new(provider);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody));
    let mut config = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => {
            let chain =
                CertificateDer::pem_slice_iter(&fs::read(cert)?).collect::<Result<_, _>>()?;
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(&fs::read(key)?)?)?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Takes every server for the right one: what the client does must not be what is measured.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
