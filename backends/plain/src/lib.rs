//! The plain backend, without TLS. It shows the minimum that a backend must do.

use turnkey_backend::{Accepted, Backend, BoxFuture, Capabilities, HandshakeError, Socket};

/// Returns the connection unchanged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Plain {
    /// What this backend can do.
    pub const CAPABILITIES: Capabilities = Capabilities::PLAIN;
}

impl Backend for Plain {
    fn accept(&self, socket: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>> {
        Box::pin(async { Ok(Accepted { stream: Box::new(socket), tls: None }) })
    }
}
