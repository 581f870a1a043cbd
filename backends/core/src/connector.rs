use std::fmt::Debug;

use crate::{BoxFuture, Identity, Socket, Stream, TlsInfo, TrustAnchors};

/// What a connector is built from.
#[derive(Debug, Clone, Default)]
pub struct ConnectConfig {
    /// The CAs whose servers are good; those that the system trusts, if there are none.
    pub anchors: Option<TrustAnchors>,
    /// What is shown to servers that ask for a certificate; nothing, if there is none.
    pub identity: Option<Identity>,
}

impl ConnectConfig {
    /// Whether what is built from `other` does the same as what is built from this. Where the CAs are
    /// those that the system trusts there is no saying: they may be others by now.
    #[must_use]
    pub fn is_as(&self, other: &Self) -> bool {
        let same_identity = match (&self.identity, &other.identity) {
            (None, None) => true,
            (Some(one), Some(two)) => {
                one.chain() == two.chain()
                    && one.key().secret_pkcs8_der() == two.key().secret_pkcs8_der()
            }
            _ => false,
        };
        self.anchors.is_some() && self.anchors == other.anchors && same_identity
    }
}

/// Turns a connection to another server into the byte stream that HTTP is spoken over: the other
/// half of [`Backend`](crate::Backend), for servers that are asked rather than clients that ask.
///
/// The caller sets the deadline.
pub trait Connector: Debug + Send + Sync + 'static {
    /// Does a TLS handshake with a server whose certificate has to be good for `server_name`, a DNS
    /// name or an IP address.
    fn connect<'a>(
        &'a self,
        socket: Socket,
        server_name: &'a str,
    ) -> BoxFuture<'a, Result<Connected, ConnectError>>;
}

/// A connection to another server, its handshake done.
#[derive(Debug)]
pub struct Connected {
    /// The bytes of HTTP, in both directions.
    pub stream: Box<dyn Stream>,
    /// What was negotiated, as far as the TLS stack tells.
    pub tls: TlsInfo,
}

/// Why there is no TLS with a server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The name is none that a certificate could be for.
    #[error("\"{0}\" is no name that a certificate can be for")]
    Name(String),
    /// The server's certificate is not good, or there is no version or cipher in common, or the
    /// connection broke; the source says what.
    #[error("the TLS handshake failed")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}
