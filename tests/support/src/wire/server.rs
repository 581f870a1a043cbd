use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use turnkey::tls::{BackendName, Identity};
use turnkey::{Limits, Mode, Server, Tls};

use super::{Hits, Records, app, quiet_panics};

/// What the bytes go through on their way to the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stack {
    Plain,
    NativeTls,
    Rustls,
    OpenSsl,
}

impl Stack {
    pub fn is_tls(self) -> bool {
        self != Self::Plain
    }

    fn backend(self) -> BackendName {
        match self {
            Self::Plain => BackendName::Plain,
            Self::NativeTls => BackendName::NativeTls,
            Self::Rustls => BackendName::Rustls,
            Self::OpenSsl => BackendName::OpenSsl,
        }
    }
}

/// A server in this process, which stops when it is dropped.
#[derive(Debug)]
pub struct TestServer {
    pub stack: Stack,
    pub addr: SocketAddr,
    pub hits: Hits,
    pub records: Records,
    stop: smol::channel::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

/// The largest body that the servers of these tests take.
const MAX_BODY: u64 = 100_000;

impl TestServer {
    /// Waits long: time is not what the test is about, and the machine may be busy.
    pub fn patient(stack: Stack) -> Self {
        Self::start(stack, Duration::from_secs(30))
    }

    /// Waits for nobody.
    pub fn hurried(stack: Stack) -> Self {
        Self::start(stack, Duration::from_millis(400))
    }

    pub fn start(stack: Stack, patience: Duration) -> Self {
        quiet_panics();
        let records = Records::start();
        let mut limits = Limits::default();
        limits.handshake_timeout = Duration::from_secs(30);
        limits.head_timeout = patience;
        limits.body_timeout = patience;
        limits.write_timeout = patience;
        limits.idle_timeout = patience;
        limits.drain_timeout = Duration::from_secs(5);
        limits.max_body = Some(MAX_BODY);

        let hits = Hits::default();
        let mut server = Server::new(app(&hits)).limits(limits).threads(2);
        if stack.is_tls() {
            let identity = identity();
            let choice = Tls { backend: Some(stack.backend()), ..Tls::default() };
            server = server.mode(Mode::Https(identity)).tls(choice);
        }
        let bound = server.bind("127.0.0.1:0").expect("a port");
        let addr = bound.local_addr().expect("an address");
        let (stop, stopped) = smol::channel::bounded::<()>(1);
        let thread = thread::spawn(move || {
            let stopped = async move { _ = stopped.recv().await };
            bound.run_until(stopped).expect("the server runs");
        });
        Self { stack, addr, hits, records, stop, thread: Some(thread) }
    }
}

/// An identity for `localhost`, made for this run.
fn identity() -> Identity {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    Identity::from_pem(certificate.as_bytes(), key.as_bytes(), None, SystemTime::now())
        .expect("an identity")
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.close();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !thread::panicking() {
                ended.expect("the server ends well");
            }
        }
    }
}
