use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use der::asn1::BitStringRef;
use der::{AnyRef, Decode as _, Reader as _, SliceReader};
use rustls_pki_types::CertificateRevocationListDer;
use x509_parser::asn1_rs::FromDer as _;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};

use crate::certificate::system_time;
use crate::scope::{Included, Scope};
use crate::{Certificate, Found, distinguished_name, pem, x509_fault};

/// A certificate revocation list (RFC 5280 §5).
///
/// Parsing checks the structure only. Signature and dates are checked when a client connects:
/// [`ClientTrust::vouched_until`](crate::ClientTrust::vouched_until). Clones are cheap.
#[derive(Clone)]
pub struct RevocationList(Arc<Facts>);

struct Facts {
    der: CertificateRevocationListDer<'static>,
    issuer: String,
    issuer_der: Vec<u8>,
    this_update: SystemTime,
    next_update: Option<SystemTime>,
    authority_key_id: Option<Vec<u8>>,
    scope: Scope,
    /// As in the DER.
    serials: HashSet<Vec<u8>>,
}

impl RevocationList {
    /// Reads one or more lists in PEM, or one in DER. Other content of a PEM file is ignored.
    pub fn read(bytes: &[u8]) -> Result<Vec<Self>, RevocationListError> {
        if bytes.trim_ascii().is_empty() {
            return Err(RevocationListError::Empty);
        }
        let blocks = pem::blocks(bytes).map_err(|pem::BrokenBlock { label, fault }| {
            RevocationListError::BrokenPem { label, fault }
        })?;
        if blocks.is_empty() {
            // DER, or something else: a guess at the content is more useful than the error of parsing.
            return match (Self::from_der(bytes), Found::in_bytes(bytes)) {
                (Ok(list), _) => Ok(vec![list]),
                (Err(RevocationListError::Malformed(_)), found) if found != Found::Unknown => {
                    Err(RevocationListError::WrongKind(found))
                }
                (Err(error), _) => Err(error),
            };
        }
        let lists = blocks
            .iter()
            .filter(|block| block.label == "X509 CRL")
            .map(|block| Self::from_der(&block.der))
            .collect::<Result<Vec<_>, _>>()?;
        if lists.is_empty() {
            return Err(RevocationListError::WrongKind(Found::in_bytes(bytes)));
        }
        Ok(lists)
    }

    /// Parses exactly one list.
    pub fn from_der(der: &[u8]) -> Result<Self, RevocationListError> {
        let (rest, list) = CertificateRevocationList::from_der(der)
            .map_err(|e| RevocationListError::Malformed(x509_fault::in_words(&e).into()))?;
        if !rest.is_empty() {
            return Err(RevocationListError::Malformed("there are bytes behind the list".into()));
        }
        // RFC 5280 §5.1.1.2.
        if list.tbs_cert_list.signature != list.signature_algorithm {
            let fault = "it names two algorithms for its signature";
            return Err(RevocationListError::Malformed(fault.into()));
        }
        let issuer = distinguished_name::to_rfc4514(list.issuer());
        let scope = match scope(&list) {
            Ok(scope) => scope,
            Err(what) => return Err(RevocationListError::Unsupported { issuer, what }),
        };
        Ok(Self(Arc::new(Facts {
            authority_key_id: authority_key_id(&list),
            scope,
            issuer,
            issuer_der: list.issuer().as_raw().to_vec(),
            this_update: system_time(list.last_update()),
            next_update: list.next_update().map(system_time),
            serials: list.iter_revoked_certificates().map(|r| r.raw_serial().to_vec()).collect(),
            der: CertificateRevocationListDer::from(der.to_vec()),
        })))
    }

    /// The list as it was given.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The CA whose list it is, as a distinguished name (RFC 4514) in printable ASCII.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// When it was issued.
    #[must_use]
    pub fn this_update(&self) -> SystemTime {
        self.0.this_update
    }

    /// When the next one is due; from then on it is not valid any more.
    #[must_use]
    pub fn next_update(&self) -> Option<SystemTime> {
        self.0.next_update
    }

    /// How many certificates it revokes.
    #[must_use]
    pub fn revoked(&self) -> usize {
        self.0.serials.len()
    }

    /// Whether its validity has begun at `now`.
    #[must_use]
    pub fn has_begun(&self, now: SystemTime) -> bool {
        self.this_update() <= now
    }

    /// Whether the next list is overdue at `now`.
    #[must_use]
    pub fn has_expired(&self, now: SystemTime) -> bool {
        self.next_update().is_some_and(|next| now >= next)
    }

    /// Whether it is a list of the CA that issued `certificate` and for certificates like that one, by names and
    /// distribution points (RFC 5280 §5.2.5). A certificate without a distribution point may be on any list of its
    /// CA.
    #[must_use]
    pub fn covers(&self, certificate: &Certificate) -> bool {
        self.is_of_issuer(certificate) && self.included(certificate) != Included::No
    }

