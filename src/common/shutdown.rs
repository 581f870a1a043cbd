use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use event_listener::{Event, EventListener};

/// Tells connections that the server is shutting down, and, if there is a delay, that it will soon.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown {
    word: Arc<Word>,
}

#[derive(Debug, Default)]
struct Word {
    announced: AtomicBool,
    given: AtomicBool,
    event: Event,
}

impl Shutdown {
    /// Announces the shutdown, so that clients go elsewhere from now on.
    pub(crate) fn announce(&self) {
        self.word.announced.store(true, Ordering::SeqCst);
    }

    /// Begins the shutdown.
    pub(crate) fn stop(&self) {
        self.word.given.store(true, Ordering::SeqCst);
        self.word.event.notify(usize::MAX);
    }

    /// A handle that waits for the shutdown.
    pub(crate) fn watch(&self) -> Watch {
        Watch { word: Arc::clone(&self.word), listening: Listening::default() }
    }
}

/// Waits for the server to stop; one for each connection.
#[derive(Debug)]
pub(crate) struct Watch {
    word: Arc<Word>,
    listening: Listening,
}

impl Watch {
    /// Whether a shutdown was announced or has begun. The server may still accept connections.
    pub(crate) fn is_leaving(&self) -> bool {
        self.word.announced.load(Ordering::SeqCst) || self.is_stopping()
    }

    fn is_stopping(&self) -> bool {
        self.word.given.load(Ordering::SeqCst)
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { word, listening } = self;
        listening.poll(cx, &word.event, || word.given.load(Ordering::SeqCst))
    }
}

/// A listener of an event that is waited for many times.
#[derive(Debug, Default)]
pub(crate) struct Listening(Option<(EventListener, Waker)>);

impl Listening {
    /// Ready when `happened` returns true. That must be so before `event` is notified.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        event: &Event,
        happened: impl Fn() -> bool,
    ) -> Poll<()> {
        if happened() {
            self.leave();
            return Poll::Ready(());
        }
        // The listener is kept between waits, so that a request does not make a new one: all listeners of an
        // event share a lock.
        let mut listener = match self.0.take() {
            Some((listener, waker)) if waker.will_wake(cx.waker()) => {
                self.0 = Some((listener, waker));
                return Poll::Pending;
            }
            Some((listener, _)) => listener,
            None => event.listen(),
        };
        // It may have happened before this listener existed.
        if happened() || Pin::new(&mut listener).poll(cx).is_ready() {
            return Poll::Ready(());
        }
        self.0 = Some((listener, cx.waker().clone()));
        Poll::Pending
    }

    /// Stops waiting: a listener is notified only once.
    pub(crate) fn leave(&mut self) {
        self.0 = None;
    }
}
