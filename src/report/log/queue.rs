use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How much may wait to be written, in bytes. As much again may be in the process of writing.
const ROOM: usize = 1024 * 1024;

/// How long to wait before retrying a descriptor that would block.
const RETRY: Duration = Duration::from_millis(10);

/// Lines for a reader, written by a separate thread: no other thread waits for the reader. The room is limited. Lines
/// that do not fit are dropped and counted.
#[derive(Debug, Clone)]
pub struct LineQueue {
    shared: Arc<Shared>,
    /// Held by those who push lines. When all are gone, the thread ends.
    _open: Arc<Open>,
}

#[derive(Debug)]
struct Shared {
    /// The name of the queue in the log.
    name: &'static str,
    /// How long to gather lines before they are written.
    gather: Duration,
    state: Mutex<Pending>,
    /// Wakes the writer: there is something to do.
    wake: Condvar,
    /// Wakes those who wait until everything is written.
    done: Condvar,
    dropped: AtomicU64,
    /// The reader is gone for good.
    deaf: AtomicBool,
}

#[derive(Debug, Default)]
struct Pending {
    waiting: Vec<u8>,
    /// How many lines have been dropped since the last write.
    dropped: u64,
    /// Lines are being written.
    writing: bool,
    /// How many callers wait until everything is written: then nothing is gathered.
    flushing: usize,
    closed: bool,
}

impl LineQueue {
    /// A queue for lines that go to `out`. Lines are gathered for the time `gather`, since waking a thread for each
    /// line costs more than the line.
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

    /// Adds `lines`, each with its line end, or drops them.
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

    /// Waits until everything is written, but at most for `limit`. Returns whether it is.
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

    /// Writes lines until nobody can push any more.
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
            // Do not keep the memory of a burst.
            if state.waiting.is_empty() && lines.capacity() > ROOM / 8 {
                lines = Vec::new();
            }
            drop(state);
            self.done.notify_all();
        }
    }

    /// Waits for lines and takes them. Returns how many were dropped before them.
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

/// Writes all of `bytes`. On an error, returns the rest.
fn write_all<'b>(out: &mut impl Write, bytes: &'b [u8]) -> Result<(), (io::Error, &'b [u8])> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match out.write(rest) {
            Ok(0) => return Err((io::ErrorKind::WriteZero.into(), rest)),
            Ok(n) => rest = rest.get(n..).unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            // Another process may have made the shared descriptor non-blocking.
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

/// Ends the thread on drop.
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

    /// A writer that waits for permission before each write.
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
        // The reader continues, and gets everything that fitted.
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
