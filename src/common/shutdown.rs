use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use event_listener::{Event, EventListener};

/// The word that the server is to stop, which every connection can wait for; before it, perhaps, the
/// announcement that it will be given.
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
    /// Says that the word will be given: nobody shall count on the server from here on.
    pub(crate) fn announce(&self) {
        self.word.announced.store(true, Ordering::SeqCst);
    }

    /// Gives the word.
    pub(crate) fn stop(&self) {
        self.word.given.store(true, Ordering::SeqCst);
        self.word.event.notify(usize::MAX);
    }

    /// A place to wait for it.
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
    /// Whether the server is on its way out, be it that it still takes connections.
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

/// A place at an event, for somebody who waits for it many times.
#[derive(Debug, Default)]
pub(crate) struct Listening(Option<(EventListener, Waker)>);

impl Listening {
    /// Ready when `happened` says so, which must be true before `event` is notified.
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
        // The listener stays across waits, so that a request costs no new one. All listeners are behind
        // one lock: who is known there already has no business with it.
        let mut listener = match self.0.take() {
            Some((listener, waker)) if waker.will_wake(cx.waker()) => {
                self.0 = Some((listener, waker));
                return Poll::Pending;
            }
            Some((listener, _)) => listener,
            None => event.listen(),
        };
        // It may have happened before there was anybody to hear it.
        if happened() || Pin::new(&mut listener).poll(cx).is_ready() {
            return Poll::Ready(());
        }
        self.0 = Some((listener, cx.waker().clone()));
        Poll::Pending
    }

    /// Waits no more: a listener that was notified hears nothing else.
    pub(crate) fn leave(&mut self) {
        self.0 = None;
    }
}
