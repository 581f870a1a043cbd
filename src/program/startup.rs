//! What the program prints when it starts: its addresses, the backend, and a command to try.

use turnkey::Bound;
use turnkey::net::LocalAddr;
use turnkey::tls::Certificate;

use super::try_command::TryCommand;
use crate::config::Config;
use crate::config::files::Material;

/// The parts that are known before the addresses and the backend.
#[derive(Debug)]
pub(crate) struct Greeting {
    mode: &'static str,
    try_command: TryCommand,
    certificate: Option<Certificate>,
    /// The certificates besides the first one, for further names.
    further: Vec<Certificate>,
    adhoc: bool,
}

impl Greeting {
    pub(crate) fn new(config: &Config, material: Option<&Material<'_>>) -> Self {
        let served = material.into_iter().flat_map(|material| &material.identities);
        let mut certificates = served.map(|served| served.identity.leaf().clone());
        Self {
            mode: config.mode.name(),
            try_command: TryCommand::new(config, material),
            certificate: certificates.next(),
            further: certificates.collect(),
            adhoc: material.is_some_and(|material| material.sources.adhoc.is_some()),
        }
    }

    /// The lines, for a server whose ports are bound.
    pub(crate) fn text(&self, bound: &Bound) -> String {
        let backend = bound.backend();
        let version = env!("CARGO_PKG_VERSION");
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        let mode = self.mode;
        let places: Vec<String> = bound
            .local_addrs()
            .map(|local| match local {
                LocalAddr::Tcp(addr) => format!("{scheme}://{addr}/"),
                LocalAddr::Unix(_) => local.to_string(),
            })
            .collect();
        let places = places.join(" and ");
        let mut lines = vec![format!("turnkey {version}: {mode} on {places}, backend {backend}")];
        if let Some(redirect) = bound.redirect_addr() {
            lines.push(format!("http://{redirect}/ sends on to https"));
        }
        if let Some(metrics) = bound.metrics_addr() {
            lines.push(match metrics {
                LocalAddr::Tcp(address) => format!("metrics on http://{address}/metrics"),
                LocalAddr::Unix(_) => format!("metrics on {metrics}, /metrics"),
            });
        }
        for certificate in &self.further {
            let names = certificate.subject_alt_names().join(", ");
            let subject = certificate.subject();
            lines.push(format!("also {}", if names.is_empty() { subject } else { &names }));
        }
        if let Some(certificate) = self.certificate.as_ref().filter(|_| self.adhoc) {
            let fingerprint = certificate.fingerprint();
            lines.push(format!("certificate for this run only, SHA-256 {fingerprint}"));
        }
        lines.extend(self.try_command.lines(bound));
        lines.push(String::new());
        lines.join("\n")
    }
}
