//! The threads that serve connections. Each thread has its own connections.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use smol::Executor;
use smol::channel::{self, Sender};
use smol::future::FutureExt;
use turnkey_backend::{Reactor, Timer};

use crate::common::causes::with_causes;

/// The most turns in a batch, the most time it may take, and after how many turns the clock is checked.
const BATCH: usize = 200;
const SLICE: Duration = Duration::from_millis(1);
const CLOCK: usize = 4;

/// How long a task may wait for its first turn before its thread counts as blocked.
const STALLED: Duration = Duration::from_millis(100);

/// Executors that share the connections. A connection stays on its executor.
///
/// The pool does not keep the executors alive: if their tasks held them, they would never end.
///
/// A task beside the server gets the pool: [`Bound::with_task`](crate::Bound::with_task).
#[derive(Debug, Clone)]
pub struct WorkerPool {
    seats: Arc<[Seat]>,
    /// The executor to consider first, so that those with equally many tasks take turns.
    next: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Seat {
    executor: Weak<Executor<'static>>,
    load: Arc<Mutex<Load>>,
}

/// The load of an executor.
#[derive(Debug, Default)]
struct Load {
    tasks: usize,
    /// How many tasks have not begun, and since when any has been waiting.
    waiting: usize,
    since: Option<Instant>,
}

impl WorkerPool {
    fn new<'e>(executors: impl Iterator<Item = &'e Arc<Executor<'static>>>) -> Self {
        let seat = |executor| Seat { executor: Arc::downgrade(executor), load: Arc::default() };
        Self { seats: executors.map(seat).collect(), next: Arc::default() }
    }

    /// A pool of one executor.
    pub(crate) fn of(executor: &Arc<Executor<'static>>) -> Self {
        Self::new([executor].into_iter())
    }

    /// The number of threads, each with its executor.
    pub(crate) fn count(&self) -> usize {
        self.seats.len()
    }

