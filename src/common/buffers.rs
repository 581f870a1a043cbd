//! The limits for buffered bodies of all clients together.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How much memory the buffered bodies of all clients may take, in bytes: 1024 bodies at 64 KiB.
const MEMORY: u64 = 64 << 20;

/// How much disk space they may take by default, in bytes.
pub(crate) const DISK: u64 = 1 << 30;

/// One answer may take this fraction of the disk space, so that a long download leaves room for others.
const PART: u64 = 4;

/// How long the log does not repeat that a limit is reached.
const QUIET: Duration = Duration::from_secs(60);

/// How much the buffered bodies of a proxy take.
#[derive(Debug)]
pub(crate) struct Buffers {
    memory: AtomicU64,
    disk: AtomicU64,
    max_disk: u64,
    full: Notice,
    failed: Notice,
    /// What people call the limit for disk space.
    limit_name: OnceLock<&'static str>,
}

impl Buffers {
    /// With at most `max_disk` bytes on disk; 0: memory only.
    pub(crate) fn new(max_disk: u64) -> Arc<Self> {
        Arc::new(Self {
            memory: AtomicU64::new(0),
            disk: AtomicU64::new(0),
            max_disk,
            full: Notice::default(),
            failed: Notice::default(),
            limit_name: OnceLock::new(),
        })
    }

    /// Calls the limit for disk space by this name; the first one counts.
    pub(crate) fn call_limit(&self, name: &'static str) {
        _ = self.limit_name.set(name);
    }

    pub(crate) fn max_disk(&self) -> u64 {
        self.max_disk
    }

    /// How much of the disk one answer may take, in bytes.
    pub(crate) fn max_answer(&self) -> u64 {
        self.max_disk / PART
    }

    /// How much is taken now, in bytes: of memory, and of disk space.
    pub(crate) fn taken(&self) -> (u64, u64) {
        (self.memory.load(Ordering::Relaxed), self.disk.load(Ordering::Relaxed))
    }
}

/// How much one body takes. It is given back on drop, however the exchange ends.
#[derive(Debug)]
pub(crate) struct Share {
    buffers: Arc<Buffers>,
    memory: u64,
    disk: u64,
}

impl Share {
    pub(crate) fn of(buffers: &Arc<Buffers>) -> Self {
        Self { buffers: Arc::clone(buffers), memory: 0, disk: 0 }
    }

    /// Counts `bytes` in memory, even beyond the limit: they have been read already. Without
    /// [room](Self::has_memory) no more are read.
    pub(crate) fn hold(&mut self, bytes: usize) {
        let bytes = count(bytes);
        self.memory += bytes;
        self.buffers.memory.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts `bytes` as no longer in memory.
    pub(crate) fn release(&mut self, bytes: usize) {
        let bytes = count(bytes).min(self.memory);
        self.memory -= bytes;
        self.buffers.memory.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether the bodies of all clients are within the limit for memory.
    pub(crate) fn has_memory(&self) -> bool {
        self.buffers.memory.load(Ordering::Relaxed) <= MEMORY
    }

    /// Takes `bytes` more of the disk space, if there is room for them.
    pub(crate) fn take_disk(&mut self, bytes: usize) -> bool {
        let bytes = count(bytes);
        let before = self.buffers.disk.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > self.buffers.max_disk {
            self.buffers.disk.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.disk += bytes;
        true
    }

    /// Logs that a limit for all clients is reached.
    pub(crate) fn tell_full(&self) {
        if self.buffers.full.is_due() {
            let max = self.buffers.max_disk;
            let name = self.buffers.limit_name.get().unwrap_or(&"Proxy::buffer_max");
            log::warn!(
                "a limit for buffered bodies is reached ({max} bytes on disk, {name}; \
                 {MEMORY} bytes in memory): until there is room again, bodies are passed on \
                 unbuffered, and slow clients keep upstreams busy"
            );
        }
    }

    /// Logs that temporary files cannot be used.
    pub(crate) fn tell_failed(&self, error: &io::Error) {
        if self.buffers.failed.is_due() {
            log::error!(
                "bodies cannot be buffered in a temporary file: {error}: they are passed on \
                 unbuffered, and slow clients keep upstreams busy; make room in {}, or set TMPDIR to \
                 another folder",
                std::env::temp_dir().display()
            );
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.buffers.memory.fetch_sub(self.memory, Ordering::Relaxed);
        self.buffers.disk.fetch_sub(self.disk, Ordering::Relaxed);
    }
}

/// An event that is logged, and then not again for a while.
#[derive(Debug, Default)]
struct Notice(Mutex<Option<Instant>>);

impl Notice {
    fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.duration_since(last) >= QUIET);
        if due {
            *last = Some(now);
        }
        due
    }
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_given_back() {
        let buffers = Buffers::new(100);
        let (mut a, mut b) = (Share::of(&buffers), Share::of(&buffers));
        a.hold(10);
        b.hold(5);
        b.release(2);
        assert!(a.take_disk(60));
        assert!(!b.take_disk(60), "it is more than there is");
        assert!(b.take_disk(40));
        assert_eq!(buffers.taken(), (13, 100));
        drop(a);
        assert_eq!(buffers.taken(), (3, 40));
        b.release(100);
        assert_eq!(buffers.taken(), (0, 40), "no more is given back than was taken");
        let panic = std::panic::catch_unwind(move || {
            let _b = b;
            panic!("in the middle of it");
        });
        assert!(panic.is_err());
        assert_eq!(buffers.taken(), (0, 0));
    }

    #[test]
    fn memory_is_bounded() {
        let buffers = Buffers::new(0);
        let (mut a, b) = (Share::of(&buffers), Share::of(&buffers));
        a.hold(64 << 20);
        assert!(a.has_memory() && b.has_memory());
        a.hold(1);
        assert!(!a.has_memory() && !b.has_memory());
    }

    #[test]
    fn a_notice_is_not_repeated() {
        let notice = Notice::default();
        assert!(notice.is_due());
        assert!(!notice.is_due() && !notice.is_due());
        *notice.0.lock().unwrap() = Instant::now().checked_sub(QUIET);
        assert!(notice.is_due());
    }
}
