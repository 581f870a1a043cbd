use std::fmt::Debug;

use crate::{Backend, BuildError, Capabilities, TlsConfig};

/// Builds backends of one kind: one when the server starts, and another at each reload.
///
/// The server asks for nothing that [`capabilities`](Self::capabilities) does not have. So a factory may rely on it that
/// `config` has one identity only, for example, where it cannot do SNI.
pub trait BackendFactory: Debug + Send + Sync + 'static {
    /// What its backends can do, and their name.
    fn capabilities(&self) -> Capabilities;

    /// The TLS library and its version, for people; empty, if the name says it all.
    fn library(&self) -> String {
        String::new()
    }

    /// Builds a backend that does TLS, for https and mutual mode.
    ///
    /// It must serve by all of `config`, or refuse with an error: with a certificate, a key or a list that the
    /// TLS stack does not take, for example. By default there is none.
    fn build(&self, config: &TlsConfig) -> Result<Box<dyn Backend>, BuildError> {
        _ = config;
        Err(BuildError::Unsupported("TLS"))
    }

    /// Builds a backend that does no TLS, for http mode. By default there is none.
    fn build_plain(&self) -> Result<Box<dyn Backend>, BuildError> {
        Err(BuildError::Unsupported("http mode"))
    }
}
