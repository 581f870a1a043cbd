use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use crate::common::buffers::Buffers;

/// The memory that a proxy's buffered bodies use.
#[derive(Debug)]
pub(super) struct Buffered(pub(super) Arc<Buffers>);

impl Collector for Buffered {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut bytes = encoder.encode_descriptor(
            "turnkey_proxy_buffered_bytes",
            "How much the buffered bodies of requests and answers take, by place",
            None,
            MetricType::Gauge,
        )?;
        let (memory, disk) = self.0.taken();
        for (place, taken) in [("memory", memory), ("disk", disk)] {
            bytes.encode_family(&[("place", place)])?.encode_gauge(&taken)?;
        }
        Ok(())
    }
}
