mod error;
mod names;
mod public_key;
mod serial;
mod signature;
mod usages;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use der::asn1::BitStringRef;
use der::{AnyRef, Decode as _, SliceReader};
use rustls_pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use x509_parser::asn1_rs::FromDer as _;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Version;

pub use self::error::CertificateError;
use self::names::{constrains_other_names, subject_alt_names};
pub use self::public_key::KeyKind;
use self::serial::serial;
use self::signature::SignatureFacts;
use self::usages::Usages;
use crate::time::unix_seconds;
use crate::{distinguished_name, scope, x509_fault};

/// A parsed X.509 certificate (RFC 5280).
///
/// Parsing checks the structure only: neither signature nor dates. Clones are cheap, and two
/// certificates are equal when their DER is.
#[derive(Clone)]
pub struct Certificate(Arc<Facts>);

struct Facts {
    der: CertificateDer<'static>,
    subject: String,
    issuer: String,
    subject_der: Vec<u8>,
    issuer_der: Vec<u8>,
    common_name: Option<String>,
    common_names: usize,
    subject_alt_names: Vec<String>,
    serial: String,
    serial_der: Vec<u8>,
    fingerprint: String,
    spki_der: Vec<u8>,
    key: KeyKind,
    signature: SignatureFacts,
    usages: Usages,
    version: u32,
    constrains_names: bool,
    constrains_other_names: bool,
    not_before: SystemTime,
    not_after: SystemTime,
    is_ca: bool,
    path_len: Option<u32>,
    subject_key_id: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    /// The names of its distribution points.
    points: Option<scope::Names>,
}

