//! Which reactor it is that sockets and timers belong to.

use std::cell::RefCell;
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::Reactor;
use super::shared::Shared;

thread_local! {
    /// The reactor that this thread drives, if it does.
    static CURRENT: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

/// The reactor of all threads that have none, once it was needed.
static OTHER: Mutex<Option<Arc<Shared>>> = Mutex::new(None);

/// The reactor that this thread drives. If it drives none, there is one with a thread of its own: all
/// is well there too, but each event is a hop between threads.
pub(super) fn reactor() -> io::Result<Arc<Shared>> {
    let current = CURRENT.try_with(|current| current.borrow().clone());
    if let Ok(Some(reactor)) = current {
        return Ok(reactor);
    }
    let mut other = OTHER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(reactor) = &*other {
        return Ok(Arc::clone(reactor));
    }
    let mut reactor = Reactor::new()?;
    let shared = Arc::clone(&reactor.shared);
    thread::Builder::new()
        .name("reactor".to_owned())
        .spawn(move || reactor.drive(pending::<()>()).map(drop))?;
    *other = Some(Arc::clone(&shared));
    Ok(shared)
}

/// Whether this thread drives `reactor`.
pub(super) fn is(reactor: &Arc<Shared>) -> bool {
    let is = |current: &RefCell<Option<_>>| {
        current.borrow().as_ref().is_some_and(|current| Arc::ptr_eq(current, reactor))
    };
    CURRENT.try_with(is).unwrap_or(false)
}

/// Has this thread drive `reactor` until the result is dropped.
pub(super) fn enter(reactor: &Arc<Shared>) -> Entered {
    Entered { before: CURRENT.replace(Some(Arc::clone(reactor))) }
}

/// That a thread drives a reactor.
pub(super) struct Entered {
    before: Option<Arc<Shared>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}
