//! A server that has its port: serving, and stopping.

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

/// How long the end of a server, when it has drained, may take.
const LAST: Duration = Duration::from_millis(500);

/// A server that has its port, and is yet to serve.
pub struct Bound {
    /// At least one.
    pub(crate) listeners: Vec<Listener>,
    /// What connections of these are served with.
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) redirect: Option<Listening>,
    pub(crate) metrics: Option<Listening>,
    /// Name, library and versions of the backend, for people.
    pub(crate) backend: String,
    pub(crate) threads: usize,
    /// What runs beside the server, and ends with it.
    pub(crate) tasks: Vec<Beside>,
}

/// What makes a task, of those who serve.
pub(crate) type Beside = Box<dyn FnOnce(WorkerPool) -> BoxFuture<'static, ()> + Send>;

/// A listener, and what its connections are served with.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) listener: Listener,
    pub(crate) endpoint: Arc<Endpoint>,
}

impl Bound {
    /// The address that it listens on, the first of several; an error of the kind `NotFound` if it
    /// listens on Unix sockets only.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let mut addresses = self.local_addrs().filter_map(|local| match local {
            LocalAddr::Tcp(address) => Some(*address),
            LocalAddr::Unix(_) => None,
        });
        addresses.next().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// All that it listens on.
    pub fn local_addrs(&self) -> impl Iterator<Item = &LocalAddr> {
        self.listeners.iter().map(Listener::local_addr)
    }

    /// The address for plain HTTP from which all are sent on, if there is one.
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

    /// A handle to replace identities, client policy and the TLS with upstreams with while the server
    /// runs.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        Reloader::of(&self.endpoint)
    }

    /// Has the task that `make` makes run beside the server, on a thread of it, and end with it. It must not
    /// block; it waits for time with [`Timer`](crate::backend::Timer).
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

    /// Serves until the process gets SIGTERM or SIGINT (elsewhere than on Unix: Ctrl-C), then
    /// drains: accepts no more, lets what is under way finish, and closes what is idle, for as
    /// long as the limits allow ([`Limits::drain_delay`](crate::Limits::drain_delay) puts that off). A
    /// second signal ends it at once.
    ///
    /// With one [thread](crate::Server::threads) that is the calling one; with more, they are others,
    /// and the calling one hands connections to them.
    pub fn run(self) -> Result<(), ServerError> {
        self.run_until_signal(StopSignals::new().map_err(ServerError::Signals)?, || ())
    }

    /// Like [`Bound::run`], with signals that are caught already, and `stopping` called at each.
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

    /// Like [`Bound::run`], but it is the end of `stop` that the server drains at.
    pub fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
        let (word, words) = channel::unbounded();
        self.serve(words, async {
            stop.await;
            _ = word.send(()).await;
            future::pending().await
        })
    }

    /// Like [`Bound::run_until`], for those who have an executor already, of whatever kind. It serves on
    /// threads of its own, which the future waits for. When that is dropped, all connections end, and
    /// nothing is listened on any more: at once, but for a handler that blocks its thread.
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

    /// Serves until the first of `words`, drains until the second, with `beside` on this thread. When
    /// there can be no more words, it ends at once.
    fn serve(
        self,
        words: Receiver<()>,
        beside: impl Future<Output = Result<(), ServerError>>,
    ) -> Result<(), ServerError> {
        let observer = Arc::clone(&self.endpoint.settings.observer);
        let mut reactor = Reactor::new().map_err(ServerError::Threads)?;
        let executor = Arc::new(Executor::new());
        let serving = async {
            // One thread does it all. With more, one that a handler blocks must not keep the others from
            // getting connections: who hands them out serves nobody.
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

    /// Serves by `pool`, with what else there is to do on `executor`.
    async fn serve_with(
        self,
        executor: &Arc<Executor<'static>>,
        pool: &WorkerPool,
        words: Receiver<()>,
    ) -> Result<(), ServerError> {
        let settings = Arc::clone(&self.endpoint.settings);
        let Settings { limits, explainer, shutdown, .. } = &*settings;
        // Each connection holds a clone of `alive`: when all are gone, `gone` knows.
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
        // Those who wait for all connections to be gone must not wait for the admission.
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

/// Accepts until the word is given, and closes the listener.
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

/// A listener that is there until the others have drained.
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

    /// Accepts until it is ended, with places of its own.
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
        // A scraper that keeps its connection is told, and not waited for.
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

/// Waits until all connections have ended, which is when nobody holds the other end of `gone`.
async fn drain(gone: Receiver<()>, limit: Duration) {
    if within(limit, gone.recv()).await.is_none() {
        log::warn!("some connections were still open after {}", seconds(limit));
    }
}

#[cfg(test)]
mod tests {
    use crate::{App, Server};

    /// Executors with several threads take no other future.
    #[test]
    fn serving_can_be_spawned() {
        let bound = Server::new(App::new()).bind("127.0.0.1:0").unwrap();
        let executor = smol::Executor::new();
        let task = executor.spawn(bound.serve_until(async {}));
        smol::block_on(executor.run(task)).unwrap();
    }
}
