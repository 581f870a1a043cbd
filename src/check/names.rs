//! Compares the server's name with its certificates.

use std::net::IpAddr;

use turnkey::tls::Certificate;

use super::certificate::called;
use crate::config::files::{Finding, Served, Subject};

/// Whether a certificate is for `host`, if that is a name, or an address that others use.
pub(super) fn of_host(served: &[Served<'_>], host: &str) -> Option<Finding> {
    let subject = Subject::option("--host");
    let address = host.parse::<IpAddr>().ok();
    if served.is_empty() || address.is_some_and(|ip| ip.is_loopback() || ip.is_unspecified()) {
        return None;
    }
    let leaves = || served.iter().map(|served| served.identity.leaf());
    if let Some(leaf) = leaves().find(|leaf| leaf.is_for_host(host)) {
        let text = format!("{host}: the certificate \"{}\" is for it", called(leaf.subject()));
        return Some(Finding::ok("host", &subject, text));
    }
    let names: Vec<_> =
        leaves().flat_map(Certificate::subject_alt_names).map(String::as_str).collect();
    let for_what = if names.is_empty() { "no name at all".to_owned() } else { names.join(", ") };
    let text = format!(
        "{host}: no certificate is for it, but for {for_what}; clients that call the server so \
         refuse it"
    );
    // People often listen on an address of the machine, and connect to its name.
    let called_otherwise = address.is_some() || host.eq_ignore_ascii_case("localhost");
    let finding = if called_otherwise {
        Finding::note("host-mismatch", &subject, text)
    } else {
        Finding::warning("host-mismatch", &subject, text)
    };
    let kind = if address.is_some() { "IP" } else { "DNS" };
    Some(finding.fix(format!("have one issued with subjectAltName={kind}:{host}")))
}

/// Reports identities that no client can ask for.
pub(super) fn of_several(served: &[Served<'_>]) -> Vec<Finding> {
    let never = served.iter().skip(1).filter(|one| !can_be_asked_for(one.identity.leaf()));
    let text = "is never shown: it has no DNS name that a client could ask for (SNI), and only the first \
                identity is shown to those that ask for none";
    let finding = |one: &Served<'_>| {
        Finding::warning("never-shown", &one.subject(), text).fix("put it first, or leave it out")
    };
    never.map(finding).collect()
}

fn can_be_asked_for(leaf: &Certificate) -> bool {
    leaf.subject_alt_names().iter().any(|name| name.starts_with("DNS:"))
        || (!leaf.has_alternative_names() && leaf.common_name().is_some())
}
