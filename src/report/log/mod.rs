//! The queue for the lines of a log, so that a slow reader delays nobody.

mod queue;

use std::time::Duration;

pub use self::queue::LineQueue;

/// How long the server waits at its end for the reader of its access log.
pub(crate) const FLUSH: Duration = Duration::from_secs(1);
