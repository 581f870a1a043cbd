//! Upstreams that do what a test says, byte by byte, and tell what they got.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::reset;

/// How long an upstream waits for what the proxy has no reason to keep back.
const PATIENCE: Duration = Duration::from_secs(10);

/// An upstream; it takes no more connections once it is dropped.
pub struct Upstream {
    pub url: String,
    log: Arc<Log>,
    wake: Box<dyn Fn() + Send + Sync>,
}

/// What has come so far.
#[derive(Default)]
struct Log {
    over: AtomicBool,
    accepted: AtomicUsize,
    requests: Mutex<Vec<Received>>,
    news: Condvar,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// On which connection, counted from 0.
    pub connection: usize,
    /// With the empty line at its end.
    pub head: Vec<u8>,
    /// With its framing.
    pub body: Vec<u8>,
}

/// What a test says that an upstream does, with each connection.
type Serve = dyn Fn(&mut Talk) + Send + Sync;

impl Upstream {
    pub fn new(serve: impl Fn(&mut Talk) + Send + Sync + 'static) -> Self {
        Self::on(local(), serve)
    }

    /// Where clients may have come before.
    pub fn on(listener: TcpListener, serve: impl Fn(&mut Talk) + Send + Sync + 'static) -> Self {
        Self::listen(listener, serve, |tcp| Some(Io::Tcp(tcp)), "http")
    }

    /// Answers each request with these bytes.
    pub fn answering(answer: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::new(move |talk| talk.answer_all(answer.as_ref()))
    }

    /// Answers one request with these bytes, and ends the connection.
    pub fn answering_once(answer: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::new(move |talk| {
            if talk.request().is_some() {
                talk.send(answer.as_ref());
            }
        })
    }

    /// Over TLS.
    pub fn tls(config: ServerConfig, serve: impl Fn(&mut Talk) + Send + Sync + 'static) -> Self {
        let config = Arc::new(config);
        let shake = move |mut tcp: TcpStream| {
            let mut tls = ServerConnection::new(Arc::clone(&config)).expect("a server");
            while tls.is_handshaking() {
                tls.complete_io(&mut tcp).ok()?;
            }
            Some(Io::Tls(Box::new(StreamOwned::new(tls, tcp))))
        };
        Self::listen(local(), serve, shake, "https")
    }

    fn listen(
        listener: TcpListener,
        serve: impl Fn(&mut Talk) + Send + Sync + 'static,
        io: impl Fn(TcpStream) -> Option<Io> + Send + Sync + 'static,
        scheme: &str,
    ) -> Self {
        let address = listener.local_addr().expect("an address");
        let accept = move || listener.accept().map(|(tcp, _)| tcp);
        let open = move |tcp: TcpStream| {
            tcp.set_nodelay(true).ok()?;
            tcp.set_read_timeout(Some(PATIENCE)).ok()?;
            tcp.set_write_timeout(Some(PATIENCE)).ok()?;
            io(tcp)
        };
        let wake = move || drop(TcpStream::connect(address));
        Self::run(Arc::new(serve), accept, open, format!("{scheme}://{address}"), Box::new(wake))
    }

    /// On a Unix socket.
    pub fn unix(path: &str, serve: impl Fn(&mut Talk) + Send + Sync + 'static) -> Self {
        Self::on_unix(UnixListener::bind(path).expect("a socket"), path, serve)
    }

    /// On the one at `path`, where clients may have come before.
    pub fn on_unix(
        listener: UnixListener,
        path: &str,
        serve: impl Fn(&mut Talk) + Send + Sync + 'static,
    ) -> Self {
        let accept = move || listener.accept().map(|(unix, _)| unix);
        let open = |unix: UnixStream| {
            unix.set_read_timeout(Some(PATIENCE)).ok()?;
            Some(Io::Unix(unix))
        };
        let socket = path.to_owned();
        let wake = move || drop(UnixStream::connect(&socket));
        Self::run(Arc::new(serve), accept, open, format!("unix:{path}"), Box::new(wake))
    }

    fn run<S: Send + 'static>(
        serve: Arc<Serve>,
        accept: impl Fn() -> io::Result<S> + Send + 'static,
        open: impl Fn(S) -> Option<Io> + Send + Sync + 'static,
        url: String,
        wake: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        let log = Arc::new(Log::default());
        let (ours, open) = (Arc::clone(&log), Arc::new(open));
        thread::spawn(move || {
            while let Ok(stream) = accept() {
                if ours.over.load(Ordering::SeqCst) {
                    return;
                }
                let number = ours.accepted.fetch_add(1, Ordering::SeqCst);
                let (serve, open) = (Arc::clone(&serve), Arc::clone(&open));
                let log = Arc::clone(&ours);
                thread::spawn(move || {
                    if let Some(io) = open(stream) {
                        serve(&mut Talk { io, number, ahead: Vec::new(), log });
                    }
                });
            }
        });
        Self { url, log, wake }
    }

    /// How many connections it has taken.
    pub fn accepted(&self) -> usize {
        self.log.accepted.load(Ordering::SeqCst)
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Received> {
        self.log.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets the requests so far.
    pub fn take_requests(&self) -> Vec<Received> {
        std::mem::take(&mut self.log.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for the request with this number, counted from 0.
    #[track_caller]
    pub fn nth(&self, n: usize) -> Received {
        let end = Instant::now() + PATIENCE;
        let mut requests = self.log.requests.lock().unwrap_or_else(PoisonError::into_inner);
        while requests.len() <= n {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "request {n} did not reach the upstream");
            requests = self.log.news.wait_timeout(requests, left).expect("no thread panics").0;
        }
        requests[n].clone()
    }

    /// The only request so far.
    #[track_caller]
    pub fn only(&self) -> Received {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.log.over.store(true, Ordering::SeqCst);
        (self.wake)();
    }
}

impl Received {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.head).into_owned()
    }

    pub fn line(&self) -> String {
        self.text().lines().next().unwrap_or_default().to_owned()
    }

    /// The target of the request line.
    pub fn target(&self) -> String {
        self.line().split(' ').nth(1).unwrap_or_default().to_owned()
    }

    /// The values of all fields with this name, in any case of letters.
    pub fn values(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let fields = text.lines().skip(1).filter_map(|line| line.split_once(": "));
        let same = fields.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.to_owned()).collect()
    }
}

