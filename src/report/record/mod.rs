//! What there is to tell of a request after it has ended: for the access log, and for the metrics.

mod noted;

use std::time::{Duration, SystemTime};

use turnkey_backend::{Certificate, TlsInfo};

pub(crate) use self::noted::Noted;
use crate::common::request_id::RequestId;
use crate::wire::tally::UpstreamFailure;

/// A request that has ended, however it did.
#[derive(Debug)]
pub(crate) struct Record<'r> {
    /// `None` on a connection that there was no place for.
    pub(crate) id: Option<RequestId>,
    /// What the client asked for.
    pub(crate) noted: &'r Noted,
    /// What was negotiated; `None` without TLS.
    pub(crate) tls: Option<&'r TlsInfo>,
    /// When it began.
    pub(crate) began: SystemTime,
    /// How long it took, from its first byte to the last of its answer.
    pub(crate) took: Duration,
    /// The status of the answer, or [`NO_ANSWER`].
    pub(crate) status: u16,
    pub(crate) outcome: Completion,
    /// How much content was sent, in bytes: without the head and the framing of chunks.
    pub(crate) sent: u64,
    /// How much content was taken from the client, in bytes.
    pub(crate) received: u64,
    /// The upstream that was asked last.
    pub(crate) upstream: Option<&'r str>,
    /// Each upstream that was asked in vain.
    pub(crate) failures: &'r [UpstreamFailure],
}

impl<'r> Record<'r> {
    /// The client's certificate, if it has shown one.
    pub(crate) fn certificate(&self) -> Option<&'r Certificate> {
        self.tls?.client_certificate.as_ref()
    }
}

/// What stands for the status of a request that got no answer, in nginx too: logs of this kind have
/// room for a number only.
pub(crate) const NO_ANSWER: u16 = 499;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completion {
    /// It got a whole answer, be it a refusal.
    Complete,
    /// The client left, or takes nothing any more.
    ClientLeft,
    /// The answer failed on its way, for which the client is not to blame.
    BrokenOff,
    /// The server had to stop before it was done.
    CutOff,
}

impl Completion {
    /// Its name, which other programs go by.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::ClientLeft => "client_left",
            Self::BrokenOff => "broken_off",
            Self::CutOff => "cut_off",
        }
    }
}
