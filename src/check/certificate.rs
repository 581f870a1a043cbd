//! Checks one certificate, of any kind.

use std::time::{Duration, SystemTime};

use turnkey::tls::time::{distance, utc};
use turnkey::tls::{Certificate, CertificateError, KeyKind};

use crate::config::files::{Finding, Sourced, Subject};

/// How long before its end to warn about a certificate.
const SOON: Duration = Duration::from_secs(30 * 86400);

/// From this size on, in bits, RSA is noticeably slow.
const SLOW_RSA: usize = 8192;

/// A short name for people: the common name of a distinguished name (RFC 4514), or else all of it.
pub(super) fn called(name: &str) -> &str {
    let mut escaped = false;
    let parts = name.split(|c| {
        let separator = c == ',' && !escaped;
        escaped = c == '\\' && !escaped;
        separator
    });
    let common_name = parts.into_iter().find(|part| part.starts_with("CN="));
    common_name.unwrap_or(if name.is_empty() { "(no subject)" } else { name })
}

/// Whether it is valid at `now`, and for how long.
pub(super) fn dates(certificate: &Certificate, subject: &Subject, now: SystemTime) -> Finding {
    if let Err(error) = certificate.check_validity(now) {
        let code = match error {
            CertificateError::NotYetValid { .. } => "not-yet-valid",
            _ => "expired",
        };
        return Finding::error(code, subject, error.to_string());
    }
    let (name, end) = (called(certificate.subject()), certificate.not_after());
    let left = end.duration_since(now).unwrap_or_default();
    if left < SOON {
        let text =
            format!("the certificate \"{name}\" ends on {}, in {}", utc(end), distance(now, end));
        return Finding::warning("expires-soon", subject, text)
            .fix("renew it; a server that runs takes up the new file by itself");
    }
    let text = format!("\"{name}\" is valid until {}, for {}", utc(end), distance(now, end));
    Finding::ok("dates", subject, text)
}

/// Whether its key is strong enough, and clients support it.
pub(super) fn key(certificate: &Certificate, subject: &Subject) -> Finding {
    let (name, key) = (called(certificate.subject()), certificate.key());
    let text = |what: &str| format!("the key of \"{name}\" is {key}, {what}");
    let weak = |what| {
        Finding::warning("key-weak", subject, text(what))
            .fix("have a certificate issued for P-256, or RSA with 2048 bits or more")
    };
    let unusual = |what| Finding::note("key-unusual", subject, text(what));
    match key {
        KeyKind::Rsa { bits: ..2048 } => weak("which is too short: TLS stacks refuse it"),
        KeyKind::Rsa { bits: SLOW_RSA.. } => unusual("which makes every handshake slow"),
        KeyKind::Ec { curve } if matches!(curve.as_str(), "P-192" | "P-224") => {
            weak("a curve that TLS stacks refuse")
        }
        KeyKind::Ec { curve } if matches!(curve.as_str(), "P-256" | "P-384") => {
            Finding::ok("key", subject, format!("the key of \"{name}\" is {key}"))
        }
        KeyKind::Rsa { .. } => {
            Finding::ok("key", subject, format!("the key of \"{name}\" is {key}"))
        }
        KeyKind::Other(_) => weak("which no TLS stack takes"),
        _ => unusual("which is unusual: not all clients know it, browsers least of all"),
    }
}

/// Checks a CA; `whom` names its holders: clients or servers.
pub(super) fn ca(
    (subject, ca): &Sourced<Certificate>,
    whom: &str,
    now: SystemTime,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !subject.is_made_up() {
        findings.push(dates(ca, subject, now));
    }
    findings.push(key(ca, subject));
    findings.extend(issuing(ca, subject, whom));
    findings
}

/// Reports a certificate that cannot be used as a CA.
pub(super) fn issuing(ca: &Certificate, subject: &Subject, whom: &str) -> Option<Finding> {
    (!ca.may_sign_certificates()).then(|| {
        let name = called(ca.subject());
        let text = format!(
            "\"{name}\" may not issue certificates, by its key usages: its {whom} are refused"
        );
        Finding::warning("ca-may-not-issue", subject, text)
            .fix("give the certificate of a CA with keyUsage=keyCertSign")
    })
}

/// Reports a signature that can be forged.
pub(super) fn signature(certificate: &Certificate, subject: &Subject) -> Option<Finding> {
    let (name, algorithm) = (called(certificate.subject()), certificate.signature_algorithm());
    // For a certificate that clients already trust, the signature proves nothing.
    let trusted = certificate.is_ca() && certificate.is_self_signed();
    (certificate.is_signature_weak() && !trusted).then(|| {
        let text = format!(
            "\"{name}\" is signed with {algorithm}, which can be forged, and clients refuse it"
        );
        Finding::warning("signature-weak", subject, text).fix("have it issued again, with SHA-256")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_call_it_by_its_common_name() {
        assert_eq!(called("CN=a.test,O=Company"), "CN=a.test");
        assert_eq!(called("O=Company,CN=a.test"), "CN=a.test");
        assert_eq!(called("O=a\\,CN=b"), "O=a\\,CN=b", "a comma that is part of the name");
        assert_eq!(called("O=a\\\\,CN=b"), "CN=b");
        assert_eq!(called("CN=a\\,b,O=c"), "CN=a\\,b");
        assert_eq!(called(""), "(no subject)");
    }
}