/// A connection that an upstream has taken.
pub struct Talk {
    io: Io,
    /// Counted from 0.
    pub number: usize,
    /// Read, and not taken yet.
    ahead: Vec<u8>,
    log: Arc<Log>,
}

enum Io {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Talk {
    /// The next request with its body; `None` at the end, or when the rest of it never came.
    pub fn request(&mut self) -> Option<Received> {
        let head = self.head()?;
        let mut received = Received { connection: self.number, head, body: Vec::new() };
        if let Some(length) = received.values("content-length").first() {
            received.body = self.exactly(length.parse().expect("a length"))?;
        } else if !received.values("transfer-encoding").is_empty() {
            let length = loop {
                match chunked_length(&self.ahead) {
                    Some(length) => break length,
                    None => self.fill()?,
                }
            };
            received.body = self.ahead.drain(..length).collect();
        }
        self.record(received.clone());
        Some(received)
    }

    pub fn record(&self, received: Received) {
        let mut requests = self.log.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push(received);
        self.log.news.notify_all();
    }

    /// The head of the next request, which nobody is told of.
    pub fn head(&mut self) -> Option<Vec<u8>> {
        self.until(b"\r\n\r\n")
    }

    /// All that comes as far as `end`.
    pub fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = find(&self.ahead, end) {
                return Some(self.ahead.drain(..at + end.len()).collect());
            }
            self.fill()?;
        }
    }

    pub fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.ahead.len() < length {
            self.fill()?;
        }
        Some(self.ahead.drain(..length).collect())
    }

    /// All that comes until the end, of whatever kind.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.fill().is_some() {}
        std::mem::take(&mut self.ahead)
    }

    pub fn answer_all(&mut self, answer: &[u8]) {
        while self.request().is_some() {
            self.send(answer);
        }
    }

    /// Sends, to whoever still listens.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        let sent = match &mut self.io {
            Io::Tcp(tcp) => tcp.write_all(bytes),
            Io::Unix(unix) => unix.write_all(bytes),
            Io::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
        };
        sent.is_ok()
    }

    /// Ends this side: over TLS with `close_notify` first.
    pub fn finish(&mut self) {
        match &mut self.io {
            Io::Tcp(tcp) => tcp.shutdown(Shutdown::Write).ok(),
            Io::Unix(unix) => unix.shutdown(Shutdown::Write).ok(),
            Io::Tls(tls) => {
                tls.conn.send_close_notify();
                tls.flush().ok();
                tls.sock.shutdown(Shutdown::Write).ok()
            }
        };
    }

    /// Has the connection end in a reset.
    pub fn reset(&self) {
        match &self.io {
            Io::Tcp(tcp) => reset(tcp),
            Io::Tls(tls) => reset(&tls.sock),
            Io::Unix(_) => {}
        }
    }

    fn fill(&mut self) -> Option<()> {
        let mut some = [0; 16 * 1024];
        let read = match &mut self.io {
            Io::Tcp(tcp) => tcp.read(&mut some),
            Io::Unix(unix) => unix.read(&mut some),
            Io::Tls(tls) => tls.read(&mut some),
        };
        let n = read.ok().filter(|&n| n > 0)?;
        self.ahead.extend_from_slice(&some[..n]);
        Some(())
    }
}

fn local() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port")
}

/// A port that refuses connections for as long as the socket lives.
pub struct DeadPort {
    pub url: String,
    _socket: std::os::fd::OwnedFd,
}

impl DeadPort {
    pub fn new() -> Self {
        use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};

        // Bound and not listening, so that nobody else can get the port meanwhile.
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&socket, &std::net::SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        let address = getsockname(&socket).expect("an address");
        let address = std::net::SocketAddr::try_from(address).expect("an address of IP");
        Self { url: format!("http://{address}"), _socket: socket }
    }
}

/// How long the chunked body at the front of `bytes` is with its framing, if all of it is there.
fn chunked_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let line = find(&bytes[at..], b"\r\n")?;
        let size = std::str::from_utf8(&bytes[at..at + line]).expect("ASCII");
        let size = usize::from_str_radix(size, 16).expect("a chunk size");
        at += line + 2;
        if size == 0 {
            return if bytes[at..].starts_with(b"\r\n") {
                Some(at + 2)
            } else {
                Some(at + find(&bytes[at..], b"\r\n\r\n")? + 4)
            };
        }
        at += size + 2;
        if bytes.len() < at {
            return None;
        }
    }
}

pub fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
