use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use turnkey_backend::{BuildError, Certificate, ClientPolicy, ClientTrust};

use crate::dated::{Dated, system_time};
use crate::refusal::Presented;
use crate::slot;

/// What verifies the certificates of clients under `policy`.
pub(crate) fn new(
    policy: &ClientPolicy,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, BuildError> {
    let Some(trust) = policy.trust() else { return Ok(WebPkiClientVerifier::no_client_auth()) };
    let dated = Dated::new(policy, trust, provider)?;
    Ok(Arc::new(Verifier { dated, trust: trust.clone() }))
}

/// webpki's verifier, with the rules beside it, which leaves word of whom it refuses and why.
#[derive(Debug)]
struct Verifier {
    dated: Dated,
    trust: ClientTrust,
}

impl Verifier {
    /// Keeps the rules, where they are kept in the handshake.
    fn admit(&self, leaf: &CertificateDer<'_>) -> Result<(), Error> {
        let allowed = !self.trust.denies_early()
            || Certificate::from_der(leaf).is_ok_and(|leaf| self.trust.allows(&leaf));
        if allowed { Ok(()) } else { Err(CertificateError::ApplicationVerificationFailure.into()) }
    }

    /// Leaves word of `error`, and makes it more exact where webpki goes by less than is known.
    fn refuse(
        &self,
        error: Error,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: SystemTime,
    ) -> Error {
        let Some(presented) = Presented::new(leaf, others, &self.trust) else { return error };
        let error = match error {
            // A CA by the name of ours, and with another key: to webpki its signature is wrong. To
            // the client it is a CA that we do not know, often the one before ours was made anew.
            Error::InvalidCertificate(CertificateError::BadSignature)
                if !presented.leads_to_trust() =>
            {
                CertificateError::UnknownIssuer.into()
            }
            other => other,
        };
        slot::put(presented.refused(&error, &self.trust, now));
        error
    }

    /// The client's own signature, which shows that it has the key of its certificate.
    fn signed(
        &self,
        verified: Result<HandshakeSignatureValid, Error>,
        leaf: &CertificateDer<'_>,
    ) -> Result<HandshakeSignatureValid, Error> {
        if let Err(error @ Error::InvalidCertificate(_)) = &verified
            && let Some(presented) = Presented::new(leaf, &[], &self.trust)
        {
            slot::put(presented.refused(error, &self.trust, SystemTime::now()));
        }
        verified
    }
}

impl ClientCertVerifier for Verifier {
    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.dated.verify(leaf, others, now);
        let admitted = verified.and_then(|verified| self.admit(leaf).map(|()| verified));
        admitted.map_err(|error| self.refuse(error, leaf, others, system_time(now)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(self.dated.webpki().verify_tls12_signature(message, leaf, signature), leaf)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(self.dated.webpki().verify_tls13_signature(message, leaf, signature), leaf)
    }

    fn offer_client_auth(&self) -> bool {
        self.dated.webpki().offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.dated.webpki().client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.dated.webpki().root_hint_subjects()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.dated.webpki().supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.dated.webpki().requires_raw_public_keys()
    }
}
