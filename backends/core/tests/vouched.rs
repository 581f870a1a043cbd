//! What vouches for a client: the chain and the revocation lists, and until when.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateRevocationListParams, CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope,
    Issuer, KeyIdMethod, RevokedCertParams, SerialNumber, date_time_ymd,
};
use support::{Holder, new_year_2026, now, parse};
use turnkey_backend::{Certificate, ClientTrust, Fault, RevocationList, TrustAnchors};

const DAY: Duration = Duration::from_secs(86_400);
const SECOND: Duration = Duration::from_secs(1);

/// The first of January.
fn year(year: i32) -> SystemTime {
    date_time_ymd(year, 1, 1).into()
}

/// A CA, and a client's certificate that it issued, which ends with 2030.
struct Site {
    root: Holder,
    root_certificate: Certificate,
    leaf: Certificate,
}

impl Site {
    fn new() -> Self {
        Self::with(None)
    }

    fn with(point: Option<&str>) -> Self {
        let root = Holder::ca("root");
        let mut leaf = Holder::leaf("alice");
        leaf.params.not_after = date_time_ymd(2031, 1, 1);
        leaf.params.serial_number = Some(SerialNumber::from(7_u64));
        leaf.params.crl_distribution_points = point.into_iter().map(point_at).collect();
        let leaf = parse(&leaf.signed_by(&root));
        let root_certificate = parse(&root.self_signed());
        Self { root, root_certificate, leaf }
    }

    /// What becomes of the client in the middle of 2026, by lists each of which is signed by the one beside it.
    fn by(&self, lists: &[(&Holder, List)]) -> Result<SystemTime, Fault> {
        self.chain_by(std::slice::from_ref(&self.root_certificate), lists)
    }

    fn chain_by(
        &self,
        issuers: &[Certificate],
        lists: &[(&Holder, List)],
    ) -> Result<SystemTime, Fault> {
        let made: Vec<_> =
            lists.iter().map(|(ca, list)| (ca.key.public_key_pem(), list.signed_by(ca))).collect();
        let signed = |list: &RevocationList, ca: &Certificate| {
            let (key, _) = made.iter().find(|(_, one)| one.der() == list.der()).unwrap();
            let key = turnkey_backend::pem::blocks(key.as_bytes()).unwrap().remove(0).der;
            if ca.spki_der() == &key[..] { Ok(()) } else { Err("another signed it") }
        };
        let anchors = [self.root.self_signed()];
        let anchors = TrustAnchors::from_pem(anchors.concat().as_bytes(), now()).unwrap();
        let lists = made.iter().map(|(_, list)| list.clone()).collect();
        let trust = ClientTrust::new(anchors).revocation_lists(lists);
        let at = new_year_2026() + 180 * DAY;
        let until = trust.vouched_until(&self.leaf, issuers, at, &signed);
        until.map_err(|refused| refused.fault().clone())
    }
}

fn point_at(uri: &str) -> CrlDistributionPoint {
    CrlDistributionPoint { uris: vec![uri.to_owned()] }
}

/// A list that is valid from the first of January of one year to that of another.
#[derive(Clone, Copy)]
struct List {
    years: (i32, i32),
    revokes: bool,
    scope: Option<(&'static str, Option<CrlScope>)>,
}

fn list(from: i32, to: i32) -> List {
    List { years: (from, to), revokes: false, scope: None }
}

impl List {
    fn revoking(self) -> Self {
        Self { revokes: true, ..self }
    }

    fn at(self, uri: &'static str) -> Self {
        Self { scope: Some((uri, None)), ..self }
    }

    fn only(self, uri: &'static str, scope: CrlScope) -> Self {
        Self { scope: Some((uri, Some(scope))), ..self }
    }

