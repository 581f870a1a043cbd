use std::io;

use http_types::StatusCode;

use super::response::Malformed;
use crate::common::refusal::Refusal;

/// Why an upstream has not responded.
#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamError {
    /// It cannot be reached.
    #[error("cannot be reached")]
    Connect(#[source] io::Error),
    /// It does not speak TLS, or the handshake failed.
    #[error("the TLS handshake with it failed")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It did not accept the connection, or did not respond, in time.
    #[error("{0} within {1} seconds")]
    TimedOut(&'static str, f32),
    /// It closed the connection before it responded.
    #[error("closed the connection before it had answered")]
    Closed,
    /// The connection failed before it responded.
    #[error("the connection broke before it had answered")]
    Broken(#[source] io::Error),
    /// Its response cannot be forwarded.
    #[error("its answer is malformed: {0}")]
    Malformed(#[from] Malformed),
}

impl UpstreamError {
    /// The refusal for the client: what happened, but not where.
    pub(super) fn refusal(&self) -> Refusal {
        let (status, what) = match self {
            Self::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                (StatusCode::BadGateway, "the upstream refused the connection".to_owned())
            }
            Self::Connect(_) => {
                (StatusCode::BadGateway, "the upstream cannot be reached".to_owned())
            }
            Self::Tls(_) => {
                (StatusCode::BadGateway, "the TLS handshake with the upstream failed".to_owned())
            }
            Self::TimedOut(..) => (StatusCode::GatewayTimeout, format!("the upstream {self}")),
            Self::Closed => (StatusCode::BadGateway, format!("the upstream {self}")),
            Self::Broken(_) => (
                StatusCode::BadGateway,
                "the connection to the upstream broke before it had answered".to_owned(),
            ),
            Self::Malformed(malformed) => {
                (StatusCode::BadGateway, format!("the upstream's answer is malformed: {malformed}"))
            }
        };
        Refusal::new(status, what)
    }

    /// Its name, which other programs rely on.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Connect(_) => "unreachable",
            Self::Tls(_) => "tls",
            Self::TimedOut(..) => "timed_out",
            Self::Closed => "closed",
            Self::Broken(_) => "broken",
            Self::Malformed(_) => "malformed",
        }
    }

    /// Whether the upstream will probably fail the next request too.
    pub(super) fn is_about_the_upstream(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Tls(_) | Self::TimedOut("took no connection", _))
    }
}
