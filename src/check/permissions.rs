use crate::config::Config;
use crate::config::files::{Finding, Subject};
use crate::console::permissions;

/// Checks the permissions of the secrets that are not part of an identity.
pub(super) fn of_secrets(config: &Config) -> Vec<Finding> {
    let password =
        config.passwords.file().map(|file| (file, "--key-password-file", "the password"));
    let ticket_key = config.sources.as_ref().and_then(|sources| sources.ticket_key.as_deref());
    let ticket_key = ticket_key.map(|file| (file, "--ticket-keys", "the key of session tickets"));
    let secrets = password.into_iter().chain(ticket_key);
    secrets
        .filter_map(|(file, option, what)| of_secret(&Subject::file(file, option), what))
        .collect()
}

/// Reports a file with a secret that others than its owner and group may read or change.
pub(super) fn of_secret(subject: &Subject, what: &str) -> Option<Finding> {
    let exposed = permissions::of_secret(subject.path()?, what)?;
    Some(Finding::warning("world-readable", subject, exposed.text).fix(exposed.fix))
}
