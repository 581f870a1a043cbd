//! Converts webpki's errors into those of rustls, so that alerts and words are the same.

use std::sync::Arc;

use rustls::{CertificateError, Error, OtherError};
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
        other => C::Other(OtherError(Arc::new(other))),
    };
    fault.into()
}
