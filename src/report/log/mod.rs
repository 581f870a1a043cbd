//! The queue that the lines of a log go through, so that whoever reads them slowly holds nobody up.

mod queue;

use std::time::Duration;

pub use self::queue::LineQueue;

/// How long the end of a server waits for whoever reads its access log.
pub(crate) const FLUSH: Duration = Duration::from_secs(1);
