use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::report::log::{self, Queue};

/// Lines that nobody took.
#[derive(Debug)]
pub(super) struct Logs {
    pub(super) access: Option<Queue>,
}

impl Collector for Logs {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut lines = encoder.encode_descriptor(
            "turnkey_log_lines_dropped",
            "Lines that were dropped because nobody took them: of the access log, and of the log",
            None,
            MetricType::Counter,
        )?;
        let access = self.access.as_ref().map_or(0, Queue::dropped);
        for (log, dropped) in [("access", access), ("log", log::dropped())] {
            lines
                .encode_family(&[("log", log)])?
                .encode_counter::<NoLabelSet, _, u64>(&dropped, None)?;
        }
        Ok(())
    }
}
