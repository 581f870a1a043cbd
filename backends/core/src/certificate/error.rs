use std::error::Error;
use std::time::SystemTime;

use crate::time::{distance, utc};

/// What is wrong with a certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// It is not a certificate.
    #[error("not a valid X.509 certificate")]
    Malformed(#[source] Box<dyn Error + Send + Sync>),
    /// The certificate has expired.
    #[error(
        "the certificate \"{subject}\" expired on {}, {} ago (it is now {}); renew it",
        utc(*not_after), distance(*not_after, *now), utc(*now)
    )]
    Expired {
        /// The certificate's subject.
        subject: String,
        /// The last second in which it was valid.
        not_after: SystemTime,
        /// The time that it was checked at.
        now: SystemTime,
    },
    /// The certificate is not valid yet.
    #[error(
        "the certificate \"{subject}\" is not valid before {}, in {} (it is now {}); \
         is the clock right, here and on the machine that issued it?",
        utc(*not_before), distance(*now, *not_before), utc(*now)
    )]
    NotYetValid {
        /// The certificate's subject.
        subject: String,
        /// The first moment at which it is valid.
        not_before: SystemTime,
        /// The time that it was checked at.
        now: SystemTime,
    },
}

impl CertificateError {
    pub(super) fn malformed(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Malformed(cause.into())
    }
}
