use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Registry, Token, event};
use slab::Slab;

use crate::readiness::{Readiness, Ready};
use crate::timers::Timers;

/// The token of the waker's own events.
const WOKEN_UP: Token = Token(usize::MAX);

/// The part of a reactor that any thread may use.
#[derive(Debug)]
pub(crate) struct Shared {
    registry: Registry,
    waker: mio::Waker,
    /// One of the following.
    state: AtomicU8,
    sources: Mutex<Slab<Arc<Readiness>>>,
    timers: Mutex<Timers>,
}

/// The thread runs its future, and was not woken since it began.
const RUNNING: u8 = 0;
/// It has been woken: it will run its future again before it sleeps.
const WOKEN: u8 = 1;
/// It sleeps in the kernel, or is about to.
const ASLEEP: u8 = 2;

impl Shared {
    pub(crate) fn new(registry: &Registry) -> io::Result<Self> {
        Ok(Self {
            registry: registry.try_clone()?,
            waker: mio::Waker::new(registry, WOKEN_UP)?,
            state: AtomicU8::new(RUNNING),
            sources: Mutex::default(),
            timers: Mutex::default(),
        })
    }

    /// Marks that the future is about to run, which handles all earlier wakes.
    pub(crate) fn run(&self) {
        // The future sees what was written before the wake (acquire).
        self.state.swap(RUNNING, Ordering::AcqRel);
    }

    /// Marks that the thread is about to sleep; `false` if it must not.
    ///
    /// No wake is lost: each change of the state is one atomic step. If a wake comes before this step, the step
    /// fails. If it comes after, it finds `ASLEEP` and makes an event in the kernel, which ends the sleep even
    /// if it has not begun yet.
    pub(crate) fn sleep(&self) -> bool {
        let order = Ordering::AcqRel;
        self.state.compare_exchange(RUNNING, ASLEEP, order, Ordering::Acquire).is_ok()
    }

    /// Makes the thread run its future once more. It takes a system call only if the thread sleeps.
    pub(crate) fn wake_up(&self) {
        if self.state.swap(WOKEN, Ordering::AcqRel) == ASLEEP
            && let Err(error) = self.waker.wake()
        {
            // Either the event's counter is full, so there is an event, or the reactor is gone.
            debug_assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
        }
    }

    /// Registers `io`. The result is its token.
    pub(crate) fn register(
        &self,
        io: &mut impl event::Source,
        interest: Interest,
        ready: Ready,
    ) -> io::Result<(usize, Arc<Readiness>)> {
        let readiness = Arc::new(Readiness::new(ready));
        let number = lock(&self.sources).insert(Arc::clone(&readiness));
        match self.registry.register(io, Token(number), interest) {
            Ok(()) => Ok((number, readiness)),
            Err(error) => {
                lock(&self.sources).try_remove(number);
                Err(error)
            }
        }
    }

    /// Removes a registration. Late events may reach another source with the same token, which then finds nothing and
    /// waits again.
    pub(crate) fn deregister(&self, io: &mut impl event::Source, number: usize) {
        // It will be closed now, which has the same effect if there is no other handle.
        _ = self.registry.deregister(io);
        // Dropped without the lock: it may be the last handle of a task that owns sockets.
        let _removed = lock(&self.sources).try_remove(number);
    }

    /// Records `events`, and adds the tasks to wake.
    pub(crate) fn dispatch(&self, events: &Events, woken: &mut Vec<Waker>) {
        if events.is_empty() {
            return;
        }
        let sources = lock(&self.sources);
        for event in events {
            if let Some(readiness) = sources.get(event.token().0) {
                readiness.happened(event, woken);
            }
        }
    }

    pub(crate) fn timers(&self) -> MutexGuard<'_, Timers> {
        lock(&self.timers)
    }

    /// The time until the next timer; `None` if there is none.
    pub(crate) fn pause(&self) -> Option<Duration> {
        let next = self.timers().next()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Takes the tasks whose timers are due.
    pub(crate) fn take_due(&self, woken: &mut Vec<Waker>) {
        let mut timers = self.timers();
        if timers.next().is_some() {
            timers.take_due(Instant::now(), woken);
        }
    }
}

/// A reactor is the waker of the future that it runs.
impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_up();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_up();
    }
}

/// A panic does not leave the value half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
