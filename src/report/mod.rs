//! Reports the outcome of requests and connections: the access log, the metrics and the explanations of failed
//! handshakes.

pub(crate) mod access;
pub(crate) mod explain;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod record;

use std::sync::Arc;

use self::access::AccessLog;
use self::metrics::Metrics;
use self::record::Record;

/// Who is told of what has happened: the access log, and the metrics, where they are wanted.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    access: Option<AccessLog>,
    metrics: Option<Arc<Metrics>>,
}

impl Observer {
    pub(crate) fn new(access: Option<AccessLog>, metrics: Option<Arc<Metrics>>) -> Self {
        Self { access, metrics }
    }

    /// Whether anybody is told of anything.
    pub(crate) fn is_wanted(&self) -> bool {
        self.access.is_some() || self.metrics.is_some()
    }

    /// Whether what clients write is told of, rather than counted.
    pub(crate) fn keeps_text(&self) -> bool {
        self.access.is_some()
    }

    /// A request has ended.
    pub(crate) fn request_ended(&self, record: &Record<'_>) {
        if let Some(metrics) = &self.metrics {
            metrics.request_ended(record);
        }
        if let Some(access) = &self.access {
            access.write(record);
        }
    }

    /// The metrics, where they are wanted.
    pub(crate) fn metrics(&self) -> Option<&Arc<Metrics>> {
        self.metrics.as_ref()
    }

    /// Waits until all that was told is written, for a while.
    pub(crate) fn flush(&self) {
        if let Some(access) = &self.access {
            access.flush();
        }
    }
}
