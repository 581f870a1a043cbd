//! Converts OpenSSL's errors of failed handshakes into [`HandshakeError`].
//!
//! Two backends use OpenSSL, one directly and one through native-tls. Both get the same stack of errors. It is
//! read by the numbers of its reasons, which have not changed since OpenSSL 1.1.1, while their texts have.

mod reasons;

use std::error::Error;
use std::io;

use openssl::error::ErrorStack;
use openssl::ssl::{self, ErrorCode};
use turnkey_backend::{Alert, Common, HandshakeError};

use self::reasons::Reason;

/// Why a server's handshake failed, if `error` or one of its sources is from OpenSSL or the network. Other
/// errors are [`HandshakeError::Tls`].
pub fn handshake_error<E: Error + Send + Sync + 'static>(error: E) -> HandshakeError {
    match Classified::on(&error) {
        Classified::Kind(kind) => kind,
        Classified::Io(kind) => HandshakeError::Io(io::Error::new(kind, error)),
        Classified::Unknown => HandshakeError::Tls(error.into()),
    }
}

/// Whether the client's signature does not match its certificate's key.
#[must_use]
pub fn is_bad_signature(error: &(dyn Error + 'static)) -> bool {
    stack(error)
        .is_some_and(|stack| Reason::all(stack).any(|reason| reason == Reason::BadSignature))
}

/// The cause of an error.
enum Classified {
    Kind(HandshakeError),
    Io(io::ErrorKind),
    Unknown,
}

impl Classified {
    fn on(error: &(dyn Error + 'static)) -> Self {
        if let Some(stack) = stack(error) {
            return Reason::all(stack).find_map(Self::for_reason).unwrap_or(Self::Unknown);
        }
        if let Some(error) = sources(error).find_map(|e| e.downcast_ref::<io::Error>()) {
            return Self::Io(error.kind());
        }
        match code(error) {
            Some(ErrorCode::ZERO_RETURN) => Self::Kind(CLOSE_NOTIFY.into()),
            Some(ErrorCode::SYSCALL) => Self::Io(io::ErrorKind::UnexpectedEof),
            _ => Self::Unknown,
        }
    }

    /// `None` if the reason alone is not enough; others in the stack may be.
    fn for_reason(reason: Reason) -> Option<Self> {
        Some(Self::Kind(match reason {
            Reason::Alert(number) => Alert(number).into(),
            Reason::NoClientCertificate => HandshakeError::NoClientCertificate,
            Reason::NoCommonVersion => HandshakeError::NothingInCommon(Common::Version),
            Reason::NoCommonCipher => HandshakeError::NothingInCommon(Common::Cipher),
            Reason::NoCommonProtocol => HandshakeError::NothingInCommon(Common::Protocol),
            Reason::NotTls => HandshakeError::NotTls,
            Reason::Eof => return Some(Self::Io(io::ErrorKind::UnexpectedEof)),
            Reason::BadSignature | Reason::Other => return None,
        }))
    }
}

const CLOSE_NOTIFY: Alert = Alert(0);

/// The result of a call to OpenSSL that left no errors in the queue.
fn code(error: &(dyn Error + 'static)) -> Option<ErrorCode> {
    if let Some(error) = error.downcast_ref::<ssl::Error>() {
        return Some(error.code());
    }
    // native-tls returns only the text of `ssl::Error`.
    match error.to_string().as_str() {
        "the SSL session has been shut down" => Some(ErrorCode::ZERO_RETURN),
        "unexpected EOF" => Some(ErrorCode::SYSCALL),
        _ => None,
    }
}

fn stack<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e ErrorStack> {
    sources(error).find_map(|error| error.downcast_ref::<ErrorStack>())
}

/// An error and its sources.
fn sources<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
