//! A server in this process, for apps that the program does not have.

use std::fs;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use turnkey::tls::{BackendName, Identity};
use turnkey::{App, Limits, Mode, Reloader, Tls};

use super::{Conn, Dialer, Pki, Stack};

/// Serves an app with short limits until it is dropped.
pub struct Library {
    pub dialer: Dialer,
    pub port: u16,
    pub reloader: Reloader,
    stop: smol::channel::Sender<()>,
    thread: Option<JoinHandle<()>>,
    pub pki: Pki,
}

impl Library {
    pub fn serve(stack: Stack, app: App) -> Self {
        Self::serve_with(stack, app, |server| server)
    }

    /// The same with what a test makes of the server.
    pub fn serve_with(
        stack: Stack,
        app: App,
        make: impl FnOnce(turnkey::Server) -> turnkey::Server,
    ) -> Self {
        let mut limits = Limits::default();
        let second = Duration::from_secs(1);
        limits.handshake_timeout = second;
        limits.head_timeout = second;
        limits.body_timeout = second;
        limits.write_timeout = second;
        limits.idle_timeout = 2 * second;
        limits.drain_timeout = 2 * second;
        limits.max_body = Some(1 << 20);
        Self::made(stack, app, limits, make)
    }

    /// The same with these limits.
    pub fn limited(stack: Stack, app: App, limits: Limits) -> Self {
        Self::made(stack, app, limits, |server| server)
    }

    fn made(
        stack: Stack,
        app: App,
        limits: Limits,
        make: impl FnOnce(turnkey::Server) -> turnkey::Server,
    ) -> Self {
        let pki = Pki::new();
        let mut server = turnkey::Server::new(app).limits(limits).threads(2);
        let backend = match stack {
            Stack::Plain => BackendName::Plain,
            Stack::Rustls => BackendName::Rustls,
            Stack::NativeTls => BackendName::NativeTls,
            Stack::OpenSsl => BackendName::OpenSsl,
        };
        if stack.is_tls() {
            let cert = fs::read(&pki.server.cert).expect("a certificate");
            let key = fs::read(&pki.server.key).expect("a key");
            let identity = Identity::from_pem(&cert, &key, None, SystemTime::now());
            let choice = Tls { backend: Some(backend), ..Tls::default() };
            server = server.mode(Mode::Https(identity.expect("an identity"))).tls(choice);
        }
        Self::start(make(server), pki, |port, pki| {
            if stack.is_tls() { Dialer::tls(port, &pki.ca_file) } else { Dialer::plain(port) }
        })
    }

    /// The same for a server of any kind, and who dials it.
    pub fn start(
        server: turnkey::Server,
        pki: Pki,
        dialer: impl FnOnce(u16, &Pki) -> Dialer,
    ) -> Self {
        let bound = server.bind("127.0.0.1:0").expect("a port");
        let port = bound.local_addr().expect("an address").port();
        let (dialer, reloader) = (dialer(port, &pki), bound.reloader());
        let (stop, stopped) = smol::channel::bounded::<()>(1);
        let thread = thread::spawn(move || {
            bound.run_until(async move { _ = stopped.recv().await }).expect("it serves");
        });
        Self { dialer, port, reloader, stop, thread: Some(thread), pki }
    }

    pub fn open(&self) -> Conn {
        self.dialer.open()
    }
}

impl Drop for Library {
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
