//! Why connections end before a request is served: from a closed set of reasons, in one line each
//! that says whose decision it was and what to do.

mod folding;
mod path_rules;
mod text;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use turnkey_backend::{Alert, Common, Fault, HandshakeError, Timer};

use self::folding::Folding;
pub(crate) use self::text::Context;
use crate::common::address::RemoteAddr;
use crate::common::limits::Limits;

/// What happened.
#[derive(Debug)]
pub(crate) enum Event<'e> {
    /// The handshake failed.
    Handshake(&'e HandshakeError),
    /// It was not complete in time.
    TimedOut(&'e Limits),
    /// The client sent a request in the clear to a port for TLS.
    PlainHttp,
    /// The client began a handshake on a port for plain HTTP.
    TlsOnPlain,
    /// There is no PROXY header as there should be: what is wrong.
    ProxyHeader(&'e str),
    /// The client is who it says, and no rule lets it in; or it showed no certificate, and clients
    /// without one are not let in.
    NotAllowed { subject: Option<&'e str> },
    /// The client was let in, and would not be any more.
    NoLonger(&'e HandshakeError),
    /// The client left without a word: a port scan, a health check, a browser that thought ahead.
    Left,
}

impl Event<'_> {
    /// What tells it from another for the same reason: whose certificate it is about, mostly.
    fn subject(&self) -> Option<&str> {
        match self {
            Self::NotAllowed { subject } => *subject,
            Self::ProxyHeader(what) => Some(what),
            Self::Handshake(HandshakeError::ClientCertificate(refused))
            | Self::NoLonger(HandshakeError::ClientCertificate(refused)) => {
                Some(refused.certificate().subject())
            }
            _ => None,
        }
    }
}

/// The closed set of reasons, as counters and tests know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reason {
    NoCertificate,
    UnknownCa,
    Expired,
    NotYetValid,
    Revoked,
    NoRevocationList,
    RevocationListExpired,
    NotForClients,
    NotAllowed,
    /// The same after the handshake, in an answer.
    Denied,
    /// A client that was let in would not be any more, for whatever reason.
    NoLonger,
    BadSignature,
    BadCertificate,
    OursUnknownCa,
    OursBad,
    OursExpired,
    OursRefused,
    NoCommonVersion,
    NoCommonCipher,
    NoCommonProtocol,
    ClientGaveUp,
    PlainHttp,
    TlsOnPlain,
    ProxyHeader,
    NotTls,
    TimedOut,
    LeftMidway,
    Left,
    Other,
}

impl Reason {
    /// All of them, each at the place of its number.
    pub(crate) const ALL: [Self; 29] = [
        Self::NoCertificate,
        Self::UnknownCa,
        Self::Expired,
        Self::NotYetValid,
        Self::Revoked,
        Self::NoRevocationList,
        Self::RevocationListExpired,
        Self::NotForClients,
        Self::NotAllowed,
        Self::Denied,
        Self::NoLonger,
        Self::BadSignature,
        Self::BadCertificate,
        Self::OursUnknownCa,
        Self::OursBad,
        Self::OursExpired,
        Self::OursRefused,
        Self::NoCommonVersion,
        Self::NoCommonCipher,
        Self::NoCommonProtocol,
        Self::ClientGaveUp,
        Self::PlainHttp,
        Self::TlsOnPlain,
        Self::ProxyHeader,
        Self::NotTls,
        Self::TimedOut,
        Self::LeftMidway,
        Self::Left,
        Self::Other,
    ];

    fn of(event: &Event<'_>) -> Self {
        let error = match event {
            Event::Handshake(error) => error,
            Event::TimedOut(_) => return Self::TimedOut,
            Event::PlainHttp => return Self::PlainHttp,
            Event::TlsOnPlain => return Self::TlsOnPlain,
            Event::NotAllowed { .. } => return Self::Denied,
            Event::NoLonger(_) => return Self::NoLonger,
            Event::ProxyHeader(_) => return Self::ProxyHeader,
            Event::Left => return Self::Left,
        };
        match error {
            HandshakeError::Io(_) => Self::LeftMidway,
            HandshakeError::NoClientCertificate => Self::NoCertificate,
            HandshakeError::ClientCertificate(refused) => Self::of_fault(refused.fault()),
            HandshakeError::Alert { alert, .. } => Self::of_alert(*alert),
            HandshakeError::NothingInCommon(Common::Version) => Self::NoCommonVersion,
            HandshakeError::NothingInCommon(Common::Protocol) => Self::NoCommonProtocol,
            HandshakeError::NothingInCommon(_) => Self::NoCommonCipher,
            HandshakeError::NotTls => Self::NotTls,
            _ => Self::Other,
        }
    }

    fn of_fault(fault: &Fault) -> Self {
        match fault {
            Fault::UnknownIssuer => Self::UnknownCa,
            Fault::Expired => Self::Expired,
            Fault::NotYetValid => Self::NotYetValid,
            Fault::Revoked => Self::Revoked,
            Fault::NotForClients | Fault::IsCa => Self::NotForClients,
            Fault::NotAllowed => Self::NotAllowed,
            Fault::BadSignature => Self::BadSignature,
            Fault::NoRevocationList { .. } => Self::NoRevocationList,
            Fault::RevocationListExpired { .. } => Self::RevocationListExpired,
            _ => Self::BadCertificate,
        }
    }

    /// What clients mean by their alerts (RFC 8446 §6.2), as far as it is about our certificate.
    fn of_alert(alert: Alert) -> Self {
        match alert.name() {
            Some("unknown_ca") => Self::OursUnknownCa,
            Some("bad_certificate") => Self::OursBad,
            Some("certificate_expired") => Self::OursExpired,
            Some(
                "unsupported_certificate"
                | "certificate_revoked"
                | "certificate_unknown"
                | "access_denied"
                | "bad_certificate_status_response",
            ) => Self::OursRefused,
            Some("protocol_version") => Self::NoCommonVersion,
            Some("handshake_failure" | "insufficient_security") => Self::NoCommonCipher,
            Some("no_application_protocol") => Self::NoCommonProtocol,
            _ => Self::ClientGaveUp,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::NoCertificate => "no certificate",
            Self::UnknownCa => "unknown CA",
            Self::Expired => "expired",
            Self::NotYetValid => "not yet valid",
            Self::Revoked => "revoked",
            Self::NoRevocationList => "no revocation list",
            Self::RevocationListExpired => "revocation list expired",
            Self::NotForClients => "not for clients",
            Self::NotAllowed | Self::Denied => "not allowed by rule",
            Self::NoLonger => "no longer let in",
            Self::BadSignature => "bad signature",
            Self::BadCertificate => "bad certificate",
            Self::OursUnknownCa => "our CA unknown to the client",
            Self::OursBad => "ours bad for the client",
            Self::OursExpired => "ours expired for the client",
            Self::OursRefused => "ours refused by the client",
            Self::NoCommonVersion => "no common version",
            Self::NoCommonCipher => "no common cipher",
            Self::NoCommonProtocol => "no common application protocol",
            Self::ClientGaveUp => "the client gave up",
            Self::PlainHttp => "plain HTTP on the TLS port",
            Self::TlsOnPlain => "TLS on the plain port",
            Self::ProxyHeader => "no good PROXY header",
            Self::NotTls => "not TLS",
            Self::TimedOut => "out of time",
            Self::LeftMidway => "left midway",
            Self::Left => "left without a word",
            Self::Other => "other",
        }
    }

    /// The same for programs.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::NoCertificate => "no_certificate",
            Self::UnknownCa => "unknown_ca",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Revoked => "revoked",
            Self::NoRevocationList => "no_revocation_list",
            Self::RevocationListExpired => "revocation_list_expired",
            Self::NotForClients => "not_for_clients",
            Self::NotAllowed => "not_allowed_by_rule",
            Self::Denied => "denied_by_rule",
            Self::NoLonger => "no_longer_let_in",
            Self::BadSignature => "bad_signature",
            Self::BadCertificate => "bad_certificate",
            Self::OursUnknownCa => "our_ca_unknown_to_client",
            Self::OursBad => "our_certificate_bad_for_client",
            Self::OursExpired => "our_certificate_expired_for_client",
            Self::OursRefused => "our_certificate_refused_by_client",
            Self::NoCommonVersion => "no_common_version",
            Self::NoCommonCipher => "no_common_cipher",
            Self::NoCommonProtocol => "no_common_application_protocol",
            Self::ClientGaveUp => "client_gave_up",
            Self::PlainHttp => "plain_http_on_tls_port",
            Self::TlsOnPlain => "tls_on_plain_port",
            Self::ProxyHeader => "no_good_proxy_header",
            Self::NotTls => "not_tls",
            Self::TimedOut => "out_of_time",
            Self::LeftMidway => "left_midway",
            Self::Left => "left_without_a_word",
            Self::Other => "other",
        }
    }
}

