//! The metrics, for Prometheus.

mod buffers;
mod certificates;
mod handshakes;
mod latency;
mod logs;
mod requests;
pub(crate) mod turned_away;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use self::buffers::Buffered;
use self::certificates::Certificates;
use self::handshakes::Handshakes;
use self::logs::Logs;
use self::requests::Requests;
use self::turned_away::Full;
use super::explain::Explainer;
use super::log::LineQueue;
use super::record::Record;
use crate::common::buffers::Buffers;
use crate::mode::current::Current;

/// Counts events. Counting a request takes a few atomic operations and no lock.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Arc<Requests>,
    handshakes: Arc<Handshakes>,
    open: Gauge,
    accepted: Counter,
    turned_away: Family<Labels<1>, Counter>,
    reloads: Family<Labels<1>, Counter>,
    upstreams: Family<[(&'static str, String); 2], Counter>,
}

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// What the metrics report besides their own counters.
#[derive(Debug)]
pub(crate) struct Told {
    /// The backend, for people to read.
    pub(crate) backend: String,
    pub(crate) current: Arc<Current>,
    pub(crate) explainer: Arc<Explainer>,
    /// The queue of the access log, if there is one.
    pub(crate) access: Option<LineQueue>,
    pub(crate) log: Option<LineQueue>,
    /// The buffers of the proxy, if there is one.
    pub(crate) buffers: Option<Arc<Buffers>>,
}

impl Metrics {
    pub(crate) fn new(told: Told) -> Self {
        let mut registry = Registry::default();
        let requests = Arc::new(Requests::default());
        registry.register_collector(Box::new(Arc::clone(&requests)));
        let handshakes = Arc::new(Handshakes::new(told.explainer));
        registry.register_collector(Box::new(Arc::clone(&handshakes)));
        registry.register_collector(Box::new(Certificates(told.current)));
        registry.register_collector(Box::new(Logs { access: told.access, log: told.log }));
        if let Some(buffers) = told.buffers {
            registry.register_collector(Box::new(Buffered(buffers)));
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let build = Info::new([("version", version), ("backend", told.backend)]);
        registry.register("turnkey_build", "The version, and what does the TLS", build);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start = ConstGauge::new(now.as_secs_f64());
        registry.register(
            "process_start_time_seconds",
            "When the server began, in Unix time",
            start,
        );
        let metrics = Self {
            requests,
            handshakes,
            open: Gauge::default(),
            accepted: Counter::default(),
            turned_away: Family::default(),
            reloads: Family::default(),
            upstreams: Family::default(),
            registry,
        };
        metrics.register()
    }

    /// Registers the counters. Known series start at 0: a series that is missing cannot be seen to grow.
    fn register(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register(
            "turnkey_connections_open",
            "Connections that are open",
            self.open.clone(),
        );
        registry.register(
            "turnkey_connections_accepted",
            "Connections that there was a place for",
            self.accepted.clone(),
        );
        for limit in [Full::Connections, Full::Handshakes] {
            self.turned_away.get_or_create(&[("limit", limit.label())]).inc_by(0);
        }
        registry.register(
            "turnkey_connections_turned_away",
            "Connections that there was no place for, by the limit that was reached",
            self.turned_away.clone(),
        );
        for done in [true, false] {
            self.reloads.get_or_create(&[("result", reload_result(done))]).inc_by(0);
        }
        registry.register(
            "turnkey_reloads",
            "How reading the files again went; after one that failed all is as it was",
            self.reloads.clone(),
        );
        registry.register(
            "turnkey_upstream_failures",
            "Upstreams that were asked in vain, and why",
            self.upstreams.clone(),
        );
        self
    }

    /// All metrics in the text format of Prometheus.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::with_capacity(16 * 1024);
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    pub(crate) fn request_ended(&self, record: &Record<'_>) {
        self.requests.ended(record);
        for failure in record.failures {
            let upstream = failure.upstream.to_string();
            let labels = [("upstream", upstream), ("reason", failure.reason.to_owned())];
            self.upstreams.get_or_create(&labels).inc();
        }
    }

    /// Counts a connection that was admitted as open, until the result is dropped.
    pub(crate) fn opened(&self) -> Open {
        self.accepted.inc();
        self.open.inc();
        Open(self.open.clone())
    }

    pub(crate) fn turned_away(&self, full: &Full) {
        self.turned_away.get_or_create(&[("limit", full.label())]).inc();
    }

    pub(crate) fn handshake_completed(&self, took: Duration) {
        self.handshakes.completed(took);
    }

    pub(crate) fn reloaded(&self, done: bool) {
        self.reloads.get_or_create(&[("result", reload_result(done))]).inc();
    }
}

fn reload_result(done: bool) -> &'static str {
    if done { "done" } else { "failed" }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
