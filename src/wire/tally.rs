use std::sync::Arc;
use std::time::Instant;

/// Counts what was sent and received for the request at hand. It is taken for the record of the request at
/// its end.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// When its first byte arrived.
    began: Option<Instant>,
    /// The status of the last answer that was begun: after a failed one, another may follow.
    status: Option<u16>,
    /// All written bytes, and those that are not part of the answer.
    written: u64,
    before: u64,
    /// Bytes of the answer that are not content: its head, and the framing of its chunks.
    head: u64,
    framing: u64,
    received: u64,
    upstream: Option<Arc<str>>,
    failures: Vec<UpstreamFailure>,
}

impl Tally {
    /// The request's first byte has arrived.
    pub(crate) fn begin(&mut self) {
        self.began.get_or_insert_with(Instant::now);
    }

    pub(crate) fn began(&self) -> Option<Instant> {
        self.began
    }

    /// Counts bytes written to the client.
    pub(crate) fn wrote(&mut self, bytes: usize) {
        self.written += count(bytes);
    }

    /// Counts written bytes that are not part of the answer, which may have begun.
    pub(crate) fn wrote_between(&mut self, bytes: usize) {
        self.before += count(bytes);
    }

    /// Counts bytes of content from the client.
    pub(crate) fn took(&mut self, bytes: usize) {
        self.received += count(bytes);
    }

    /// An answer with this status begins.
    pub(crate) fn answer(&mut self, status: u16) {
        self.status = Some(status);
        self.before = self.written;
        (self.head, self.framing) = (0, 0);
    }

    /// Sets the length of the answer's head.
    pub(crate) fn head(&mut self, bytes: usize) {
        self.head = count(bytes);
    }

    /// Counts bytes of the answer that are the framing of chunks (RFC 9112 §7.1).
    pub(crate) fn frame(&mut self, bytes: usize) {
        self.framing += count(bytes);
    }

    /// The status, if a part of the answer was sent.
    pub(crate) fn status(&self) -> Option<u16> {
        self.status.filter(|_| self.written > self.before)
    }

    /// Whether an answer can still be sent.
    pub(crate) fn is_silent(&self) -> bool {
        self.written == self.before
    }

    /// How much content was sent, in bytes.
    pub(crate) fn sent(&self) -> u64 {
        (self.written - self.before).saturating_sub(self.head + self.framing)
    }

    /// How much content was received from the client, in bytes.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// The request is forwarded to this upstream.
    pub(crate) fn hand_on(&mut self, upstream: &Arc<str>) {
        self.upstream = Some(Arc::clone(upstream));
    }

    /// The upstream that was asked last.
    pub(crate) fn upstream(&self) -> Option<&str> {
        self.upstream.as_deref()
    }

    /// The upstream that was asked last has failed.
    pub(crate) fn fail(&mut self, reason: &'static str) {
        if let Some(upstream) = &self.upstream {
            self.failures.push(UpstreamFailure { upstream: Arc::clone(upstream), reason });
        }
    }

    pub(crate) fn failures(&self) -> &[UpstreamFailure] {
        &self.failures
    }
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// An upstream that failed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UpstreamFailure {
    pub(crate) upstream: Arc<str>,
    /// The reason, one of a closed set.
    pub(crate) reason: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_what_is_neither_head_nor_framing() {
        let mut tally = Tally::default();
        tally.wrote(25); // 100 Continue
        tally.answer(200);
        assert_eq!((tally.status(), tally.sent()), (None, 0), "none of it has gone out");
        tally.head(100);
        tally.wrote(25);
        tally.wrote_between(25);
        assert_eq!((tally.status(), tally.sent()), (None, 0), "it was another 100 Continue");
        tally.wrote(60);
        assert_eq!((tally.status(), tally.sent()), (Some(200), 0), "half a head");
        tally.wrote(40 + 5 + 17 + 2 + 5);
        tally.frame(5 + 2 + 5);
        assert_eq!((tally.status(), tally.sent()), (Some(200), 17));
    }

    #[test]
    fn what_comes_in_is_counted_from_its_first_byte_on() {
        let mut tally = Tally::default();
        assert_eq!((tally.began(), tally.received()), (None, 0));
        tally.begin();
        let began = tally.began();
        assert!(began.is_some());
        std::thread::sleep(std::time::Duration::from_millis(1));
        tally.begin();
        assert_eq!(tally.began(), began);
        tally.took(2);
        tally.took(3);
        assert_eq!(tally.received(), 5);
    }

    #[test]
    fn who_failed_is_who_was_asked_last() {
        let mut tally = Tally::default();
        tally.fail("nobody was asked");
        assert!(tally.failures().is_empty() && tally.upstream().is_none());
        for (upstream, reason) in [("a", "refused"), ("b", "timed out")] {
            tally.hand_on(&upstream.into());
            assert_eq!(tally.upstream(), Some(upstream));
            tally.fail(reason);
        }
        let failures: Vec<_> = tally.failures().iter().map(|f| (&*f.upstream, f.reason)).collect();
        assert_eq!(failures, [("a", "refused"), ("b", "timed out")]);
    }

    #[test]
    fn an_answer_that_came_to_nothing_makes_room() {
        let mut tally = Tally::default();
        tally.answer(200);
        tally.answer(500);
        tally.wrote(10);
        assert_eq!(tally.status(), Some(500));
    }
}
