use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use turnkey_backend::{
    BuildError, ClientPolicy, ClientTrust, HandshakeError, IssuerKey, Refused, Vouched,
};

use crate::paths::{NoPath, Paths, system_time};
use crate::refusal::Presented;
use crate::slot;
use crate::words::Worded;

/// Verifies client certificates: webpki's checks, then ours. It passes the verified path, or the refusal, to the
/// handshake.
#[derive(Debug)]
pub(crate) struct Verifier {
    paths: Paths,
    trust: ClientTrust,
    /// Makes the certificate request, and checks the clients' own signatures.
    request: Arc<dyn ClientCertVerifier>,
}

impl Verifier {
    /// For the clients of `policy`; `None` if they are not asked.
    pub(crate) fn new(
        policy: &ClientPolicy,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Self>, BuildError> {
        let Some(trust) = policy.trust() else { return Ok(None) };
        let paths = Paths::new(trust, provider)?;
        let request = paths.request(policy.is_required(), provider)?;
        Ok(Some(Self { paths, trust: trust.clone(), request }))
    }

    /// Verifies the chain of a client that was accepted before, by the current state: of a resumed session, or of an
    /// open connection. A ticket contains what the client sent when the session began. Any of that may be forged or
    /// have expired, so only the path is verified.
    pub(crate) fn verify_again(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
    ) -> Result<Vouched, HandshakeError> {
        let now = UnixTime::now();
        self.verify(leaf, others, now).map_err(|no_path| match no_path.refused {
            Some(refused) => refused.into(),
            None => HandshakeError::Tls(Worded::from(&no_path.error).into()),
        })
    }

    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Vouched, NoPath> {
        let path = self.paths.find(leaf, others, now).and_then(|path| {
            // The rules, if they are checked in the handshake.
            match self.denied(&path) {
                Some(refused) if self.trust.denies_early() => Err(refused.into()),
                _ => Ok(path),
            }
        });
        path.map_err(|no_path| match no_path.refused {
            Some(_) => no_path,
            None => self.refused(no_path.error, leaf, others, system_time(now)),
        })
    }

    /// Which rule denies the client of a verified path, if one does.
    fn denied(&self, path: &Vouched) -> Option<Refused> {
        let leaf = path.chain.first()?;
        let fault = self.trust.denies(leaf, IssuerKey::in_chain(&path.chain))?;
        Some(Refused::new(leaf.clone(), fault))
    }

    /// The meaning of webpki's `error` for the client, and the error itself. The error is more exact if webpki's
    /// ignores known facts.
    fn refused(
        &self,
        error: Error,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: SystemTime,
    ) -> NoPath {
        let Some(presented) = Presented::new(leaf, others, &self.trust) else {
            return error.into();
        };
        let error = match error {
            // A CA with the name of ours but another key. To webpki its signature is wrong. To the client it is an
            // unknown CA, often an older one that ours has replaced.
            Error::InvalidCertificate(CertificateError::BadSignature)
                if !presented.leads_to_trust() =>
            {
                CertificateError::UnknownIssuer.into()
            }
            other => other,
        };
        let refused = presented.refused(&error, now);
        NoPath { error, refused: Some(refused) }
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
            slot::put(presented.refused(error, SystemTime::now()));
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
        match self.verify(leaf, others, now) {
            Ok(path) => {
                slot::verified(path);
                Ok(ClientCertVerified::assertion())
            }
            Err(NoPath { error, refused }) => {
                if let Some(refused) = refused {
                    slot::put(refused);
                }
                Err(error)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(self.request.verify_tls12_signature(message, leaf, signature), leaf)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(self.request.verify_tls13_signature(message, leaf, signature), leaf)
    }

    fn offer_client_auth(&self) -> bool {
        self.request.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.request.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.request.root_hint_subjects()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.request.supported_verify_schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        self.request.requires_raw_public_keys()
    }
}
