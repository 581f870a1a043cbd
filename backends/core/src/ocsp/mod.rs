//! OCSP responses (RFC 6960) for stapling to a certificate.

mod asn1;
mod error;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use der::Decode as _;
use der::asn1::{GeneralizedTime, ObjectIdentifier};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use self::asn1::{Basic, CertStatus, Outer, SingleResponse, Status};
pub use self::error::OcspError;
use crate::time::utc;
use crate::{Certificate, Found, pem};

/// The statement of a CA's OCSP responder about a certificate (RFC 6960 §4.2.1).
///
/// Parsing checks the structure, and that it is an answer and not an error.
/// [`Identity::with_ocsp`](crate::Identity::with_ocsp) checks which certificate it is about, and what it says. The
/// signature is **not** checked by either: clients do that. Clones are cheap.
#[derive(Clone)]
pub struct OcspResponse(Arc<Facts>);

struct Facts {
    der: Vec<u8>,
    answers: Vec<Answer>,
    this_update: SystemTime,
    next_update: Option<SystemTime>,
}

impl OcspResponse {
    /// Reads exactly one response, in DER, as `openssl ocsp -respout` writes it, or in PEM.
    pub fn from_der(bytes: &[u8]) -> Result<Self, OcspError> {
        if bytes.trim_ascii().is_empty() {
            return Err(OcspError::Empty);
        }
        let blocks = pem::blocks(bytes)
            .map_err(|pem::BrokenBlock { label, fault }| OcspError::BrokenPem { label, fault })?;
        if blocks.is_empty() {
            // What else the file is helps more than a parse error.
            return match (Self::parse(bytes), Found::in_bytes(bytes)) {
                (Err(OcspError::Malformed(_)), found) if found != Found::Unknown => {
                    Err(OcspError::WrongKind(found))
                }
                (result, _) => result,
            };
        }
        // The label that GnuTLS's ocsptool writes; OpenSSL has no PEM format for responses.
        let mut responses = blocks.iter().filter(|block| block.label == "OCSP RESPONSE");
        match (responses.next(), responses.count()) {
            (Some(block), 0) => Self::parse(&block.der),
            (Some(_), others) => Err(OcspError::Several { count: others + 1 }),
            (None, _) => Err(OcspError::WrongKind(Found::in_bytes(bytes))),
        }
    }

    /// The response in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The start of its validity. If it is about several certificates, all of it is valid from then on.
    #[must_use]
    pub fn this_update(&self) -> SystemTime {
        self.0.this_update
    }

    /// The end of its validity. If it is about several certificates, all of it is valid until then. `None` if the
    /// responder sets no end (RFC 6960 §4.2.2.1).
    #[must_use]
    pub fn next_update(&self) -> Option<SystemTime> {
        self.0.next_update
    }

    fn parse(der: &[u8]) -> Result<Self, OcspError> {
        let outer = Outer::from_der(der)?;
        if outer.status != Status::Successful {
            return Err(OcspError::Refused { status: outer.status.name() });
        }
        let malformed = |what: &str| OcspError::Malformed(what.into());
        let body = outer.body.ok_or_else(|| malformed("it says that it is one, and holds none"))?;
        if body.kind != BASIC {
            return Err(malformed("it is not of the basic type"));
        }
        let basic = Basic::from_der(body.response.as_bytes())?;
        let answers: Vec<_> = basic.data.answers.iter().map(Answer::from).collect();
        let this_update = answers.iter().map(|answer| answer.this_update).max();
        Ok(Self(Arc::new(Facts {
            der: der.to_vec(),
            this_update: this_update.ok_or_else(|| malformed("it is about no certificate"))?,
            next_update: answers.iter().filter_map(|answer| answer.next_update).min(),
            answers,
        })))
    }

    /// Whether it says that `leaf` is good. `issuer` is the leaf's, if it is known.
    pub(crate) fn check_good(
        &self,
        leaf: &Certificate,
        issuer: Option<&Certificate>,
    ) -> Result<(), OcspError> {
        let subject = || leaf.subject().to_owned();
        let mut nearest = Difference::SerialNumber;
        for answer in &self.0.answers {
            match answer.difference(leaf, issuer) {
                Some(difference) => nearest = nearest.max(difference),
                None => {
                    return match answer.revocation {
                        Revocation::Good => Ok(()),
                        Revocation::Revoked(at) => {
                            Err(OcspError::Revoked { subject: subject(), at })
                        }
                        Revocation::Unknown => Err(OcspError::Unknown { subject: subject() }),
                    };
                }
            }
        }
        Err(OcspError::OtherCertificate { subject: subject(), difference: nearest.as_str() })
    }
}

impl fmt::Debug for OcspResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OcspResponse")
            .field("this_update", &utc(self.this_update()))
            .field("next_update", &self.next_update().map(utc))
            .finish_non_exhaustive()
    }
}

/// The statement about one certificate.
struct Answer {
    hash: ObjectIdentifier,
    issuer_name_hash: Vec<u8>,
    issuer_key_hash: Vec<u8>,
    /// As in the DER.
    serial: Vec<u8>,
    revocation: Revocation,
    this_update: SystemTime,
    next_update: Option<SystemTime>,
}

