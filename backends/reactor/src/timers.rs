use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Instant;

/// The time of a timer, and a number that distinguishes timers with the same time.
pub(crate) type Key = (Instant, u64);

/// The timers of a reactor.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    wakers: BTreeMap<Key, Waker>,
    numbers: u64,
}

impl Timers {
    /// Adds one. The result is its key, and whether it is the next to fire.
    pub(crate) fn insert(&mut self, at: Instant, waker: Waker) -> (Key, bool) {
        self.numbers += 1;
        let key = (at, self.numbers);
        self.wakers.insert(key, waker);
        (key, self.wakers.first_key_value().is_some_and(|(first, _)| *first == key))
    }

    /// Removes one, with the task that waits for it.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Waker> {
        self.wakers.remove(key)
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.wakers.len()
    }

    /// The time of the next one.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.wakers.first_key_value().map(|(key, _)| key.0)
    }

    /// Removes the tasks whose timers are due at `now`.
    pub(crate) fn take_due(&mut self, now: Instant, woken: &mut Vec<Waker>) {
        while let Some(first) = self.wakers.first_entry().filter(|first| first.key().0 <= now) {
            woken.push(first.remove());
        }
    }
}
