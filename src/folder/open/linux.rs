use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::{Missed, Patience};

/// How often an open is tried again when somebody renames what is on the way.
const TRIES: usize = 8;

/// Whether the kernel has no `openat2` (before 5.6), or a sandbox has it forbidden.
static LACKING: AtomicBool = AtomicBool::new(false);

/// What came of it.
pub(super) enum Tried {
    Opened(Result<File, Missed>),
    /// It leads out of the folder, or by a path that begins at the root, or the kernel cannot tell.
    Unclear,
}

/// Opens `relative` below `root` in one call that looks after links, too (`RESOLVE_BENEATH`).
pub(super) fn open(root: &File, relative: &Path, patience: Patience) -> Tried {
    if LACKING.load(Ordering::Relaxed) {
        return Tried::Unclear;
    }
    // Without O_NONBLOCK a pipe would wait for somebody to write.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    if patience == Patience::None {
        // What is not in the kernel's cache of names would have to be read (since 5.12).
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