/// Tells the log why connections end, each reason of each address once in a while, and counts.
#[derive(Debug, Default)]
pub(crate) struct Explainer {
    folding: Mutex<Folding>,
    counts: [AtomicU64; Reason::ALL.len()],
}

/// How long the same line about the same address is only counted.
const FOLD: Duration = Duration::from_secs(10);

impl Explainer {
    /// Explains why the connection of `peer` ended.
    pub(crate) fn explain(&self, peer: RemoteAddr, event: &Event<'_>, context: &Context<'_>) {
        let reason = Reason::of(event);
        if let Some(count) = self.counts.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let text = text::line(event, context);
        if reason == Reason::Left {
            log::debug!("{peer}: {text}");
            return;
        }
        let key = format!("{reason:?} {}", text::short(event.subject().unwrap_or_default()));
        let mut folding = self.folding.lock().unwrap_or_else(PoisonError::into_inner);
        if folding.is_new(peer.client(), key, &text, Instant::now()) {
            log::info!("{peer}: {text}");
        }
    }

    /// Tells the log how often lines were repeated that are due by `now`, or all of them; and when
    /// the next one is.
    pub(crate) fn flush(&self, now: Option<Instant>) -> Option<Instant> {
        let mut folding = self.folding.lock().unwrap_or_else(PoisonError::into_inner);
        for repeated in folding.take_due(now) {
            log::info!("{repeated}");
        }
        folding.next_due()
    }

