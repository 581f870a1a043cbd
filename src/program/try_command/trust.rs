//! How curl can trust the server.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use turnkey::tls::{Certificate, Identity};

use crate::config::files::beside::beside;
use crate::config::files::{Material, read, signed, system_cas};

/// What makes the server's certificate trusted.
#[derive(Debug)]
pub(super) enum Trust {
    /// A CA that the system trusts.
    System,
    /// A CA whose certificate is in this file, or the server's own certificate.
    File(PathBuf),
    /// Nothing that is known here.
    Nobody,
}

/// Finds what makes the first certificate trusted.
pub(super) fn find(material: &Material<'_>, now: SystemTime) -> Trust {
    if material.sources.adhoc.is_some() {
        let ca = material.sources.adhoc_clients().map(|clients| clients.ca.clone());
        return ca.map_or(Trust::Nobody, Trust::File);
    }
    let Some(served) = material.identities.first() else { return Trust::Nobody };
    let vouches = |file: &Path| lead_to(&read::certificates(file), &served.identity, now);
    if system_cas::file().is_some_and(|file| vouches(&file)) {
        return Trust::System;
    }
    let Some(file) = served.certificate_file() else { return Trust::Nobody };
    if let Some(ca) = beside(file, "ca.crt")
        && vouches(&ca)
    {
        return Trust::File(ca);
    }
    let is_pem = read::is_regular(file)
        && fs::read(file).is_ok_and(|bytes| bytes.starts_with(b"-----BEGIN CERT"));
    if is_pem && stands_alone(&read::certificates(file), now) {
        return Trust::File(file.to_owned());
    }
    Trust::Nobody
}

/// Whether clients that trust these CAs trust the identity.
fn lead_to(cas: &[Certificate], identity: &Identity, now: SystemTime) -> bool {
    for link in identity.chain() {
        // The signature of a trust anchor is not checked.
        if cas.contains(link) {
            return true;
        }
        // OpenSSL, which most builds of curl use, rejects these.
        if link.is_signature_weak() {
            return false;
        }
        let mut issuers = cas.iter().filter(|ca| ca.issued(link)).peekable();
        if issuers.peek().is_some() {
            // If several CAs have one name, OpenSSL may choose any.
            return issuers.all(|ca| {
                ca.check_validity(now).is_ok()
                    && ca.is_ca()
                    && ca.may_sign_certificates()
                    && signed::certificate(link, ca) != Some(false)
            });
        }
    }
    false
}

/// Whether curl, given the server's certificate file as one of CAs, trusts the certificate itself. curl also checks
/// the dates and signatures of all others in the file.
fn stands_alone(certificates: &[Certificate], now: SystemTime) -> bool {
    let is_single = certificates.len() == 1;
    certificates.iter().all(|certificate| {
        certificate.check_validity(now).is_ok()
            && (is_single || certificate.is_self_signed() || !certificate.is_signature_weak())
    })
}
