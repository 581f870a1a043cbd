use std::error::Error;
use std::time::SystemTime;

use crate::Found;
use crate::time::{distance, utc};

/// Why a response cannot be stapled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OcspError {
    /// The file is empty.
    #[error("the OCSP response is empty; did the request for it fail?")]
    Empty,
    /// The file holds something else.
    #[error("expected an OCSP response, in DER as openssl ocsp -respout writes it, but {0}")]
    WrongKind(Found),
    /// A block of PEM is damaged.
    #[error("the PEM block \"{label}\" cannot be read: {fault}")]
    BrokenPem {
        /// The label after `BEGIN`.
        label: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// PEM with more than one response.
    #[error("there are {count} OCSP responses in the file; leave the server certificate's own")]
    Several {
        /// Their number.
        count: usize,
    },
    /// The bytes are not those of a response.
    #[error("not a valid OCSP response")]
    Malformed(#[source] Box<dyn Error + Send + Sync>),
    /// The responder did not answer the question.
    #[error("the OCSP responder answered with the error {status}; ask it again")]
    Refused {
        /// The error, as RFC 6960 §4.2.1 calls it.
        status: &'static str,
    },
    /// It is about other certificates.
    #[error(
        "the OCSP response is not about the certificate \"{subject}\": {difference}; \
         was the certificate renewed since? ask the responder again"
    )]
    OtherCertificate {
        /// The subject of the certificate that it should be about.
        subject: String,
        /// What differs.
        difference: &'static str,
    },
    /// The certificate is revoked.
    #[error(
        "the OCSP response says that the certificate \"{subject}\" was revoked on {}; \
         have a new one issued, with a new key",
        utc(*at)
    )]
    Revoked {
        /// The certificate's subject.
        subject: String,
        /// The time of the revocation.
        at: SystemTime,
    },
    /// The responder does not know the certificate.
    #[error(
        "the OCSP response says that the certificate \"{subject}\" is unknown; \
         was the right responder asked?"
    )]
    Unknown {
        /// The certificate's subject.
        subject: String,
    },
    /// It has expired.
    #[error(
        "the OCSP response expired on {}, {} ago (it is now {}); ask the responder again",
        utc(*next_update), distance(*next_update, *now), utc(*now)
    )]
    Expired {
        /// The last second in which it was valid.
        next_update: SystemTime,
        /// The time that it was checked at.
        now: SystemTime,
    },
    /// It is not valid yet.
    #[error(
        "the OCSP response does not hold before {}, in {} (it is now {}); is the clock right?",
        utc(*this_update), distance(*now, *this_update), utc(*now)
    )]
    NotYetValid {
        /// The first moment at which it is valid.
        this_update: SystemTime,
        /// The time that it was checked at.
        now: SystemTime,
    },
}

impl OcspError {
    /// Whether the response is about another certificate, and may be good for that one.
    #[must_use]
    pub fn is_about_another(&self) -> bool {
        matches!(self, Self::OtherCertificate { .. })
    }
}

impl From<der::Error> for OcspError {
    fn from(error: der::Error) -> Self {
        Self::Malformed(error.into())
    }
}
