//! A server whose ports are bound: serves, and shuts down.

use std::future::{self, Future, poll_fn};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io, panic, thread};

use smol::channel::{self, Receiver};
use smol::future::FutureExt;
use smol::{Executor, Task};
use turnkey_backend::{BoxFuture, Reactor, Timer};

use super::accept;
use super::admission::Admission;
use super::connection::Endpoint;
use super::error::ServerError;
use super::listener::{Listener, Open};
use super::reload::Reloader;
use super::signals::StopSignals;
use super::workers::{self, WorkerPool, Workers};
use crate::common::address::LocalAddr;
use crate::common::shutdown::{Shutdown, Watch};
use crate::common::units::seconds;
use crate::common::within::within;
use crate::peer::settings::Settings;

/// How long the server may take to end after it has drained.
const LAST: Duration = Duration::from_millis(500);

/// A server whose ports are bound, and that does not serve yet.
pub struct Bound {
    /// At least one.
    pub(crate) listeners: Vec<Listener>,
    /// What serves the connections of these listeners.
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) redirect: Option<Listening>,
    pub(crate) metrics: Option<Listening>,
    /// Name, library and versions of the backend, for people to read.
    pub(crate) backend: String,
    pub(crate) threads: usize,
    /// What runs beside the server, and ends with it.
    pub(crate) tasks: Vec<Beside>,
}

/// Makes a task from the worker pool.
pub(crate) type Beside = Box<dyn FnOnce(WorkerPool) -> BoxFuture<'static, ()> + Send>;

/// A listener, and what serves its connections.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) listener: Listener,
    pub(crate) endpoint: Arc<Endpoint>,
}

