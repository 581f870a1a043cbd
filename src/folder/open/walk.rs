use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};

use super::Missed;

/// A folder on the way need not be readable.
#[cfg(target_os = "linux")]
const PASS_THROUGH: OFlags = OFlags::PATH;
#[cfg(not(target_os = "linux"))]
const PASS_THROUGH: OFlags = OFlags::RDONLY;

/// Opens `inside` below `root` name by name. Its links were resolved before; links that were created
/// meanwhile are not followed.
pub(super) fn open(root: &File, inside: &Path) -> Result<File, Missed> {
    let mut folder: Option<OwnedFd> = None;
    let mut names = inside.iter().peekable();
    // An empty path is the folder itself.
    let mut name = names.next().unwrap_or_else(|| ".".as_ref());
    while names.peek().is_some() {
        let at = folder.as_ref().map_or_else(|| root.as_fd(), AsFd::as_fd);
        folder = Some(open_in(at, Path::new(name), PASS_THROUGH | OFlags::DIRECTORY)?);
        name = names.next().unwrap_or(name);
    }
    let at = folder.as_ref().map_or_else(|| root.as_fd(), AsFd::as_fd);
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    open_in(at, Path::new(name), flags).map(File::from)
}

fn open_in(folder: BorrowedFd<'_>, name: &Path, flags: OFlags) -> Result<OwnedFd, Missed> {
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    openat(folder, name, flags, Mode::empty()).map_err(|errno| io::Error::from(errno).into())
}
