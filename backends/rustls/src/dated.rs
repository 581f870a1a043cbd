use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, Error, RootCertStore};
use turnkey_backend::{BuildError, Certificate, ClientPolicy, ClientTrust, RevocationList};

use crate::lists::Verifiers;
use crate::words::Worded;

/// webpki's verifier, without the CAs whose time is over, and the revocation lists whose time has not
/// come.
///
/// webpki looks at no date of a trust anchor, and one may end while the server runs, before the
/// certificates that it issued do. Of a list it looks at the end alone. Nor does it tell by which anchor
/// and list it found a certificate good: two may bear one name. So as long as one is not valid, what was
/// found good has to be so without it.
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
        let all = build(trust.anchors().certificates(), trust.crls(), required, provider)?;
        let provider = Arc::clone(provider);
        Ok(Self { trust, required, provider, all, less: Mutex::default() })
    }

    /// The one for all of them, which says what is asked of clients.
    pub(crate) fn webpki(&self) -> &dyn ClientCertVerifier {
        &*self.all.first
    }

    pub(crate) fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        use CertificateError as E;
        let verified = self.all.verify(leaf, others, now)?;
        let valid = self.valid(system_time(now));
        if valid.iter().all(|valid| *valid) {
            return Ok(verified);
        }
        let Some(less) = self.less(&valid) else {
            let cas = self.trust.anchors().certificates().len();
            let no_ca = !valid.iter().take(cas).any(|valid| *valid);
            return Err(if no_ca { E::Expired } else { E::UnknownRevocationStatus }.into());
        };
        less.verify(leaf, others, now).map_err(|error| match error {
            // It is good by a CA that is left out, of which another may bear the name.
            Error::InvalidCertificate(E::UnknownIssuer | E::BadSignature) => E::Expired.into(),
            other => other,
        })
    }

    /// Of each CA, and then of each list, whether it is valid at `now`. Whether a list has expired is
    /// for webpki to say.
    fn valid(&self, now: SystemTime) -> Vec<bool> {
        let cas = self.trust.anchors().certificates().iter();
        let lists = self.trust.crls().iter().map(|list| list.has_begun(now));
        cas.map(|ca| ca.check_validity(now).is_ok()).chain(lists).collect()
    }

    /// A verifier for what is `valid`: it costs more than a handshake, and lasts for many.
    fn less(&self, valid: &[bool]) -> Option<Arc<Verifiers>> {
        let mut less = self.less.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(less) = less.as_ref().filter(|less| less.valid == valid) {
            return less.verifiers.clone();
        }
        let verifiers = self.build_less(valid).map(Arc::new);
        *less = Some(Less { valid: valid.to_vec(), verifiers: verifiers.clone() });
        verifiers
    }

    fn build_less(&self, valid: &[bool]) -> Option<Verifiers> {
        let (anchors, lists) = (self.trust.anchors().certificates(), self.trust.crls());
        let (valid_anchors, valid_lists) = valid.split_at_checked(anchors.len())?;
        let (anchors, asked) = (kept(anchors, valid_anchors), !lists.is_empty());
        let lists = kept(lists, valid_lists);
        // Without any, webpki would ask for none.
        if asked && lists.is_empty() {
            return None;
        }
        // All of it has been taken before: it is only no CA at all that is refused.
        build(&anchors, &lists, self.required, &self.provider).ok()
    }
}

/// Those of `all` that are valid.
fn kept<T: Clone>(all: &[T], valid: &[bool]) -> Vec<T> {
    all.iter().zip(valid).filter(|(_, valid)| **valid).map(|(one, _)| one.clone()).collect()
}

pub(crate) fn system_time(time: UnixTime) -> SystemTime {
    // rustls has it from the system's clock.
    UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs())).unwrap_or_else(SystemTime::now)
}

fn build(
    anchors: &[Certificate],
    lists: &[RevocationList],
    required: bool,
    provider: &Arc<CryptoProvider>,
) -> Result<Verifiers, BuildError> {
    let mut roots = RootCertStore::empty();
    for anchor in anchors {
        roots
            .add(anchor.der().clone())
            .map_err(|e| BuildError::ClientCa(Worded::from(&e).into()))?;
    }
    let roots = Arc::new(roots);
    let builder = || {
        let builder =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(provider))
                .enforce_revocation_expiration();
        if required { builder } else { builder.allow_unauthenticated() }
    };
    Verifiers::new(lists, builder)
}
