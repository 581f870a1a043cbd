//! Checks an identity of the server.

use std::time::SystemTime;

use turnkey::tls::Certificate;

use super::certificate::called;

use super::{certificate, chain, permissions};
use crate::config::files::{Finding, IdentityFile, Served, Subject, Unusable, signed};

/// Checks the chain and the key file. `trusted` are CAs that are known to be useful here.
pub(super) fn inspect(
    served: &Served<'_>,
    trusted: &[Certificate],
    now: SystemTime,
) -> Vec<Finding> {
    let subject = served.subject();
    let mut findings = of_leaf(served.identity.leaf(), &subject);
    // A generated identity is valid for its run, and is its own issuer.
    let Some(file) = served.file else { return findings };
    findings.extend(chain::inspect(served, file, trusted));
    findings.extend(issuers(served.identity.chain(), &subject));
    let links = served.identity.chain();
    findings.extend(links.iter().skip(1).map(|link| certificate::key(link, &subject)));
    for link in links {
        findings.push(certificate::dates(link, &subject, now));
        findings.extend(certificate::signature(link, &subject));
    }
    findings.extend(secret(file));
    findings
}

/// Checks files without an identity. The server's certificate probably comes first.
pub(super) fn inspect_unusable(unusable: &Unusable<'_>, now: SystemTime) -> Vec<Finding> {
    let (subject, certificates) = (unusable.file.subject(), &unusable.in_file);
    let mut findings = Vec::new();
    if let Some(leaf) = certificates.first() {
        findings.extend(of_leaf(leaf, &subject));
    }
    for certificate in certificates {
        findings.push(certificate::dates(certificate, &subject, now));
        findings.extend(certificate::signature(certificate, &subject));
    }
    // A file without a key is no secret.
    findings.extend(unusable.holds_key.then(|| secret(unusable.file)).flatten());
    findings
}

/// Checks a server certificate by itself.
fn of_leaf(leaf: &Certificate, subject: &Subject) -> Vec<Finding> {
    let mut findings = vec![names(leaf, subject)];
    findings.extend(address_as_name(leaf, subject));
    findings.push(certificate::key(leaf, subject));
    findings.extend(usages(leaf, subject));
    findings
}

/// Reports that others may read the key.
pub(super) fn secret(file: &IdentityFile) -> Option<Finding> {
    let (path, option) = file.key_file();
    permissions::of_secret(&Subject::file(path, option), "the private key")
}

/// The names that clients may use for the server.
fn names(leaf: &Certificate, subject: &Subject) -> Finding {
    let (name, names) = (called(leaf.subject()), leaf.subject_alt_names());
    let of_hosts = |name: &String| name.starts_with("DNS:") || name.starts_with("IP:");
    if names.iter().any(of_hosts) {
        return Finding::ok("names", subject, format!("\"{name}\" is for {}", names.join(", ")));
    }
    if leaf.lacks_extensions() {
        let text = format!(
            "\"{name}\" is X.509 version {}, which has no alternative names: most clients refuse it \
             by whatever name they call the server, those built on rustls altogether",
            leaf.version()
        );
        return Finding::warning("x509-v1", subject, text).fix(
            "have it issued with version 3: turnkey certs does, and openssl x509 -req with -extfile",
        );
    }
    let text = if names.is_empty() {
        format!(
            "\"{name}\" has no alternative names, and clients take no notice of the common name"
        )
    } else {
        let names = names.join(", ");
        format!("\"{name}\" has no host among its alternative names, just {names}")
    };
    Finding::warning("no-names", subject, text)
        .fix("have it issued with subjectAltName=DNS:… for each name")
}

/// Reports an address as a DNS name: clients look for addresses among the addresses only (RFC 9525 §6.5).
fn address_as_name(leaf: &Certificate, subject: &Subject) -> Option<Finding> {
    let names = leaf.subject_alt_names();
    let address = names.iter().find_map(|name| {
        let address = name.strip_prefix("DNS:")?;
        address.parse::<std::net::IpAddr>().is_ok().then_some(address)
    })?;
    let proper = format!("IP:{address}");
    (!names.contains(&proper)).then(|| {
        let text = format!(
            "\"{}\" has the address {address} for a DNS name, where clients do not look for it",
            called(leaf.subject())
        );
        Finding::warning("address-as-name", subject, text)
            .fix(format!("have it issued with subjectAltName={proper}"))
    })
}

/// What the certificate may be used for.
fn usages(leaf: &Certificate, subject: &Subject) -> Vec<Finding> {
    let name = called(leaf.subject());
    let mut findings = Vec::new();
    if !leaf.allows_server_auth() {
        let text =
            format!("\"{name}\" is not for servers, by its extended key usages: clients refuse it");
        findings.push(
            Finding::warning("not-for-servers", subject, text)
                .fix("have it issued with extendedKeyUsage=serverAuth"),
        );
    }
    if !leaf.may_sign() {
        let text =
            format!("the key of \"{name}\" may not sign, by its key usages: clients refuse it");
        findings.push(
            Finding::warning("may-not-sign", subject, text)
                .fix("have it issued with keyUsage=digitalSignature"),
        );
    }
    if leaf.is_ca() {
        let text =
            format!("\"{name}\" is the certificate of a CA, which some clients refuse of a server");
        findings.push(
            Finding::warning("ca-as-server", subject, text)
                .fix("have it issued with basicConstraints=CA:FALSE, or use turnkey certs"),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::ok("usages", subject, format!("\"{name}\" may be used by servers")));
    }
    findings
}

/// Reports a certificate of the chain that did not issue, or may not have issued, the one before it.
fn issuers(links: &[Certificate], subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (issued, issuer) in links.iter().zip(links.iter().skip(1)) {
        let (name, below) = (called(issuer.subject()), called(issued.subject()));
        if !issuer.is_ca() || !issuer.may_sign_certificates() {
            let text =
                format!("\"{name}\" may not issue certificates, and \"{below}\" is issued by it");
            findings.push(
                Finding::warning("issuer-no-ca", subject, text)
                    .fix("clients refuse the chain: have the certificate issued by a CA"),
            );
        }
        if !issuer.allows_server_auth() {
            let text = format!(
                "\"{name}\" may not issue certificates of servers, by its extended key usages"
            );
            findings.push(
                Finding::warning("issuer-not-for-servers", subject, text)
                    .fix("clients refuse the chain: have the certificate issued by another CA"),
            );
        }
        if signed::certificate(issued, issuer) == Some(false) {
            let text =
                format!("\"{below}\" is not signed by \"{name}\", but by another CA of that name");
            findings
                .push(Finding::warning("signature-wrong", subject, text).fix(
                    "clients refuse the chain: give the certificate of the CA that signed it",
                ));
        }
    }
    findings
}
