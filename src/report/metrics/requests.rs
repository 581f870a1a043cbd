use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use http_types::Method;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

use super::latency::Latency;
use crate::report::record::Record;

/// The methods that are counted separately (RFC 9110 §9.3, RFC 5789). All others share a series: a client may send
/// any method, and must not be able to create series.
const METHODS: [Method; 8] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Put,
    Method::Delete,
    Method::Options,
    Method::Trace,
    Method::Patch,
];

/// The labels of all other methods, and of a request whose head could not be read.
const OTHER: [&str; 2] = ["other", "none"];

/// The range of statuses (RFC 9110 §15): the first, and how many.
const FIRST: u16 = 100;
const STATUSES: usize = 500;

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Requests that have ended. A client cannot create a series: the methods are fixed, and the app chooses the
/// statuses. Counting takes no lock.
#[derive(Debug)]
pub(super) struct Requests {
    /// For each method, a count for each status.
    counts: Vec<[AtomicU64; STATUSES]>,
    latency: [Latency; CLASSES.len()],
    received: AtomicU64,
    sent: AtomicU64,
}

impl Default for Requests {
    fn default() -> Self {
        let methods = METHODS.len() + OTHER.len();
        Self {
            counts: (0..methods).map(|_| [const { AtomicU64::new(0) }; STATUSES]).collect(),
            latency: Default::default(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }
}

impl Requests {
    pub(super) fn ended(&self, record: &Record<'_>) {
        let known = METHODS.len();
        let method = match record.noted.method() {
            None => known + 1,
            Some(method) => METHODS.iter().position(|m| *m == method).unwrap_or(known),
        };
        let status = usize::from(record.status.saturating_sub(FIRST));
        if let Some(count) = self.counts.get(method).and_then(|statuses| statuses.get(status)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(latency) = self.latency.get(status / 100) {
            latency.observe(record.took);
        }
        self.received.fetch_add(record.received, Ordering::Relaxed);
        self.sent.fetch_add(record.sent, Ordering::Relaxed);
    }
}

impl Collector for Requests {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut requests = encoder.encode_descriptor(
            "turnkey_requests",
            "Requests that have ended, by method and status; 499: without an answer",
            None,
            MetricType::Counter,
        )?;
        let methods = METHODS.iter().map(AsRef::as_ref).chain(OTHER);
        for (method, statuses) in methods.zip(&self.counts) {
            for (status, count) in (FIRST..).zip(statuses) {
                match count.load(Ordering::Relaxed) {
                    0 => {}
                    count => requests
                        .encode_family(&[("method", method), ("code", &status.to_string())])?
                        .encode_counter::<NoLabelSet, _, u64>(&count, None)?,
                }
            }
        }
        let mut latency = encoder.encode_descriptor(
            "turnkey_request_duration_seconds",
            "From the first byte of a request to the last of its answer, by class of status",
            None,
            MetricType::Histogram,
        )?;
        for (class, times) in CLASSES.iter().zip(&self.latency) {
            times.encode(latency.encode_family(&[("class", *class)])?)?;
        }
        for (name, help, count) in [
            ("turnkey_request_body_bytes", "Content that clients have sent", &self.received),
            ("turnkey_response_body_bytes", "Content that clients were sent", &self.sent),
        ] {
            let counter = ConstCounter::new(count.load(Ordering::Relaxed));
            counter.encode(encoder.encode_descriptor(
                name,
                help,
                None,
                counter.metric_type(),
            )?)?;
        }
        Ok(())
    }
}
