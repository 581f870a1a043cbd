//! A server that has its port: serving, and stopping.

use std::fmt;
use std::future::{self, Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use smol::channel::{self, Receiver};
use smol::future::FutureExt;
use smol::{Executor, Task, Timer};
use turnkey_backend::BoxFuture;

use crate::accept;
use crate::address::LocalAddr;
use crate::connection::Endpoint;
use crate::listener::Listener;
use crate::places::Door;
use crate::reload::Reloader;
use crate::server_error::ServerError;
use crate::shutdown::{Shutdown, Watch};
use crate::signals::StopSignals;
use crate::units::seconds;

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
    pub(crate) tasks: Vec<BoxFuture<'static, ()>>,
}

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

    /// Has `task` run beside the server, and end with it.
    pub(crate) fn with_task(mut self, task: impl Future<Output = ()> + Send + 'static) -> Self {
        self.tasks.push(Box::pin(task));
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
    pub fn run(self) -> Result<(), ServerError> {
        self.run_until_signal(StopSignals::new().map_err(ServerError::Signals)?, || ())
    }

    /// Like [`Bound::run`], with signals that are caught already, and `stopping` called at each.
    pub(crate) fn run_until_signal(
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
        smol::block_on(self.serve_on_threads(words).or(give))
    }

    /// Like [`Bound::run`], but it is the end of `stop` that the server drains at.
    pub fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
        smol::block_on(self.serve_until(stop))
    }

    /// Like [`Bound::run_until`], for those who have an executor already, of whatever kind: it serves
    /// while it is awaited, on the thread that does so and on those that were
    /// [asked for](crate::Server::threads) beside it. When it is dropped, all connections end at once.
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
        let give = async {
            stop.await;
            _ = word.send(()).await;
            future::pending().await
        };
        self.serve_on_threads(words).or(give).await
    }

    /// Serves until the first word, drains until the second.
    async fn serve_on_threads(self, words: Receiver<()>) -> Result<(), ServerError> {
        let observer = Arc::clone(&self.endpoint.observer);
        let executor = Arc::new(Executor::new());
        let (running, stopped) = channel::bounded::<()>(1);
        let workers = (1..self.threads).map(|n| {
            let (executor, stopped) = (Arc::clone(&executor), stopped.clone());
            let work = move || _ = smol::block_on(executor.run(stopped.recv()));
            thread::Builder::new().name(format!("worker-{n}")).spawn(work)
        });
        let workers = workers.collect::<io::Result<Vec<_>>>().map_err(ServerError::Threads)?;

        on(&executor, self.serve(&executor, words)).await;
        drop(running);
        end(&workers, executor).await;
        smol::unblock(move || observer.flush()).await;
        Ok(())
    }

    async fn serve(self, executor: &Arc<Executor<'static>>, words: Receiver<()>) {
        let Endpoint { limits, tls, explainer, shutdown, .. } = &*self.endpoint;
        let (limits, explainer, shutdown) = (limits.clone(), explainer.clone(), shutdown.clone());
        // Each connection holds a clone of `alive`: when all are gone, `gone` knows.
        let (alive, gone) = channel::bounded::<()>(1);
        let door = Door::new(&limits, *tls, alive);
        for task in self.tasks {
            executor.spawn(task).detach();
        }
        let explaining = explainer.clone();
        executor.spawn(async move { explaining.run().await }).detach();

        let closing = Shutdown::default();
        let redirect = self.redirect.map(|redirect| (redirect, door.without_handshake()));
        let main = self.listeners.into_iter().map(|listener| {
            (Listening { listener, endpoint: Arc::clone(&self.endpoint) }, door.clone())
        });
        let accepting: Vec<_> = main
            .chain(redirect)
            .map(|(listening, door)| {
                executor.spawn(listening.accept(Arc::downgrade(executor), door, closing.watch()))
            })
            .collect();
        // Those who wait for all connections to be gone must not wait for the door.
        drop(door);
        let metrics = self.metrics.map(|metrics| metrics.apart(executor));
        _ = words.recv().await;
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
    }
}

impl Listening {
    /// Accepts until the word is given, and closes the listener.
    async fn accept(self, executor: Weak<Executor<'static>>, door: Door, mut closing: Watch) {
        let stop = poll_fn(|cx| closing.poll(cx));
        accept::run(&self.listener, &self.endpoint, &executor, &door, stop).await;
    }
}

/// A listener that is there until the others have drained.
struct Apart {
    accepting: Task<()>,
    closing: Shutdown,
    shutdown: Shutdown,
    gone: Receiver<()>,
}

impl Listening {
    /// Accepts until it is ended, with places of its own.
    fn apart(self, executor: &Arc<Executor<'static>>) -> Apart {
        let (alive, gone) = channel::bounded::<()>(1);
        let door = Door::new(&self.endpoint.limits, false, alive);
        let (closing, shutdown) = (Shutdown::default(), self.endpoint.shutdown.clone());
        let accepting = self.accept(Arc::downgrade(executor), door, closing.watch());
        Apart { accepting: executor.spawn(accepting), closing, shutdown, gone }
    }
}

impl Apart {
    async fn end(self) {
        self.closing.stop();
        self.accepting.await;
        self.shutdown.stop();
        // A scraper that keeps its connection is told, and not waited for.
        let late = async { _ = Timer::after(LAST).await };
        async { _ = self.gone.recv().await }.or(late).await;
    }
}

/// Waits for the threads, and drops what is not done: who is told of requests is told of those too. A
/// thread that a handler blocks is left alone.
async fn end(workers: &[JoinHandle<()>], executor: Arc<Executor<'static>>) {
    let limit = Instant::now() + LAST;
    while !workers.iter().all(JoinHandle::is_finished) && Instant::now() < limit {
        Timer::after(Duration::from_millis(1)).await;
    }
    drop(executor);
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

/// Runs `executor` until `future` is done. The future that comes of it can move between threads; of
/// one that is not on the heap the compiler would not believe it (rust-lang/rust#110338).
fn on<'a>(
    executor: &'a Executor<'static>,
    future: impl Future<Output = ()> + 'a + Send,
) -> BoxFuture<'a, ()> {
    Box::pin(executor.run(future))
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
