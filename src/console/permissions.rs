//! Which other users of this machine can read or replace a secret, by the modes of its file and folder.

use std::path::Path;

/// Other users have access to a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exposed {
    pub(crate) text: String,
    /// A command that fixes it.
    pub(crate) fix: String,
}

/// Checks whether users other than owner and group can read or change the file, which contains `what`.
pub(crate) fn of_secret(path: &Path, what: &str) -> Option<Exposed> {
    // The mode of the file itself, not of a link to it.
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let mode = mode(&metadata)?;
    let others = match (mode & 0o004 != 0, mode & 0o002 != 0) {
        (true, true) => "read and change",
        (true, false) => "read",
        (false, true) => "change",
        (false, false) => return None,
    };
    let text = format!("all on this machine can {others} {what} (its mode is {mode:04o})");
    Some(Exposed { text, fix: format!("chmod 600 {}", quoted(path)) })
}

/// Checks whether users other than owner and group can replace files in a folder.
#[cfg(feature = "pki")]
pub(crate) fn of_folder(path: &Path) -> Option<Exposed> {
    let metadata = std::fs::metadata(path).ok()?;
    let mode = mode(&metadata).filter(|mode| mode & 0o002 != 0)?;
    let text =
        format!("all on this machine can put files into the folder (its mode is {mode:04o})");
    Some(Exposed { text, fix: format!("chmod o-w {}", quoted(path)) })
}

/// Checks whether the folder's owner is neither root nor the owner of a file in it. That user can replace the file.
#[cfg(all(unix, feature = "pki"))]
pub(crate) fn of_owner(folder: &Path, file: &Path) -> Option<Exposed> {
    use std::os::unix::fs::MetadataExt;

    let owner = |path| std::fs::metadata(path).ok().map(|metadata| metadata.uid());
    owned_by(owner(folder)?, owner(file)?, folder)
}

/// The same check, given the user ids of both owners.
#[cfg(all(unix, feature = "pki"))]
fn owned_by(theirs: u32, ours: u32, folder: &Path) -> Option<Exposed> {
    if theirs == ours || theirs == 0 {
        return None;
    }
    let text =
        format!("the folder belongs to another user (number {theirs}), who can replace its files");
    Some(Exposed { text, fix: format!("chown {ours} {}", quoted(folder)) })
}

/// Other systems have no user ids.
#[cfg(all(not(unix), feature = "pki"))]
pub(crate) fn of_owner(_folder: &Path, _file: &Path) -> Option<Exposed> {
    None
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "the same signature everywhere")]
fn mode(metadata: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;

    Some(metadata.mode() & 0o7777)
}

/// Other systems have no file modes.
#[cfg(not(unix))]
fn mode(_metadata: &std::fs::Metadata) -> Option<u32> {
    None
}

fn quoted(path: &Path) -> String {
    super::shell::quoted(&path.display().to_string())
}

#[cfg(all(test, unix, feature = "pki"))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_ones_own_or_roots() {
        let folder = Path::new("our certs");
        assert_eq!(owned_by(1000, 1000, folder), None);
        assert_eq!(owned_by(0, 1000, folder), None);
        let exposed = owned_by(1001, 1000, folder).unwrap();
        assert!(exposed.text.contains("1001"), "{exposed:?}");
        assert_eq!(exposed.fix, "chown 1000 'our certs'");
    }
}
