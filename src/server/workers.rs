//! The threads that serve, each with connections of its own.

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

/// How many turns there are in a batch at most, how long it may take, and after how many of them that is
/// looked at.
const BATCH: usize = 200;
const SLICE: Duration = Duration::from_millis(1);
const CLOCK: usize = 4;

/// How long a task has to wait for its first turn until its thread passes for one that is blocked.
const STALLED: Duration = Duration::from_millis(100);

/// Executors that connections are spread over. A connection stays on the one that it comes to.
///
/// It holds none of them: if tasks held their executor, it would never end.
///
/// A task beside the server gets it: [`Bound::with_task`](crate::Bound::with_task).
#[derive(Debug, Clone)]
pub struct WorkerPool {
    seats: Arc<[Seat]>,
    /// Who is looked at first, so that of several with as many tasks each is taken in turn.
    next: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Seat {
    executor: Weak<Executor<'static>>,
    load: Arc<Mutex<Load>>,
}

/// What an executor has to do.
#[derive(Debug, Default)]
struct Load {
    tasks: usize,
    /// How many of them have not begun, and since when there are some.
    waiting: usize,
    since: Option<Instant>,
}

impl WorkerPool {
    fn new<'e>(executors: impl Iterator<Item = &'e Arc<Executor<'static>>>) -> Self {
        let seat = |executor| Seat { executor: Arc::downgrade(executor), load: Arc::default() };
        Self { seats: executors.map(seat).collect(), next: Arc::default() }
    }

    /// One executor.
    pub(crate) fn of(executor: &Arc<Executor<'static>>) -> Self {
        Self::new([executor].into_iter())
    }

    /// How many threads they are, each with its executor.
    pub(crate) fn count(&self) -> usize {
        self.seats.len()
    }

    /// Runs the task that `make` makes on the executor that has the fewest, as long as there is one.
    /// The task holds what it is given until it is done.
    pub(crate) fn spawn<F: Future<Output = ()> + Send + 'static>(
        &self,
        make: impl FnOnce(Assignment) -> F,
    ) {
        let count = self.count();
        let first = self.next.fetch_add(1, Ordering::Relaxed) % count.max(1);
        let from_first = self.seats.iter().cycle().skip(first).take(count);
        let Some(seat) = from_first.min_by_key(|seat| lock(&seat.load).rank()) else { return };
        if let Some(executor) = seat.executor.upgrade() {
            // Made with it, and not around it: a future that moves into another takes its place twice.
            executor.spawn(make(Assignment::on(seat))).detach();
        }
    }

    /// Done when each of the executors has taken a turn, as far as they have not ended: a thread that a handler
    /// blocks takes none. A watchdog goes by it.
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
    /// What comes first is to have the next task.
    fn rank(&self) -> (bool, usize) {
        (self.since.is_some_and(|since| since.elapsed() > STALLED), self.tasks)
    }
}

/// Counts a task among those of an executor until it is dropped.
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

    /// Says that the task has its first turn, which it does once. One that gets none ends with its
    /// executor, of which nobody wants to know any more then.
    pub(crate) fn begin(&self) {
        let mut load = lock(&self.load);
        load.waiting -= 1;
        // The others have not waited since then, or they have theirs in this very turn.
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
/// `Executor::run` does that for executors that threads share, and looks for news from the network after
/// 200 turns, which may take long. Here it is done after a batch that does not.
pub(crate) async fn run<T>(executor: &Executor<'_>, future: impl Future<Output = T>) -> T {
    let forever = async {
        loop {
            // Who waits for a task gets the first.
            executor.tick().await;
            if run_batch(executor) {
                smol::future::yield_now().await;
            }
        }
    };
    future.or(forever).await
}

/// Runs tasks until there is none, or it is time to look whether others have news: whether that is so.
fn run_batch(executor: &Executor<'_>) -> bool {
    let mut start = None;
    for turn in 1..BATCH {
        if !executor.try_tick() {
            return false;
        }
        // To ask for the time costs something, too.
        if turn % CLOCK == 0 && start.get_or_insert_with(Instant::now).elapsed() > SLICE {
            break;
        }
    }
    true
}

/// A panic elsewhere leaves what is behind the lock whole.
fn lock(load: &Mutex<Load>) -> MutexGuard<'_, Load> {
    load.lock().unwrap_or_else(PoisonError::into_inner)
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
        // One that has ended is not waited for.
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
        // The second has not begun what it has got, and passes for blocked.
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
