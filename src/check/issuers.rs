//! Checks the CAs that must have issued client certificates directly.

use std::time::SystemTime;

use turnkey::tls::time::{distance, utc};
use turnkey::tls::{Certificate, CertificateError};

use super::certificate::{self, called};
use crate::config::files::{Clients, Finding, Sourced, Subject, signed};

/// Checks each of them, and whether the clients' CAs lead to it.
pub(super) fn inspect(clients: &Clients<'_>, now: SystemTime) -> Vec<Finding> {
    let mut findings = Vec::new();
    let led_to = led_to(clients);
    for (subject, issuer) in &clients.issuers {
        let troubles = [
            dates(subject, issuer, clients, now),
            certificate::issuing(issuer, subject, "clients"),
            // A CA that could not be read may be the missing one.
            (clients.complete && !led_to.contains(&issuer))
                .then(|| led_to_by_none(subject, issuer, &clients.cas)),
        ];
        let before = findings.len();
        findings.extend(troubles.into_iter().flatten());
        if findings.len() == before {
            let text =
                format!("\"{}\" may issue certificates of clients", called(issuer.subject()));
            findings.push(Finding::ok("issuer", subject, text));
        }
    }
    findings
}

/// Reports an issuer that has expired or is not yet valid, if no other certificate for its key is known. Its
/// dates alone decide nothing: clients may send another certificate for the same key.
fn dates(
    subject: &Subject,
    issuer: &Certificate,
    clients: &Clients<'_>,
    now: SystemTime,
) -> Option<Finding> {
    let error = issuer.check_validity(now).err()?;
    let mut known = clients.issuers.iter().chain(&clients.cas).map(|(_, ca)| ca);
    if known.any(|ca| has_key_of(ca, issuer) && ca.check_validity(now).is_ok()) {
        return None;
    }
    let name = called(issuer.subject());
    let (code, when) = if let CertificateError::NotYetValid { .. } = error {
        let begin = issuer.not_before();
        let when = format!("is not valid before {}, in {}", utc(begin), distance(now, begin));
        ("issuer-not-yet-valid", when)
    } else {
        let end = issuer.not_after();
        ("issuer-expired", format!("expired on {}, {} ago", utc(end), distance(end, now)))
    };
    let text = format!(
        "\"{name}\" {when}: a client is let in only if it sends another certificate of this key"
    );
    let fix = "give the CA's new certificate; if its key is the same, the clients stay the same";
    Some(Finding::warning(code, subject, text).fix(fix))
}

/// The issuers that the clients' CAs lead to: each is such a CA, or was issued by one, or by another issuer in
/// the result. Names and key identifiers decide, and signatures where they can be checked.
fn led_to<'c>(clients: &'c Clients<'_>) -> Vec<&'c Certificate> {
    let mut led_to: Vec<&Certificate> = Vec::new();
    let issuers: Vec<_> = clients.issuers.iter().map(|(_, issuer)| issuer).collect();
    loop {
        let leads = |ca: &Certificate, issuer: &Certificate| {
            has_key_of(ca, issuer)
                || ca.issued(issuer) && signed::certificate(issuer, ca) != Some(false)
        };
        let cas = clients.cas.iter().map(|(_, ca)| ca);
        let known: Vec<_> = cas.chain(led_to.iter().copied()).collect();
        let others = issuers.iter().copied().filter(|issuer| !led_to.contains(issuer));
        let more: Vec<_> =
            others.filter(|issuer| known.iter().any(|ca| leads(ca, issuer))).collect();
        if more.is_empty() {
            return led_to;
        }
        led_to.extend(more);
    }
}

/// Reports that no CA of the clients is known to lead to the issuer. Clients can send the intermediates, which
/// are unknown here; a self-signed CA rarely has any.
fn led_to_by_none(
    subject: &Subject,
    issuer: &Certificate,
    cas: &[Sourced<Certificate>],
) -> Finding {
    let (name, above) = (called(issuer.subject()), called(issuer.issuer()));
    let code = "issuer-of-another-ca";
    if issuer.is_self_signed() {
        let text = format!(
            "\"{name}\" is self-signed and none of the CAs of --client-ca: its clients are refused, unless \
             one of these CAs has signed its key too"
        );
        return Finding::warning(code, subject, text)
            .fix("add it with --client-ca, or name a CA that one of these has issued");
    }
    if cas.iter().any(|(_, ca)| ca.subject() == issuer.issuer()) {
        let text = format!(
            "\"{name}\" is signed by another CA of the name \"{above}\" than the one in --client-ca: its \
             clients are refused"
        );
        return Finding::warning(code, subject, text)
            .fix("was the CA made anew? give the certificate that it issued to this one since");
    }
    let text = format!(
        "\"{name}\" is issued by \"{above}\", which is none of the CAs of --client-ca: its clients have to \
         send the certificates between"
    );
    Finding::note(code, subject, text)
}

fn has_key_of(ca: &Certificate, other: &Certificate) -> bool {
    ca.spki_der() == other.spki_der()
}
