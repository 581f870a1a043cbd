use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::time::Instant;

use super::FOLD;
use crate::common::address::ClientAddr;

/// How many lines are remembered at most; of more there is one line each.
const MAX: usize = 4096;

/// Lines that were logged a short while ago, and how often they would have been again.
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

/// A line that came again, and how often.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repeated {
    peer: ClientAddr,
    text: String,
    count: u64,
}

impl Folding {
    /// Whether `text` about `peer` is to be logged now. If not, it is counted. What has the same `key`
    /// is the same, though its text may tell another time.
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

    /// The lines that came again, of those whose time is up by `now`, or of all. A line that did come
    /// again is counted on: whoever tries all day makes a line each while, not two.
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

    /// When the next line's time is up.
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
        // The line goes on being counted, the others are forgotten.
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
