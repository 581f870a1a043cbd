//! Binding, accepting, and stopping.

use std::future::{self, Future};
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use smol::channel::{self, Receiver};
use smol::future::FutureExt;
use smol::{Async, Executor, Timer};
use turnkey_backend::BuildError;

use crate::accept;
use crate::app::App;
use crate::connection::Endpoint;
use crate::limits::Limits;
use crate::mode::{Mode, ModeError, TlsChoice};
use crate::shutdown::Shutdown;
use crate::signals::StopSignals;
use crate::trust::{Trust, TrustedProxies};

/// Puts an [`App`] on a port, in one of the three modes.
///
/// ```no_run
/// # fn main() -> Result<(), turnkey::ServerError> {
/// let mut app = turnkey::App::new();
/// app.at("/").get(|_| async { Ok("Top-level content") });
/// turnkey::Server::new(app).bind("127.0.0.1:8000")?.run()
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    app: App,
    mode: Mode,
    choice: TlsChoice,
    limits: Limits,
    threads: usize,
    trust: TrustedProxies,
    proxy_protocol: bool,
}

impl Server {
    /// A server for `app`, in http mode, with the default limits.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self {
            app,
            mode: Mode::Http,
            choice: TlsChoice::default(),
            limits: Limits::default(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            trust: TrustedProxies::default(),
            proxy_protocol: false,
        }
    }

    /// Sets the mode.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets what is asked of the TLS stack.
    #[must_use]
    pub fn tls(mut self, choice: TlsChoice) -> Self {
        self.choice = choice;
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how many threads serve; as many as there are processors.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Sets which proxies are believed when they say whom they speak for; none.
    ///
    /// From them, `Forwarded` (RFC 7239) and `X-Forwarded-For`, `-Proto` and `-Host` decide what
    /// [`Peer`](crate::Peer) and the URL of the request say, and fields about the client's
    /// certificate reach the app. From anybody else all these are removed.
    #[must_use]
    pub fn trust(mut self, proxies: TrustedProxies) -> Self {
        self.trust = proxies;
        self
    }

    /// Sets whether connections of the trusted proxies begin with a header of the PROXY protocol,
    /// version 1 or 2; they do not. With it, one without such a header is closed, and so is one with
    /// it that comes from anybody else: so this is of no use without [`Server::trust`].
    #[must_use]
    pub fn proxy_protocol(mut self, on: bool) -> Self {
        self.proxy_protocol = on;
        self
    }

    /// Builds the backend and takes the port. Port 0 is any free one: [`Bound::local_addr`]
    /// tells which.
    pub fn bind(self, address: impl ToSocketAddrs) -> Result<Bound, ServerError> {
        let mode = self.mode.name();
        let built = self.mode.build(self.choice)?;
        let listener = listen(address)?;
        let endpoint = Endpoint {
            app: self.app,
            tls: built.capabilities.tls,
            backend: built.backend,
            mode,
            limits: Arc::new(self.limits),
            trust: Arc::new(Trust::new(self.trust, self.proxy_protocol)),
            shutdown: Shutdown::default(),
        };
        Ok(Bound {
            listener,
            endpoint: Arc::new(endpoint),
            backend: built.description,
            threads: self.threads,
        })
    }
}

/// A server that has its port, and is yet to serve.
#[derive(Debug)]
pub struct Bound {
    listener: Async<TcpListener>,
    endpoint: Arc<Endpoint>,
    backend: String,
    threads: usize,
}

impl Bound {
    /// The address that it listens on.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.get_ref().local_addr()
    }

    /// The backend, the library behind it and the TLS versions it offers, for people to read.
    #[must_use]
    pub fn backend(&self) -> &str {
        &self.backend
    }

    /// Serves until the process gets SIGTERM or SIGINT (elsewhere than on Unix: Ctrl-C), then
    /// drains: accepts no more, lets what is under way finish, and closes what is idle, for as
    /// long as the limits allow. A second signal ends it at once.
    pub fn run(self) -> Result<(), ServerError> {
        self.run_until_signal(StopSignals::new().map_err(ServerError::Signals)?)
    }

    /// Like [`Bound::run`], with signals that are caught already.
    pub(crate) fn run_until_signal(self, mut signals: StopSignals) -> Result<(), ServerError> {
        self.run_with(async || signals.next().await)
    }

    /// Like [`Bound::run`], but it is the end of `stop` that the server drains at.
    pub fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
        let mut stop = Some(Box::pin(stop));
        self.run_with(async || match stop.take() {
            Some(stop) => stop.await,
            None => future::pending().await,
        })
    }

    /// Serves until `stop` says so for the first time, drains until it says so again.
    fn run_with(self, stop: impl AsyncFnMut()) -> Result<(), ServerError> {
        let executor = Arc::new(Executor::new());
        let (running, stopped) = channel::bounded::<()>(1);
        let workers = (1..self.threads).map(|n| {
            let (executor, stopped) = (Arc::clone(&executor), stopped.clone());
            let work = move || _ = smol::block_on(executor.run(stopped.recv()));
            thread::Builder::new().name(format!("worker-{n}")).spawn(work)
        });
        workers.collect::<io::Result<Vec<_>>>().map_err(ServerError::Threads)?;

        smol::block_on(executor.run(self.serve(&executor, stop)));
        drop(running);
        Ok(())
    }

    async fn serve(self, executor: &Executor<'static>, mut stop: impl AsyncFnMut()) {
        // Each connection holds a clone of `alive`: when all are gone, `gone` knows.
        let (alive, gone) = channel::bounded::<()>(1);
        accept::run(&self.listener, &self.endpoint, executor, alive, stop()).await;

        let Self { listener, endpoint, .. } = self;
        drop(listener);
        endpoint.shutdown.stop();
        drain(gone, endpoint.limits.drain_timeout).or(stop()).await;
    }
}

/// Waits until all connections have ended, which is when nobody holds the other end of `gone`.
async fn drain(gone: Receiver<()>, limit: Duration) {
    let in_time = async {
        _ = gone.recv().await;
        true
    };
    let late = async {
        Timer::after(limit).await;
        false
    };
    if !in_time.or(late).await {
        log::warn!("some connections were still open after {} seconds", limit.as_secs_f32());
    }
}

fn listen(address: impl ToSocketAddrs) -> Result<Async<TcpListener>, ServerError> {
    let addresses: Vec<SocketAddr> =
        address.to_socket_addrs().map_err(ServerError::Address)?.collect();
    let Some(&first) = addresses.first() else {
        return Err(ServerError::Address(io::ErrorKind::NotFound.into()));
    };
    TcpListener::bind(&*addresses)
        .and_then(Async::new)
        .map_err(|source| ServerError::Bind { address: first, source })
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// No backend can be built for what was asked.
    #[error(transparent)]
    Mode(#[from] ModeError),
    /// The host is no address and has none.
    #[error("the host cannot be resolved")]
    Address(#[source] io::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Threads(#[source] io::Error),
    /// The signals that stop the server cannot be listened for.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
}

impl From<BuildError> for ServerError {
    fn from(error: BuildError) -> Self {
        Self::Mode(error.into())
    }
}
