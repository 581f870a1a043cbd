use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, Error, RootCertStore};
use turnkey_backend::{BuildError, Certificate, ClientPolicy, ClientTrust};

use crate::lists::Verifiers;

/// webpki's verifier, without the CAs whose time is over.
///
/// webpki looks at no date of a trust anchor, and one may end while the server runs, before the
/// certificates that it issued do. Nor does it tell by which anchor it found a certificate good: two
/// may bear one name. So once one is out of date, what was found good has to be so without it.
#[derive(Debug)]
pub(crate) struct Dated {
    trust: ClientTrust,
    required: bool,
    provider: Arc<CryptoProvider>,
    all: Verifiers,
    /// The last one that was made for less than all.
    less: Mutex<Option<Less>>,
}

/// A verifier for what is valid of the policy.
#[derive(Debug, Clone)]
struct Less {
    valid: Vec<bool>,
    /// `None` when nothing is left to verify with.
    verifiers: Option<Arc<Verifiers>>,
}

impl Dated {
    /// For the clients of `trust`, which is that of `policy`.
    pub(crate) fn new(
        policy: &ClientPolicy,
        trust: &ClientTrust,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, BuildError> {
        let (trust, required) = (trust.clone(), policy.is_required());
        let all = build(&trust, required, provider, |_| true)?;
        let provider = Arc::clone(provider);
        Ok(Self { trust, required, provider, all, less: Mutex::default() })
    }

    /// The one for all CAs, which says what is asked of clients.
    pub(crate) fn webpki(&self) -> &dyn ClientCertVerifier {
        &*self.all.first
    }

    pub(crate) fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.all.verify(leaf, others, now)?;
        let valid = self.valid(system_time(now));
        if valid.iter().all(|valid| *valid) {
            return Ok(verified);
        }
        let expired = Error::from(CertificateError::Expired);
        let Some(less) = self.less(valid) else { return Err(expired) };
        less.verify(leaf, others, now).map_err(|error| match error {
            // It is good by a CA that is left out, of which another may bear the name.
            Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            ) => expired,
            other => other,
        })
    }

    /// Of each CA, whether it is valid at `now`.
    fn valid(&self, now: SystemTime) -> Vec<bool> {
        self.trust
            .anchors()
            .certificates()
            .iter()
            .map(|ca| ca.check_validity(now).is_ok())
            .collect()
    }

    /// A verifier for what is `valid`: it costs more than a handshake, and lasts for many.
    fn less(&self, valid: Vec<bool>) -> Option<Arc<Verifiers>> {
        let mut less = self.less.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(less) = less.as_ref().filter(|less| less.valid == valid) {
            return less.verifiers.clone();
        }
        let is_valid = |place| valid.get(place).copied().unwrap_or_default();
        // All of it has been taken before, so that only nothing at all is refused.
        let verifiers = build(&self.trust, self.required, &self.provider, is_valid).ok();
        let verifiers = verifiers.map(Arc::new);
        *less = Some(Less { valid, verifiers: verifiers.clone() });
        verifiers
    }
}

pub(crate) fn system_time(time: UnixTime) -> SystemTime {
    // rustls has it from the system's clock.
    UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs())).unwrap_or_else(SystemTime::now)
}

/// webpki's verifiers for those of the CAs at whose places `is_valid` says so.
fn build(
    trust: &ClientTrust,
    required: bool,
    provider: &Arc<CryptoProvider>,
    is_valid: impl Fn(usize) -> bool,
) -> Result<Verifiers, BuildError> {
    let cas = trust.anchors().certificates().iter().enumerate();
    let roots = roots(cas.filter(|(place, _)| is_valid(*place)).map(|(_, ca)| ca))?;
    let builder = || {
        let builder =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider))
                .enforce_revocation_expiration();
        if required { builder } else { builder.allow_unauthenticated() }
    };
    Verifiers::new(trust.crls(), builder)
}

fn roots<'c>(
    anchors: impl Iterator<Item = &'c Certificate>,
) -> Result<Arc<RootCertStore>, BuildError> {
    let mut roots = RootCertStore::empty();
    for certificate in anchors {
        roots.add(certificate.der().clone()).map_err(|e| BuildError::ClientCa(e.into()))?;
    }
    Ok(Arc::new(roots))
}
