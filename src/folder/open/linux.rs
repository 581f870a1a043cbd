use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::{Missed, Patience};

/// How often an open is tried again when a part of the path is renamed meanwhile.
const TRIES: usize = 8;

/// Whether the kernel has no `openat2` (before 5.6), or a sandbox forbids it.
static LACKING: AtomicBool = AtomicBool::new(false);

/// The result of an open.
pub(super) enum Tried {
    Opened(Result<File, Missed>),
    /// It leads out of the folder, or through an absolute path, or the kernel does not know.
    Unclear,
}

/// Opens `relative` below `root` in one call that also checks links (`RESOLVE_BENEATH`).
pub(super) fn open(root: &File, relative: &Path, patience: Patience) -> Tried {
    if LACKING.load(Ordering::Relaxed) {
        return Tried::Unclear;
    }
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    if patience == Patience::None {
        // Names that are not in the kernel's cache would be read from disk (since 5.12).
        resolve |= ResolveFlags::CACHED;
    }
    let mut tries = TRIES;
    Tried::Opened(loop {
        match openat2(root, relative, flags, Mode::empty(), resolve) {
            Ok(file) => break Ok(File::from(file)),
            Err(Errno::XDEV) => return Tried::Unclear,
            Err(Errno::NOSYS | Errno::PERM) => {
                LACKING.store(true, Ordering::Relaxed);
                return Tried::Unclear;
            }
            Err(Errno::AGAIN | Errno::INVAL) if patience == Patience::None => {
                break Err(Missed::NotNow);
            }
            Err(Errno::AGAIN | Errno::INTR) if tries > 0 => tries -= 1,
            Err(errno) => break Err(io::Error::from(errno).into()),
        }
    })
}
