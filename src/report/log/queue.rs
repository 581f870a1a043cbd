use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How much may wait to be written, in bytes; as much again may be on its way.
const ROOM: usize = 1024 * 1024;

/// How long to wait before a descriptor that takes nothing now is tried again.
const RETRY: Duration = Duration::from_millis(10);

/// Lines on their way to whoever reads them, which a thread of their own writes: nobody else waits
/// for the reader. There is room for so many; those that find none are dropped, and counted.
#[derive(Debug, Clone)]
pub struct LineQueue {
    shared: Arc<Shared>,
    /// Held by those who push: when all are gone, so is the thread.
    _open: Arc<Open>,
}

#[derive(Debug)]
struct Shared {
    /// What people call it.
    name: &'static str,
    /// How long lines are gathered before they are written.
    gather: Duration,
    state: Mutex<Pending>,
    /// For the writer: there is something to do.
    wake: Condvar,
    /// For those who wait until all is written.
    done: Condvar,
    dropped: AtomicU64,
    /// Nobody reads any more, and nobody will.
    deaf: AtomicBool,
}

#[derive(Debug, Default)]
struct Pending {
    waiting: Vec<u8>,
    /// How many lines have found no room since something was written.
    dropped: u64,
    /// Some are being written.
    writing: bool,
    /// How many wait until all is written, and do not want it gathered.
    flushing: usize,
    closed: bool,
}

impl LineQueue {
    /// A queue for lines that go to `out`. To wake a thread for each line costs more than the line:
    /// they are gathered for the time of `gather`.
    pub fn new(
        name: &'static str,
        gather: Duration,
        out: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            name,
            gather,
            state: Mutex::default(),
            wake: Condvar::new(),
            done: Condvar::new(),
            dropped: AtomicU64::new(0),
            deaf: AtomicBool::new(false),
        });
        let writing = Arc::clone(&shared);
        thread::Builder::new().name("log".to_owned()).spawn(move || writing.write(out))?;
        Ok(Self { _open: Arc::new(Open(Arc::clone(&shared))), shared })
    }

    /// Adds `lines`, each with its end, or drops them.
    pub fn push(&self, lines: &[u8]) {
        let shared = &self.shared;
        let mut state = shared.lock();
        let before = state.waiting.len();
        let after = before + lines.len();
        if shared.deaf.load(Ordering::Relaxed) || after > ROOM {
            let dropped = count(lines);
            state.dropped += dropped;
            shared.dropped.fetch_add(dropped, Ordering::Relaxed);
            return;
        }
        state.waiting.extend_from_slice(lines);
        drop(state);
        if before == 0 || (before < ROOM / 2 && after >= ROOM / 2) {
            shared.wake.notify_one();
        }
    }

    /// How many lines have been dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Waits until all is written, but no longer than for `limit`; the result is whether it is.
    pub fn flush(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        let shared = &self.shared;
        let mut state = shared.lock();
        state.flushing += 1;
        shared.wake.notify_one();
        while !state.waiting.is_empty() || state.writing {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = shared.done.wait_timeout(state, left);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.flushing -= 1;
        state.waiting.is_empty() && !state.writing
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what comes, until nobody is left who could push.
    fn write(&self, mut out: impl Write) {
        let mut lines = Vec::new();
        let mut failing = false;
        while let Some(dropped) = self.next(&mut lines) {
            if dropped > 0 {
                let name = self.name;
                log::warn!(
                    "{dropped} lines of {name} were dropped: they come faster than they are read"
                );
            }
            let written = write_all(&mut out, &lines);
            if let Err((error, rest)) = &written {
                self.dropped.fetch_add(count(rest), Ordering::Relaxed);
                if !failing {
                    self.failed(error);
                }
            }
            failing = written.is_err();
            lines.clear();
            let mut state = self.lock();
            state.writing = false;
            // A burst is no reason to keep the room that it took.
            if state.waiting.is_empty() && lines.capacity() > ROOM / 8 {
                lines = Vec::new();
            }
            drop(state);
            self.done.notify_all();
        }
    }

    /// Takes the lines that wait, when there are any, and says how many were dropped before them.
    fn next(&self, lines: &mut Vec<u8>) -> Option<u64> {
        let idle = |state: &mut Pending| state.waiting.is_empty() && !state.closed;
        let waited = self.wake.wait_while(self.lock(), idle);
        let state = waited.unwrap_or_else(PoisonError::into_inner);
        let few = |state: &mut Pending| {
            state.waiting.len() < ROOM / 2 && state.flushing == 0 && !state.closed
        };
        let waited = self.wake.wait_timeout_while(state, self.gather, few);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.waiting.is_empty() {
            return None;
        }
        std::mem::swap(&mut state.waiting, lines);
        state.writing = true;
        Some(std::mem::take(&mut state.dropped))
    }

    fn failed(&self, error: &io::Error) {
        let name = self.name;
        if error.kind() == io::ErrorKind::BrokenPipe {
            self.deaf.store(true, Ordering::Relaxed);
            log::warn!("{name} ends here: nobody reads it any more");
        } else {
            log::warn!("{name} cannot be written, and lines of it are dropped: {error}");
        }
    }
}

/// Writes all of `bytes`; if that fails, the rest is given back.
fn write_all<'b>(out: &mut impl Write, bytes: &'b [u8]) -> Result<(), (io::Error, &'b [u8])> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match out.write(rest) {
            Ok(0) => return Err((io::ErrorKind::WriteZero.into(), rest)),
            Ok(n) => rest = rest.get(n..).unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            // Whoever shares the descriptor may have set it so.
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY),
            Err(e) => return Err((e, rest)),
        }
    }
    loop {
        match out.flush() {
            Ok(()) => return Ok(()),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY),
            Err(e) => return Err((e, rest)),
        }
    }
}

