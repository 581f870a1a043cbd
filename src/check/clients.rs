//! Checks what decides about clients: their CAs, and the revocation lists.

use std::path::Path;
use std::time::{Duration, SystemTime};

use turnkey::tls::time::{distance, utc};
use turnkey::tls::{Certificate, Identity, RevocationList};

use super::certificate::{self, called};
use super::issuers;
use crate::config::files::{Clients, Finding, Sourced, Subject, signed};

/// How long before the end of a list to ask for a new one.
const SOON: Duration = Duration::from_secs(2 * 86400);

/// Checks the CAs and the lists.
pub(super) fn inspect(clients: &Clients<'_>, now: SystemTime) -> Vec<Finding> {
    let mut findings = vec![policy(clients)];
    findings.extend(clients.cas.iter().flat_map(|ca| certificate::ca(ca, "clients", now)));
    findings.extend(lists(&clients.lists, &clients.cas, clients.complete, now));
    findings.extend(issuers::inspect(clients, now));
    findings
}

/// Says in one line who is let in.
fn policy(clients: &Clients<'_>) -> Finding {
    let files = clients.files;
    let verify = match (files.optional, files.anonymous) {
        (true, Some(false)) if files.deny_early => {
            "required, by --allow-anonymous off: clients must show a certificate"
        }
        (true, Some(false)) => "optional: clients without a certificate get a 403",
        (true, _) => "optional: clients may show a certificate, which must be good then",
        (false, _) => "required: clients must show a certificate",
    };
    let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let rules = files.rules.to_string();
    let rules: Vec<_> = rules.lines().collect();
    let names = clients.issuers.iter().map(|(_, ca)| format!("\"{}\"", called(ca.subject())));
    let issuers = names.collect::<Vec<_>>().join(" or ");
    let rules = rules.join(" or ");
    let who = match (issuers.is_empty(), rules.is_empty()) {
        (true, true) => "all that they issued".to_owned(),
        (true, false) => format!("of those {rules}"),
        (false, true) => format!("all that {issuers} issued directly"),
        (false, false) => format!("of those that {issuers} issued directly, {rules}"),
    };
    let cas = plural(clients.cas.len(), "CA");
    let lists = match clients.lists.len() {
        0 => "no revocation list".to_owned(),
        n => plural(n, "revocation list"),
    };
    let text = format!("{verify}; {cas}, {lists}, {who}");
    Finding::ok("client-policy", &Subject::option("--client-verify"), text)
}

/// Reports that the chosen backend rejects the known client.
pub(super) fn too_old(file: &Path, client: &Identity) -> Option<Finding> {
    let leaf = client.leaf();
    leaf.lacks_extensions().then(|| {
        let text = format!(
            "the client certificate \"{}\" is X.509 version {}, which this backend refuses",
            called(leaf.subject()),
            leaf.version()
        );
        Finding::warning("x509-v1", &Subject::file(file, "--client-ca"), text).fix(
            "serve with --backend openssl, or have it issued with version 3 (turnkey certs does)",
        )
    })
}

/// Checks the lists, each by itself and against the CAs; `complete` says whether all could be read.
fn lists(
    lists: &[Sourced<RevocationList>],
    cas: &[Sourced<Certificate>],
    complete: bool,
    now: SystemTime,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (subject, list) in lists {
        findings.push(list_dates(subject, list, lists, now));
        // The CA or the list may be the one that could not be read.
        findings.extend(issuer(subject, list, cas, complete));
    }
    if complete && !lists.is_empty() {
        findings.extend(cas.iter().filter_map(|ca| without_list(ca, cas, lists)));
    }
    findings
}

