use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use turnkey::tls::{Certificate, Identity};

use super::report::{Attempt, Handshake, Report};
use crate::config::files::Finding;

/// The report as one JSON object on several lines.
pub(super) fn text(report: &Report, now: SystemTime) -> String {
    let identities: Vec<_> = report
        .identities
        .iter()
        .map(|(file, identity)| of_identity(file.as_deref(), identity, now))
        .collect();
    let backends = report.backends.iter().map(|survey| {
        json!({
            "name": survey.name,
            "library": survey.library,
            "able": survey.is_able(),
            "lacks": survey.lacks,
            "error": survey.error,
        })
    });
    let value = json!({
        "ok": report.is_ok(),
        "verdict": report.verdict(),
        "mode": report.mode,
        "backend": report.backend,
        "backends": backends.collect::<Vec<_>>(),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "identities": identities,
        "handshake": handshake(&report.handshake),
    });
    format!("{value:#}\n")
}

fn finding(finding: &Finding) -> Value {
    json!({
        "severity": finding.severity.name(),
        "code": finding.code,
        "subject": finding.subject.name(),
        "option": finding.subject.option_name(),
        "text": finding.text,
        "fix": finding.fix,
    })
}

fn of_identity(file: Option<&Path>, identity: &Identity, now: SystemTime) -> Value {
    let leaf = identity.leaf();
    let days = |duration: Duration| i64::try_from(duration.as_secs() / 86400).unwrap_or(i64::MAX);
    let days_left = match leaf.not_after().duration_since(now) {
        Ok(left) => days(left),
        Err(ago) => -days(ago.duration()),
    };
    let chain: Vec<_> = identity.chain().iter().map(Certificate::subject).collect();
    json!({
        "file": file.map(|file| file.display().to_string()),
        "subject": leaf.subject(),
        "issuer": leaf.issuer(),
        "names": leaf.subject_alt_names(),
        "not_before": rfc3339(leaf.not_before()),
        "not_after": rfc3339(leaf.not_after()),
        "days_left": days_left,
        "key": leaf.key().to_string(),
        "signature": leaf.signature_algorithm(),
        "serial": leaf.serial(),
        "fingerprint": leaf.fingerprint(),
        "chain": chain,
        "stapled": identity.is_stapled(),
    })
}

fn handshake(handshake: &Handshake) -> Value {
    match handshake {
        Handshake::Tried(attempts) => {
            json!({ "tried": true, "attempts": attempts.iter().map(attempt).collect::<Vec<_>>() })
        }
        Handshake::LeftOut(why) => json!({ "tried": false, "why": why, "attempts": [] }),
    }
}

fn attempt(attempt: &Attempt) -> Value {
    json!({
        "server_name": attempt.server_name,
        "client": attempt.client.as_ref().map(|file| file.display().to_string()),
        "version": attempt.version,
        "cipher": attempt.cipher,
        "chain": attempt.chain,
        "refused": attempt.refused,
    })
}

fn rfc3339(time: SystemTime) -> Option<String> {
    OffsetDateTime::from(time).format(&Rfc3339).ok()
}
