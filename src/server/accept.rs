//! The accept loop: a permit for each connection, and what happens when there is none.

use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::Level;
use smol::future::FutureExt;
use smol::lock::SemaphoreGuardArc;
use turnkey_backend::{Incoming, Timer};

use super::admission::{Admission, Permit};
use super::connection::{self, Endpoint};
use super::listener::{Arrival, BACKLOG, Open};
use super::workers::{Assignment, WorkerPool};
use crate::common::address::RemoteAddr;
use crate::common::causes::panic_message;

/// How long to pause accepting when the process is out of descriptors: from the first, doubling, up to the second.
const BACK_OFF: Duration = Duration::from_millis(50);
const BACK_OFF_MAX: Duration = Duration::from_secs(1);

/// How long it must be quiet before the same trouble is logged again.
const QUIET: Duration = Duration::from_secs(5);

/// How many connections are accepted before other tasks get a turn.
const TURN: usize = 32;

/// Accepts connections that `admission` admits, and serves each in its own task in `pool`, until `stop` completes. It
/// still serves those that the system has accepted by then, as many as possible, but does not wait for later ones.
pub(crate) async fn run(
    listener: &Open,
    endpoint: &Arc<Endpoint>,
    pool: &WorkerPool,
    admission: &Admission,
    stop: impl Future<Output = ()>,
) {
    let mut stop = pin!(stop);
    // How many more connections may come after `stop`.
    let mut last = None;
    let mut full_up = Episode::default();
    let mut short = Episode::default();
    let limit = endpoint.settings.trust.names().max_connections;
    for turn in 1_usize.. {
        if turn.is_multiple_of(TURN) {
            smol::future::yield_now().await;
        }
        let mut next = pin!(accept(listener, limit, &mut short));
        let arrival = match &mut last {
            Some(0) => return,
            Some(last) => {
                *last -= 1;
                let Some(arrival) = smol::future::poll_once(next).await else { return };
                arrival
            }
            None => {
                let next = async { Some(next.as_mut().await) }.or(async {
                    stop.as_mut().await;
                    None
                });
                let Some(arrival) = next.await else {
                    last = Some(BACKLOG);
                    continue;
                };
                arrival
            }
        };
        match admission.admit() {
            Ok(permit) => {
                let endpoint = Arc::clone(endpoint);
                pool.spawn(|assignment| serve(endpoint, Box::new(arrival), permit, assignment));
            }
            Err(full) => {
                if let Some(metrics) = endpoint.settings.observer.metrics() {
                    metrics.turned_away(&full);
                }
                full_up.log(Level::Warn, || {
                    format!(
                        "{}: turned away: {}",
                        arrival.remote,
                        full.text(&endpoint.settings.limits, endpoint.settings.trust.names())
                    )
                });
                // With TLS, nothing can be said before the handshake, which is the expensive part.
                if !endpoint.tls
                    && let Some(slot) = admission.turn_away()
                {
                    let Arrival { incoming, remote, .. } = arrival;
                    pool.spawn(|assignment| {
                        turn_away(Arc::clone(endpoint), incoming, remote, slot, assignment)
                    });
                }
            }
        }
    }
}

/// Waits for the next connection. No error ends the listener. `limit` is what people call the limit of connections.
async fn accept(listener: &Open, limit: &str, short: &mut Episode) -> Arrival {
    let mut back_off = BACK_OFF;
    loop {
        match listener.accept().await {
            Ok(arrival) => return arrival,
            Err(error) if is_shortage(&error) => {
                short.log(Level::Error, || {
                    format!(
                        "cannot accept connections: {error}; raise the limit on open files \
                         (ulimit -n, or LimitNOFILE= in a systemd unit), or lower \
                         {limit} below it"
                    )
                });
                Timer::after(back_off).await;
                back_off = (back_off * 2).min(BACK_OFF_MAX);
            }
            // The client has already left (ECONNABORTED), or similar. The next connection may be waiting.
            Err(error) => log::debug!("a connection was lost before it began: {error}"),
        }
    }
}

/// Serves a connection, which holds `permit` meanwhile. A panic ends the connection, not the server.
#[expect(clippy::manual_async_fn, reason = "what an async fn takes, its future holds twice")]
fn serve(
    endpoint: Arc<Endpoint>,
    arrival: Box<Arrival>,
    mut permit: Permit,
    assignment: Assignment,
) -> impl Future<Output = ()> + Send {
    async move {
        assignment.begin();
        let remote = arrival.remote;
        let _open = endpoint.settings.observer.metrics().map(|metrics| metrics.opened());
        let served = connection::run(&endpoint, arrival, &mut permit);
        if let Err(panic) = AssertUnwindSafe(served).catch_unwind().await {
            let (id, panic) = (permit.id(), panic_message(&*panic));
            log::error!("{remote}: connection {id} panicked: {panic}");
        }
    }
}

async fn turn_away(
    endpoint: Arc<Endpoint>,
    incoming: Incoming,
    remote: RemoteAddr,
    slot: SemaphoreGuardArc,
    assignment: Assignment,
) {
    assignment.begin();
    connection::turn_away(&endpoint, incoming, remote).await;
    drop(slot);
}

/// Trouble that is logged when it begins, and not again until it has been over for a while. One connection that gets
/// through in between does not end it.
#[derive(Debug, Default)]
struct Episode {
    last: Option<Instant>,
}

impl Episode {
    fn log(&mut self, level: Level, text: impl FnOnce() -> String) {
        if self.last.is_none_or(|last| last.elapsed() > QUIET) {
            log::log!(level, "{}", text());
        }
        self.last = Some(Instant::now());
    }
}

/// Whether accepting fails because the process or the system has run out of a resource, so that an immediate retry
/// would fail again.
fn is_shortage(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let errno = Errno::from_io_error(error);
        [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM].iter().any(|e| Some(*e) == errno)
    }
    #[cfg(not(unix))]
    {
        !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of a waiting connection. There may be a million of them.
    #[test]
    fn a_task_is_small() {
        fn size<A, B, C, D, F: Future>(_: impl FnOnce(A, B, C, D) -> F) -> usize {
            size_of::<F>()
        }
        let size = size(serve);
        // With the executor's overhead it is 896, a size class of allocators.
        assert!(size <= 832, "{size} bytes");
    }
}
