use super::finding::{Finding, Subject};
use crate::sources::Sources;

/// Those of the secrets that stand beside the identities.
pub(super) fn of_sources(sources: &Sources) -> Vec<Finding> {
    let password =
        sources.passwords.file().map(|file| (file, "--key-password-file", "the password"));
    let ticket_key = sources.ticket_key.as_deref();
    let ticket_key = ticket_key.map(|file| (file, "--ticket-keys", "the key of session tickets"));
    let secrets = password.into_iter().chain(ticket_key);
    secrets
        .filter_map(|(file, option, what)| of_secret(&Subject::file(file, option), what))
        .collect()
}

/// That others than its owner and group may read a file that holds a secret, or change it.
#[cfg(unix)]
pub(super) fn of_secret(subject: &Subject, what: &str) -> Option<Finding> {
    use std::os::unix::fs::MetadataExt;

    let path = subject.path()?;
    // Of the file itself, and not of a link to it.
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let mode = metadata.mode() & 0o777;
    let others = match (mode & 0o004 != 0, mode & 0o002 != 0) {
        (true, true) => "read and change",
        (true, false) => "read",
        (false, true) => "change",
        (false, false) => return None,
    };
    let text = format!("all on this machine can {others} {what} (its mode is {mode:04o})");
    let chmod = format!("chmod 600 {}", crate::shell::quoted(&path.display().to_string()));
    Some(Finding::warning("world-readable", subject, text).mend(chmod))
}

/// Elsewhere files have no modes.
#[cfg(not(unix))]
pub(super) fn of_secret(_subject: &Subject, _what: &str) -> Option<Finding> {
    None
}
