use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::folder::open::{Missed, Patience, Root};
use crate::folder::place;

/// An entry of a folder that is served.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: OsString,
    pub(super) is_folder: bool,
    /// In bytes; `None` for a folder.
    pub(super) size: Option<u64>,
    pub(super) modified: SystemTime,
}

/// All entries of `folder` that are served, unsorted. It is at `relative` below `root`.
#[cfg(unix)]
pub(super) fn entries(root: &Root, folder: &File, relative: &Path) -> Result<Vec<Entry>, Missed> {
    use std::os::unix::ffi::OsStrExt;

    use rustix::fs::{AtFlags, Dir, FileType, statat};

    let failed = |errno: rustix::io::Errno| Missed::Failed(errno.into());
    let mut entries = Vec::new();
    for found in Dir::read_from(folder).map_err(failed)? {
        let found = found.map_err(failed)?;
        let name = std::ffi::OsStr::from_bytes(found.file_name().to_bytes());
        if !place::is_shown(name) {
            continue;
        }
        // It may have been deleted since.
        let Ok(stat) = statat(folder, found.file_name(), AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => entries.push(Entry {
                name: name.to_owned(),
                is_folder: false,
                size: u64::try_from(stat.st_size).ok(),
                modified: time(stat.st_mtime),
            }),
            FileType::Directory => entries.push(Entry {
                name: name.to_owned(),
                is_folder: true,
                size: None,
                modified: time(stat.st_mtime),
            }),
            FileType::Symlink => entries.extend(linked(root, relative, name)),
            _ => {}
        }
    }
    Ok(entries)
}

#[cfg(unix)]
fn time(seconds: impl TryInto<u64>) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.try_into().unwrap_or(0))
}

#[cfg(not(unix))]
pub(super) fn entries(root: &Root, _folder: &File, relative: &Path) -> Result<Vec<Entry>, Missed> {
    let folder = root.path().join(relative);
    let found = std::fs::read_dir(folder).map_err(Missed::Failed)?;
    let names = found.filter_map(|entry| Some(entry.ok()?.file_name()));
    Ok(names
        .filter(|name| place::is_shown(name))
        .filter_map(|name| linked(root, relative, &name))
        .collect())
}

/// The target of a link, if it is served.
fn linked(root: &Root, relative: &Path, name: &std::ffi::OsStr) -> Option<Entry> {
    let target = root.open(&relative.join(name), Patience::Any).ok()?.metadata().ok()?;
    (target.is_file() || target.is_dir()).then(|| Entry {
        name: name.to_owned(),
        is_folder: target.is_dir(),
        size: target.is_file().then_some(target.len()),
        modified: target.modified().unwrap_or(UNIX_EPOCH),
    })
}
