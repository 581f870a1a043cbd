use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use mio::event::Event;

/// What a source is known to be ready for, and who waits until it is.
///
/// It is one lock around a few bytes, since there is one for each connection, and there may be a
/// million that wait.
#[derive(Debug)]
pub(crate) struct Readiness {
    state: Mutex<ReadinessState>,
}

#[derive(Debug)]
struct ReadinessState {
    read: Side,
    write: Side,
    /// Advances with each event.
    tick: u32,
}

#[derive(Debug, Default)]
struct Side {
    waker: Option<Waker>,
    ready: bool,
    /// The peer has closed it, or it has failed. There may be no further event to say so.
    over: bool,
}

/// One half of what can be done with a connection. To accept is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// What a new source is ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ready {
    /// Nothing, until an event says so.
    No,
    /// It has room to be written to, which an event would only say again.
    ToWrite,
}

/// When something was known, counted in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick(u32);

impl Readiness {
    pub(crate) fn new(ready: Ready) -> Self {
        let write = Side { ready: ready == Ready::ToWrite, ..Side::default() };
        Self { state: Mutex::new(ReadinessState { read: Side::default(), write, tick: 0 }) }
    }

    /// Whether there is something to be done in `direction`; if not, `cx` is woken when there is, in
    /// place of whoever waited before, who is woken now: it was told that it would be.
    pub(crate) fn poll(&self, direction: Direction, cx: &mut Context<'_>) -> Poll<Tick> {
        let mut state = self.lock();
        let tick = Tick(state.tick);
        let side = state.side(direction);
        if side.ready {
            return Poll::Ready(tick);
        }
        if side.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        let displaced = side.waker.replace(cx.waker().clone());
        drop(state);
        if let Some(waker) = displaced {
            waker.wake();
        }
        Poll::Pending
    }

    /// When it is now.
    #[cfg(target_os = "linux")]
    pub(crate) fn tick(&self) -> Tick {
        Tick(self.lock().tick)
    }

    /// Takes note that there was nothing to be done in `direction` any more after `tick`. An event that
    /// came since then may be about something newer.
    pub(crate) fn blocked(&self, direction: Direction, tick: Tick) {
        let mut state = self.lock();
        if state.tick == tick.0 {
            state.side(direction).ready = false;
        }
    }

    /// The same, where it is not the kernel that has said so, but less was done than was asked for:
    /// what has ended or failed would say nothing further.
    pub(crate) fn exhausted(&self, direction: Direction, tick: Tick) {
        let mut state = self.lock();
        if state.tick == tick.0 {
            let side = state.side(direction);
            side.ready = side.over;
        }
    }

    /// Takes note of an event, and of whom to wake for it.
    pub(crate) fn happened(&self, event: &Event, woken: &mut Vec<Waker>) {
        let failed = event.is_error();
        let read_over = event.is_read_closed() || failed;
        let write_over = event.is_write_closed() || failed;
        let mut state = self.lock();
        state.tick = state.tick.wrapping_add(1);
        state.read.happened(event.is_readable() || read_over, read_over, woken);
        state.write.happened(event.is_writable() || write_over, write_over, woken);
    }

    fn lock(&self) -> MutexGuard<'_, ReadinessState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadinessState {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }
}

impl Side {
    fn happened(&mut self, ready: bool, over: bool, woken: &mut Vec<Waker>) {
        self.ready |= ready;
        self.over |= over;
        if ready {
            woken.extend(self.waker.take());
        }
    }
}
