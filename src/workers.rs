//! The threads that serve, each with connections of its own.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use smol::Executor;
use smol::channel::{self, Sender};
use turnkey_backend::{Reactor, Timer};

use crate::causes::with_causes;

/// Executors that connections are spread over. A connection stays on the one that it comes to.
///
/// It holds none of them: if tasks held their executor, it would never end.
#[derive(Debug, Clone)]
pub(crate) struct Crew {
    seats: Arc<[Seat]>,
    /// Who is looked at first, so that of several with as many tasks each is taken in turn.
    next: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Seat {
    executor: Weak<Executor<'static>>,
    /// How many tasks it has.
    tasks: Arc<AtomicUsize>,
}

impl Crew {
    fn new<'e>(executors: impl Iterator<Item = &'e Arc<Executor<'static>>>) -> Self {
        let seat = |executor| Seat { executor: Arc::downgrade(executor), tasks: Arc::default() };
        Self { seats: executors.map(seat).collect(), next: Arc::default() }
    }

    /// One executor.
    pub(crate) fn of(executor: &Arc<Executor<'static>>) -> Self {
        Self::new([executor].into_iter())
    }

    /// Runs `task` on the executor that has the fewest, as long as there is one.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let count = self.seats.len();
        let first = self.next.fetch_add(1, Ordering::Relaxed) % count.max(1);
        let from_first = self.seats.iter().cycle().skip(first).take(count);
        let Some(seat) = from_first.min_by_key(|seat| seat.tasks.load(Ordering::Relaxed)) else {
            return;
        };
        if let Some(executor) = seat.executor.upgrade() {
            let seated = Seated::on(seat);
            let task = async move {
                task.await;
                drop(seated);
            };
            executor.spawn(task).detach();
        }
    }

    /// Done when each of the executors has taken a turn, as far as they have not ended.
    pub(crate) async fn turn(&self) {
        let turns: Vec<_> = self
            .seats
            .iter()
            .filter_map(|seat| Some(seat.executor.upgrade()?.spawn(async {}).fallible()))
            .collect();
        for turn in turns {
            turn.await;
        }
    }
}

/// That a task is one of those that an executor has.
#[derive(Debug)]
struct Seated(Arc<AtomicUsize>);

impl Seated {
    fn on(seat: &Seat) -> Self {
        seat.tasks.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&seat.tasks))
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Threads, each with an executor and a reactor.
#[derive(Debug)]
pub(crate) struct Workers {
    threads: Vec<JoinHandle<()>>,
    /// They run for as long as this is there.
    running: Sender<()>,
}

impl Workers {
    /// Starts `count` threads.
    pub(crate) fn start(count: usize) -> io::Result<(Self, Crew)> {
        let (running, stopped) = channel::bounded::<()>(1);
        let mut threads = Vec::with_capacity(count);
        let mut executors = Vec::with_capacity(count);
        for n in 1..=count {
            let executor = Arc::new(Executor::new());
            executors.push(Arc::clone(&executor));
            let mut reactor = Reactor::new()?;
            let stopped = stopped.clone();
            let work = move || {
                if let Err(error) = reactor.drive(executor.run(stopped.recv())) {
                    log::error!("a thread has ended: {}", with_causes(&error));
                }
            };
            threads.push(thread::Builder::new().name(format!("worker-{n}")).spawn(work)?);
        }
        Ok((Self { threads, running }, Crew::new(executors.iter())))
    }

    /// Has them end, and drops what is not done: who is told of requests is told of those too. A thread
    /// that a handler blocks is left alone when `limit` has passed.
    pub(crate) async fn end(self, limit: Duration) {
        drop(self.running);
        let limit = Instant::now() + limit;
        while !self.threads.iter().all(JoinHandle::is_finished) && Instant::now() < limit {
            Timer::after(Duration::from_millis(1)).await;
        }
    }
}
