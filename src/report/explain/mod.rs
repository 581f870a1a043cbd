//! Explains why connections end before a request is served. The reasons are a closed set. Each gets one line that
//! says who decided it and what to do.

mod folding;
mod issuer;
mod path_rules;
mod reason;
mod rules;
mod text;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use turnkey_backend::{HandshakeError, Timer};

use self::folding::Folding;
pub(crate) use self::reason::Reason;
pub(crate) use self::text::Context;
use crate::common::address::RemoteAddr;
use crate::common::limits::Limits;
use crate::common::setting_names::SettingNames;
use crate::mode::current::Denied;

/// What happened.
#[derive(Debug)]
pub(crate) enum Event<'e> {
    /// The handshake failed.
    Handshake(&'e HandshakeError),
    /// The handshake took too long.
    TimedOut(&'e Limits),
    /// The client sent a plain HTTP request to a TLS port.
    PlainHttp,
    /// The client began a TLS handshake on a plain HTTP port.
    TlsOnPlain,
    /// The PROXY header is missing or invalid; with what is wrong.
    ProxyHeader(&'e str),
    /// The client gets a 403.
    NotAllowed(&'e Denied<'e>),
    /// The client was let in, but would no longer be.
    NoLonger(&'e HandshakeError),
    /// The client left without a byte: a port scan, a health check, a browser's speculative connection.
    Left,
}

impl Event<'_> {
    /// What distinguishes it from events with the same reason: mostly the subject of a certificate.
    fn subject(&self) -> Option<&str> {
        match self {
            Self::NotAllowed(Denied::ByRule { certificate, .. }) => Some(certificate.subject()),
            Self::ProxyHeader(what) => Some(what),
            Self::Handshake(HandshakeError::ClientCertificate(refused))
            | Self::NoLonger(HandshakeError::ClientCertificate(refused)) => {
                Some(refused.certificate().subject())
            }
            _ => None,
        }
    }
}

/// Logs why connections end, and counts the reasons. Repeats for one address are folded.
#[derive(Debug, Default)]
pub(crate) struct Explainer {
    folding: Mutex<Folding>,
    counts: [AtomicU64; Reason::ALL.len()],
    names: Arc<SettingNames>,
}

/// For how long repeats of a line about one address are only counted.
const FOLD: Duration = Duration::from_secs(10);

impl Explainer {
    /// Uses these names for the server's settings.
    pub(crate) fn new(names: Arc<SettingNames>) -> Self {
        Self { names, ..Self::default() }
    }

    /// Explains why the connection of `peer` ended.
    pub(crate) fn explain(&self, peer: RemoteAddr, event: &Event<'_>, context: &Context<'_>) {
        let reason = Reason::of(event);
        if let Some(count) = self.counts.get(reason as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let text = text::line(event, context, &self.names);
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

    /// Logs the repeated lines that are due by `now`, or all of them. Returns when the next one is due.
    pub(crate) fn flush(&self, now: Option<Instant>) -> Option<Instant> {
        let mut folding = self.folding.lock().unwrap_or_else(PoisonError::into_inner);
        for repeated in folding.take_due(now) {
            log::info!("{repeated}");
        }
        folding.next_due()
    }

    /// Logs the repeated lines while the server runs.
    pub(crate) async fn run(&self) {
        loop {
            let due = self.flush(Some(Instant::now()));
            let pause = due.map_or(FOLD, |due| due.saturating_duration_since(Instant::now()));
            Timer::after(pause.max(Duration::from_millis(100))).await;
        }
    }

    /// How many connections have ended for this reason.
    pub(crate) fn count(&self, reason: Reason) -> u64 {
        self.counts.get(reason as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// The reasons so far, the most frequent first; `None` if there are none.
    pub(crate) fn summary(&self) -> Option<Summary> {
        let left = self.count(Reason::Left);
        let others = Reason::ALL.iter().filter(|reason| **reason != Reason::Left);
        let others = others.map(|&reason| (reason, self.count(reason)));
        let mut others: Vec<_> = others.filter(|(_, count)| *count > 0).collect();
        others.sort_by_key(|(reason, count)| (u64::MAX - count, *reason));
        (left > 0 || !others.is_empty()).then_some(Summary { others, left })
    }
}

/// How often each reason occurred.
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
