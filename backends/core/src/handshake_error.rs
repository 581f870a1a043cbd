use std::fmt;
use std::io;
use std::time::SystemTime;

use crate::time::utc;
use crate::{Certificate, RevocationList};

/// Why a handshake failed.
///
/// The errors of all TLS stacks are converted into these kinds, so that they are explained in the same words.
/// Others are [`HandshakeError::Tls`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The peer left, or the network broke, before the handshake was done.
    #[error("the connection ended during the handshake")]
    Io(#[source] io::Error),
    /// A client certificate is required and the client sent none.
    #[error("the client sent no certificate, and one is required")]
    NoClientCertificate,
    /// The client's certificate was refused.
    #[error(transparent)]
    ClientCertificate(#[from] Refused),
    /// The client ended it, with an alert.
    #[error("the client ended the handshake: {alert}")]
    Alert {
        /// The alert.
        alert: Alert,
        /// Our certificate that the client got, if known.
        shown: Option<Certificate>,
    },
    /// Client and server have no common version, cipher or protocol.
    #[error("client and server have no {0} in common")]
    NothingInCommon(Common),
    /// The client did not send TLS.
    #[error("what the client sent is not TLS")]
    NotTls,
    /// Another error of the TLS stack, which is the source.
    #[error("the TLS handshake failed")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl HandshakeError {
    /// Adds our certificate that the client got, if it is needed.
    #[must_use]
    pub fn having_shown(self, ours: Certificate) -> Self {
        match self {
            Self::Alert { alert, shown: None } => Self::Alert { alert, shown: Some(ours) },
            other => other,
        }
    }
}

/// What client and server must agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Common {
    /// A version of TLS.
    Version,
    /// A cipher suite, a group for the key exchange, or a signature scheme.
    Cipher,
    /// An application protocol (ALPN, RFC 7301).
    Protocol,
}

impl fmt::Display for Common {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "TLS version",
            Self::Cipher => "cipher",
            Self::Protocol => "application protocol",
        })
    }
}

/// A client's certificate that was refused.
#[derive(Debug, thiserror::Error)]
#[error("the client certificate \"{}\" was refused: {}", .0.certificate.subject(), .0.fault)]
pub struct Refused(Box<RefusedParts>);

#[derive(Debug)]
struct RefusedParts {
    certificate: Certificate,
    culprit: Option<Certificate>,
    fault: Fault,
}

impl Refused {
    /// A refusal of the client's own certificate for this fault.
    #[must_use]
    pub fn new(certificate: Certificate, fault: Fault) -> Self {
        Self(Box::new(RefusedParts { certificate, culprit: None, fault }))
    }

    /// Names another certificate of the chain as the one with the fault.
    #[must_use]
    pub fn because_of(mut self, culprit: Certificate) -> Self {
        self.0.culprit = (culprit != self.0.certificate).then_some(culprit);
        self
    }

    /// The client's own certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    /// The certificate with the fault: the client's, or that of a CA above it.
    #[must_use]
    pub fn culprit(&self) -> &Certificate {
        self.0.culprit.as_ref().unwrap_or(&self.0.certificate)
    }

    /// The fault.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }
}

/// What is wrong with a client's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No trusted CA issued it, according to the chain that the client sent.
    UnknownIssuer,
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// Its CA has revoked it.
    Revoked,
    /// It is not for the authentication of clients (RFC 5280 §4.2.1.12).
    NotForClients,
    /// Its key may neither sign nor agree on a key (RFC 5280 §4.2.1.3), which a client needs.
    MayNotSign,
    /// It is a CA's, and its key may not sign certificates (RFC 5280 §4.2.1.3).
    MayNotIssue,
    /// It is a CA's, and allows fewer CAs below it than there are (RFC 5280 §4.2.1.9).
    TooManyCas,
    /// It has a name that a CA above it may not issue certificates for (RFC 5280 §4.2.1.10).
    NameNotPermitted,
    /// It is the certificate of a CA, not of a client.
    IsCa,
    /// No rule allows it.
    NotAllowed,
    /// None of the allowed issuers issued it directly, or its issuer is not known.
    IssuerNotAllowed,
    /// Its signature, or the client's own, is wrong.
    BadSignature,
    /// It is older than X.509 version 3, which the TLS stack does not accept.
    OldVersion,
    /// There are revocation lists, but none of its CA.
    NoRevocationList {
        /// The CA, as a distinguished name.
        issuer: String,
    },
    /// The revocation list of its CA has expired.
    RevocationListExpired {
        /// The CA, as a distinguished name.
        issuer: String,
        /// When it should have been renewed.
        next_update: Option<SystemTime>,
    },
    /// Another fault, in the words of the TLS stack.
    Other(String),
}

impl Fault {
    /// The only revocation list of its CA is not valid yet.
    #[must_use]
    pub fn list_not_yet_valid(list: &RevocationList) -> Self {
        Self::list_of_no_use(&format!(
            "it is not valid before {}; is the clock right?",
            utc(list.this_update())
        ))
    }

    /// The revocation list of its CA cannot be used, for the reason `why`.
    pub(crate) fn list_of_no_use(why: &str) -> Self {
        Self::Other(format!("the revocation list of its CA is of no use: {why}"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownIssuer => "no trusted CA issued it",
            Self::Expired => "it has expired",
            Self::NotYetValid => "it is not valid yet",
            Self::Revoked => "it is revoked",
            Self::NotForClients => "it is not for the authentication of clients",
            Self::MayNotSign => "its key may not sign (key usage)",
            Self::MayNotIssue => "its key may not sign certificates (key usage)",
            Self::TooManyCas => "it allows fewer CAs below it than there are (path length)",
            Self::NameNotPermitted => {
                "it has a name that its CA may not issue certificates for (name constraints)"
            }
            Self::IsCa => "it is the certificate of a CA, not of a client",
            Self::NotAllowed => "no rule allows it",
            Self::IssuerNotAllowed => "no allowed issuer issued it directly",
            Self::BadSignature => "a signature is wrong",
            Self::OldVersion => "it is older than X.509 version 3",
            Self::NoRevocationList { .. } => "there is no revocation list of its CA",
            Self::RevocationListExpired { .. } => "the revocation list of its CA has expired",
            Self::Other(what) => what,
        })
    }
}

/// An alert that the client sent (RFC 8446 §6, RFC 5246 §7.2): its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Alert(pub u8);

impl Alert {
    /// Its name in the RFCs; `None` if the number has no name.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            22 => "record_overflow",
            40 => "handshake_failure",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            116 => "certificate_required",
            120 => "no_application_protocol",
            _ => return None,
        })
    }
}

impl From<Alert> for HandshakeError {
    fn from(alert: Alert) -> Self {
        Self::Alert { alert, shown: None }
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "alert {name} ({})", self.0),
            None => write!(f, "alert {}", self.0),
        }
    }
}
