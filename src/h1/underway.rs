use std::time::{Duration, SystemTime};

use turnkey_backend::TlsInfo;

use super::exchange::After;
use crate::common::request_id::RequestId;
use crate::report::Observer;
use crate::report::record::{Completion, NO_ANSWER, Noted, Record};
use crate::wire::transport::{Shared, lock};

/// A request that is under way. The observer is told when it ends or is dropped.
#[derive(Debug)]
pub(crate) struct Underway<'s> {
    shared: &'s Shared,
    observer: &'s Observer,
    tls: Option<&'s TlsInfo>,
    id: Option<RequestId>,
    noted: Noted,
    /// `None` until the request ends. If it is dropped before, it was cut off.
    after: Option<After>,
}

impl<'s> Underway<'s> {
    pub(crate) fn new(
        shared: &'s Shared,
        observer: &'s Observer,
        tls: Option<&'s TlsInfo>,
        id: Option<RequestId>,
        noted: Noted,
    ) -> Self {
        Self { shared, observer, tls, id, noted, after: None }
    }

    /// Marks the request as answered, with or without success.
    pub(crate) fn ends(mut self, after: After) -> After {
        self.after = Some(after);
        after
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        let mut transport = lock(self.shared);
        let tally = transport.end();
        if self.after.is_some() {
            transport.set_until_close(false);
        }
        let broken = transport.is_broken();
        drop(transport);
        if !self.observer.is_wanted() {
            return;
        }
        let answered = tally.status();
        let outcome = match self.after {
            None => Completion::CutOff,
            Some(
                After::Persist | After::Close | After::BeganTls | After::ProxyHeader | After::Left,
            ) => Completion::Complete,
            Some(After::Abort | After::Reset) if answered.is_some() && !broken => {
                Completion::BrokenOff
            }
            Some(After::Abort | After::Reset) => Completion::ClientLeft,
        };
        let took = tally.began().map_or(Duration::ZERO, |began| began.elapsed());
        let now = SystemTime::now();
        self.observer.request_ended(&Record {
            id: self.id,
            noted: &self.noted,
            tls: self.tls,
            began: now.checked_sub(took).unwrap_or(now),
            took,
            status: answered.unwrap_or(NO_ANSWER),
            outcome,
            sent: tally.sent(),
            received: tally.received(),
            upstream: tally.upstream(),
            failures: tally.failures(),
        });
    }
}
