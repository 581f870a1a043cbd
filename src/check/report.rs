//! The result of a check, for people and for programs.

use std::path::PathBuf;

use turnkey::tls::Identity;

use super::backends::Survey;
use crate::config::files::{Finding, Severity};

/// Everything that a check reports.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) mode: &'static str,
    /// The chosen backend, if one can serve.
    pub(super) backend: Option<String>,
    pub(super) backends: Vec<Survey>,
    pub(super) findings: Vec<Finding>,
    pub(super) identities: Vec<(Option<PathBuf>, Identity)>,
    pub(super) handshake: Handshake,
    /// A host that is not an address of this machine.
    pub(super) elsewhere: Option<String>,
}

/// Handshakes with the server's own backend.
#[derive(Debug)]
pub(super) enum Handshake {
    #[cfg_attr(not(feature = "rustls"), expect(dead_code, reason = "there is no client"))]
    Tried(Vec<Attempt>),
    /// There was none; holds the reason.
    LeftOut(&'static str),
}

/// One handshake.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) server_name: String,
    /// The file with the client's certificate.
    pub(super) client: Option<PathBuf>,
    pub(super) version: Option<&'static str>,
    pub(super) cipher: Option<String>,
    /// The subjects of the certificates that the server sent, in that order.
    pub(super) chain: Vec<String>,
    /// Why there was no connection.
    pub(super) refused: Option<String>,
}

impl Report {
    /// Whether the server would start.
    pub(super) fn is_ok(&self) -> bool {
        self.count(Severity::Error) == 0
    }

    /// The result in one line.
    pub(super) fn verdict(&self) -> String {
        let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        let found = match (errors, warnings) {
            (0, 0) => "nothing is wrong".to_owned(),
            (0, _) => plural(warnings, "warning"),
            (_, 0) => plural(errors, "error"),
            _ => format!("{}, {}", plural(errors, "error"), plural(warnings, "warning")),
        };
        match (&self.elsewhere, self.is_ok()) {
            (_, false) => format!("{found}: it would not start"),
            (None, true) => format!("{found}; it would start"),
            (Some(host), true) => format!("{found}; it would start where {host} is"),
        }
    }

    /// The severity of the verdict.
    pub(super) fn worst(&self) -> Severity {
        let worst = self.findings.iter().map(|finding| finding.severity).max();
        worst.filter(|severity| *severity >= Severity::Warning).unwrap_or(Severity::Ok)
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}
