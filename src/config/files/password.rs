use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{env, fmt};

use turnkey::tls::IdentityError;
use zeroize::Zeroizing;

use super::read;
use crate::cli::variables::KEY_PASSWORD;
use crate::config::files::Finding;

/// The password in the environment; the result is the only other copy. Removing it from the environment needs
/// `unsafe`, and the kernel shows a process's initial environment anyway.
pub(crate) fn from_environment() -> Option<Zeroizing<String>> {
    env::var(KEY_PASSWORD).ok().map(Zeroizing::new)
}

/// The source of key passwords: a file, a variable, or a person. Never the command line, which others can read.
pub(crate) struct Passwords {
    file: Option<PathBuf>,
    variable: Option<Zeroizing<String>>,
    /// What was typed, for reading the same file again when nobody is there to ask.
    typed: Mutex<HashMap<PathBuf, Zeroizing<String>>>,
    /// Whether asking a person is no longer allowed.
    silent: AtomicBool,
}

/// Shows the source, and no password.
impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Passwords {
    /// `file` is that of `--key-password-file`, `variable` the value of [`KEY_PASSWORD`]; the file overrides
    /// the variable.
    pub(crate) fn new(file: Option<PathBuf>, variable: Option<Zeroizing<String>>) -> Self {
        Self { file, variable, typed: Mutex::default(), silent: AtomicBool::new(false) }
    }

    /// The file that contains the password, if there is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Asks nobody from now on: a running server must not use the terminal.
    pub(crate) fn be_silent(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }

    /// Parses the identity in `file` with the given password, or asks for one if one is needed. The outer error
    /// is about the password file.
    pub(crate) fn with<T>(
        &self,
        file: &Path,
        parse: impl Fn(Option<&str>) -> Result<T, IdentityError>,
    ) -> Result<Result<T, IdentityError>, Finding> {
        let known = self.known(file)?;
        let error = match parse(known.as_deref().map(|password| password.as_str())) {
            Err(error) if error.password_needed() => error,
            other => return Ok(other),
        };
        let silent = self.silent.load(Ordering::Relaxed);
        let Some(typed) = (!silent).then(|| prompt(file)).flatten() else { return Ok(Err(error)) };
        let parsed = parse(Some(&typed));
        // The password is right even if something else is wrong.
        if !matches!(parsed, Err(IdentityError::WrongPassword)) {
            let mut remembered = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
            remembered.insert(file.to_owned(), typed);
        }
        Ok(parsed)
    }

    fn known(&self, file: &Path) -> Result<Option<Cow<'_, Zeroizing<String>>>, Finding> {
        if let Some(file) = &self.file {
            return read(file).map(|password| Some(Cow::Owned(password)));
        }
        if let Some(password) = &self.variable {
            return Ok(Some(Cow::Borrowed(password)));
        }
        let typed = self.typed.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(typed.get(file).cloned().map(Cow::Owned))
    }
}

/// Asks for the password of `file`, if there is a person to ask.
fn prompt(file: &Path) -> Option<Zeroizing<String>> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return None;
    }
    rpassword::prompt_password(format!("Password of {}: ", file.display())).ok().map(Zeroizing::new)
}

/// Reads the password on the first line of a file, as an editor or `echo` writes it.
fn read(file: &Path) -> Result<Zeroizing<String>, Finding> {
    let bytes = Zeroizing::new(read::read(file, "--key-password-file")?);
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Finding::file(file, "--key-password-file", "the password is not UTF-8"))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        let empty = "is empty, and a password must stand on its first line";
        return Err(Finding::file(file, "--key-password-file", empty));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_the_variable_is_in_memory_once() {
        let password = Zeroizing::new("secret".to_owned());
        let place = password.as_ptr();
        let passwords = Passwords::new(None, Some(password));
        let parsed = passwords.with(Path::new("key.pem"), |password| {
            assert_eq!(password.map(str::as_ptr), Some(place), "a copy");
            Err::<(), _>(IdentityError::WrongPassword)
        });
        assert!(matches!(parsed, Ok(Err(IdentityError::WrongPassword))));
    }

    #[test]
    fn a_password_is_never_part_of_debug_text() {
        let passwords = Passwords::new(None, Some(Zeroizing::new("secret".to_owned())));
        passwords
            .typed
            .lock()
            .unwrap()
            .insert("key.pem".into(), Zeroizing::new("typed".to_owned()));
        let text = format!("{passwords:?}");
        assert!(!text.contains("secret") && !text.contains("typed"), "{text}");
    }
}
