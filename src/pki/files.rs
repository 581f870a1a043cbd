//! Reads and writes the files. A crash never leaves half a file, and other users can never read a key, not even for
//! a moment.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::PkiError;
use super::report::{Why, Written};

/// The files that a run will write.
#[derive(Default)]
pub(super) struct Batch {
    changes: Vec<Change>,
    written: Vec<Written>,
}

struct Change {
    path: PathBuf,
    contents: Vec<u8>,
    /// Holds a private key: only its owner may read it.
    secret: bool,
}

impl Batch {
    /// Adds a file. Files are put into place in the order in which they are added.
    pub(super) fn put(&mut self, path: &Path, contents: Vec<u8>, secret: bool, why: Why) {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.written.push(Written { file, why });
        self.changes.push(Change { path: path.to_owned(), contents, secret });
    }

    /// Adds a file unless it exists with exactly these contents.
    pub(super) fn settle(
        &mut self,
        path: &Path,
        there: Option<&[u8]>,
        contents: Vec<u8>,
        secret: bool,
    ) {
        match there {
            None => self.put(path, contents, secret, Why::Missing),
            Some(there) if there != contents => self.put(path, contents, secret, Why::OutOfDate),
            Some(_) => {}
        }
    }

    /// Returns the names of the files added since the last call.
    pub(super) fn take_written(&mut self) -> Vec<Written> {
        std::mem::take(&mut self.written)
    }

    /// Writes all the files, or none if a likely error occurs: a full disk, or a folder that is not writable. All
    /// of them are on the disk under temporary names before the first rename.
    pub(super) fn write(self, folder: &Path) -> Result<(), PkiError> {
        if self.changes.is_empty() {
            return Ok(());
        }
        create_folder(folder)
            .map_err(|source| PkiError::Write { path: folder.to_owned(), source })?;
        let mut staged = Vec::with_capacity(self.changes.len());
        for Change { path, contents, secret } in self.changes {
            match stage(folder, &contents, secret) {
                Ok(file) => staged.push((file, path)),
                Err(source) => return Err(PkiError::Write { path, source }),
            }
        }
        for (file, path) in staged {
            if let Err(error) = file.persist(&path) {
                return Err(PkiError::Write { path, source: error.error });
            }
        }
        // Makes the renames durable, where the system can do that for folders.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

/// The contents of a file; `None` if it does not exist.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, PkiError> {
    match fs::read(path) {
        Ok(contents) => Ok(Some(contents)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PkiError::Read { path: path.to_owned(), source }),
    }
}

/// Checks that `folder` is a folder, or does not exist.
pub(super) fn check_folder(folder: &Path) -> Result<(), PkiError> {
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(PkiError::NotAFolder { path: folder.to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(PkiError::Read { path: folder.to_owned(), source }),
    }
}

fn stage(folder: &Path, contents: &[u8], secret: bool) -> io::Result<NamedTempFile> {
    // Created for its owner only (0600). The mode of a certificate is widened when it is written.
    let mut file = tempfile::Builder::new().prefix(".turnkey-").tempfile_in(folder)?;
    file.write_all(contents)?;
    set_mode(file.as_file(), if secret { 0o600 } else { 0o644 })?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Sets a file's mode whatever the umask says.
#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
fn set_mode(_file: &File, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// Creates the folder for its owner only. An existing folder is not changed.
fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has a mode to set"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
