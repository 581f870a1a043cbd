use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

use super::latency::Latency;
use crate::report::explain::{Explainer, Reason};

/// The results of handshakes. Completed ones are counted here, failed ones where they are explained.
#[derive(Debug)]
pub(super) struct Handshakes {
    completed: AtomicU64,
    took: Latency,
    explainer: Arc<Explainer>,
}

impl Handshakes {
    pub(super) fn new(explainer: Arc<Explainer>) -> Self {
        Self { completed: AtomicU64::new(0), took: Latency::default(), explainer }
    }

    pub(super) fn completed(&self, took: Duration) {
        self.completed.fetch_add(1, Ordering::Relaxed);
        self.took.observe(took);
    }
}

impl Collector for Handshakes {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut handshakes = encoder.encode_descriptor(
            "turnkey_handshakes",
            "How connections began: completed handshakes, and why others came to nothing",
            None,
            MetricType::Counter,
        )?;
        let completed = ("completed", "none", self.completed.load(Ordering::Relaxed));
        let failed = Reason::ALL.iter().filter(|reason| reason.result() != "completed");
        let failed =
            failed.map(|&reason| (reason.result(), reason.label(), self.explainer.count(reason)));
        for (result, reason, count) in [completed].into_iter().chain(failed) {
            handshakes
                .encode_family(&[("result", result), ("reason", reason)])?
                .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        let ended = encoder.encode_descriptor(
            "turnkey_connections_no_longer_let_in",
            "Connections that were ended because their client would not be let in any more",
            None,
            MetricType::Counter,
        )?;
        ConstCounter::new(self.explainer.count(Reason::NoLonger)).encode(ended)?;
        self.took.encode(encoder.encode_descriptor(
            "turnkey_handshake_duration_seconds",
            "From a connection's first moment to the end of its handshake, where that was completed",
            None,
            MetricType::Histogram,
        )?)
    }
}
