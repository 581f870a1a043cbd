use std::any::Any;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use futures_io::{AsyncRead, AsyncWrite};

use crate::{Certificate, Fault, HandshakeError, Refused, Socket, TlsInfo, Vouched};

/// A boxed future, which allows trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Turns an accepted connection into the byte stream that HTTP is spoken over.
///
/// # What a backend must do
///
/// - Return the stream of HTTP bytes, and the negotiated values in [`Accepted::tls`]: `None` only if the connection
///   is not encrypted. Fields of [`TlsInfo`] that are `None` are not reported; all others must be true.
/// - Verify the client's certificate before it returns: the chain, the dates, the revocation lists, and that the
///   client has the key. [`TlsInfo::client_certificate`] is a verified certificate, never one that was only sent.
/// - Reject in the handshake the clients that no rule allows, if the rules are [checked in the
///   handshake](crate::ClientTrust::denies_early): only then does the client get an alert that says so.
/// - Report in [`TlsInfo::resumed`] whether a session was resumed, and in [`TlsInfo::client_vouched_until`] how long
///   its client is vouched for, as far as it knows. Without this the client is checked as for the oldest session.
/// - Hold back the tickets of TLS 1.3 until the stream is first written to or waits for its peer, and discard them if
///   it is dropped before: the server drops the stream of a client that it rejects.
///   [`HandshakeIo`](crate::HandshakeIo) does this. If a backend sends tickets at once, that client is still
///   rejected, but may come back with them.
/// - Bind sessions to [`ClientPolicy::digest`](crate::ClientPolicy::digest), to the server name, and to
///   [`TlsInfo::client_vouched_until`], if it resumes any.
/// - Return an error for each handshake that fails, after the alert was sent. The error has the [`Fault`] if the
///   client's certificate is the cause. Its `Display` is text for a log.
/// - Leave both ends of the stream intact: read no byte of HTTP before the handshake ends. Closing the stream sends
///   `close_notify` and leaves the connection open.
///
/// # What the server does
///
/// - The final check of the client policy, [`ClientPolicy::admit`](crate::ClientPolicy::admit), after each handshake
///   that succeeds, full or resumed: a required certificate is present, an old session's certificate is still valid,
///   and a rule allows it. A backend that verifies nobody and reports no certificate lets nobody in where one is
///   required. But the server trusts [`TlsInfo::client_certificate`], so it must not contain an unverified
///   certificate.
/// - Timeouts: a backend may wait for its peer as long as it likes, and is dropped after the timeout. Dropping the
///   future must leave nothing behind.
/// - Limits on handshakes and connections, and rejecting clients above them.
/// - Logging, metrics and explaining errors. A backend itself logs nothing about a connection.
/// - Plain HTTP on the port: the server checks the first byte before it calls [`accept`](Self::accept), if the
///   capabilities say that the backend does TLS.
/// - Reload: the server builds another backend, and open connections keep their stream. One backend serves all
///   threads at once, and outlives its last connection.
/// - The rules about names, if they are not checked in the handshake: the server answers with a 403.
///
/// A panic in a backend ends that connection only. A [`Capabilities`](crate::Capabilities) table says what a backend
/// can do. It decides which backend is chosen, and what start-up rejects.
pub trait Backend: Debug + Send + Sync + 'static {
    /// Does everything that comes before the first byte of HTTP, for example a TLS handshake. It is called once for
    /// each connection, on the thread that serves it.
    fn accept(&self, socket: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>>;

    /// Verifies the certificate of a connection again, by the current dates, trust anchors and revocation lists of
    /// this backend. Another backend may have accepted the connection, before a reload.
    ///
    /// `leaf` is the client's certificate, and `others` is the known part of the verified chain above it
    /// ([`TlsInfo::client_chain`]). The result is the chain that is verified now. `None` means that this backend asks
    /// no client for a certificate: the connection goes on, and counts as one without.
    ///
    /// The server calls this on the thread of the connection, so it must not block for long. It does so after the
    /// client policy was replaced, and when [`TlsInfo::client_vouched_until`] has passed.
    ///
    /// By default the certificate is rejected: the client has to connect again.
    fn verify_again(
        &self,
        leaf: &Certificate,
        others: &[Certificate],
    ) -> Result<Option<Vouched>, HandshakeError> {
        _ = others;
        let why = "it can be verified in a handshake only, so a new connection is needed";
        Err(Refused::new(leaf.clone(), Fault::Other(why.to_owned())).into())
    }
}

/// An accepted connection.
#[derive(Debug)]
pub struct Accepted {
    /// The bytes of HTTP, in both directions. Closing it sends `close_notify`; the caller closes the connection
    /// below.
    pub stream: Box<dyn Stream>,
    /// The negotiated values; `None` on a connection without TLS.
    pub tls: Option<TlsInfo>,
}

/// A byte stream in both directions, implemented for everything that can be read and written.
pub trait Stream: AsyncRead + AsyncWrite + Debug + Send + Unpin + 'static {
    /// The connection itself, if the stream adds nothing to it. The kernel can then send files over it (`sendfile`),
    /// since the peer gets their bytes unchanged.
    fn bare(&self) -> Option<Socket>;
}

impl<T: AsyncRead + AsyncWrite + Debug + Send + Unpin + 'static> Stream for T {
    fn bare(&self) -> Option<Socket> {
        (self as &dyn Any).downcast_ref().cloned()
    }
}

/// Why a TLS stack rejects a configuration that is valid in itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The configuration needs something that this backend lacks, as its capability table says.
    #[error("this backend does not offer {0}")]
    Unsupported(&'static str),
    /// The private key is not the one that the leaf certificate was issued for.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// The TLS stack rejects the identity, for example because of its key type.
    #[error("the TLS stack does not accept the certificate or its key")]
    Identity(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The TLS stack rejects the CAs that client certificates are checked against.
    #[error("the TLS stack does not accept the client CA")]
    ClientCa(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The TLS stack rejects one of the revocation lists.
    #[error("the TLS stack does not accept the revocation list of \"{issuer}\"")]
    RevocationList {
        /// The list's issuer, as a distinguished name.
        issuer: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The TLS stack rejects the CAs that server certificates are checked against.
    #[error("the TLS stack does not accept the upstream's CA")]
    ServerCa(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Any other error while the TLS stack is set up.
    #[error("the TLS stack cannot be set up")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
}
