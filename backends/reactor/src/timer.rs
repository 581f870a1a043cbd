use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::shared::Shared;
use crate::timers::Key;
use crate::{current, fallback};

/// Ready at a given time: never before, and up to a millisecond after it on an idle thread.
///
/// It belongs to the [`Reactor`](crate::Reactor) of the thread that it is first waited for on.
#[derive(Debug)]
pub struct Timer {
    /// `None` if the clock cannot express the time.
    at: Option<Instant>,
    entry: Option<Entry>,
}

/// A timer's registration with a reactor, and the task that waits.
#[derive(Debug)]
struct Entry {
    reactor: Arc<Shared>,
    key: Key,
    waker: Waker,
}

impl Timer {
    /// Ready after `pause`.
    #[must_use]
    pub fn after(pause: Duration) -> Self {
        Self { at: Instant::now().checked_add(pause), entry: None }
    }

    /// Ready at `time`.
    #[must_use]
    pub fn at(time: Instant) -> Self {
        Self { at: Some(time), entry: None }
    }

    /// Changes the time.
    pub fn set_at(&mut self, time: Instant) {
        self.at = Some(time);
    }

    /// The time at which it is ready, if the clock can express it.
    #[must_use]
    pub fn time(&self) -> Option<Instant> {
        self.at
    }

    /// Like `poll`, for a caller that knows the time. If it is not ready, and `cx` is registered already, this does
    /// nothing else.
    pub fn poll_at(&mut self, now: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        if at <= now {
            self.forget();
            return Poll::Ready(());
        }
        // A timer in the map has not fired, and `now` is before its time.
        let is_set = |entry: &Entry| entry.key.0 == at && entry.waker.will_wake(cx.waker());
        if self.entry.as_ref().is_some_and(is_set) {
            return Poll::Pending;
        }
        let reactor = self.forget().map_or_else(fallback::reactor, Ok);
        let Ok(reactor) = reactor else {
            // There is no reactor, for lack of memory or descriptors, so the caller must wait itself.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        };
        let waker = cx.waker().clone();
        let (key, is_next) = reactor.timers().insert(at, waker.clone());
        // A sleeping reactor does not check new timers.
        if is_next && !current::is(&reactor) {
            reactor.wake_up();
        }
        self.entry = Some(Entry { reactor, key, waker });
        Poll::Pending
    }

    /// Removes it from its reactor, and returns the reactor.
    fn forget(&mut self) -> Option<Arc<Shared>> {
        let Entry { reactor, key, .. } = self.entry.take()?;
        // Dropped without the lock: it may be the last handle of a task that owns timers.
        let _waker = reactor.timers().remove(&key);
        Some(reactor)
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_at(Instant::now(), cx)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.forget();
    }
}