impl Certificate {
    /// Parses exactly one certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (rest, x509) = X509Certificate::from_der(der)
            .map_err(|error| CertificateError::malformed(x509_fault::in_words(&error)))?;
        if !rest.is_empty() {
            return Err(CertificateError::malformed("there are bytes behind the certificate"));
        }
        let mut subject_key_id = None;
        let mut authority_key_id = None;
        for extension in x509.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(id) => subject_key_id = Some(id.0.to_vec()),
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    authority_key_id = id.key_identifier.as_ref().map(|id| id.0.to_vec());
                }
                _ => {}
            }
        }
        let subject_der = x509.subject().as_raw().to_vec();
        let issuer_der = x509.issuer().as_raw().to_vec();
        // Version 1 has no extensions that mark a CA. By convention such a root is one.
        let old_root = x509.version() == X509Version::V1 && subject_der == issuer_der;
        Ok(Self(Arc::new(Facts {
            subject: distinguished_name::to_rfc4514(x509.subject()),
            issuer: distinguished_name::to_rfc4514(x509.issuer()),
            subject_der,
            issuer_der,
            common_name: distinguished_name::common_name(x509.subject()),
            common_names: x509.subject().iter_common_name().count(),
            subject_alt_names: subject_alt_names(&x509)?,
            serial: serial(x509.raw_serial()),
            serial_der: x509.raw_serial().to_vec(),
            fingerprint: fingerprint(der),
            spki_der: x509.public_key().raw.to_vec(),
            key: KeyKind::of(x509.public_key()),
            signature: SignatureFacts::of(&x509.signature_algorithm),
            usages: Usages::of(&x509),
            // The DER contains the number minus one.
            version: x509.version().0.saturating_add(1),
            constrains_names: !matches!(x509.name_constraints(), Ok(None)),
            constrains_other_names: constrains_other_names(&x509),
            not_before: system_time(x509.validity().not_before),
            not_after: system_time(x509.validity().not_after),
            is_ca: x509.is_ca() || old_root,
            path_len: path_len(&x509),
            subject_key_id,
            authority_key_id,
            points: scope::points(&x509),
            der: CertificateDer::from(der.to_vec()),
        })))
    }

    /// The certificate as it was given.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.0.der
    }

    /// The subject's distinguished name, most specific part first (RFC 4514), in printable ASCII:
    /// other characters are escaped as `\XX`, as `openssl x509 -nameopt RFC2253` does.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The issuer's distinguished name, written like [`subject`](Self::subject).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The first common name of the subject, **not escaped**: for comparisons, not for printing.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.0.common_name.as_deref()
    }

    /// The common name if the subject has exactly one, **not escaped**. If there are several, programs differ
    /// in which one they use, so none identifies the holder.
    #[must_use]
    pub fn sole_common_name(&self) -> Option<&str> {
        self.common_name().filter(|_| self.0.common_names == 1)
    }

    /// The names that the certificate is for: `DNS:localhost`, `IP:127.0.0.1`, `email:a@b.c`,
    /// `URI:https://…`; other kinds as `other:` with their object identifier or kind. Printable
    /// ASCII, the rest escaped as `\XX`.
    #[must_use]
    pub fn subject_alt_names(&self) -> &[String] {
        &self.0.subject_alt_names
    }

    /// The serial number in upper-case hexadecimal, as `openssl x509 -serial` prints it.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.0.serial
    }

    /// The SHA-256 of the DER, in upper-case hexadecimal with colons, as
    /// `openssl x509 -fingerprint -sha256` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.0.fingerprint
    }

    /// The SHA-256 of the public key (the DER of its `SubjectPublicKeyInfo`): in base64 it is what
    /// `curl --pinnedpubkey` takes (RFC 7469 §2.4).
    #[must_use]
    pub fn spki_sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.0.spki_der).into()
    }

    /// The public key: the DER of its `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki_der
    }

    /// The kind of the public key.
    #[must_use]
    pub fn key(&self) -> &KeyKind {
        &self.0.key
    }

    /// The signature algorithm by OpenSSL's name: `ecdsa-with-SHA256`, `sha256WithRSAEncryption`; for unusual ones
    /// the object identifier.
    #[must_use]
    pub fn signature_algorithm(&self) -> &str {
        &self.0.signature.name
    }

    /// Whether it was signed with MD2, MD4, MD5 or SHA-1, which can be forged (RFC 9155). The signature of a trust
    /// anchor does not matter.
    #[must_use]
    pub fn is_signature_weak(&self) -> bool {
        self.0.signature.weak
    }

    /// The first moment at which the certificate is valid.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.0.not_before
    }

    /// The last second in which the certificate is valid.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.0.not_after
    }

    /// The version of X.509: 3, or an older one, which has no extensions (RFC 5280 §4.1.2.1).
    #[must_use]
    pub fn version(&self) -> u32 {
        self.0.version
    }

    /// Whether it is older than X.509 version 3, so that it has no extensions: neither alternative names nor key
    /// usages.
    #[must_use]
    pub fn lacks_extensions(&self) -> bool {
        self.version() < 3
    }

    /// Whether this is the certificate of a CA: its basic constraints say so (RFC 5280 §4.2.1.9),
    /// or it is self-signed and of version 1, which cannot say it.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.0.is_ca
    }

    /// How many CAs there may be between this one and a leaf (RFC 5280 §4.2.1.9); `None` if that is not
    /// limited.
    #[must_use]
    pub fn path_len(&self) -> Option<u32> {
        self.0.path_len
    }

    /// Whether subject and issuer have the same name (RFC 5280 §3.2). Another key may have signed it.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.0.subject_der == self.0.issuer_der
    }

    /// Whether the subject is its own issuer, by names and key identifiers. The signature is not checked.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.issued(self)
    }

    /// Whether this certificate's holder is the one that `other` names as its issuer: by name and,
    /// when both state it, by key identifier (RFC 5280 §4.2.1.1). The signature is not checked.
    #[must_use]
    pub fn issued(&self, other: &Self) -> bool {
        let key_ids = self.0.subject_key_id.as_ref().zip(other.0.authority_key_id.as_ref());
        self.0.subject_der == other.0.issuer_der && key_ids.is_none_or(|(own, named)| own == named)
    }

    /// Whether `now` is within the certificate's validity, both ends included (RFC 5280 §4.1.2.5).
    pub fn check_validity(&self, now: SystemTime) -> Result<(), CertificateError> {
        let Facts { not_before, not_after, .. } = *self.0;
        if now < not_before {
            let subject = self.subject().to_owned();
            return Err(CertificateError::NotYetValid { subject, not_before, now });
        }
        // Certificates have times in whole seconds.
        if unix_seconds(now) > unix_seconds(not_after) {
            let subject = self.subject().to_owned();
            return Err(CertificateError::Expired { subject, not_after, now });
        }
        Ok(())
    }

    /// The issuer's distinguished name in DER.
    pub(crate) fn issuer_der(&self) -> &[u8] {
        &self.0.issuer_der
    }

    /// The serial number as in the DER.
    pub(crate) fn serial_der(&self) -> &[u8] {
        &self.0.serial_der
    }

    /// The names of its distribution points (RFC 5280 §4.2.1.13), if it has any points.
    pub(crate) fn points(&self) -> Option<&scope::Names> {
        self.0.points.as_ref()
    }

    /// The algorithm of the public key (the contents of its `AlgorithmIdentifier` in DER) and the key itself,
    /// for a TLS stack that only verifies signatures of bytes; `None` if that cannot be parsed.
    #[must_use]
    pub fn public_key_parts(&self) -> Option<(&[u8], &[u8])> {
        let spki = AnyRef::from_der(self.spki_der()).ok()?;
        let mut reader = SliceReader::new(spki.value()).ok()?;
        let algorithm = AnyRef::decode(&mut reader).ok()?;
        Some((algorithm.value(), BitStringRef::decode(&mut reader).ok()?.as_bytes()?))
    }

    /// The public key as OCSP hashes it: without the algorithm.
    pub(crate) fn public_key_bits(&self) -> Option<Vec<u8>> {
        self.public_key_parts().map(|(_, key)| key.to_vec())
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.0.subject)
            .field("issuer", &self.0.issuer)
            .field("serial", &self.0.serial)
            .field("fingerprint", &self.0.fingerprint)
            .finish_non_exhaustive()
    }
}

fn path_len(x509: &X509Certificate<'_>) -> Option<u32> {
    x509.basic_constraints().ok()??.value.path_len_constraint
}

fn fingerprint(der: &[u8]) -> String {
    let pairs: Vec<_> = Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

pub(crate) fn system_time(time: ASN1Time) -> SystemTime {
    let seconds = time.timestamp();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    };
    // Every platform's clock can express four-digit years.
    time.unwrap_or(UNIX_EPOCH)
}
