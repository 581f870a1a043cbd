//! Why a handshake failed, if the platform reports it.

/// OpenSSL reports it.
#[cfg(not(any(target_os = "windows", target_vendor = "apple")))]
pub(crate) use turnkey_openssl_errors::handshake_error;

/// Other platforms only report errors of the network.
#[cfg(any(target_os = "windows", target_vendor = "apple"))]
pub(crate) fn handshake_error(error: native_tls::Error) -> turnkey_backend::HandshakeError {
    use std::error::Error as _;
    use std::io::{self, ErrorKind};

    use turnkey_backend::HandshakeError;

    let sources = std::iter::successors(error.source(), |&error| error.source());
    let io = sources.filter_map(|error| error.downcast_ref::<io::Error>()).next();
    match io.map(io::Error::kind) {
        // SChannel returns all its errors as `io::Error`; those of the network have a kind.
        Some(
            kind @ (ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe),
        ) => HandshakeError::Io(io::Error::new(kind, error)),
        _ => HandshakeError::Tls(error.into()),
    }
}
