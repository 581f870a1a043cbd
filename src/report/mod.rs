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

/// Receives the record of each request, for the access log and the metrics, if they are enabled.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    access: Option<AccessLog>,
    metrics: Option<Arc<Metrics>>,
}

impl Observer {
    pub(crate) fn new(access: Option<AccessLog>, metrics: Option<Arc<Metrics>>) -> Self {
        Self { access, metrics }
    }

    /// Whether there is an access log or metrics.
    pub(crate) fn is_wanted(&self) -> bool {
        self.access.is_some() || self.metrics.is_some()
    }

    /// Whether the text from clients is needed.
    pub(crate) fn keeps_text(&self) -> bool {
        self.access.is_some()
    }

    /// Reports a request that has ended.
    pub(crate) fn request_ended(&self, record: &Record<'_>) {
        if let Some(metrics) = &self.metrics {
            metrics.request_ended(record);
        }
        if let Some(access) = &self.access {
            access.write(record);
        }
    }

    /// The metrics, if they are enabled.
    pub(crate) fn metrics(&self) -> Option<&Arc<Metrics>> {
        self.metrics.as_ref()
    }

    /// Waits a limited time until everything reported is written.
    pub(crate) fn flush(&self) {
        if let Some(access) = &self.access {
            access.flush();
        }
    }
}
