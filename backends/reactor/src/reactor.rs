use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mio::Events;

use crate::current;
use crate::shared::Shared;

/// How many events are taken from the kernel at a time.
const EVENTS: usize = 1024;

/// Waits for sockets and timers on behalf of the tasks of one thread.
#[derive(Debug)]
pub struct Reactor {
    pub(crate) poll: mio::Poll,
    pub(crate) events: Events,
    pub(crate) shared: Arc<Shared>,
    /// Whom there is to wake: kept, so that a turn takes no memory.
    woken: Vec<Waker>,
}

impl Reactor {
    /// A reactor without a thread; it takes three descriptors on Linux.
    pub fn new() -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let shared = Arc::new(Shared::new(poll.registry())?);
        Ok(Self { poll, events: Events::with_capacity(EVENTS), shared, woken: Vec::new() })
    }

    /// Runs `future`, an executor typically, on this thread until it is done. Sockets and timers that
    /// begin meanwhile, on this thread, belong to this reactor, and wait for nothing any more when it
    /// has returned. An error is the kernel's, which cannot be waited for.
    pub fn drive<F: Future>(&mut self, future: F) -> io::Result<F::Output> {
        let _entered = current::enter(&self.shared);
        let waker = Waker::from(Arc::clone(&self.shared));
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            self.shared.run();
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return Ok(output);
            }
            self.turn()?;
        }
    }

    /// Takes what has happened, and waits for it if there is nothing else to do.
    pub(crate) fn turn(&mut self) -> io::Result<()> {
        let timeout = if self.shared.sleep() { self.shared.pause() } else { Some(Duration::ZERO) };
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            // By a signal; there are no events then.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        // Whoever is woken from here on is woken by this thread, which is awake.
        self.shared.run();
        self.shared.dispatch(&self.events, &mut self.woken);
        self.shared.take_due(&mut self.woken);
        for waker in self.woken.drain(..) {
            waker.wake();
        }
        Ok(())
    }
}
