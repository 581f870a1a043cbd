use std::collections::HashSet;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use rustls_pki_types::CertificateRevocationListDer;
use x509_parser::asn1_rs::FromDer as _;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::revocation_list::CertificateRevocationList;

use crate::certificate::system_time;
use crate::{Certificate, Found, distinguished_name, pem, x509_fault};

/// A certificate revocation list (RFC 5280 §5): what its CA has taken back.
///
/// Parsing checks the structure only: the TLS stack checks the signature, and refuses what a list
/// would have to vouch for that has expired, or is not valid yet. Clones are cheap.
#[derive(Clone)]
pub struct RevocationList(Arc<Facts>);

struct Facts {
    der: CertificateRevocationListDer<'static>,
    issuer: String,
    issuer_der: Vec<u8>,
    this_update: SystemTime,
    next_update: Option<SystemTime>,
    /// As they stand in the DER.
    serials: HashSet<Vec<u8>>,
}

impl RevocationList {
    /// Reads one or more lists in PEM, or one in DER. What else a PEM file holds is left alone.
    pub fn read(bytes: &[u8]) -> Result<Vec<Self>, RevocationListError> {
        if bytes.trim_ascii().is_empty() {
            return Err(RevocationListError::Empty);
        }
        let blocks = pem::blocks(bytes).map_err(|pem::BrokenBlock { label, fault }| {
            RevocationListError::BrokenPem { label, fault }
        })?;
        if blocks.is_empty() {
            // DER, or nothing of use: what else it may be is worth more than how it fails to parse.
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

    /// Reads one list and nothing behind it.
    pub fn from_der(der: &[u8]) -> Result<Self, RevocationListError> {
        let (rest, list) = CertificateRevocationList::from_der(der)
            .map_err(|e| RevocationListError::Malformed(x509_fault::in_words(&e).into()))?;
        if !rest.is_empty() {
            return Err(RevocationListError::Malformed("there are bytes behind the list".into()));
        }
        let issuer = distinguished_name::to_rfc4514(list.issuer());
        if let Some(what) = list.extensions().iter().find_map(beyond_us) {
            return Err(RevocationListError::Unsupported { issuer, what });
        }
        Ok(Self(Arc::new(Facts {
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

    /// When it was made.
    #[must_use]
    pub fn this_update(&self) -> SystemTime {
        self.0.this_update
    }

    /// When the next one is due; after that it says nothing any more.
    #[must_use]
    pub fn next_update(&self) -> Option<SystemTime> {
        self.0.next_update
    }

    /// How many certificates it revokes.
    #[must_use]
    pub fn revoked(&self) -> usize {
        self.0.serials.len()
    }

    /// Whether it says anything yet at `now`.
    #[must_use]
    pub fn has_begun(&self, now: SystemTime) -> bool {
        self.this_update() <= now
    }

    /// Whether the next list is overdue at `now`.
    #[must_use]
    pub fn has_expired(&self, now: SystemTime) -> bool {
        self.next_update().is_some_and(|next| now > next)
    }

    /// Whether it is the list of the CA that issued `certificate`, as far as names tell.
    #[must_use]
    pub fn covers(&self, certificate: &Certificate) -> bool {
        self.0.issuer_der == certificate.issuer_der()
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

/// Extensions that change what a list says, and that not every TLS stack goes by (RFC 5280 §5.2.4,
/// §5.2.5): a list that has one would be read in two ways.
fn beyond_us(extension: &X509Extension<'_>) -> Option<&'static str> {
    match extension.parsed_extension() {
        ParsedExtension::IssuingDistributionPoint(point) if point.indirect_crl => {
            Some("an indirect list, which speaks for other CAs too")
        }
        ParsedExtension::IssuingDistributionPoint(point) if point.only_some_reasons.is_some() => {
            Some("a list for some reasons only")
        }
        ParsedExtension::IssuingDistributionPoint(point) if point.only_contains_attribute_certs => {
            Some("a list of attribute certificates")
        }
        ParsedExtension::IssuingDistributionPoint(_) => None,
        // deltaCRLIndicator
        _ if extension.oid.to_id_string() == "2.5.29.27" => {
            Some("a delta list, which only says what has changed")
        }
        // RFC 5280 §5.2: such a list must not be used.
        _ if extension.critical => Some("one with a critical extension that is not understood"),
        _ => None,
    }
}

/// Why a file is not one of revocation lists.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationListError {
    /// There is nothing in it.
    #[error("the file of revocation lists is empty")]
    Empty,
    /// It holds something else.
    #[error("expected a certificate revocation list in PEM or DER, but {0}")]
    WrongKind(Found),
    /// A block of PEM is damaged.
    #[error("the PEM block \"{label}\" cannot be read: {fault}")]
    BrokenPem {
        /// What stands behind `BEGIN`.
        label: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The bytes are not those of a list.
    #[error("not a valid certificate revocation list")]
    Malformed(#[source] Box<dyn Error + Send + Sync>),
    /// It is of a kind that is not understood everywhere.
    #[error("the revocation list of \"{issuer}\" is {what}; give a full one")]
    Unsupported {
        /// Whose list it is.
        issuer: String,
        /// Of which kind it is.
        what: &'static str,
    },
}
