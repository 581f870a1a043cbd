use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

use super::TestServer;

/// How long the server may take on a busy machine, where it does not wait for the client.
const PATIENCE: Duration = Duration::from_secs(20);

/// How bytes are cut on their way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// In one write.
    Whole,
    /// In a write for each byte; where there are many, in larger pieces far from both ends.
    Bytes,
    /// In pieces of these sizes, around and around.
    Pieces(Vec<usize>),
}

/// How the server's side of a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// FIN, and over TLS a `close_notify` before it.
    Clean,
    /// Anything else: a reset, a FIN in the middle of TLS, silence.
    Unclean(String),
}

/// A client that has a connection.
#[derive(Debug)]
pub struct Client {
    stream: ClientStream,
    local: SocketAddr,
    /// What came in and has not been taken.
    pub received: Vec<u8>,
    ending: Option<Ending>,
}

#[derive(Debug)]
enum ClientStream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Client {
    pub fn connect(server: &TestServer) -> io::Result<Self> {
        let mut tcp = TcpStream::connect(server.addr)?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_write_timeout(Some(PATIENCE))?;
        let local = tcp.local_addr()?;
        let stream = if server.stack.is_tls() {
            let name = ServerName::try_from("localhost").expect("a name");
            let mut tls =
                ClientConnection::new(Arc::clone(&CONFIG), name).map_err(io::Error::other)?;
            while tls.is_handshaking() {
                tls.complete_io(&mut tcp)?;
            }
            ClientStream::Tls(Box::new(StreamOwned::new(tls, tcp)))
        } else {
            ClientStream::Plain(tcp)
        };
        Ok(Self { stream, local, received: Vec::new(), ending: None })
    }

    /// The address that the server knows it by.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends `bytes`. An error means that the server reset the connection.
    pub fn send(&mut self, bytes: &[u8], cut: &Cut) -> io::Result<()> {
        for piece in pieces(bytes, cut) {
            match &mut self.stream {
                ClientStream::Plain(tcp) => tcp.write_all(piece)?,
                ClientStream::Tls(tls) => {
                    tls.write_all(piece)?;
                    tls.flush()?;
                }
            }
        }
        Ok(())
    }

    /// Says that nothing more will be sent.
    pub fn finish(&mut self) -> io::Result<()> {
        match &mut self.stream {
            ClientStream::Plain(tcp) => tcp.shutdown(Shutdown::Write),
            ClientStream::Tls(tls) => {
                tls.conn.send_close_notify();
                tls.flush()?;
                tls.sock.shutdown(Shutdown::Write)
            }
        }
    }

    /// Limits each wait for the server from now on.
    pub fn wait_at_most(&mut self, patience: Duration) {
        let tcp = self.tcp();
        tcp.set_read_timeout(Some(patience)).expect("a time-out");
        tcp.set_write_timeout(Some(patience)).expect("a time-out");
    }

    /// Waits for more bytes. `false` once there will be none.
    pub fn fill(&mut self) -> bool {
        if self.ending.is_some() {
            return false;
        }
        let mut buffer = [0; 16 * 1024];
        let result = match &mut self.stream {
            ClientStream::Plain(tcp) => tcp.read(&mut buffer),
            ClientStream::Tls(tls) => tls.read(&mut buffer),
        };
        match result {
            Ok(0) => self.ending = Some(self.clean_end()),
            Ok(n) => self.received.extend_from_slice(&buffer[..n]),
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                self.ending = Some(Ending::Unclean("nothing came any more".to_owned()));
            }
            Err(e) => self.ending = Some(Ending::Unclean(e.to_string())),
        }
        self.ending.is_none()
    }

    /// How the server's side ended, which it must have.
    pub fn ending(&mut self) -> Ending {
        while self.fill() {}
        self.ending.clone().expect("set by now")
    }

    fn clean_end(&mut self) -> Ending {
        if let ClientStream::Tls(tls) = &mut self.stream {
            // After `close_notify` there is nothing but the FIN.
            match tls.sock.read(&mut [0]) {
                Ok(0) => {}
                other => return Ending::Unclean(format!("after close_notify: {other:?}")),
            }
        }
        match self.tcp().take_error() {
            Ok(None) => Ending::Clean,
            other => Ending::Unclean(format!("after the FIN: {other:?}")),
        }
    }

    fn tcp(&self) -> &TcpStream {
        match &self.stream {
            ClientStream::Plain(tcp) => tcp,
            ClientStream::Tls(tls) => &tls.sock,
        }
    }
}

/// `bytes`, cut.
fn pieces<'b>(bytes: &'b [u8], cut: &Cut) -> Vec<&'b [u8]> {
    /// So many bytes at both ends are sent one by one.
    const FINE: usize = 1200;
    const COARSE: usize = 331;
    match cut {
        Cut::Whole => vec![bytes],
        Cut::Bytes if bytes.len() <= 3 * FINE => bytes.chunks(1).collect(),
        Cut::Bytes => {
            let (first, rest) = bytes.split_at(FINE);
            let (middle, last) = rest.split_at(rest.len() - FINE);
            first.chunks(1).chain(middle.chunks(COARSE)).chain(last.chunks(1)).collect()
        }
        Cut::Pieces(sizes) => {
            let (mut pieces, mut rest) = (Vec::new(), bytes);
            for &size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, more) = rest.split_at(size.clamp(1, rest.len()));
                pieces.push(piece);
                rest = more;
            }
            pieces
        }
    }
}

static CONFIG: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
        .with_no_client_auth();
    Arc::new(config)
});

/// Who the server is is not what these tests are about.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
