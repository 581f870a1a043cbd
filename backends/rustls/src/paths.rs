use std::cell::RefCell;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{CertificateError, Error, OtherError, RootCertStore};
use turnkey_backend::{
    BuildError, Certificate, ClientTrust, Fault, Refused, RevocationList, Vouched, chain_fault,
};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use crate::lists::is_signed;
use crate::webpki_error;
use crate::words::Worded;

/// Finds the path from a client's certificate to a trusted CA. webpki checks the path, and exactly that path is
/// returned.
///
/// webpki is called directly, because rustls's verifier does not return the path. webpki does not check the dates of
/// a trust anchor, which may expire while the server runs, and it matches revocation lists by name alone. Both are
/// checked here.
#[derive(Debug)]
pub(crate) struct Paths {
    trust: ClientTrust,
    /// Its CAs for webpki, in the same order.
    roots: Arc<RootCertStore>,
    algorithms: &'static [&'static dyn SignatureVerificationAlgorithm],
}

impl Paths {
    pub(crate) fn new(trust: &ClientTrust, provider: &CryptoProvider) -> Result<Self, BuildError> {
        let mut roots = RootCertStore::empty();
        for anchor in trust.anchors().certificates() {
            let added = roots.add(anchor.der().clone());
            added.map_err(|e| BuildError::ClientCa(Worded::from(&e).into()))?;
        }
        let algorithms = provider.signature_verification_algorithms.all;
        Ok(Self { trust: trust.clone(), roots: Arc::new(roots), algorithms })
    }

