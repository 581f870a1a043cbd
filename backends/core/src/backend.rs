use std::any::Any;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use futures_io::{AsyncRead, AsyncWrite};

use crate::{Certificate, Fault, HandshakeError, Refused, Socket, TlsInfo, Vouched};

/// A future on the heap, so that the trait can be used as an object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Turns an accepted connection into the byte stream that HTTP is spoken over.
///
/// # What a backend must do
///
/// - Return the stream of HTTP bytes, and in [`Accepted::tls`] what was negotiated; `None` only where the
///   connection is not encrypted. What is `None` in [`TlsInfo`] is told to nobody; what is there must be true.
/// - Verify the client's certificate before it returns: the chain, the dates, the revocation lists, and that the
///   client has the key. [`TlsInfo::client_certificate`] is one that was verified, never one that was only sent.
/// - Refuse in the handshake those whom no rule allows, where the rules are [kept in the
///   handshake](crate::ClientTrust::denies_early): only then does the client get an alert that says so.
/// - Say in [`TlsInfo::resumed`] whether a session was resumed, and in [`TlsInfo::client_vouched_until`] until when what
///   vouched for its client holds, as far as it knows. What it does not say is checked as for the oldest session.
/// - Hold back the tickets of TLS 1.3 until the stream is first written to or waits for its peer, and discard them if it
///   is dropped before: the server drops the stream of a client that it refuses.
///   [`HandshakeIo`](crate::HandshakeIo) does this. A backend that sends tickets at once still refuses that client, but
///   the client may come back with them.
/// - Bind sessions to [`ClientPolicy::digest`](crate::ClientPolicy::digest), to the server name, and to
///   [`TlsInfo::client_vouched_until`], if it resumes any.
/// - Return an error for each handshake that fails, with the [`Fault`] if it is the client's certificate, and
///   after the alert was sent. The error's `Display` is words for a log.
/// - Leave both ends of the stream as they are: no byte of HTTP is read ahead of the handshake's end, and closing
///   the stream sends `close_notify` and leaves the connection open.
///
/// # What the server does
///
/// - The last word of the client policy, [`ClientPolicy::admit`](crate::ClientPolicy::admit), after each handshake that
///   succeeds, full or resumed: a required certificate is there, an old session's certificate still holds, and a rule
///   allows it. A backend that verifies nobody and names no certificate lets nobody in where one is required. But the
///   server believes [`TlsInfo::client_certificate`]: what was not verified must not stand there.
/// - Deadlines: a backend may wait for its peer as long as it likes, and is dropped when its time is up. Dropping the
///   future must leave nothing behind.
/// - Limits on handshakes and connections, and turning clients away.
/// - Logging, metrics and explaining errors. A backend logs nothing about a connection by itself.
/// - Plain HTTP on the port: the server looks at the first byte before it calls [`accept`](Self::accept), where the
///   capabilities say that the backend does TLS.
/// - Reload: the server builds another backend, and connections that stand stay with the stream that they have. One
///   backend serves all threads at once, and outlives its last connection.
/// - The rules about names, where they are not kept in the handshake: the server answers with a 403.
///
/// A panic in a backend ends that connection only. A [`Capabilities`](crate::Capabilities) table says what a backend
/// can do; it decides which one is chosen, and what start-up refuses.
pub trait Backend: Debug + Send + Sync + 'static {
    /// Does what has to be done before the first byte of HTTP, a TLS handshake for example. It is called once for each
    /// connection, on the thread that serves it.
    fn accept(&self, socket: Socket) -> BoxFuture<'_, Result<Accepted, HandshakeError>>;

    /// Verifies the certificate of a connection again, by what holds now: the dates, the trust anchors and
    /// the revocation lists of this backend. The connection may be one that another backend accepted, before
    /// a reload.
    ///
    /// `leaf` is the client's certificate, and `others` is what is known of the chain above it that was verified
    /// ([`TlsInfo::client_chain`]). The result is the chain that is verified now. `None` means that this backend
    /// asks no client for a certificate: the connection goes on, and counts as one without.
    ///
    /// The server calls this on the thread of the connection, so it must not block for long. It does so when the
    /// client policy was replaced, and when [`TlsInfo::client_vouched_until`] has passed.
    ///
    /// By default the certificate is refused: the client has to connect anew.
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

/// What a backend makes of a connection.
#[derive(Debug)]
pub struct Accepted {
    /// The bytes of HTTP, in both directions. Closing it says goodbye at the level of TLS
    /// (`close_notify`); the connection below is the caller's to close.
    pub stream: Box<dyn Stream>,
    /// What was negotiated; `None` on a connection without TLS.
    pub tls: Option<TlsInfo>,
}

/// A byte stream in both directions: whatever can be read and written is one.
pub trait Stream: AsyncRead + AsyncWrite + Debug + Send + Unpin + 'static {
    /// The connection itself, if the stream is that and nothing more: the kernel can send files over
    /// it (`sendfile`), since their bytes are what the peer is to get.
    fn bare(&self) -> Option<Socket>;
}

impl<T: AsyncRead + AsyncWrite + Debug + Send + Unpin + 'static> Stream for T {
    fn bare(&self) -> Option<Socket> {
        (self as &dyn Any).downcast_ref().cloned()
    }
}

/// Why a TLS stack does not take a configuration that is valid in itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The configuration asks for what this backend lacks; its capability table says so too.
    #[error("this backend does not offer {0}")]
    Unsupported(&'static str),
    /// The private key is not the one that the leaf certificate was issued for.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// The TLS stack does not take the identity: a key type it lacks, for example.
    #[error("the TLS stack does not accept the certificate or its key")]
    Identity(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The TLS stack does not take the CAs that client certificates are checked against.
    #[error("the TLS stack does not accept the client CA")]
    ClientCa(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The TLS stack does not take one of the revocation lists.
    #[error("the TLS stack does not accept the revocation list of \"{issuer}\"")]
    RevocationList {
        /// Whose list it is, as a distinguished name.
        issuer: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The TLS stack does not take the CAs that servers' certificates are checked against.
    #[error("the TLS stack does not accept the upstream's CA")]
    ServerCa(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Anything else that the TLS stack reports while it is set up.
    #[error("the TLS stack cannot be set up")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
}
