use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use turnkey_backend::{Certificate, Identities};

use crate::mode::current::Current;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The certificates that the server uses now, also after a reload.
#[derive(Debug)]
pub(super) struct Certificates(pub(super) Arc<Current>);

impl Collector for Certificates {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let serving = self.0.get();
        let mut all: Vec<(&str, &Certificate)> = Vec::new();
        for identity in serving.identities.iter().flat_map(Identities::all) {
            all.push(("server", identity.leaf()));
            let above = identity.chain().iter().filter(|link| *link != identity.leaf());
            all.extend(above.map(|link| ("chain", link)));
        }
        let trust = serving.clients.trust().map(|trust| trust.anchors().certificates());
        all.extend(trust.unwrap_or_default().iter().map(|ca| ("client_ca", ca)));
        let mut days = encoder.encode_descriptor(
            "turnkey_certificate_days_left",
            "Days until a certificate expires, less than 0 after that",
            None,
            MetricType::Gauge,
        )?;
        let now = SystemTime::now();
        let mut told = Vec::new();
        for (role, certificate) in all {
            let labels = [
                ("role", role),
                ("subject", certificate.subject()),
                ("serial", certificate.serial()),
            ];
            // Two files may hold the same certificate, but a series may appear only once.
            if !told.contains(&labels) {
                days.encode_family(&labels)?.encode_gauge(&left(certificate, now))?;
                told.push(labels);
            }
        }
        Ok(())
    }
}

fn left(certificate: &Certificate, now: SystemTime) -> f64 {
    match certificate.not_after().duration_since(now) {
        Ok(left) => left.div_duration_f64(DAY),
        Err(past) => -past.duration().div_duration_f64(DAY),
    }
}
