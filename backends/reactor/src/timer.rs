use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::shared::Shared;
use crate::timers::Key;
use crate::{current, fallback};

/// Ready when it is time: never before, and up to a millisecond later if nothing else is going on.
///
/// It belongs to the [`Reactor`](crate::Reactor) of the thread that it is first waited for on.
#[derive(Debug)]
pub struct Timer {
    /// `None` if it is for a time that the clock cannot tell.
    at: Option<Instant>,
    entry: Option<Entry>,
}

/// That a timer is kept by a reactor, and for whom.
#[derive(Debug)]
struct Entry {
    reactor: Arc<Shared>,
    key: Key,
    waker: Waker,
}

impl Timer {
    /// For the time in `pause` from now.
    #[must_use]
    pub fn after(pause: Duration) -> Self {
        Self { at: Instant::now().checked_add(pause), entry: None }
    }

    /// For that time.
    #[must_use]
    pub fn at(time: Instant) -> Self {
        Self { at: Some(time), entry: None }
    }

    /// Has it be for another time.
    pub fn set_at(&mut self, time: Instant) {
        self.at = Some(time);
    }

    /// The time that it is for, if the clock can tell it.
    #[must_use]
    pub fn time(&self) -> Option<Instant> {
        self.at
    }

    /// Like `poll`, for who knows what time it is. As long as it is not, and `cx` has been told to wait,
    /// that is all there is to do.
    pub fn poll_at(&mut self, now: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        if at <= now {
            self.forget();
            return Poll::Ready(());
        }
        // What is in the map has not gone off: it does so in time, and now is before that.
        let is_set = |entry: &Entry| entry.key.0 == at && entry.waker.will_wake(cx.waker());
        if self.entry.as_ref().is_some_and(is_set) {
            return Poll::Pending;
        }
        let reactor = self.forget().map_or_else(fallback::reactor, Ok);
        let Ok(reactor) = reactor else {
            // There is nobody to wait, for want of memory or descriptors: it is for the caller to.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        };
        let waker = cx.waker().clone();
        let (key, is_next) = reactor.timers().insert(at, waker.clone());
        // A reactor looks at its timers before it sleeps, but not while it does.
        if is_next && !current::is(&reactor) {
            reactor.wake_up();
        }
        self.entry = Some(Entry { reactor, key, waker });
        Poll::Pending
    }

    /// Has the reactor forget about it; which one that is.
    fn forget(&mut self) -> Option<Arc<Shared>> {
        let Entry { reactor, key, .. } = self.entry.take()?;
        // Dropped when the lock is free: it may be the last handle of a task that has timers.
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