    /// The same, if no other list of that CA is needed.
    pub(crate) fn surely_covers(&self, certificate: &Certificate) -> bool {
        self.is_of_issuer(certificate) && self.included(certificate) == Included::Yes
    }

    /// Whether it is a list of the CA that issued `certificate`, by names.
    pub(crate) fn is_of_issuer(&self, certificate: &Certificate) -> bool {
        self.0.issuer_der == certificate.issuer_der()
    }

    fn included(&self, certificate: &Certificate) -> Included {
        self.0.scope.includes(certificate.is_ca(), certificate.points())
    }

    /// Whether one of them replaces the other: they are of the same CA, by its name and key identifier, and for the
    /// same certificates.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.0.issuer_der == other.0.issuer_der
            && self.0.authority_key_id == other.0.authority_key_id
            && self.0.scope == other.0.scope
    }

    /// Which of its CA's certificates it is for.
    pub(crate) fn scope(&self) -> &Scope {
        &self.0.scope
    }

    /// The signed bytes, the algorithm of the signature (the contents of its `AlgorithmIdentifier` in DER) and the
    /// signature (RFC 5280 §5.1.1), for a TLS stack that only verifies signatures of bytes; `None` if they cannot be
    /// parsed.
    #[must_use]
    pub fn signed_parts(&self) -> Option<(&[u8], &[u8], &[u8])> {
        let list = AnyRef::from_der(self.der()).ok()?;
        let mut reader = SliceReader::new(list.value()).ok()?;
        let data = reader.tlv_bytes().ok()?;
        let algorithm = AnyRef::decode(&mut reader).ok()?;
        let signature = BitStringRef::decode(&mut reader).ok()?;
        Some((data, algorithm.value(), signature.as_bytes()?))
    }

    /// Whether it revokes `certificate`.
    #[must_use]
    pub fn revokes(&self, certificate: &Certificate) -> bool {
        self.covers(certificate) && self.0.serials.contains(certificate.serial_der())
    }
}

impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationList")
            .field("issuer", &self.0.issuer)
            .field("revoked", &self.revoked())
            .finish_non_exhaustive()
    }
}

/// Which certificates a list is for. The error names the kind of a list that cannot be used: one that is
/// incomplete by itself, or is for other CAs, or has unknown extensions (RFC 5280 §5.2, §5.3).
fn scope(list: &CertificateRevocationList<'_>) -> Result<Scope, &'static str> {
    let mut scope = None;
    for extension in list.extensions() {
        match &*extension.oid.to_id_string() {
            ISSUING_DISTRIBUTION_POINT if scope.is_some() => {
                return Err("one with two issuing distribution points");
            }
            ISSUING_DISTRIBUTION_POINT => scope = Some(Scope::from_der(extension.value)?),
            DELTA_CRL_INDICATOR => return Err("a delta list, which only says what has changed"),
            _ if extension.critical => {
                return Err("one with a critical extension that is not understood");
            }
            _ => {}
        }
    }
    let odd = |entry: &RevokedCertificate<'_>| entry.extensions().iter().any(is_odd_of_entry);
    if list.iter_revoked_certificates().any(odd) {
        return Err(
            "one with an entry that has a critical extension that is not understood, or is of another CA",
        );
    }
    Ok(scope.unwrap_or_default())
}

const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";
const DELTA_CRL_INDICATOR: &str = "2.5.29.27";

/// An entry's reason and date change nothing about that it is one; its CA may be another (RFC 5280 §5.3.3).
fn is_odd_of_entry(extension: &X509Extension<'_>) -> bool {
    const REASON: &str = "2.5.29.21";
    const INVALIDITY_DATE: &str = "2.5.29.24";
    const CERTIFICATE_ISSUER: &str = "2.5.29.29";
    match &*extension.oid.to_id_string() {
        REASON | INVALIDITY_DATE => false,
        CERTIFICATE_ISSUER => true,
        _ => extension.critical,
    }
}

fn authority_key_id(list: &CertificateRevocationList<'_>) -> Option<Vec<u8>> {
    list.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => Some(id.key_identifier.as_ref()?.0.to_vec()),
        _ => None,
    })
}

/// Why a file is not a list of revocation lists.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationListError {
    /// It is empty.
    #[error("the file of revocation lists is empty")]
    Empty,
    /// It contains something else.
    #[error("expected a certificate revocation list in PEM or DER, but {0}")]
    WrongKind(Found),
    /// A block of PEM is damaged.
    #[error("the PEM block \"{label}\" cannot be read: {fault}")]
    BrokenPem {
        /// The label after `BEGIN`.
        label: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// It is not a revocation list.
    #[error("not a valid certificate revocation list")]
    Malformed(#[source] Box<dyn Error + Send + Sync>),
    /// It is of a kind that not all TLS stacks support.
    #[error("the revocation list of \"{issuer}\" is {what}; give a full one")]
    Unsupported {
        /// Whose list it is.
        issuer: String,
        /// Its kind.
        what: &'static str,
    },
}
