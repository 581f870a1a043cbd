//! The plain backend, without TLS. It shows the minimum that a backend must do.

use turnkey_backend::{
    Accepted, Backend, BackendFactory, BoxFuture, BuildError, Capabilities, HandshakeError, Socket,
};

/// Returns the connection unchanged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Plain {
    /// What this backend can do.
    pub const CAPABILITIES: Capabilities = Capabilities { name: "plain", ..Capabilities::NONE };
}

impl Backend for Plain {
    fn accept(&self, socket: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
        Box::pin(async { Ok(Accepted { stream: Box::new(socket), tls: None }) })
    }
}

impl BackendFactory for Plain {
    fn capabilities(&self) -> Capabilities {
        Self::CAPABILITIES
    }

    fn build_plain(&self) -> Result<Box<dyn Backend>, BuildError> {
        Ok(Box::new(*self))
    }
}
