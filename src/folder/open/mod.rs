//! Opens files below a folder, and none outside of it, even if links lead there or change meanwhile.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod walk;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the folder stays open before its path is opened again, since it may lead elsewhere.
const FRESH: Duration = Duration::from_secs(1);

/// Whether the caller may wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Only data in memory: the caller is on the reactor.
    None,
    Any,
}

/// Why a file is not opened.
#[derive(Debug)]
pub(crate) enum Missed {
    /// It does not exist.
    Nothing,
    /// It may not be read.
    Denied,
    /// A link leads out of the folder.
    Outside,
    /// It would have to wait for the disk.
    NotNow,
    Failed(io::Error),
}

/// A folder below which files are opened.
#[derive(Debug)]
pub(crate) struct Root {
    path: PathBuf,
    opened: Mutex<Opened>,
}

#[derive(Debug)]
struct Opened {
    folder: Arc<File>,
    at: Instant,
}

impl Root {
    /// Opens the folder.
    pub(crate) fn new(path: PathBuf) -> io::Result<Self> {
        // The working directory may change later.
        let path = std::path::absolute(path)?;
        let opened = Opened { folder: Arc::new(open_root(&path)?), at: Instant::now() };
        Ok(Self { path, opened: Mutex::new(opened) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens `relative` for reading, a file or a folder; an empty path is the folder itself. Pipes and other
    /// special files are opened without waiting.
    pub(crate) fn open(&self, relative: &Path, patience: Patience) -> Result<File, Missed> {
        let root = self.folder(patience)?;
        let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        #[cfg(target_os = "linux")]
        match linux::open(&root, relative, patience) {
            linux::Tried::Opened(opened) => return opened,
            // It may still lead inside, through an absolute path.
            linux::Tried::Unclear => {}
        }
        match patience {
            Patience::None => Err(Missed::NotNow),
            Patience::Any => {
                let inside = self.resolve(relative)?;
                #[cfg(unix)]
                return walk::open(&root, &inside);
                #[cfg(not(unix))]
                return other::open(&self.path, &inside);
            }
        }
    }

    /// The open folder, opened again if that was too long ago.
    fn folder(&self, patience: Patience) -> Result<Arc<File>, Missed> {
        let known = {
            let opened = self.lock();
            (opened.at.elapsed() < FRESH).then(|| Arc::clone(&opened.folder))
        };
        match (known, patience) {
            (Some(folder), _) => return Ok(folder),
            (None, Patience::None) => return Err(Missed::NotNow),
            (None, Patience::Any) => {}
        }
        // Not under the lock, which callers on the reactor take.
        let folder = open_root(&self.path).map(Arc::new).map_err(|error| {
            let what = format!("{}: {error}", self.path.display());
            Missed::Failed(io::Error::new(error.kind(), what))
        })?;
        *self.lock() = Opened { folder: Arc::clone(&folder), at: Instant::now() };
        Ok(folder)
    }

    fn lock(&self) -> MutexGuard<'_, Opened> {
        // The value is replaced as a whole, so a panic does not leave it half changed.
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The path of `relative` below the folder, with links resolved.
    fn resolve(&self, relative: &Path) -> Result<PathBuf, Missed> {
        let whole = fs::canonicalize(self.path.join(relative)).map_err(Missed::from)?;
        let root = fs::canonicalize(&self.path).map_err(Missed::from)?;
        whole.strip_prefix(root).map(Path::to_owned).map_err(|_| Missed::Outside)
    }
}

#[cfg(unix)]
fn open_root(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

#[cfg(not(unix))]
fn open_root(path: &Path) -> io::Result<File> {
    other::open_folder(path)
}

/// Converts an error of the system.
impl From<io::Error> for Missed {
    fn from(error: io::Error) -> Self {
        #[cfg(unix)]
        {
            use rustix::io::Errno;
            let errno = Errno::from_io_error(&error);
            // ENXIO: a socket, or a device that does not exist.
            let nothing =
                [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::NAMETOOLONG, Errno::NXIO];
            if nothing.iter().any(|e| Some(*e) == errno) {
                return Self::Nothing;
            }
        }
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::InvalidInput => Self::Nothing,
            io::ErrorKind::PermissionDenied => Self::Denied,
            io::ErrorKind::WouldBlock => Self::NotNow,
            _ => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests;
