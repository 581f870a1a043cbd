//! Checks whether a key made a signature.

use turnkey::tls::{Certificate, RevocationList};

/// Whether the key of `ca` signed `certificate`; `None` if unknown.
#[cfg(feature = "pki")]
pub(crate) fn certificate(certificate: &Certificate, ca: &Certificate) -> Option<bool> {
    let signed = parse(certificate)?;
    told(ca, &signed.verify_signature(Some(parse(ca)?.public_key())))
}

/// Whether the key of `ca` signed `list`; `None` if unknown.
#[cfg(feature = "pki")]
pub(crate) fn list(list: &RevocationList, ca: &Certificate) -> Option<bool> {
    use x509_parser::prelude::FromDer;
    use x509_parser::revocation_list::CertificateRevocationList;

    let (_, signed) = CertificateRevocationList::from_der(list.der()).ok()?;
    told(ca, &signed.verify_signature(parse(ca)?.public_key()))
}

#[cfg(feature = "pki")]
fn told(ca: &Certificate, verified: &Result<(), x509_parser::error::X509Error>) -> Option<bool> {
    use turnkey::tls::KeyKind;
    use x509_parser::error::X509Error;

    match verified {
        Ok(()) => Some(true),
        // RSA keys of other lengths give the same error as a wrong signature.
        Err(X509Error::SignatureVerificationError) => match ca.key() {
            KeyKind::Rsa { bits: 2048..=8192 } | KeyKind::Ec { .. } | KeyKind::Ed25519 => {
                Some(false)
            }
            _ => None,
        },
        Err(_) => None,
    }
}

#[cfg(feature = "pki")]
fn parse(certificate: &Certificate) -> Option<x509_parser::certificate::X509Certificate<'_>> {
    use x509_parser::prelude::FromDer;

    let parsed = x509_parser::certificate::X509Certificate::from_der(certificate.der());
    parsed.ok().map(|(_, certificate)| certificate)
}

/// This build cannot verify signatures.
#[cfg(not(feature = "pki"))]
pub(crate) fn certificate(_certificate: &Certificate, _ca: &Certificate) -> Option<bool> {
    None
}

/// This build cannot verify signatures.
#[cfg(not(feature = "pki"))]
pub(crate) fn list(_list: &RevocationList, _ca: &Certificate) -> Option<bool> {
    None
}
