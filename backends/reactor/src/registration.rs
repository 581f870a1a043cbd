use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use mio::{Interest, event};

use crate::readiness::{Direction, Readiness, Ready, Tick};
use crate::shared::Shared;
use crate::{current, fallback};

/// Whether the kernel reports new events after an operation that did less than it was asked for, without a
/// second attempt that fails. On Windows that attempt is required.
const TELLS_ALL: bool = cfg!(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd",
));

/// An I/O object, registered with a reactor until it is dropped.
#[derive(Debug)]
pub(crate) struct Registration<S: event::Source> {
    io: S,
    reactor: Arc<Shared>,
    number: usize,
    readiness: Arc<Readiness>,
}

impl<S: event::Source> Registration<S> {
    /// Registers `io`, which must be non-blocking, with this thread's reactor.
    pub(crate) fn new(mut io: S, interest: Interest, ready: Ready) -> io::Result<Self> {
        let reactor = fallback::reactor()?;
        let (number, readiness) = reactor.register(&mut io, interest, ready)?;
        Ok(Self { io, reactor, number, readiness })
    }

    pub(crate) fn io(&self) -> &S {
        &self.io
    }

    /// Whether it is registered with this thread's reactor.
    pub(crate) fn is_local(&self) -> bool {
        current::is(&self.reactor)
    }

    /// Whether it is ready in `direction`, as far as is known.
    pub(crate) fn poll_ready(&self, direction: Direction, cx: &mut Context<'_>) -> Poll<()> {
        self.readiness.poll(direction, cx).map(drop)
    }

    /// Does a non-blocking operation as soon as it is ready.
    pub(crate) fn poll_io<T>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        mut io: impl FnMut(&S) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            let tick = ready!(self.readiness.poll(direction, cx));
            if let Some(result) = self.attempt(direction, tick, &mut io) {
                return Poll::Ready(result);
            }
        }
    }

    /// Does an operation with up to `wanted` bytes, as soon as it is ready. If it did less, the next operation waits
    /// for an event: another attempt would cost a system call for each request.
    pub(crate) fn poll_bytes(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        wanted: usize,
        mut io: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let tick = ready!(self.readiness.poll(direction, cx));
            let Some(result) = self.attempt(direction, tick, &mut io) else { continue };
            if TELLS_ALL && matches!(result, Ok(n) if 0 < n && n < wanted) {
                self.readiness.exhausted(direction, tick);
            }
            return Poll::Ready(result);
        }
    }

    /// Does a non-blocking operation now. If it would block, the next wait in `direction` waits for an event.
    #[cfg(target_os = "linux")]
    pub(crate) fn try_io<T>(
        &self,
        direction: Direction,
        io: impl FnOnce(&S) -> io::Result<T>,
    ) -> io::Result<T> {
        let tick = self.readiness.tick();
        let result = io(&self.io);
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            self.readiness.blocked(direction, tick);
        }
        result
    }

    /// `None` if it must be tried again when the source is ready.
    fn attempt<T>(
        &self,
        direction: Direction,
        tick: Tick,
        io: &mut impl FnMut(&S) -> io::Result<T>,
    ) -> Option<io::Result<T>> {
        match io(&self.io) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readiness.blocked(direction, tick);
                None
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
            result => Some(result),
        }
    }
}

impl<S: event::Source> Drop for Registration<S> {
    fn drop(&mut self) {
        self.reactor.deregister(&mut self.io, self.number);
    }
}