fn count(lines: &[u8]) -> u64 {
    u64::try_from(memchr::memchr_iter(b'\n', lines).count()).unwrap_or(u64::MAX)
}

/// Ends the thread when it is dropped.
#[derive(Debug)]
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Takes what is written when it is allowed to.
    struct Slow {
        allowed: Receiver<()>,
        taken: Sender<Vec<u8>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.allowed.recv().is_err() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.taken.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (LineQueue, Sender<()>, Receiver<Vec<u8>>) {
        let (allow, allowed) = channel();
        let (taken, lines) = channel();
        let out = Slow { allowed, taken };
        (LineQueue::new("a log", Duration::from_millis(1), out).unwrap(), allow, lines)
    }

    #[test]
    fn lines_are_written_in_order_and_together() {
        let (queue, allow, lines) = slow();
        allow.send(()).unwrap();
        queue.push(b"a\n");
        queue.push(b"b\n");
        assert!(queue.flush(Duration::from_secs(5)));
        let mut all = lines.recv().unwrap();
        while let Ok(more) = lines.try_recv() {
            all.extend(more);
        }
        assert_eq!(all, b"a\nb\n");
        assert_eq!(queue.dropped(), 0);
    }

    #[test]
    fn nobody_waits_for_a_reader_that_does_not_read() {
        let (queue, allow, lines) = slow();
        let line = [[b'x'; 1023].as_slice(), b"\n"].concat();
        let start = Instant::now();
        for _ in 0..3 * ROOM / 1024 {
            queue.push(&line);
        }
        assert!(!queue.flush(Duration::from_millis(10)));
        assert!(start.elapsed() < Duration::from_secs(5));
        let dropped = usize::try_from(queue.dropped()).unwrap();
        assert!((ROOM / 1024..=2 * ROOM / 1024).contains(&dropped), "{dropped}");
        // It reads on, and gets all that there was room for.
        for _ in 0..3 {
            allow.send(()).unwrap();
        }
        assert!(queue.flush(Duration::from_secs(5)));
        let taken: usize = lines.try_iter().map(|lines| lines.len() / 1024).sum();
        assert_eq!(taken + dropped, 3 * ROOM / 1024);
    }

    #[test]
    fn lines_for_a_reader_that_has_left_are_counted() {
        let (queue, allow, _lines) = slow();
        drop(allow);
        queue.push(b"a\nb\n");
        assert!(queue.flush(Duration::from_secs(5)));
        queue.push(b"c\n");
        assert_eq!(queue.dropped(), 3);
    }

    #[test]
    fn the_thread_ends_with_the_queue_and_writes_what_is_left() {
        let (queue, allow, lines) = slow();
        queue.push(b"a\n");
        drop(queue);
        allow.send(()).unwrap();
        assert_eq!(lines.recv().unwrap(), b"a\n");
        assert!(lines.recv().is_err(), "the writer is gone");
    }
}