    fn signed_by(&self, ca: &Holder) -> RevocationList {
        let alice = RevokedCertParams {
            serial_number: SerialNumber::from(7_u64),
            revocation_time: date_time_ymd(2025, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(self.years.0, 1, 1),
            next_update: date_time_ymd(self.years.1, 1, 1),
            crl_number: 1_u64.into(),
            issuing_distribution_point: self.scope.map(|(uri, scope)| {
                CrlIssuingDistributionPoint { distribution_point: point_at(uri), scope }
            }),
            revoked_certs: if self.revokes { vec![alice] } else { Vec::new() },
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let made = params.signed_by(&Issuer::from_params(&ca.params, &ca.key)).unwrap();
        RevocationList::from_der(made.der()).unwrap()
    }
}

fn of_no_use(outcome: Result<SystemTime, Fault>, why: &str) {
    let Err(Fault::Other(text)) = outcome else { panic!("{outcome:?}") };
    assert!(text.starts_with("the revocation list of its CA is of no use: "), "{text}");
    assert!(text.contains(why), "{text}");
}

#[test]
fn the_first_certificate_to_end_ends_all() {
    let site = Site::new();
    assert_eq!(site.by(&[]), Ok(year(2031)));
    let mut between = Holder::ca("between");
    between.params.not_after = date_time_ymd(2029, 1, 1);
    let between = parse(&between.signed_by(&site.root));
    let chain = [between, site.root_certificate.clone()];
    assert_eq!(site.chain_by(&chain, &[]), Ok(year(2029)));
}

#[test]
fn a_list_ends_it_and_so_does_the_next_one_to_begin() {
    let site = Site::new();
    let root = &site.root;
    assert_eq!(site.by(&[(root, list(2026, 2028))]), Ok(year(2028) - SECOND));
    assert_eq!(site.by(&[(root, list(2026, 2040))]), Ok(year(2031)));
    // Of two the newer counts.
    let both = [(root, list(2025, 2027)), (root, list(2026, 2028))];
    assert_eq!(site.by(&both), Ok(year(2028) - SECOND));
    let next = [(root, list(2026, 2029)), (root, list(2027, 2030))];
    assert_eq!(site.by(&next), Ok(year(2027) - SECOND));
}

#[test]
fn every_certificate_below_a_trusted_one_needs_a_list() {
    let site = Site::new();
    let mut between = Holder::ca("between");
    between.params.not_after = date_time_ymd(2029, 1, 1);
    let mut leaf = Holder::leaf("bob");
    leaf.params.not_after = date_time_ymd(2031, 1, 1);
    let chain = [parse(&between.signed_by(&site.root)), site.root_certificate.clone()];
    let below = Site { leaf: parse(&leaf.signed_by(&between)), ..site };
    let [top, middle] = [(&below.root, list(2026, 2028)), (&between, list(2026, 2027))];
    assert_eq!(below.chain_by(&chain, &[top, middle]), Ok(year(2027) - SECOND));
    let none = |issuer: &str| Err(Fault::NoRevocationList { issuer: issuer.to_owned() });
    assert_eq!(below.chain_by(&chain, &[top]), none("CN=between"));
    assert_eq!(below.chain_by(&chain, &[middle]), none("CN=root"));
}

#[test]
fn a_list_belongs_to_the_key_that_signed_it() {
    let site = Site::new();
    let other = Holder::ca("root");
    let (old, new) = (list(2025, 2028), list(2026, 2027));
    let until = site.by(&[(&site.root, old), (&other, new.revoking())]);
    assert_eq!(until, Ok(year(2028) - SECOND));
    let revoked = site.by(&[(&site.root, old.revoking()), (&other, new)]);
    assert_eq!(revoked, Err(Fault::Revoked));
    of_no_use(site.by(&[(&other, new)]), "another signed it");
}

const ONE: &str = "http://crl.test/1.crl";
const TWO: &str = "http://crl.test/2.crl";

#[test]
fn a_list_of_another_distribution_point_is_not_for_it() {
    let site = Site::with(Some(ONE));
    let root = &site.root;
    let (one, two) = (list(2025, 2028).at(ONE), list(2026, 2027).at(TWO));
    assert_eq!(site.by(&[(root, one), (root, two.revoking())]), Ok(year(2028) - SECOND));
    assert_eq!(site.by(&[(root, one.revoking()), (root, two)]), Err(Fault::Revoked));
    of_no_use(site.by(&[(root, two)]), "it is for other certificates of that CA");
    // One without a point is for all.
    assert_eq!(site.by(&[(root, list(2026, 2028)), (root, two)]), Ok(year(2028) - SECOND));
}

#[test]
fn without_a_distribution_point_all_lists_count() {
    let site = Site::new();
    let root = &site.root;
    let (one, two) = (list(2025, 2028).at(ONE), list(2026, 2027).at(TWO));
    assert_eq!(site.by(&[(root, one), (root, two)]), Ok(year(2027) - SECOND));
    assert_eq!(site.by(&[(root, one.revoking()), (root, two)]), Err(Fault::Revoked));
    let expired = list(2025, 2026).at(TWO);
    let outcome = site.by(&[(root, one), (root, expired)]);
    assert!(matches!(outcome, Err(Fault::RevocationListExpired { .. })), "{outcome:?}");
    of_no_use(site.by(&[(root, one), (root, list(2027, 2028).at(TWO))]), "it is not valid before");
    // A full one is enough, but lifts no revocation.
    let full = (root, list(2026, 2029));
    assert_eq!(site.by(&[full, (root, one), (root, expired)]), Ok(year(2028) - SECOND));
    assert_eq!(site.by(&[full, (root, one.revoking())]), Err(Fault::Revoked));
}

#[test]
fn lists_of_clients_and_of_cas_are_apart() {
    let site = Site::with(Some(ONE));
    let root = &site.root;
    let clients = list(2025, 2028).only(ONE, CrlScope::UserCertsOnly);
    let cas = list(2026, 2027).only(ONE, CrlScope::CaCertsOnly);
    assert_eq!(site.by(&[(root, clients), (root, cas.revoking())]), Ok(year(2028) - SECOND));
    assert_eq!(site.by(&[(root, clients.revoking()), (root, cas)]), Err(Fault::Revoked));
    of_no_use(site.by(&[(root, cas)]), "it is for other certificates of that CA");
}

#[test]
fn lists_are_alike_by_ca_key_and_scope() {
    let (ca, namesake, other) = (Holder::ca("ca"), Holder::ca("ca"), Holder::ca("other"));
    let own = list(2026, 2027).signed_by(&ca);
    assert!(own.is_like(&list(2025, 2028).revoking().signed_by(&ca)));
    assert!(!own.is_like(&list(2026, 2027).signed_by(&namesake)));
    assert!(!own.is_like(&list(2026, 2027).signed_by(&other)));
    assert!(!own.is_like(&list(2026, 2027).at(ONE).signed_by(&ca)));
}