impl Bound {
    /// The first TCP address that the server listens on. An error of the kind `NotFound` if it listens on Unix
    /// sockets only.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let mut addresses = self.local_addrs().filter_map(|local| match local {
            LocalAddr::Tcp(address) => Some(*address),
            LocalAddr::Unix(_) => None,
        });
        addresses.next().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// All addresses that the server listens on.
    pub fn local_addrs(&self) -> impl Iterator<Item = &LocalAddr> {
        self.listeners.iter().map(Listener::local_addr)
    }

    /// The address for plain HTTP that redirects to HTTPS, if there is one.
    #[must_use]
    pub fn redirect_addr(&self) -> Option<SocketAddr> {
        match self.redirect.as_ref()?.listener.local_addr() {
            LocalAddr::Tcp(address) => Some(*address),
            LocalAddr::Unix(_) => None,
        }
    }

    /// The address for metrics, if there is one.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<&LocalAddr> {
        Some(self.metrics.as_ref()?.listener.local_addr())
    }

    /// A handle that replaces identities, the client policy and the TLS with upstreams while the server runs.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        Reloader::of(&self.endpoint)
    }

    /// Runs the task that `make` returns beside the server, on one of its threads. It ends with the server. It must
    /// not block; use [`Timer`](crate::backend::Timer) to wait for time.
    #[must_use]
    pub fn with_task<F: Future<Output = ()> + Send + 'static>(
        mut self,
        make: impl FnOnce(WorkerPool) -> F + Send + 'static,
    ) -> Self {
        self.tasks.push(Box::new(|pool| Box::pin(make(pool))));
        self
    }

    /// The backend, the library behind it and the TLS versions it offers, for people to read.
    #[must_use]
    pub fn backend(&self) -> &str {
        &self.backend
    }

    /// Serves until the process gets SIGTERM or SIGINT (elsewhere than on Unix: Ctrl-C), then drains: accepts no more
    /// connections, finishes requests under way, and closes idle connections, within the limits.
    /// [`Limits::drain_delay`](crate::Limits::drain_delay) delays the drain. A second signal ends the server at once.
    ///
    /// One [thread](crate::Server::threads) means the calling thread. With more, all of them are new threads, and the
    /// calling thread only distributes connections.
    pub fn run(self) -> Result<(), ServerError> {
        self.run_until_signal(StopSignals::new().map_err(ServerError::Signals)?, || ())
    }

    /// Like [`Bound::run`], with signals that are already caught. Calls `stopping` at each signal.
    pub fn run_until_signal(
        self,
        mut signals: StopSignals,
        stopping: impl Fn(),
    ) -> Result<(), ServerError> {
        let (word, words) = channel::unbounded();
        let give = async {
            loop {
                signals.next().await;
                stopping();
                _ = word.send(()).await;
            }
        };
        self.serve(words, give)
    }

    /// Like [`Bound::run`], but drains when `stop` completes.
    pub fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
        let (word, words) = channel::unbounded();
        self.serve(words, async {
            stop.await;
            _ = word.send(()).await;
            future::pending().await
        })
    }

    /// Like [`Bound::run_until`], for a program that already has an executor, of any kind. It serves on its own
    /// threads, and the future waits for them. When the future is dropped, all connections and listeners close at
    /// once, unless a handler blocks its thread.
    ///
    /// ```
    /// # fn main() -> Result<(), turnkey::ServerError> {
    /// use std::time::Duration;
    /// use turnkey::{App, Server};
    ///
    /// let bound = Server::new(App::new()).bind("127.0.0.1:0")?;
    /// smol::block_on(bound.serve_until(async {
    ///     smol::Timer::after(Duration::from_millis(10)).await;
    /// }))
    /// # }
    /// ```
    pub async fn serve_until(self, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
        let (word, words) = channel::unbounded();
        let (ended, end) = channel::bounded::<()>(1);
        let name = if self.threads == 1 { "worker-1" } else { "accept" };
        let serve = move || {
            let served = self.serve(words, future::pending());
            drop(ended);
            served
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(serve);
        let thread = thread.map_err(ServerError::Threads)?;
        let give = async {
            stop.await;
            _ = word.send(()).await;
            future::pending::<()>().await;
        };
        async { _ = end.recv().await }.or(give).await;
        thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
    }

    /// Serves until the first of `words`, and drains until the second. Runs `beside` on this thread. Ends at once
    /// when the sender of `words` is gone.
    fn serve(
        self,
        words: Receiver<()>,
        beside: impl Future<Output = Result<(), ServerError>>,
    ) -> Result<(), ServerError> {
        let observer = Arc::clone(&self.endpoint.settings.observer);
        let mut reactor = Reactor::new().map_err(ServerError::Threads)?;
        let executor = Arc::new(Executor::new());
        let serving = async {
            // A single thread does everything. With more, a blocking handler must not keep connections from the other
            // threads, so the thread that distributes them serves none.
            let (workers, pool) = if self.threads == 1 {
                (None, WorkerPool::of(&executor))
            } else {
                let started = Workers::start(self.threads).map_err(ServerError::Threads)?;
                (Some(started.0), started.1)
            };
            let served = self.serve_with(&executor, &pool, words).await;
            if let Some(workers) = workers {
                workers.end(LAST).await;
            }
            served
        };
        let served = reactor.drive(workers::run(&executor, serving.or(beside)));
        drop(executor);
        observer.flush();
        served.map_err(ServerError::Threads)?
    }

    /// Serves on `pool`, with all other work on `executor`.
    async fn serve_with(
        self,
        executor: &Arc<Executor<'static>>,
        pool: &WorkerPool,
        words: Receiver<()>,
    ) -> Result<(), ServerError> {
        let settings = Arc::clone(&self.endpoint.settings);
        let Settings { limits, explainer, shutdown, .. } = &*settings;
        // Each connection holds a clone of `alive`. When all are gone, `gone` completes.
        let (alive, gone) = channel::bounded::<()>(1);
        let (tls, turned_away) = (self.endpoint.tls, self.endpoint.turned_away(pool.count()));
        let admission = Admission::new(limits, tls, turned_away, alive);
        for make in self.tasks {
            executor.spawn(make(pool.clone())).detach();
        }
        let explaining = Arc::clone(explainer);
        executor.spawn(async move { explaining.run().await }).detach();

        let closing = Shutdown::default();
        let redirect = self.redirect.map(|redirect| (redirect, admission.without_handshake()));
        let main = self.listeners.into_iter().map(|listener| {
            (Listening { listener, endpoint: Arc::clone(&self.endpoint) }, admission.clone())
        });
        let mut accepting = Vec::new();
        for (listening, admission) in main.chain(redirect) {
            let (listener, endpoint) = listening.open()?;
            let accept = accept_all(listener, endpoint, pool.clone(), admission, closing.watch());
            accepting.push(executor.spawn(accept));
        }
        // The drain waits for all connections, and must not wait for the admission.
        drop(admission);
        let metrics = self.metrics.map(|metrics| metrics.apart(executor)).transpose()?;
        if words.recv().await.is_err() {
            return Ok(());
        }
        let leaving = async {
            if !limits.drain_delay.is_zero() {
                log::info!("stopping in {}", seconds(limits.drain_delay));
                shutdown.announce();
                Timer::after(limits.drain_delay).await;
            }
            closing.stop();
            for task in accepting {
                task.await;
            }
            shutdown.stop();
            drain(gone, limits.drain_timeout).await;
        };
        let second = async { _ = words.recv().await };
        leaving.or(second).await;
        if let Some(metrics) = metrics {
            metrics.end().await;
        }
        explainer.flush(None);
        if let Some(summary) = explainer.summary() {
            log::info!("{summary}");
        }
        Ok(())
    }
}

