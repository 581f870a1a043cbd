//! Checks how the certificates of a file fit together, and whether they lead clients to a CA that they trust.

use std::path::{Path, PathBuf};

use turnkey::tls::Certificate;

use super::certificate::called;
use crate::config::files::beside::beside;
use crate::config::files::{Finding, IdentityFile, Served, Subject, read, system_cas};
use crate::console::shell::quoted;

/// Checks the order of the file, and the end of the chain.
pub(super) fn inspect(
    served: &Served<'_>,
    file: &IdentityFile,
    trusted: &[Certificate],
) -> Vec<Finding> {
    let subject = file.subject();
    let mut findings: Vec<Finding> = order(served, &subject).into_iter().collect();
    findings.extend(end(served.identity.chain(), file, &subject, trusted));
    findings
}

/// Reports a file that has the chain in another order than it is sent in.
fn order(served: &Served<'_>, subject: &Subject) -> Option<Finding> {
    let chain = served.identity.chain();
    let mut in_file = served.in_file.clone();
    in_file.retain(|certificate| chain.contains(certificate));
    in_file.dedup();
    let misordered = in_file.len() >= chain.len() && !in_file.starts_with(chain);
    misordered.then(|| {
        let text = "the certificates are out of order; turnkey sends them in order all the same";
        let order: Vec<_> = chain.iter().map(|c| format!("\"{}\"", called(c.subject()))).collect();
        Finding::note("chain-misordered", subject, text)
            .fix(format!("for other programs put them in this order: {}", order.join(", ")))
    })
}

/// Reports whether the chain leads clients that trust the CA to it.
fn end(
    chain: &[Certificate],
    file: &IdentityFile,
    subject: &Subject,
    trusted: &[Certificate],
) -> Option<Finding> {
    let last = chain.last()?;
    let (name, issuer) = (called(last.subject()), called(last.issuer()));
    if last.is_self_signed() {
        if chain.len() > 1 {
            let text = format!(
                "the chain ends with the root \"{name}\", which clients do not need: they have it, \
                 or do not trust it"
            );
            return Some(Finding::note("root-sent", subject, text).fix("it can be left out"));
        }
        let text = format!("\"{name}\" is its own issuer: clients trust it when they are given it");
        return Some(Finding::note("self-signed", subject, text).fix("turnkey certs makes a CA"));
    }
    let at = beside(file.certificate_file(), "ca.crt");
    let known: Vec<Certificate> = at.as_deref().map(read::certificates).unwrap_or_default();
    let beside = known.iter().find(|ca| ca.issued(last)).zip(at);
    if let Some((ca, at)) = &beside
        && !ca.is_self_signed()
    {
        return Some(missing(issuer, subject).fix(format!(
            "the certificate of \"{issuer}\" stands in {}: append it to the file",
            at.display()
        )));
    }
    let found = match beside {
        Some((_, at)) => Some(format!("the CA in {}", at.display())),
        None if trusted.iter().any(|ca| ca.issued(last)) => Some("a client CA".to_owned()),
        None => store_with_issuer(last).map(|store| format!("a CA in {}", store.display())),
    };
    Some(match found {
        Some(ca) => {
            Finding::ok("chain", subject, format!("\"{name}\" is issued by \"{issuer}\", {ca}"))
        }
        None if chain.len() > 1 => {
            let text = format!(
                "the chain ends with \"{name}\", issued by \"{issuer}\", a CA that is not known here"
            );
            Finding::note("root-unknown", subject, text).fix("clients need to trust that CA")
        }
        None => missing(issuer, subject).fix(advice(file.certificate_file(), issuer)),
    })
}

fn missing(issuer: &str, subject: &Subject) -> Finding {
    let text = format!(
        "the certificate is sent alone, and \"{issuer}\", which issued it, is no root that is known \
         here: clients need the certificates between it and their CA"
    );
    Finding::warning("chain-incomplete", subject, text)
}

/// How to fix a certificate that is sent alone.
fn advice(certificate: &Path, issuer: &str) -> String {
    // The name that certbot uses.
    let full = beside(certificate, "fullchain.pem").filter(|full| full != certificate);
    match full {
        Some(full) => format!("use --cert {}", quoted(&full.display().to_string())),
        None => format!(
            "if clients trust \"{issuer}\" itself, put its certificate beside the file as ca.crt; if \
             not, append it to the file"
        ),
    }
}

/// The system's store, if it has the CA that issued `certificate`.
fn store_with_issuer(certificate: &Certificate) -> Option<PathBuf> {
    let store = system_cas::file()?;
    read::certificates(&store).iter().any(|ca| ca.issued(certificate)).then_some(store)
}
