//! A client that does byte by byte what a test says, in plain and over TLS, and that tells how the
//! server ended the connection.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::{ResolvesClientCert, WantsClientCert};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, ClientConnection, ConfigBuilder, HandshakeKind, RootCertStore, SignatureScheme,
    StreamOwned,
};

use super::Files;

/// How long the server may take for what it does not wait for, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// How to get a connection to a server.
#[derive(Debug, Clone)]
pub struct Dialer {
    port: u16,
    tls: Option<Arc<ClientConfig>>,
}

impl Dialer {
    pub fn plain(port: u16) -> Self {
        Self { port, tls: None }
    }

    /// Over TLS, trusting the CA in `ca_file` and nobody else.
    pub fn tls(port: u16, ca_file: &str) -> Self {
        let config = trusting(ca_file).with_no_client_auth();
        Self { port, tls: Some(Arc::new(config)) }
    }

    /// The same with a client certificate.
    pub fn mutual(port: u16, ca_file: &str, client: &Files) -> Self {
        let config = trusting(ca_file).with_client_cert_resolver(Renewable::new(client));
        Self { port, tls: Some(Arc::new(config)) }
    }

    /// The same with one that can be replaced, while its sessions are kept.
    pub fn renewable(port: u16, ca_file: &str, client: &Files) -> (Self, Arc<Renewable>) {
        let client = Renewable::new(client);
        let config = trusting(ca_file).with_client_cert_resolver(Arc::clone(&client) as _);
        (Self { port, tls: Some(Arc::new(config)) }, client)
    }

    /// A TCP connection and nothing more.
    pub fn tcp(&self) -> TcpStream {
        self.try_tcp().unwrap_or_else(|e| panic!("cannot connect: {e}"))
    }

    pub fn try_tcp(&self) -> io::Result<TcpStream> {
        // A full backlog must not be waited for.
        let address = ([127, 0, 0, 1], self.port).into();
        let tcp = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_write_timeout(Some(PATIENCE))?;
        Ok(tcp)
    }

    /// A connection that is ready for a request.
    pub fn open(&self) -> Conn {
        self.try_open().unwrap_or_else(|e| panic!("cannot connect: {e}"))
    }

    pub fn try_open(&self) -> io::Result<Conn> {
        self.try_tcp().and_then(|tcp| self.speak_over(tcp))
    }

    /// The same over a TCP connection that stands.
    pub fn speak_over(&self, tcp: TcpStream) -> io::Result<Conn> {
        self.speak_after(tcp, || ())
    }

    /// The same, with `meanwhile` done in the middle of the handshake: when the server has answered the first
    /// message.
    pub fn speak_after(&self, mut tcp: TcpStream, meanwhile: impl FnOnce()) -> io::Result<Conn> {
        let io = match &self.tls {
            None => Io::Plain(tcp),
            Some(config) => {
                let name = ServerName::try_from("localhost").expect("a name");
                let tls = ClientConnection::new(Arc::clone(config), name);
                let mut tls = tls.expect("a client");
                tls.write_tls(&mut tcp)?;
                tcp.peek(&mut [0])?;
                meanwhile();
                while tls.is_handshaking() {
                    tls.complete_io(&mut tcp)?;
                }
                Io::Tls(Box::new(StreamOwned::new(tls, tcp)))
            }
        };
        Ok(Conn { io, ahead: Vec::new() })
    }
}

fn trusting(ca_file: &str) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca_file).expect("the CA")).expect("a good CA");
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_root_certificates(roots)
}

/// What a client shows of itself.
#[derive(Debug)]
pub struct Renewable(Mutex<Arc<CertifiedKey>>);

impl Renewable {
    fn new(client: &Files) -> Arc<Self> {
        Arc::new(Self(Mutex::new(certified(client))))
    }

    /// Shows `client` from now on.
    pub fn renew(&self, client: &Files) {
        *self.0.lock().expect("no holder panics") = certified(client);
    }
}

impl ResolvesClientCert for Renewable {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&*self.0.lock().expect("no holder panics")))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn certified(client: &Files) -> Arc<CertifiedKey> {
    let chain = CertificateDer::pem_file_iter(&client.cert).expect("a file");
    let chain = chain.collect::<Result<_, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_file(&client.key).expect("a key");
    let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
    Arc::new(certified.expect("a pair"))
}

/// A connection.
#[derive(Debug)]
pub struct Conn {
    io: Io,
    /// Read, and not yet taken.
    ahead: Vec<u8>,
}

#[derive(Debug)]
enum Io {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A response that has come in whole.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// In lower case.
    pub head: String,
    pub body: Vec<u8>,
}

impl Response {
    /// Whether it has the line `field`, in lower case.
    pub fn has(&self, field: &str) -> bool {
        self.head.lines().any(|line| line == field)
    }

    /// The built-in app's `/`.
    #[track_caller]
    pub fn assert_top_level(&self) {
        assert_eq!((self.status, &*self.body), (200, &b"Top-level content"[..]), "{self:?}");
    }
}