    /// Runs the task that `make` returns on the executor with the fewest tasks, if it still exists. The task holds
    /// its assignment until it is done.
    pub(crate) fn spawn<F: Future<Output = ()> + Send + 'static>(
        &self,
        make: impl FnOnce(Assignment) -> F,
    ) {
        let count = self.count();
        let first = self.next.fetch_add(1, Ordering::Relaxed) % count.max(1);
        let from_first = self.seats.iter().cycle().skip(first).take(count);
        let Some(seat) = from_first.min_by_key(|seat| lock(&seat.load).rank()) else { return };
        if let Some(executor) = seat.executor.upgrade() {
            // Passed to `make`, not wrapped around the task: a future that moves into another takes twice the memory.
            executor.spawn(make(Assignment::on(seat))).detach();
        }
    }

    /// Completes when each running executor has taken a turn. A thread that a handler blocks takes none, so a
    /// watchdog can use this.
    pub async fn turn(&self) {
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

impl Load {
    /// The executor with the lowest rank gets the next task.
    fn rank(&self) -> (bool, usize) {
        (self.since.is_some_and(|since| since.elapsed() > STALLED), self.tasks)
    }
}

/// Counts a task of an executor until it is dropped.
#[derive(Debug)]
pub(crate) struct Assignment {
    load: Arc<Mutex<Load>>,
}

impl Assignment {
    fn on(seat: &Seat) -> Self {
        let mut load = lock(&seat.load);
        load.tasks += 1;
        load.waiting += 1;
        load.since.get_or_insert_with(Instant::now);
        Self { load: Arc::clone(&seat.load) }
    }

    /// Records that the task has begun; called once. A task that never begins ends with its executor.
    pub(crate) fn begin(&self) {
        let mut load = lock(&self.load);
        load.waiting -= 1;
        // The other tasks have not waited since then, or they begin in this same turn.
        load.since = (load.waiting > 0).then(Instant::now);
    }
}

impl Drop for Assignment {
    fn drop(&mut self) {
        lock(&self.load).tasks -= 1;
    }
}

/// Runs the tasks of `executor` until `future` is done.
///
/// `Executor::run` is made for executors that threads share. It checks the network after 200 turns, which may take
/// long. This function checks after a short batch.
pub(crate) async fn run<T>(executor: &Executor<'_>, future: impl Future<Output = T>) -> T {
    let forever = async {
        loop {
            // The first turn: waits for a task.
            executor.tick().await;
            if run_batch(executor) {
                smol::future::yield_now().await;
            }
        }
    };
    future.or(forever).await
}

/// Runs tasks until none is ready (`false`), or until it is time to check for I/O (`true`).
fn run_batch(executor: &Executor<'_>) -> bool {
    let mut start = None;
    for turn in 1..BATCH {
        if !executor.try_tick() {
            return false;
        }
        // Reading the clock has a cost, too.
        if turn % CLOCK == 0 && start.get_or_insert_with(Instant::now).elapsed() > SLICE {
            break;
        }
    }
    true
}

/// A panic elsewhere leaves the load intact.
fn lock(load: &Mutex<Load>) -> MutexGuard<'_, Load> {
    load.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Threads, each with an executor and a reactor.
#[derive(Debug)]
pub(crate) struct Workers {
    threads: Vec<JoinHandle<()>>,
    /// The threads run until this is dropped.
    running: Sender<()>,
}

impl Workers {
    /// Starts `count` threads.
    pub(crate) fn start(count: usize) -> io::Result<(Self, WorkerPool)> {
        let (running, stopped) = channel::bounded::<()>(1);
        let mut threads = Vec::with_capacity(count);
        let mut executors = Vec::with_capacity(count);
        for n in 1..=count {
            let executor = Arc::new(Executor::new());
            executors.push(Arc::clone(&executor));
            let mut reactor = Reactor::new()?;
            let stopped = stopped.clone();
            let work = move || {
                if let Err(error) = reactor.drive(run(&executor, stopped.recv())) {
                    log::error!("a thread has ended: {}", with_causes(&error));
                }
            };
            threads.push(thread::Builder::new().name(format!("worker-{n}")).spawn(work)?);
        }
        Ok((Self { threads, running }, WorkerPool::new(executors.iter())))
    }

    /// Ends the threads and drops unfinished tasks, whose requests are still reported to the observer. A thread that
    /// a handler blocks is left behind after `limit`.
    pub(crate) async fn end(self, limit: Duration) {
        drop(self.running);
        let limit = Instant::now() + limit;
        while !self.threads.iter().all(JoinHandle::is_finished) && Instant::now() < limit {
            Timer::after(Duration::from_millis(1)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use smol::future::{block_on, poll_once};

    use super::*;

    #[test]
    fn others_are_heard_between_tasks_that_take_long() {
        let ran = AtomicUsize::new(0);
        let executor = Executor::new();
        for _ in 0..40 {
            let task = async {
                sleep(Duration::from_millis(2));
                ran.fetch_add(1, Ordering::Relaxed);
            };
            executor.spawn(task).detach();
        }
        assert!(run_batch(&executor));
        assert!(ran.load(Ordering::Relaxed) <= 2 * CLOCK);
        while run_batch(&executor) {}
        assert_eq!(ran.load(Ordering::Relaxed), 40);
    }

    #[test]
    fn a_crew_has_had_its_turn_when_all_have() {
        let (one, other) = (Arc::new(Executor::new()), Arc::new(Executor::new()));
        let pool = WorkerPool::new([&one, &other].into_iter());
        let mut turn = Box::pin(pool.turn());
        assert!(block_on(poll_once(&mut turn)).is_none());
        while one.try_tick() {}
        assert!(block_on(poll_once(&mut turn)).is_none(), "one of them hangs");
        while other.try_tick() {}
        assert!(block_on(poll_once(&mut turn)).is_some());
        // An executor that has ended is not waited for.
        drop(other);
        let mut turn = Box::pin(pool.turn());
        assert!(block_on(poll_once(&mut turn)).is_none());
        while one.try_tick() {}
        assert!(block_on(poll_once(&mut turn)).is_some());
    }

    #[test]
    fn who_has_fewest_gets_the_next() {
        let executors = [Arc::new(Executor::new()), Arc::new(Executor::new())];
        let pool = WorkerPool::new(executors.iter());
        let tasks = || [0, 1].map(|n: usize| lock(&pool.seats[n].load).tasks);
        let endless = |assignment: Assignment| async move {
            assignment.begin();
            std::future::pending::<()>().await;
        };
        for _ in 0..4 {
            pool.spawn(endless);
        }
        assert_eq!(tasks(), [2, 2]);
        for _ in 0..3 {
            pool.spawn(|assignment| async move { assignment.begin() });
        }
        for executor in &executors {
            while executor.try_tick() {}
        }
        assert_eq!(tasks(), [2, 2], "what is done does not count");
        // The second executor has not begun its task, and counts as blocked.
        for _ in 0..2 {
            pool.spawn(endless);
        }
        while executors[0].try_tick() {}
        sleep(STALLED + Duration::from_millis(50));
        for _ in 0..4 {
            pool.spawn(endless);
            while executors[0].try_tick() {}
        }
        assert_eq!(tasks(), [7, 3]);
        while executors[1].try_tick() {}
        pool.spawn(endless);
        assert_eq!(tasks(), [7, 4]);
    }
}