    /// The certificate request of rustls, with the CAs and the signature schemes.
    pub(crate) fn request(
        &self,
        required: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ClientCertVerifier>, BuildError> {
        let (roots, provider) = (Arc::clone(&self.roots), Arc::clone(provider));
        let builder = WebPkiClientVerifier::builder_with_provider(roots, provider);
        let builder = if required { builder } else { builder.allow_unauthenticated() };
        builder.build().map_err(|e| BuildError::ClientCa(Worded::from(&e).into()))
    }

    /// The verified path from `leaf` to a trusted CA.
    pub(crate) fn find(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Vouched, NoPath> {
        let end_entity = EndEntityCert::try_from(leaf).map_err(webpki_error::of_path)?;
        let (accepted, objection) = (RefCell::new(None), RefCell::new(None));
        let judge = |path: &VerifiedPath<'_>| {
            let chain = self.chain(leaf, path)?;
            match self.judge(chain, system_time(now)) {
                Ok(path) => {
                    accepted.replace(Some(path));
                    Ok(())
                }
                Err(no_path) => {
                    objection.borrow_mut().get_or_insert(no_path);
                    // webpki looks for another path.
                    Err(webpki::Error::UnknownIssuer)
                }
            }
        };
        let verified = end_entity.verify_for_usage(
            self.algorithms,
            &self.roots.roots,
            others,
            now,
            KeyUsage::client_auth(),
            // Revocation lists are checked there too.
            None,
            Some(&judge),
        );
        match (verified, accepted.take(), objection.take()) {
            (Ok(_), Some(path), _) => Ok(path),
            (_, _, Some(objection)) => Err(objection),
            (Err(error), ..) => Err(webpki_error::of_path(error).into()),
            // webpki asks before it accepts a path.
            (Ok(_), None, None) => {
                Err(Error::from(CertificateError::ApplicationVerificationFailure).into())
            }
        }
    }

    /// Checks a path that webpki accepts, by the rules that webpki leaves out, and by the revocation lists.
    fn judge(&self, chain: Vec<Certificate>, now: SystemTime) -> Result<Vouched, NoPath> {
        if chain.last().is_none_or(|anchor| anchor.check_validity(now).is_err()) {
            return Err(Error::from(CertificateError::Expired).into());
        }
        let Some((leaf, issuers)) = chain.split_first() else {
            return Err(Error::from(CertificateError::UnknownIssuer).into());
        };
        if let Some((fault, culprit)) = chain_fault(&chain) {
            return Err(Refused::new(leaf.clone(), fault).because_of(culprit.clone()).into());
        }
        let signed = |list: &RevocationList, ca: &Certificate| is_signed(list, ca, self.algorithms);
        let until = self.trust.vouched_until(leaf, issuers, now, &signed)?;
        Ok(Vouched { chain, until })
    }

    /// The certificates of `path`.
    fn chain(
        &self,
        leaf: &CertificateDer<'_>,
        path: &VerifiedPath<'_>,
    ) -> Result<Vec<Certificate>, webpki::Error> {
        // Several CAs may have the same name and key, so they are identified by their index.
        let place = self.roots.roots.iter().position(|root| ptr::eq(root, path.anchor()));
        let anchor = place.and_then(|place| self.trust.anchors().certificates().get(place));
        let anchor = anchor.ok_or(webpki::Error::UnknownIssuer)?.clone();
        let read = |der: &[u8]| Certificate::from_der(der).map_err(|_| webpki::Error::BadDer);
        let between = path.intermediate_certificates().map(|one| read(&one.der()));
        [read(leaf)].into_iter().chain(between).chain([Ok(anchor)]).collect()
    }
}

/// Why there is no verified path.
#[derive(Debug)]
pub(crate) struct NoPath {
    /// For rustls, which converts it into an alert.
    pub(crate) error: Error,
    /// The fault, if it is not from webpki.
    pub(crate) refused: Option<Refused>,
}

impl From<Error> for NoPath {
    fn from(error: Error) -> Self {
        Self { error, refused: None }
    }
}

impl From<Refused> for NoPath {
    fn from(refused: Refused) -> Self {
        let error = match refused.fault() {
            Fault::Revoked => CertificateError::Revoked,
            Fault::NotAllowed | Fault::IssuerNotAllowed => {
                CertificateError::ApplicationVerificationFailure
            }
            Fault::NoRevocationList { .. }
            | Fault::RevocationListExpired { .. }
            | Fault::Other(_) => CertificateError::UnknownRevocationStatus,
            fault => CertificateError::Other(OtherError(Arc::new(Unfit(fault.clone())))),
        };
        Self { error: error.into(), refused: Some(refused) }
    }
}

/// A violation of a rule that webpki leaves out.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unfit(Fault);

pub(crate) fn system_time(time: UnixTime) -> SystemTime {
    // rustls takes it from the system's clock.
    UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs())).unwrap_or_else(SystemTime::now)
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
        ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
    };
    use rustls::crypto::aws_lc_rs;
    use turnkey_backend::TrustAnchors;

    use super::*;

    type Ca = CertifiedIssuer<'static, KeyPair>;

    /// The first of January 2026, and a year later.
    const NOW: u64 = 1_767_225_600;
    const NEXT_YEAR: u64 = NOW + 366 * 86_400;

    fn named(name: &str, until: i32) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) =
            (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
        params
    }

    fn ca(name: &str, until: i32) -> CertificateParams {
        let mut params = named(name, until);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    fn root(name: &str, until: i32) -> Ca {
        Ca::self_signed(ca(name, until), KeyPair::generate().unwrap()).unwrap()
    }

    fn below(root: &Ca, until: i32) -> Ca {
        Ca::signed_by(ca("Between", until), KeyPair::generate().unwrap(), root).unwrap()
    }

    fn leaf(ca: &Ca) -> CertificateDer<'static> {
        let mut params = named("client", 2040);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.signed_by(&KeyPair::generate().unwrap(), ca).unwrap().der().clone()
    }

    fn paths(cas: &[String]) -> Paths {
        let now = system_time(at(NOW));
        let anchors = TrustAnchors::from_pem(cas.concat().as_bytes(), now).unwrap();
        Paths::new(&anchors.into(), &aws_lc_rs::default_provider()).unwrap()
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    /// The forged one has the right name, and is sent first. A search by names alone would lead to another CA.
    #[test]
    fn a_forged_intermediate_is_no_part_of_the_path() {
        let (ours, theirs) = (root("Ours", 2040), root("Theirs", 2040));
        let between = below(&ours, 2040);
        let forged = below(&root("Theirs", 2040), 2040);
        let others = [forged.der().clone(), between.der().clone()];
        let paths = paths(&[ours.pem(), theirs.pem()]);
        let leaf = leaf(&between);
        let chain = paths.find(&leaf, &others, at(NOW)).unwrap().chain;
        let found: Vec<_> = chain.iter().map(|one| one.der().clone()).collect();
        assert_eq!(found, [leaf, between.der().clone(), ours.der().clone()]);
    }

    #[test]
    fn every_certificate_of_the_path_has_to_be_valid() {
        for (top, middle) in [(2027, 2040), (2040, 2027)] {
            let root = root("Ours", top);
            let between = below(&root, middle);
            let (leaf, others) = (leaf(&between), [between.der().clone()]);
            let paths = paths(&[root.pem()]);
            assert_eq!(paths.find(&leaf, &others, at(NOW)).unwrap().chain.len(), 3);
            let error = paths.find(&leaf, &others, at(NEXT_YEAR)).unwrap_err().error;
            let expired = matches!(
                error,
                Error::InvalidCertificate(
                    CertificateError::Expired | CertificateError::ExpiredContext { .. }
                )
            );
            assert!(expired, "{error:?}");
        }
    }

    /// The new CA has the same name and key, and the expired one comes first.
    #[test]
    fn the_path_leads_to_a_renewed_ca() {
        let old = root("Ours", 2027);
        let new = ca("Ours", 2040).self_signed(old.key()).unwrap();
        let paths = paths(&[old.pem(), new.pem()]);
        let leaf = leaf(&old);
        for (now, anchor) in [(NOW, old.der()), (NEXT_YEAR, new.der())] {
            let chain = paths.find(&leaf, &[], at(now)).unwrap().chain;
            assert_eq!(chain.last().unwrap().der(), anchor);
        }
    }
}
