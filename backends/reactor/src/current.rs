//! The reactor of a thread's new sockets and timers.

use std::cell::RefCell;
use std::sync::Arc;

use crate::shared::Shared;

thread_local! {
    /// The reactor that this thread drives, if any.
    static CURRENT: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

/// The reactor that this thread drives, if any.
pub(crate) fn driven() -> Option<Arc<Shared>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Whether this thread drives `reactor`.
pub(crate) fn is(reactor: &Arc<Shared>) -> bool {
    let is = |current: &RefCell<Option<_>>| {
        current.borrow().as_ref().is_some_and(|current| Arc::ptr_eq(current, reactor))
    };
    CURRENT.try_with(is).unwrap_or(false)
}

/// Makes `reactor` the current one of this thread until the result is dropped.
pub(crate) fn enter(reactor: &Arc<Shared>) -> Entered {
    Entered { before: CURRENT.replace(Some(Arc::clone(reactor))) }
}

/// Resets the thread's current reactor on drop.
pub(crate) struct Entered {
    before: Option<Arc<Shared>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}
