use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use mio::event::Event;

/// What a source is known to be ready for, and the tasks that wait for it.
///
/// It is one lock around a few bytes, since each connection has one, and there may be a million connections.
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
    /// The peer has closed it, or it has failed. There may be no further event.
    over: bool,
}

/// A direction of a connection. Accepting is reading.
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
    /// It can be written to, without an event.
    ToWrite,
}

/// A point in time, counted in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick(u32);

impl Readiness {
    pub(crate) fn new(ready: Ready) -> Self {
        let write = Side { ready: ready == Ready::ToWrite, ..Side::default() };
        Self { state: Mutex::new(ReadinessState { read: Side::default(), write, tick: 0 }) }
    }

    /// Whether it is ready in `direction`. If not, `cx` is woken when it is. It replaces the task that waited before,
    /// which is woken now, so that no promised wake is lost.
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

    /// The current tick.
    #[cfg(target_os = "linux")]
    pub(crate) fn tick(&self) -> Tick {
        Tick(self.lock().tick)
    }

    /// Records that `direction` was not ready any more at `tick`. Events that came since then stay valid.
    pub(crate) fn blocked(&self, direction: Direction, tick: Tick) {
        let mut state = self.lock();
        if state.tick == tick.0 {
            state.side(direction).ready = false;
        }
    }

    /// The same after an operation that did less than it was asked for. A connection that has ended or failed stays
    /// ready, since there would be no further event.
    pub(crate) fn exhausted(&self, direction: Direction, tick: Tick) {
        let mut state = self.lock();
        if state.tick == tick.0 {
            let side = state.side(direction);
            side.ready = side.over;
        }
    }

    /// Records an event, and adds the tasks to wake.
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
