use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::time::Instant;

use super::FOLD;
use crate::common::address::ClientAddr;

/// The most lines to remember. Further lines are not folded.
const MAX: usize = 4096;

/// Lines that were logged recently, and how often they have been repeated since.
#[derive(Debug, Default)]
pub(super) struct Folding {
    lines: HashMap<(ClientAddr, String), Repeats>,
}

#[derive(Debug)]
struct Repeats {
    text: String,
    count: u64,
    due: Instant,
}

/// A repeated line, and how often.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repeated {
    peer: ClientAddr,
    text: String,
    count: u64,
}

impl Folding {
    /// Whether to log `text` about `peer` now. If not, it is counted. Lines with the same `key` are equal, even if
    /// their texts differ in a time.
    pub(super) fn is_new(
        &mut self,
        peer: ClientAddr,
        key: String,
        text: &str,
        now: Instant,
    ) -> bool {
        let full = self.lines.len() >= MAX;
        match self.lines.entry((peer, key)) {
            Entry::Occupied(mut entry) => {
                entry.get_mut().count += 1;
                false
            }
            Entry::Vacant(_) if full => true,
            Entry::Vacant(entry) => {
                entry.insert(Repeats { text: text.to_owned(), count: 0, due: now + FOLD });
                true
            }
        }
    }

    /// The repeated lines that are due by `now`, or all. A repeated line is kept and counted further: a client that
    /// tries all day causes one line in each period, not two.
    pub(super) fn take_due(&mut self, now: Option<Instant>) -> Vec<Repeated> {
        let mut repeated = Vec::new();
        self.lines.retain(|(peer, _), repeats| {
            if now.is_some_and(|now| repeats.due > now) {
                return true;
            }
            let count = std::mem::take(&mut repeats.count);
            if count == 0 {
                return false;
            }
            repeated.push(Repeated { peer: *peer, text: repeats.text.clone(), count });
            repeats.due += FOLD;
            true
        });
        repeated
    }

    /// When the next line is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.lines.values().map(|repeats| repeats.due).min()
    }
}

impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { peer, text, count } = self;
        let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
        write!(f, "{peer}: {times} more in {} seconds: {text}", FOLD.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn repeats_are_counted_and_told_once() {
        let [a, b] = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(10, 0, 0, 1)]
            .map(|ip| ClientAddr::from(IpAddr::V4(ip)));
        let start = Instant::now();
        let mut folding = Folding::default();
        assert!(folding.is_new(a, "x".to_owned(), "x", start));
        assert!(!folding.is_new(a, "x".to_owned(), "x", start));
        assert!(!folding.is_new(a, "x".to_owned(), "x", start));
        assert!(folding.is_new(a, "y".to_owned(), "y", start), "another reason");
        assert!(folding.is_new(b, "x".to_owned(), "x", start), "another address");
        assert_eq!(folding.take_due(Some(start)), []);

        let told = folding.take_due(Some(start + FOLD));
        assert_eq!(told, [Repeated { peer: a, text: "x".to_owned(), count: 2 }]);
        assert_eq!(told[0].to_string(), "127.0.0.1: 2 times more in 10 seconds: x");
        // The repeated line is counted further. The others are forgotten.
        assert!(!folding.is_new(a, "x".to_owned(), "x", start + FOLD));
        assert!(folding.is_new(a, "y".to_owned(), "y", start + FOLD));
        assert_eq!(folding.take_due(None).len(), 1);
        assert_eq!(folding.take_due(None), []);
        assert_eq!(folding.next_due(), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut folding = Folding::default();
        let now = Instant::now();
        for n in 0..2 * MAX {
            assert!(folding.is_new(ClientAddr::Unix, n.to_string(), "x", now));
        }
        assert_eq!(folding.lines.len(), MAX);
    }
}