/// Accepts until shutdown, then closes the listener.
async fn accept_all(
    listener: Open,
    endpoint: Arc<Endpoint>,
    pool: WorkerPool,
    admission: Admission,
    mut closing: Watch,
) {
    let stop = poll_fn(|cx| closing.poll(cx));
    accept::run(&listener, &endpoint, &pool, &admission, stop).await;
}

/// A listener that stays open until the others have drained.
struct Apart {
    accepting: Task<()>,
    closing: Shutdown,
    shutdown: Shutdown,
    gone: Receiver<()>,
}

impl Listening {
    fn open(self) -> Result<(Open, Arc<Endpoint>), ServerError> {
        let address = self.listener.local_addr().clone();
        match self.listener.open() {
            Ok(listener) => Ok((listener, self.endpoint)),
            Err(source) => Err(ServerError::Bind { address, source }),
        }
    }

    /// Accepts until it is ended, with its own limit of connections.
    fn apart(self, executor: &Arc<Executor<'static>>) -> Result<Apart, ServerError> {
        let (alive, gone) = channel::bounded::<()>(1);
        let (closing, shutdown) = (Shutdown::default(), self.endpoint.settings.shutdown.clone());
        let (listener, endpoint) = self.open()?;
        let pool = WorkerPool::of(executor);
        let turned_away = endpoint.turned_away(pool.count());
        let admission = Admission::new(&endpoint.settings.limits, false, turned_away, alive);
        let accepting = accept_all(listener, endpoint, pool, admission, closing.watch());
        Ok(Apart { accepting: executor.spawn(accepting), closing, shutdown, gone })
    }
}

impl Apart {
    async fn end(self) {
        self.closing.stop();
        self.accepting.await;
        self.shutdown.stop();
        // A scraper that keeps its connection open is told, but only briefly waited for.
        _ = within(LAST, self.gone.recv()).await;
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("listeners", &self.listeners)
            .field("redirect", &self.redirect)
            .field("metrics", &self.metrics)
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}

/// Waits until all connections have ended: then nobody holds the other end of `gone`.
async fn drain(gone: Receiver<()>, limit: Duration) {
    if within(limit, gone.recv()).await.is_none() {
        log::warn!("some connections were still open after {}", seconds(limit));
    }
}

#[cfg(test)]
mod tests {
    use crate::{App, Server};

    /// Executors with several threads need a `Send` future.
    #[test]
    fn serving_can_be_spawned() {
        let bound = Server::new(App::new()).bind("127.0.0.1:0").unwrap();
        let executor = smol::Executor::new();
        let task = executor.spawn(bound.serve_until(async {}));
        smol::block_on(executor.run(task)).unwrap();
    }
}