    /// Tells the log of the repeats, for as long as the server runs.
    pub(crate) async fn run(&self) {
        loop {
            let due = self.flush(Some(Instant::now()));
            let pause = due.map_or(FOLD, |due| due.saturating_duration_since(Instant::now()));
            Timer::after(pause.max(Duration::from_millis(100))).await;
        }
    }

    /// How often connections have ended for this reason.
    pub(crate) fn count(&self, reason: Reason) -> u64 {
        self.counts.get(reason as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// What there was, most often first; nothing if there was nothing.
    pub(crate) fn summary(&self) -> Option<Summary> {
        let left = self.count(Reason::Left);
        let others = Reason::ALL.into_iter().filter(|reason| *reason != Reason::Left);
        let others = others.map(|reason| (reason, self.count(reason)));
        let mut others: Vec<_> = others.filter(|(_, count)| *count > 0).collect();
        others.sort_by_key(|(reason, count)| (u64::MAX - count, *reason));
        (left > 0 || !others.is_empty()).then_some(Summary { others, left })
    }
}

/// How often which reason came up.
#[derive(Debug)]
pub(crate) struct Summary {
    others: Vec<(Reason, u64)>,
    left: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total: u64 = self.others.iter().map(|(_, count)| count).sum();
        write!(f, "connections that came to nothing: {total}")?;
        for (index, (reason, count)) in self.others.iter().enumerate() {
            write!(f, "{}{count} {}", if index == 0 { " (" } else { ", " }, reason.name())?;
        }
        if !self.others.is_empty() {
            f.write_str(")")?;
        }
        write!(f, "; that left without a word: {}", self.left)
    }
}
