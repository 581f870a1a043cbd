use std::io;

use turnkey_backend::BuildError;

use crate::common::address::LocalAddr;
use crate::mode::ModeError;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// No backend can be built for this mode and these choices.
    #[error(transparent)]
    Mode(#[from] ModeError),
    /// The host is not an address and cannot be resolved.
    #[error("the host cannot be resolved")]
    Address(#[source] io::Error),
    /// [`Server::listen`](crate::Server::listen) got no listener.
    #[error("there is nothing to listen on: give at least one listener")]
    NoListener,
    /// [`Server::redirect_from`](crate::Server::redirect_from) needs a port as its target, and there is none.
    #[error("redirect_from needs a port to send people on to, and these are Unix sockets only")]
    NoPort,
    /// The server cannot listen on the address.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: LocalAddr,
        /// The system's error.
        source: io::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Threads(#[source] io::Error),
    /// The server cannot catch its stop signals: the process ran out of descriptors after it bound its ports.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
}

impl From<BuildError> for ServerError {
    fn from(error: BuildError) -> Self {
        Self::Mode(error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    /// A custom backend can use `?` on its errors.
    #[test]
    fn an_error_of_a_backend_is_one_of_the_mode() {
        let error = ServerError::from(BuildError::KeyMismatch);
        assert!(matches!(error, ServerError::Mode(ModeError::Build(BuildError::KeyMismatch))));
        let mut said = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            said = format!("{said}: {error}");
            cause = error.source();
        }
        assert!(said.contains("does not belong to the certificate"), "{said}");
    }
}
