use std::fmt::Debug;

use crate::{BoxFuture, Identity, Socket, Stream, TlsInfo, TrustAnchors};

/// The configuration of a connector.
#[derive(Debug, Clone, Default)]
pub struct ConnectConfig {
    /// The CAs that issue accepted server certificates; if empty, those that the system trusts.
    pub anchors: Option<TrustAnchors>,
    /// The identity for servers that ask for a client certificate, if there is one.
    pub identity: Option<Identity>,
}

impl ConnectConfig {
    /// Whether a connector built from `other` behaves the same. With the CAs that the system trusts that is not
    /// known: they may have changed.
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

/// Turns a connection to another server into the byte stream that HTTP is spoken over: the counterpart of
/// [`Backend`](crate::Backend) for upstreams.
///
/// The caller sets the deadline.
pub trait Connector: Debug + Send + Sync + 'static {
    /// Does a TLS handshake with a server whose certificate must be for `server_name`, a DNS name or an IP address.
    fn connect<'a>(
        &'a self,
        socket: Socket,
        server_name: &'a str,
    ) -> BoxFuture<'a, Result<Connected, ConnectError>>;
}

/// A connection to another server after its handshake.
#[derive(Debug)]
pub struct Connected {
    /// The bytes of HTTP, in both directions.
    pub stream: Box<dyn Stream>,
    /// What was negotiated, as far as the TLS stack reports it.
    pub tls: TlsInfo,
}

/// Why a TLS handshake with a server failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// A certificate cannot be for this name.
    #[error("\"{0}\" is no name that a certificate can be for")]
    Name(String),
    /// The server's certificate is not accepted, or there is no common version or cipher, or the connection broke;
    /// the source has the reason.
    #[error("the TLS handshake failed")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}
