use std::ffi::c_int;

use openssl::x509::X509VerifyResult;

/// `X509_V_ERR_CERT_REVOKED` of `openssl/x509_vfy.h`.
const CERT_REVOKED: c_int = 23;

/// `X509_V_ERR_UNABLE_TO_GET_CRL`.
const UNABLE_TO_GET_CRL: c_int = 3;

/// The result for a revoked certificate, for a verify callback to set. The client gets the alert
/// `certificate_revoked`.
#[must_use]
pub fn revoked() -> X509VerifyResult {
    of(CERT_REVOKED)
}

/// The result for a certificate whose revocation cannot be checked. The client gets the alert `unknown_ca`.
#[must_use]
pub fn of_unknown_status() -> X509VerifyResult {
    of(UNABLE_TO_GET_CRL)
}

fn of(number: c_int) -> X509VerifyResult {
    #[expect(unsafe_code, reason = "the `openssl` crate has no name for it")]
    // SAFETY: both callers pass a number of `openssl/x509_vfy.h`.
    let result = unsafe { X509VerifyResult::from_raw(number) };
    result
}
