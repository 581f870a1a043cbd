//! For systems without descriptors of folders. A link that changes at the wrong moment is followed.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use super::Missed;

/// Lets Windows open a folder like a file (`FILE_FLAG_BACKUP_SEMANTICS`).
#[cfg(windows)]
const FOLDERS_TOO: u32 = 0x0200_0000;

/// Opens `inside`, a resolved path below the folder at `path`.
pub(super) fn open(path: &Path, inside: &Path) -> Result<File, Missed> {
    Ok(open_either(&path.join(inside))?)
}

/// Opens the folder itself.
pub(super) fn open_folder(path: &Path) -> io::Result<File> {
    let folder = open_either(path)?;
    if folder.metadata()?.is_dir() { Ok(folder) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

fn open_either(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(windows)]
    std::os::windows::fs::OpenOptionsExt::custom_flags(&mut options, FOLDERS_TOO);
    options.open(path)
}
