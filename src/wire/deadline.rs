use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use turnkey_backend::Timer;

/// A limit on how long a connection waits for its peer.
///
/// Setting a timer for each request costs more than the request. So the limit starts only when a wait begins,
/// and a timer stays set: if it fires too early, because the limit has changed, it is set again.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    due: Option<Instant>,
    /// On the heap: a connection has several deadlines, and most are never needed.
    timer: Option<Box<Timer>>,
}

impl Deadline {
    /// A limit that ends at `due`, independent of the begin of a wait.
    pub(crate) fn at(due: Instant) -> Self {
        Self { due: Some(due), timer: None }
    }

    /// Whether the limit is over.
    pub(crate) fn is_over(&self) -> bool {
        self.due.is_some_and(|due| due <= Instant::now())
    }

    /// Ready when `limit` has passed since the first poll after the last [`Deadline::clear`].
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, limit: Duration) -> Poll<()> {
        let now = Instant::now();
        let due = match self.due {
            Some(due) => due,
            // A time that the clock cannot express is no limit.
            None => match now.checked_add(limit) {
                Some(due) => *self.due.insert(due),
                None => return Poll::Pending,
            },
        };
        if due <= now {
            return Poll::Ready(());
        }
        let timer = self.timer.get_or_insert_with(|| Box::new(Timer::at(due)));
        // A timer that fires earlier can be set again.
        if timer.time().is_none_or(|at| at <= now || due < at) {
            timer.set_at(due);
        }
        // Neither the limit nor the timer is due.
        timer.poll_at(now, cx)
    }

    /// Ends the wait.
    pub(crate) fn clear(&mut self) {
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn wait(deadline: &mut Deadline, millis: u64) -> Duration {
        let start = Instant::now();
        smol::block_on(poll_fn(|cx| deadline.poll(cx, Duration::from_millis(millis))));
        start.elapsed()
    }

    #[test]
    fn fires_after_the_limit_and_not_before() {
        let mut deadline = Deadline::default();
        assert!(wait(&mut deadline, 30) >= Duration::from_millis(30));
    }

    #[test]
    fn starts_afresh_when_cleared_and_takes_shorter_limits() {
        let mut deadline = Deadline::default();
        smol::block_on(smol::future::poll_once(poll_fn(|cx| {
            deadline.poll(cx, Duration::from_secs(3600))
        })));
        deadline.clear();
        let waited = wait(&mut deadline, 30);
        assert!(waited >= Duration::from_millis(30) && waited < Duration::from_secs(5));
        deadline.clear();
        assert!(wait(&mut deadline, 60) >= Duration::from_millis(60), "a stale timer fired");
    }
}
