//! webpki's errors as rustls has them, so that the alerts and the words are those of rustls.

use std::sync::Arc;

use rustls::{CertRevocationListError, CertificateError, Error, OtherError};
use webpki::Error as Webpki;

/// Why there is no path.
pub(crate) fn of_path(error: Webpki) -> Error {
    use CertificateError as C;
    let fault = match error {
        Webpki::BadDer | Webpki::BadDerTime | Webpki::TrailingData(_) => C::BadEncoding,
        Webpki::CertNotValidYet { time, not_before } => C::NotValidYetContext { time, not_before },
        Webpki::CertExpired { time, not_after } => C::ExpiredContext { time, not_after },
        Webpki::InvalidCertValidity => C::Expired,
        Webpki::UnknownIssuer => C::UnknownIssuer,
        Webpki::CertRevoked => C::Revoked,
        Webpki::UnknownRevocationStatus => C::UnknownRevocationStatus,
        Webpki::CrlExpired { time, next_update } => {
            C::ExpiredRevocationListContext { time, next_update }
        }
        Webpki::InvalidSignatureForPublicKey => C::BadSignature,
        Webpki::RequiredEkuNotFoundContext(_) => C::InvalidPurpose,
        Webpki::UnsupportedSignatureAlgorithmContext(what) => {
            C::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: what.signature_algorithm_id,
                supported_algorithms: what.supported_algorithms,
            }
        }
        Webpki::UnsupportedSignatureAlgorithmForPublicKeyContext(what) => {
            C::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: what.signature_algorithm_id,
                public_key_algorithm_id: what.public_key_algorithm_id,
            }
        }
        Webpki::IssuerNotCrlSigner
        | Webpki::InvalidCrlSignatureForPublicKey
        | Webpki::UnsupportedCrlSignatureAlgorithmContext(_)
        | Webpki::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => {
            return of_list(error).into();
        }
        other => C::Other(OtherError(Arc::new(other))),
    };
    fault.into()
}

/// Why a revocation list is of no use.
pub(crate) fn of_list(error: Webpki) -> CertRevocationListError {
    use CertRevocationListError as L;
    match error {
        Webpki::BadDer | Webpki::BadDerTime | Webpki::MalformedExtensions => L::ParseError,
        Webpki::InvalidCrlSignatureForPublicKey => L::BadSignature,
        Webpki::IssuerNotCrlSigner => L::IssuerInvalidForCrl,
        Webpki::InvalidCrlNumber => L::InvalidCrlNumber,
        Webpki::InvalidSerialNumber => L::InvalidRevokedCertSerialNumber,
        Webpki::UnsupportedCriticalExtension => L::UnsupportedCriticalExtension,
        Webpki::UnsupportedCrlVersion => L::UnsupportedCrlVersion,
        Webpki::UnsupportedDeltaCrl => L::UnsupportedDeltaCrl,
        Webpki::UnsupportedIndirectCrl => L::UnsupportedIndirectCrl,
        Webpki::UnsupportedRevocationReason => L::UnsupportedRevocationReason,
        Webpki::UnsupportedCrlSignatureAlgorithmContext(what) => {
            L::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: what.signature_algorithm_id,
                supported_algorithms: what.supported_algorithms,
            }
        }
        Webpki::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(what) => {
            L::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: what.signature_algorithm_id,
                public_key_algorithm_id: what.public_key_algorithm_id,
            }
        }
        other => L::Other(OtherError(Arc::new(other))),
    }
}