enum Revocation {
    Good,
    Revoked(SystemTime),
    Unknown,
}

/// Why an answer is about another certificate. A later variant is a closer match.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    SerialNumber,
    Hash,
    IssuerName,
    IssuerKey,
}

impl Difference {
    fn as_str(self) -> &'static str {
        match self {
            Self::SerialNumber => "its serial number is another",
            Self::Hash => "it names the issuer by a hash that is not supported",
            Self::IssuerName => "it is of an issuer of another name",
            Self::IssuerKey => "it is of an issuer of this name, but with another key",
        }
    }
}

impl Answer {
    fn difference(&self, leaf: &Certificate, issuer: Option<&Certificate>) -> Option<Difference> {
        let hash = |bytes: &[u8]| hash(self.hash, bytes);
        if self.serial != leaf.serial_der() {
            return Some(Difference::SerialNumber);
        }
        let Some(name) = hash(leaf.issuer_der()) else { return Some(Difference::Hash) };
        if self.issuer_name_hash != name {
            return Some(Difference::IssuerName);
        }
        let key = issuer.and_then(|issuer| hash(&issuer.public_key_bits()?));
        key.is_some_and(|key| self.issuer_key_hash != key).then_some(Difference::IssuerKey)
    }
}

impl From<&SingleResponse<'_>> for Answer {
    fn from(single: &SingleResponse<'_>) -> Self {
        Self {
            hash: single.id.hash.oid,
            issuer_name_hash: single.id.issuer_name_hash.as_bytes().to_vec(),
            issuer_key_hash: single.id.issuer_key_hash.as_bytes().to_vec(),
            serial: single.id.serial.value().to_vec(),
            revocation: match &single.status {
                CertStatus::Good(_) => Revocation::Good,
                CertStatus::Revoked(info) => Revocation::Revoked(info.at.to_system_time()),
                CertStatus::Unknown(_) => Revocation::Unknown,
            },
            this_update: single.this_update.to_system_time(),
            next_update: single.next_update.as_ref().map(GeneralizedTime::to_system_time),
        }
    }
}

fn hash(algorithm: ObjectIdentifier, bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm {
        SHA1 => Sha1::digest(bytes).to_vec(),
        SHA256 => Sha256::digest(bytes).to_vec(),
        SHA384 => Sha384::digest(bytes).to_vec(),
        SHA512 => Sha512::digest(bytes).to_vec(),
        _ => return None,
    })
}

/// `id-pkix-ocsp-basic`
const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use der::Encode as _;
    use der::asn1::{AnyRef, BitStringRef, Null, OctetStringRef};

    use super::asn1::{Algorithm, Body, CertId, ResponseData};
    use super::*;

    fn time(seconds: u64) -> GeneralizedTime {
        GeneralizedTime::from_unix_duration(Duration::from_secs(seconds)).unwrap()
    }

    /// A response without a responder's name, about certificates with made-up values.
    fn response(
        kind: ObjectIdentifier,
        times: &[(u64, Option<u64>)],
    ) -> Result<OcspResponse, OcspError> {
        let hash = OctetStringRef::new(&[0; 20]).unwrap();
        let single = |&(this_update, next_update): &(u64, Option<u64>)| SingleResponse {
            id: CertId {
                hash: Algorithm { oid: SHA1, parameters: None },
                issuer_name_hash: hash,
                issuer_key_hash: hash,
                serial: AnyRef::from_der(&[2, 1, 1]).unwrap(),
            },
            status: CertStatus::Good(Null),
            this_update: time(this_update),
            next_update: next_update.map(time),
            extensions: None,
        };
        let basic = Basic {
            data: ResponseData {
                version: None,
                responder: AnyRef::from_der(&[0xa1, 2, 0x30, 0]).unwrap(),
                produced_at: time(0),
                answers: times.iter().map(single).collect(),
                extensions: None,
            },
            algorithm: AnyRef::from_der(&[0x30, 0]).unwrap(),
            signature: BitStringRef::from_bytes(&[]).unwrap(),
            certificates: None,
        };
        let basic = basic.to_der().unwrap();
        let response = OctetStringRef::new(&basic).unwrap();
        let body = Some(Body { kind, response });
        OcspResponse::from_der(&Outer { status: Status::Successful, body }.to_der().unwrap())
    }

    #[test]
    fn several_answers_hold_together_only_while_all_do() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let several = response(BASIC, &[(10, Some(50)), (30, Some(40)), (20, None)]).unwrap();
        assert_eq!(several.this_update(), at(30));
        assert_eq!(several.next_update(), Some(at(40)));
        assert_eq!(response(BASIC, &[(10, None)]).unwrap().next_update(), None);
    }

    #[test]
    fn an_answer_to_nothing_and_one_of_another_type_are_none() {
        let error = response(BASIC, &[]).unwrap_err();
        assert!(matches!(error, OcspError::Malformed(_)), "{error}");
        let error = response(SHA1, &[(10, None)]).unwrap_err();
        assert!(matches!(error, OcspError::Malformed(_)), "{error}");
    }
}
