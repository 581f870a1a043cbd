//! What must hold for identities and certificates, whatever bytes they were read from.

use std::time::{Duration, SystemTime};

use turnkey_backend::{Certificate, Identity, IdentityError};

/// The time at which everything is read: the seeds are valid then.
pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000)
}

/// An identity holds together, and what is written of it is read back.
pub fn check_identity(identity: &Identity) {
    let chain = identity.chain();
    assert_eq!(chain.first(), Some(identity.leaf()));
    for (certificate, issuer) in chain.iter().zip(chain.iter().skip(1)) {
        assert!(issuer.issued(certificate), "the chain is out of order");
    }
    for (i, certificate) in chain.iter().enumerate() {
        check_certificate(certificate);
        assert!(certificate.check_validity(now()).is_ok());
        assert!(!chain[..i].contains(certificate), "it is there twice");
    }

    let (certificates, key) = (identity.chain_pem(), identity.key_pem());
    check_same(identity, Identity::from_pem(certificates.as_bytes(), key.as_bytes(), None, now()));
    let der = chain.iter().map(|certificate| certificate.der().clone()).collect();
    check_same(identity, Identity::from_der(der, identity.key().clone_key(), now()));
    assert!(!format!("{identity:?}").contains("key"), "a key must not be printed");
}

/// `read` is the same identity.
pub fn check_same(identity: &Identity, read: Result<Identity, IdentityError>) {
    match read {
        Ok(read) => {
            assert_eq!(read.leaf(), identity.leaf());
            assert_eq!(read.chain(), identity.chain());
            assert_eq!(read.key(), identity.key());
        }
        Err(error) => panic!("what was written is not read back: {error:?}"),
    }
}

/// A certificate's facts are safe to print and to compare.
pub fn check_certificate(certificate: &Certificate) {
    for name in [certificate.subject(), certificate.issuer()] {
        check_printable(name);
        check_name(name);
    }
    for name in certificate.subject_alt_names() {
        check_printable(name);
        assert!(name.contains(':'), "{name}");
    }
    let serial = certificate.serial();
    let digits = serial.strip_prefix('-').unwrap_or(serial);
    assert!(digits.len() >= 2 && digits.len().is_multiple_of(2), "{serial}");
    assert!(digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F')), "{serial}");
    assert_eq!(certificate.fingerprint().split(':').count(), 32);
    check_printable(&format!("{certificate:?}"));

    // To the second, at both ends.
    let (first, last) = (certificate.not_before(), certificate.not_after());
    let second = Duration::from_secs(1);
    for time in [first, last, now(), SystemTime::UNIX_EPOCH] {
        let valid = (first..=last).contains(&time);
        assert_eq!(certificate.check_validity(time).is_ok(), valid, "{first:?} {last:?} {time:?}");
    }
    for time in [first.checked_sub(second), last.checked_add(second)].into_iter().flatten() {
        match certificate.check_validity(time) {
            Ok(()) => panic!("{time:?} is not from {first:?} to {last:?}"),
            Err(error) => check_printable(&error.to_string()),
        }
    }

    match Certificate::from_der(certificate.der()) {
        Ok(again) => assert_eq!(again, *certificate),
        Err(error) => panic!("it is not read twice: {error:?}"),
    }
    let longer = [certificate.der(), &[0][..]].concat();
    assert!(Certificate::from_der(&longer).is_err(), "bytes behind it were passed over");
}

/// Printable ASCII, and no line end.
pub fn check_printable(text: &str) {
    assert!(text.bytes().all(|b| (b' '..=b'~').contains(&b)), "{text:?}");
}

/// What is not escaped in a distinguished name (RFC 4514) is what its form is made of: no value
/// passes for an attribute of its own.
fn check_name(name: &str) {
    let (mut attribute, mut escaped) = (String::new(), false);
    for c in name.chars().chain([',']) {
        if !escaped && matches!(c, ',' | '+') {
            let (kind, value) = attribute.split_once('=').unwrap_or_default();
            // An object identifier that is malformed prints as nothing.
            assert!(!kind.is_empty() || value.starts_with('#') || name.is_empty(), "{name}");
            let known = kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
            assert!(known, "{attribute} in {name}");
            attribute.clear();
        } else {
            assert!(escaped || !matches!(c, '"' | '<' | '>' | ';'), "{name}");
            attribute.push(c);
        }
        escaped = !escaped && c == '\\';
    }
}
