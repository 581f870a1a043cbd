//! Refused requests.

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

    /// A status, with its name as the reason.
    pub(crate) fn bare(status: StatusCode) -> Self {
        Self::new(status, format!("{status} {}", status.canonical_reason()))
    }

    /// 400: malformed or ambiguous.
    pub(crate) fn bad_request(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BadRequest, reason)
    }

    /// 413: the body is larger than `max_body` bytes, by its length or while it streams.
    pub(crate) fn too_large(max_body: Option<u64>) -> Self {
        let max = max_body.unwrap_or(u64::MAX);
        Self::new(
            StatusCode::PayloadTooLarge,
            format!("the request body is larger than {max} bytes"),
        )
    }
}

/// For readers of the request's body.
impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(io::ErrorKind::InvalidData, refusal)
    }
}
