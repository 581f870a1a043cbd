use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mio::Events;

use crate::current;
use crate::shared::Shared;

/// The maximum number of events that are taken from the kernel at a time.
const EVENTS: usize = 1024;

/// Waits for sockets and timers on behalf of the tasks of one thread.
#[derive(Debug)]
pub struct Reactor {
    pub(crate) poll: mio::Poll,
    pub(crate) events: Events,
    pub(crate) shared: Arc<Shared>,
    /// The tasks to wake. It is kept, so that a turn allocates nothing.
    woken: Vec<Waker>,
}

impl Reactor {
    /// A reactor without a thread; it takes three descriptors on Linux.
    pub fn new() -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let shared = Arc::new(Shared::new(poll.registry())?);
        Ok(Self { poll, events: Events::with_capacity(EVENTS), shared, woken: Vec::new() })
    }

    /// Runs `future`, typically an executor, on this thread until it is done. Sockets and timers that are made on
    /// this thread meanwhile belong to this reactor. They get no events after this has returned. An error means that
    /// the kernel cannot wait for events.
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

    /// Handles events, and waits for them if there is nothing else to do.
    pub(crate) fn turn(&mut self) -> io::Result<()> {
        let timeout = if self.shared.sleep() { self.shared.pause() } else { Some(Duration::ZERO) };
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            // Interrupted by a signal, without events.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        // From here on, tasks are woken by this thread, which is awake.
        self.shared.run();
        self.shared.dispatch(&self.events, &mut self.woken);
        self.shared.take_due(&mut self.woken);
        for waker in self.woken.drain(..) {
            waker.wake();
        }
        Ok(())
    }
}
