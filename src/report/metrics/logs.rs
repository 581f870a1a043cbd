use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::report::log::LineQueue;

/// Dropped lines.
#[derive(Debug)]
pub(super) struct Logs {
    pub(super) access: Option<LineQueue>,
    pub(super) log: Option<LineQueue>,
}

impl Collector for Logs {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut lines = encoder.encode_descriptor(
            "turnkey_log_lines_dropped",
            "Lines that were dropped because nobody took them: of the access log, and of the log",
            None,
            MetricType::Counter,
        )?;
        for (log, queue) in [("access", &self.access), ("log", &self.log)] {
            let dropped = queue.as_ref().map_or(0, LineQueue::dropped);
            lines
                .encode_family(&[("log", log)])?
                .encode_counter::<NoLabelSet, _, u64>(&dropped, None)?;
        }
        Ok(())
    }
}