impl Conn {
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.io {
            Io::Plain(tcp) => tcp.write_all(bytes),
            Io::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
        }
    }

    /// `GET /`, answered in full.
    #[track_caller]
    pub fn get(&mut self) -> Response {
        self.try_get().unwrap_or_else(|e| panic!("no answer: {e}"))
    }

    pub fn try_get(&mut self) -> io::Result<Response> {
        self.send(GET)?;
        self.try_response()
    }

    /// The next response, which has to be whole.
    #[track_caller]
    pub fn response(&mut self) -> Response {
        self.try_response().unwrap_or_else(|e| {
            panic!("no whole response: {e}, after {:?}", self.ahead.escape_ascii().to_string())
        })
    }

    /// The same; what came of it stays in [`Conn::ahead`] when it breaks off.
    pub fn try_response(&mut self) -> io::Result<Response> {
        let head = loop {
            match find(&self.ahead, b"\r\n\r\n") {
                // 100 Continue is not the answer yet.
                Some(end) if self.ahead.starts_with(b"HTTP/1.1 100 ") => {
                    self.ahead.drain(..end + 4);
                }
                Some(end) => break end + 4,
                None => self.fill()?,
            }
        };
        let text = String::from_utf8_lossy(&self.ahead[..head]).to_ascii_lowercase();
        let status = text.get(9..12).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {text}"));
        let field = |name| text.lines().find_map(|line| line.strip_prefix(name));
        let (body, end) = if let Some(length) = field("content-length: ") {
            let end = head + length.parse::<usize>().expect("a length");
            while self.ahead.len() < end {
                self.fill()?;
            }
            (self.ahead[head..end].to_vec(), end)
        } else if field("transfer-encoding: ") == Some("chunked") {
            self.chunks(head)?
        } else {
            (Vec::new(), head)
        };
        self.ahead.drain(..end);
        Ok(Response { status, head: text, body })
    }

    /// The content of chunks that begin at `at` of what was read, and where they end.
    fn chunks(&mut self, mut at: usize) -> io::Result<(Vec<u8>, usize)> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                match find(&self.ahead[at..], b"\r\n") {
                    Some(line) => break line,
                    None => self.fill()?,
                }
            };
            let size = std::str::from_utf8(&self.ahead[at..at + line]).expect("ASCII");
            let size = usize::from_str_radix(size, 16).expect("a chunk size");
            at += line + 2;
            while self.ahead.len() < at + size + 2 {
                self.fill()?;
            }
            body.extend_from_slice(&self.ahead[at..at + size]);
            at += size + 2;
            if size == 0 {
                return Ok((body, at));
            }
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        match self.read_some()? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Reads ahead; 0 is a clean end.
    pub fn read_some(&mut self) -> io::Result<usize> {
        let mut some = [0; 16 * 1024];
        let n = match &mut self.io {
            Io::Plain(tcp) => tcp.read(&mut some)?,
            // Without `close_notify` the end is an error, of rustls's own.
            Io::Tls(tls) => tls.read(&mut some)?,
        };
        self.ahead.extend_from_slice(&some[..n]);
        Ok(n)
    }

    /// Reads, and forgets what it has read.
    pub fn skim(&mut self) -> io::Result<usize> {
        self.ahead.clear();
        self.read_some()
    }

    /// Bytes that have been read and not been taken as a response.
    pub fn ahead(&self) -> &[u8] {
        &self.ahead
    }

    /// The same, taken.
    pub fn forget_ahead(&mut self) {
        self.ahead.clear();
    }

    /// What comes until the server ends the connection, which has to be cleanly: a FIN, and over
    /// TLS a `close_notify` before it.
    #[track_caller]
    pub fn rest(&mut self) -> Vec<u8> {
        self.try_rest().unwrap_or_else(|e| {
            panic!("no clean end: {e}, after {:?}", self.ahead.escape_ascii().to_string())
        })
    }

    pub fn try_rest(&mut self) -> io::Result<Vec<u8>> {
        while self.read_some()? > 0 {}
        if let Io::Tls(tls) = &mut self.io
            && tls.sock.read(&mut [0])? > 0
        {
            return Err(io::Error::other("bytes after close_notify"));
        }
        Ok(std::mem::take(&mut self.ahead))
    }

    /// Ends this side.
    pub fn finish(&mut self) -> io::Result<()> {
        self.say_goodbye()?;
        self.tcp().shutdown(Shutdown::Write)
    }

    /// Over TLS, says `close_notify`; the connection below stays.
    pub fn say_goodbye(&mut self) -> io::Result<()> {
        if let Io::Tls(tls) = &mut self.io {
            tls.conn.send_close_notify();
            tls.flush()?;
        }
        Ok(())
    }

    /// Drops the connection with a reset.
    pub fn reset(self) {
        reset(self.tcp());
    }

    /// The certificate that the server showed, in DER.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        let Io::Tls(tls) = &self.io else { return None };
        Some(tls.conn.peer_certificates()?.first()?.to_vec())
    }

    /// Whether an earlier session was resumed.
    pub fn is_resumed(&self) -> bool {
        matches!(&self.io, Io::Tls(tls) if tls.conn.handshake_kind() == Some(HandshakeKind::Resumed))
    }

    pub fn is_plain(&self) -> bool {
        matches!(self.io, Io::Plain(_))
    }

    pub fn tcp(&self) -> &TcpStream {
        match &self.io {
            Io::Plain(tcp) => tcp,
            Io::Tls(tls) => &tls.sock,
        }
    }

    /// Limits each wait for the server.
    pub fn wait_at_most(&self, patience: Duration) {
        self.tcp().set_read_timeout(Some(patience)).expect("a time-out");
        self.tcp().set_write_timeout(Some(patience)).expect("a time-out");
    }
}

/// A request for the built-in app's `/`.
pub const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Makes the connection end with a reset when it is dropped: what is under way is thrown away.
pub fn reset(tcp: &TcpStream) {
    rustix::net::sockopt::set_socket_linger(tcp, Some(Duration::ZERO)).expect("SO_LINGER");
}

/// Whether an error is that a time-out of ours ran out.
pub fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
