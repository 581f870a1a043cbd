//! Why a request is not served.

use std::borrow::Cow;
use std::io;

use http_types::StatusCode;

/// Why a request is not served: a status, and one line that says what was wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) reason: Cow<'static, str>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { status, reason: reason.into() }
    }

    /// A status that says no more than what it is.
    pub(crate) fn bare(status: StatusCode) -> Self {
        Self::new(status, format!("{status} {}", status.canonical_reason()))
    }

    /// 400: malformed, or open to more than one reading.
    pub(crate) fn bad_request(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BadRequest, reason)
    }

    /// 413: a body that is known to be larger than `max_body` bytes, or has turned out to be.
    pub(crate) fn too_large(max_body: Option<u64>) -> Self {
        let max = max_body.unwrap_or(u64::MAX);
        Self::new(
            StatusCode::PayloadTooLarge,
            format!("the request body is larger than {max} bytes"),
        )
    }
}

/// For whoever reads the body of the request.
impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(io::ErrorKind::InvalidData, refusal)
    }
}
