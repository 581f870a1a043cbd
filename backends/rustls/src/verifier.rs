use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};
use turnkey_backend::{BuildError, Certificate, ClientPolicy, ClientTrust, TrustAnchors};

use crate::lists::Verifiers;
use crate::refusal::Presented;
use crate::slot;

/// What verifies the certificates of clients under `policy`.
pub(crate) fn new(
    policy: &ClientPolicy,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, BuildError> {
    let Some(trust) = policy.trust() else { return Ok(WebPkiClientVerifier::no_client_auth()) };
    let roots = roots(trust.anchors())?;
    let builder = || {
        let builder =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider))
                .enforce_revocation_expiration();
        if policy.is_required() { builder } else { builder.allow_unauthenticated() }
    };
    let webpki = Verifiers::new(trust.crls(), builder)?;
    Ok(Arc::new(Verifier { webpki, trust: trust.clone() }))
}

/// webpki's verifier, with the rules beside it, which leaves word of whom it refuses and why.
#[derive(Debug)]
struct Verifier {
    webpki: Verifiers,
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
        let verified = self.webpki.verify(leaf, others, now);
        let admitted = verified.and_then(|verified| self.admit(leaf).map(|()| verified));
        admitted.map_err(|error| self.refuse(error, leaf, others, system_time(now)))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(self.webpki.first.verify_tls12_signature(message, leaf, signature), leaf)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(self.webpki.first.verify_tls13_signature(message, leaf, signature), leaf)
    }

    fn offer_client_auth(&self) -> bool {
        self.webpki.first.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.webpki.first.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.webpki.first.root_hint_subjects()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.first.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.webpki.first.requires_raw_public_keys()
    }
}

fn roots(anchors: &TrustAnchors) -> Result<Arc<RootCertStore>, BuildError> {
    let mut roots = RootCertStore::empty();
    for certificate in anchors.certificates() {
        roots.add(certificate.der().clone()).map_err(|e| BuildError::ClientCa(e.into()))?;
    }
    Ok(Arc::new(roots))
}

fn system_time(time: UnixTime) -> SystemTime {
    // rustls has it from the system's clock.
    UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs())).unwrap_or_else(SystemTime::now)
}
