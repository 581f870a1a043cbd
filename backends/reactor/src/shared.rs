use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Registry, Token, event};
use slab::Slab;

use crate::readiness::{Readiness, Ready};
use crate::timers::Timers;

/// What the waker's own events are known by.
const WOKEN_UP: Token = Token(usize::MAX);

/// The part of a reactor that others reach, from any thread.
#[derive(Debug)]
pub(crate) struct Shared {
    registry: Registry,
    waker: mio::Waker,
    /// One of the following.
    state: AtomicU8,
    sources: Mutex<Slab<Arc<Readiness>>>,
    timers: Mutex<Timers>,
}

/// The thread runs its future, and nobody has woken it since it began to.
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

    /// Says that the future is about to be run: who has been woken before has been woken for that.
    pub(crate) fn run(&self) {
        // What was written before the wake is seen by the future (acquire).
        self.state.swap(RUNNING, Ordering::AcqRel);
    }

    /// Says that the thread is about to sleep; `false` if it must not.
    ///
    /// No wake is lost on the way: all that changes the state is one atomic step, so a waker comes
    /// either before this one, which fails then, or after it. It finds `ASLEEP` then and makes an
    /// event in the kernel, which ends the sleep even if that has not begun yet.
    pub(crate) fn sleep(&self) -> bool {
        let order = Ordering::AcqRel;
        self.state.compare_exchange(RUNNING, ASLEEP, order, Ordering::Acquire).is_ok()
    }

    /// Has the thread run its future once more. Only if it sleeps that takes a system call.
    pub(crate) fn wake_up(&self) {
        if self.state.swap(WOKEN, Ordering::AcqRel) == ASLEEP
            && let Err(error) = self.waker.wake()
        {
            // The counter of the event is full, so that there is one, or the reactor is gone.
            debug_assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
        }
    }

    /// Has the reactor tell of `io`, under the number that is returned.
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

    /// Ends that. Events of it may be on their way; if they come to another source that gets the same
    /// number, that finds nothing and waits again.
    pub(crate) fn deregister(&self, io: &mut impl event::Source, number: usize) {
        // It is about to be closed, which has the same effect if nobody else holds it.
        _ = self.registry.deregister(io);
        // Dropped when the lock is free: it may hold the last handle of a task that has sockets.
        let _removed = lock(&self.sources).try_remove(number);
    }

    /// Takes note of `events`, and of whom to wake.
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

    /// How long there is to wait for the next timer; `None` if there is none.
    pub(crate) fn pause(&self) -> Option<Duration> {
        let next = self.timers().next()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Takes whoever waits for a time that has come.
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

/// A panic elsewhere leaves what is behind the lock whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
