//! Converts OpenSSL's result of verifying a client's certificate (`openssl/x509_vfy.h`) into a fault.

use openssl::x509::X509VerifyResult;
use turnkey_backend::{Certificate, Fault, Refused};

/// The fault of a chain, and the certificate with the fault.
#[derive(Debug)]
pub(crate) struct Refusal {
    result: X509VerifyResult,
    culprit: Option<Vec<u8>>,
}

impl Refusal {
    /// `culprit` in DER.
    pub(crate) fn new(result: X509VerifyResult, culprit: Option<Vec<u8>>) -> Self {
        Self { result, culprit }
    }

    /// Converts it, for a client with the certificate `leaf`.
    pub(crate) fn of(&self, leaf: Certificate) -> Refused {
        let culprit = self.culprit.as_deref().and_then(|der| Certificate::from_der(der).ok());
        let culprit = culprit.unwrap_or_else(|| leaf.clone());
        let fault = match fault(self.result, &culprit) {
            // OpenSSL reports a CA as a client as a wrong key usage.
            Fault::NotForClients | Fault::MayNotSign if culprit == leaf && leaf.is_ca() => {
                Fault::IsCa
            }
            fault => fault,
        };
        Refused::new(leaf, fault).because_of(culprit)
    }
}

fn fault(result: X509VerifyResult, culprit: &Certificate) -> Fault {
    match result.as_raw() {
        // UNABLE_TO_GET_ISSUER_CERT, DEPTH_ZERO_SELF_SIGNED_CERT, SELF_SIGNED_CERT_IN_CHAIN,
        // UNABLE_TO_GET_ISSUER_CERT_LOCALLY, UNABLE_TO_VERIFY_LEAF_SIGNATURE, CERT_UNTRUSTED
        2 | 18 | 19 | 20 | 21 | 27 => Fault::UnknownIssuer,
        // UNABLE_TO_DECRYPT_CERT_SIGNATURE, UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY,
        // CERT_SIGNATURE_FAILURE
        4 | 6 | 7 => Fault::BadSignature,
        // CERT_NOT_YET_VALID
        9 => Fault::NotYetValid,
        // CERT_HAS_EXPIRED
        10 => Fault::Expired,
        // INVALID_CA, of OpenSSL 1.1.1 and of 3, KEYUSAGE_NO_CERTSIGN
        24 | 32 | 79 if !culprit.may_sign_certificates() => Fault::MayNotIssue,
        // PATH_LENGTH_EXCEEDED
        25 => Fault::TooManyCas,
        // INVALID_PURPOSE, for which there are two extensions
        26 if culprit.allows_client_auth() && !culprit.may_sign_or_agree() => Fault::MayNotSign,
        26 => Fault::NotForClients,
        // PERMITTED_VIOLATION, EXCLUDED_VIOLATION
        47 | 48 => Fault::NameNotPermitted,
        _ => Fault::Other(result.error_string().to_owned()),
    }
}
