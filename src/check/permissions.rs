use crate::config::Config;
use crate::config::files::{Finding, Subject};
use crate::console::permissions;

/// Those of the secrets that stand beside the identities.
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

/// That others than its owner and group may read a file that holds a secret, or change it.
pub(super) fn of_secret(subject: &Subject, what: &str) -> Option<Finding> {
    let exposed = permissions::of_secret(subject.path()?, what)?;
    Some(Finding::warning("world-readable", subject, exposed.text).fix(exposed.fix))
}
