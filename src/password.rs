use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::files::{self, FileError};

/// The variable that holds the password of the key.
pub(crate) const VARIABLE: &str = "TURNKEY_KEY_PASSWORD";

/// Where the password of a key comes from. Never from the command line: others can read that.
#[derive(Debug)]
pub(crate) struct PasswordSource {
    pub(crate) file: Option<PathBuf>,
    pub(crate) variable: Option<Zeroizing<String>>,
}

impl PasswordSource {
    /// The password, if one was given beforehand.
    pub(crate) fn given(&self) -> Result<Option<Zeroizing<String>>, FileError> {
        match &self.file {
            Some(file) => read(file).map(Some),
            None => Ok(self.variable.clone()),
        }
    }
}

/// Asks for the password of `file`, if there is a person to ask.
pub(crate) fn prompt(file: &Path) -> Option<Zeroizing<String>> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return None;
    }
    rpassword::prompt_password(format!("Password of {}: ", file.display())).ok().map(Zeroizing::new)
}

/// A file holds the password on its first line, as an editor or `echo` leaves it.
fn read(file: &Path) -> Result<Zeroizing<String>, FileError> {
    let bytes = Zeroizing::new(files::read(file, "--key-password-file")?);
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| FileError::new(file, "--key-password-file", "the password is not UTF-8"))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        let empty = "is empty, and a password must stand on its first line";
        return Err(FileError::new(file, "--key-password-file", empty));
    }
    Ok(Zeroizing::new(line.to_owned()))
}
