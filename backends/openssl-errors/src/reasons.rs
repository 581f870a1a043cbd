//! The reasons of OpenSSL's TLS library (`openssl/sslerr.h`) that say something about the peer.

use openssl::error::{self, ErrorStack};

/// `ERR_LIB_SSL`.
const SSL_LIBRARY: i32 = 20;

/// The reason of a received alert is its number plus this (`SSL_AD_REASON_OFFSET`).
const ALERT_OFFSET: i32 = 1000;

/// The meaning of one entry of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// An alert of this number was received.
    Alert(u8),
    NoClientCertificate,
    NoCommonVersion,
    /// No cipher suite, group or signature scheme.
    NoCommonCipher,
    NoCommonProtocol,
    NotTls,
    Eof,
    BadSignature,
    /// Possibly caused by the peer.
    Other,
}

impl Reason {
    /// The reasons of a stack, the oldest first, which is the cause of the others.
    pub(crate) fn all(stack: &ErrorStack) -> impl Iterator<Item = Self> {
        stack.errors().iter().map(Self::of)
    }

    fn of(error: &error::Error) -> Self {
        if error.library_code() == SSL_LIBRARY {
            Self::of_code(error.reason_code())
        } else {
            Self::Other
        }
    }

    fn of_code(code: i32) -> Self {
        match code {
            // PEER_DID_NOT_RETURN_A_CERTIFICATE
            199 => Self::NoClientCertificate,
            // VERSION_TOO_HIGH, NO_PROTOCOLS_AVAILABLE, UNKNOWN_PROTOCOL, UNSUPPORTED_PROTOCOL,
            // WRONG_SSL_VERSION, VERSION_TOO_LOW
            166 | 191 | 252 | 258 | 266 | 396 => Self::NoCommonVersion,
            // NO_SUITABLE_KEY_SHARE, NO_SUITABLE_SIGNATURE_ALGORITHM, NO_SHARED_CIPHER,
            // NO_SUITABLE_GROUPS, NO_SHARED_SIGNATURE_ALGORITHMS, NO_SHARED_GROUPS
            101 | 118 | 193 | 295 | 376 | 410 => Self::NoCommonCipher,
            // NO_APPLICATION_PROTOCOL
            235 => Self::NoCommonProtocol,
            // HTTPS_PROXY_REQUEST, HTTP_REQUEST; WRONG_VERSION_NUMBER: the first bytes are not a TLS record
            155 | 156 | 267 => Self::NotTls,
            // UNEXPECTED_EOF_WHILE_READING
            294 => Self::Eof,
            // BAD_SIGNATURE
            123 => Self::BadSignature,
            _ => match u8::try_from(code - ALERT_OFFSET) {
                Ok(number) => Self::Alert(number),
                Err(_) => Self::Other,
            },
        }
    }
}
