use crate::cli::args::Stop;

/// Why the options cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// They make no sense together.
    #[error("{0}")]
    Usage(String),
    /// What they ask for is not part of this build, or failed.
    #[error("{0}")]
    Failed(String),
}

impl From<Stop> for ConfigError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Help(text) | Stop::Usage(text) => Self::Usage(text),
        }
    }
}

/// An error of wrong usage.
pub(crate) fn usage(text: impl Into<String>) -> ConfigError {
    ConfigError::Usage(text.into())
}
