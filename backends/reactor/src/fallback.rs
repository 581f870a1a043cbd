//! The reactor for threads that drive none.

use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::current;
use crate::reactor::Reactor;
use crate::shared::Shared;

/// The one reactor for all threads that drive none, made when it is first needed.
static FALLBACK: Mutex<Option<Arc<Shared>>> = Mutex::new(None);

/// The reactor that this thread drives. If it drives none, the fallback, which has its own thread. It is slower: each
/// event costs a switch between threads.
pub(crate) fn reactor() -> io::Result<Arc<Shared>> {
    if let Some(reactor) = current::driven() {
        return Ok(reactor);
    }
    let mut fallback = FALLBACK.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(reactor) = &*fallback {
        return Ok(Arc::clone(reactor));
    }
    let mut reactor = Reactor::new()?;
    let shared = Arc::clone(&reactor.shared);
    thread::Builder::new()
        .name("reactor".to_owned())
        .spawn(move || reactor.drive(pending::<()>()).map(drop))?;
    *fallback = Some(Arc::clone(&shared));
    Ok(shared)
}
