//! What the access log and the metrics need to know of a request after it has ended.

mod noted;

use std::time::{Duration, SystemTime};

use turnkey_backend::{Certificate, TlsInfo};

pub(crate) use self::noted::Noted;
use crate::common::request_id::RequestId;
use crate::wire::tally::UpstreamFailure;

/// A request that has ended, with or without success.
#[derive(Debug)]
pub(crate) struct Record<'r> {
    /// `None` on a connection that was not admitted.
    pub(crate) id: Option<RequestId>,
    /// What the client requested.
    pub(crate) noted: &'r Noted,
    /// What was negotiated; `None` without TLS.
    pub(crate) tls: Option<&'r TlsInfo>,
    /// When it began.
    pub(crate) began: SystemTime,
    /// How long it took, from its first byte to the last byte of its answer.
    pub(crate) took: Duration,
    /// The status of the answer, or [`NO_ANSWER`].
    pub(crate) status: u16,
    pub(crate) outcome: Completion,
    /// How much content was sent, in bytes, without the head and the framing of chunks.
    pub(crate) sent: u64,
    /// How much content was read from the client, in bytes.
    pub(crate) received: u64,
    /// The upstream that was tried last.
    pub(crate) upstream: Option<&'r str>,
    /// Each upstream that failed.
    pub(crate) failures: &'r [UpstreamFailure],
}

impl<'r> Record<'r> {
    /// The client's certificate, if it has shown one.
    pub(crate) fn certificate(&self) -> Option<&'r Certificate> {
        self.tls?.client_certificate.as_ref()
    }
}

/// The status of a request that got no answer, as in nginx: these logs have room for a number only.
pub(crate) const NO_ANSWER: u16 = 499;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completion {
    /// It got a complete answer, which may be a refusal.
    Complete,
    /// The client left, or no longer reads.
    ClientLeft,
    /// The answer failed on its way, and not because of the client.
    BrokenOff,
    /// The server stopped before it was done.
    CutOff,
}

impl Completion {
    /// Its name in JSON lines.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::ClientLeft => "client_left",
            Self::BrokenOff => "broken_off",
            Self::CutOff => "cut_off",
        }
    }
}
