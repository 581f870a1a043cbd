use std::io::{self, Write};

use crate::config::error::ConfigError;
use crate::config::files::Finding;

/// Why the exit code is not 0.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    /// One line for stderr; empty if everything has been printed already.
    pub(crate) text: String,
}

impl Failure {
    /// The command line or the environment is wrong.
    pub(crate) fn usage(text: String) -> Self {
        Self { code: 2, text }
    }

    /// The server cannot start, or the command cannot run.
    pub(crate) fn start(text: String) -> Self {
        Self { code: 1, text }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let code = if matches!(error, ConfigError::Usage(_)) { 2 } else { 1 };
        Self { code, text: error.to_string() }
    }
}

impl From<Finding> for Failure {
    fn from(error: Finding) -> Self {
        Self { code: if error.of_usage { 2 } else { 1 }, text: error.to_string() }
    }
}

/// Prints `text`, which the user asked for, to stdout.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // The reader has seen enough, as with `turnkey --help | head -1`.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|e| Failure::start(format!("cannot write to stdout: {e}"))),
    }
}