/// Reports whether the list is still valid.
fn list_dates(
    subject: &Subject,
    list: &RevocationList,
    all: &[Sourced<RevocationList>],
    now: SystemTime,
) -> Finding {
    let name = called(list.issuer());
    let count = list.revoked();
    let renew = "have the CA make a new one; a server that runs takes up the new file by itself";
    let others = || all.iter().map(|(_, other)| other).filter(|other| other.is_like(list));
    if !list.has_begun(now) {
        let text = format!(
            "the list of \"{name}\" is not valid before {}, in {}",
            utc(list.this_update()),
            distance(now, list.this_update())
        );
        let clock = "is the clock right?";
        let code = "crl-not-yet-valid";
        if others().any(|other| other.has_begun(now) && !other.has_expired(now)) {
            let text = format!("{text}: until then an older one counts");
            return Finding::note(code, subject, text).fix(clock);
        }
        let text = format!("{text}: every client of that CA is refused");
        return Finding::warning(code, subject, text).fix(clock);
    }
    let Some(next) = list.next_update() else {
        let text = format!(
            "the list of \"{name}\" revokes {count}, and does not say when the next is due"
        );
        return Finding::note("crl-without-end", subject, text);
    };
    if list.has_expired(now) {
        let newer = |other: &RevocationList| {
            other.this_update() > list.this_update()
                && other.has_begun(now)
                && !other.has_expired(now)
        };
        if others().any(newer) {
            let text = format!("the list of \"{name}\" is out of date, and there is a newer one");
            return Finding::note("crl-superseded", subject, text).fix("it can be left out");
        }
        let text = format!(
            "the list of \"{name}\" expired on {}, {} ago: every client of that CA is refused until \
             there is a new one",
            utc(next),
            distance(next, now)
        );
        return Finding::warning("crl-expired", subject, text).fix(renew);
    }
    let left = next.duration_since(now).unwrap_or_default();
    if left < SOON {
        let text = format!(
            "the list of \"{name}\" ends on {}, in {}; without the next one, every client of that CA \
             is refused from then on",
            utc(next),
            distance(now, next)
        );
        return Finding::note("crl-expires-soon", subject, text).fix(renew);
    }
    let text = format!("the list of \"{name}\" revokes {count}, and holds until {}", utc(next));
    Finding::ok("crl", subject, text)
}

/// Reports whether the list is from one of the given CAs.
fn issuer(
    subject: &Subject,
    list: &RevocationList,
    cas: &[Sourced<Certificate>],
    complete: bool,
) -> Option<Finding> {
    let name = called(list.issuer());
    // Two CAs can have the same name, before and after a renewal.
    let named: Vec<_> =
        cas.iter().map(|(_, ca)| ca).filter(|ca| ca.subject() == list.issuer()).collect();
    if named.is_empty() {
        if !complete {
            return None;
        }
        let text = format!(
            "the list is of \"{name}\", and that is none of the CAs of --client-ca: it is of use only \
             when it is a CA below one of them"
        );
        return Some(Finding::note("crl-of-another-ca", subject, text));
    }
    let verdicts: Vec<_> = named.iter().map(|ca| signed::list(list, ca)).collect();
    if verdicts.iter().all(|verdict| *verdict == Some(false)) {
        let text = format!(
            "the list is not signed by the \"{name}\" of --client-ca, but by another CA of that name"
        );
        return Some(
            Finding::error("crl-signature-wrong", subject, text)
                .fix("was the CA made anew? give its own list, or leave this one out"),
        );
    }
    if !named.iter().any(|ca| ca.may_sign_crls()) {
        let text = format!(
            "\"{name}\" may not sign lists, by its key usages: its clients are refused as long as \
             there is one"
        );
        return Some(
            Finding::warning("ca-may-not-revoke", subject, text)
                .fix("have the CA's certificate made with keyUsage=keyCertSign,cRLSign"),
        );
    }
    let unknown = verdicts.iter().any(Option::is_none) && !verdicts.contains(&Some(true));
    unknown.then(|| {
        let text = if cfg!(feature = "pki") {
            "the signature was not checked: it is of a kind that is not supported here"
        } else {
            "the signature was not checked: that takes the cargo feature pki"
        };
        Finding::note("crl-signature-unchecked", subject, text)
    })
}

/// Reports a CA without a list while others have one. Its clients are rejected then.
fn without_list(
    (subject, ca): &Sourced<Certificate>,
    cas: &[Sourced<Certificate>],
    lists: &[Sourced<RevocationList>],
) -> Option<Finding> {
    let name = called(ca.subject());
    let of_namesake = |list: &RevocationList| {
        signed::list(list, ca) == Some(false)
            && cas.iter().any(|(_, other)| signed::list(list, other) == Some(true))
    };
    let mut named = lists.iter().map(|(_, list)| list).filter(|list| list.issuer() == ca.subject());
    named.all(of_namesake).then(|| {
        let text = format!(
            "\"{name}\" has no revocation list while there are some: its clients are refused"
        );
        Finding::warning("crl-missing", subject, text)
            .fix("give its list with --client-crl too, or leave out all")
    })
}
