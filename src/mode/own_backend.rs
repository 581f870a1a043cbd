use std::sync::Arc;

use turnkey_backend::{Backend, Capabilities};

/// A backend that is none of the library's, for [`Mode::Own`](crate::Mode::Own).
///
/// ```
/// use turnkey::backend::{Accepted, Backend, BoxFuture, Capabilities, HandshakeError, Socket};
/// use turnkey::backend::OwnBackend;
/// use turnkey::{App, Mode, Server};
///
/// /// The connection as it comes.
/// #[derive(Debug)]
/// struct AsItComes;
///
/// impl Backend for AsItComes {
///     fn accept(&self, socket: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
///         Box::pin(async { Ok(Accepted { stream: Box::new(socket), tls: None }) })
///     }
/// }
///
/// # fn main() -> Result<(), turnkey::ServerError> {
/// let capabilities = Capabilities { name: "as-it-comes", ..Capabilities::NONE };
/// let mode = Mode::Own(OwnBackend::new(capabilities, AsItComes));
/// let bound = Server::new(App::new()).mode(mode).bind("127.0.0.1:0")?;
/// assert_eq!(bound.backend(), "as-it-comes");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct OwnBackend {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) capabilities: Capabilities,
    pub(crate) description: String,
}

impl OwnBackend {
    /// `backend`, and what it can do.
    ///
    /// The name in `capabilities` is that of the mode too ([`Peer::mode`](crate::Peer::mode)). Of the
    /// rest the server goes by `tls`: whether what comes over a connection begins with a TLS
    /// handshake, so that handshakes are counted, and a client that speaks plain HTTP is told so.
    #[must_use]
    pub fn new(capabilities: Capabilities, backend: impl Backend) -> Self {
        let description = capabilities.name.to_owned();
        Self { backend: Arc::new(backend), capabilities, description }
    }

    /// Sets what [`Bound::backend`](crate::Bound::backend) tells people; the name.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }
}
