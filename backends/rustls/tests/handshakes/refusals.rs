//! Clients that are refused for their certificate: what is said of it, and the alert that they see.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use rcgen::{CustomExtension, ExtendedKeyUsagePurpose};
use rustls::client::{ClientConfig, ResolvesClientCert};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{AlertDescription, SignatureScheme, SupportedProtocolVersion};
use turnkey_backend::{
    AllowRules, Certificate, ClientPolicy, ClientTrust, Fault, HandshakeError, Refused,
};

use crate::client::{Met, Site, VERSIONS, client, meet, provider};
use crate::pki::{Ca, Holder, ago, ahead};

const DAY: Duration = Duration::from_secs(86_400);

/// Has `holder` refused in both versions of TLS, and says why.
pub(crate) fn refusals(trust: &ClientTrust, holder: &Holder) -> [(Refused, AlertDescription); 2] {
    let site = Site::new();
    let backend = site.backend(ClientPolicy::Required(trust.clone()));
    VERSIONS.map(|version| refusal(meet(&backend, &client(&site.ca, Some(holder), version))))
}

pub(crate) fn refusal(met: Met) -> (Refused, AlertDescription) {
    match met.refusal() {
        (HandshakeError::ClientCertificate(refused), alert) => (refused, alert),
        (other, alert) => panic!("{other:?}, {alert:?}"),
    }
}

/// Has `holder` refused in both versions of TLS, and checks why and because of whom.
pub(crate) fn is_refused(
    trust: &ClientTrust,
    holder: &Holder,
    culprit: &Certificate,
    fault: &Fault,
    alert: AlertDescription,
) {
    for (refused, seen) in refusals(trust, holder) {
        assert_eq!(refused.fault(), fault);
        assert_eq!(refused.certificate(), &holder.certificate());
        assert_eq!(refused.culprit(), culprit);
        assert_eq!(seen, alert);
    }
}

pub(crate) fn is_let_in(trust: &ClientTrust, holder: &Holder) {
    let_in(trust, holder);
}

/// Has `holder` let in, and says by which chain.
fn let_in(trust: &ClientTrust, holder: &Holder) -> [Vec<Certificate>; 2] {
    let site = Site::new();
    let backend = site.backend(ClientPolicy::Required(trust.clone()));
    VERSIONS.map(|version| {
        let info = meet(&backend, &client(&site.ca, Some(holder), version)).info();
        assert_eq!(info.client_certificate, Some(holder.certificate()));
        info.client_chain.unwrap()
    })
}

#[test]
fn good_certificates_are_let_in() {
    let (root, other) = (Ca::root("root"), Ca::root("other"));
    is_let_in(&root.trust(), &root.client("alice"));
    let (upper, lower);
    upper = root.intermediate("upper");
    lower = upper.intermediate("lower");
    is_let_in(&root.trust(), &lower.client("alice").and(&lower).and(&upper));
    // The order is the client's, and what does not belong there is left alone.
    let mixed = lower.client("alice").and(&other).and(&upper).and(&lower).and(&root);
    is_let_in(&root.trust(), &mixed);
    let both: ClientTrust = root.anchors().and(other.anchors()).into();
    is_let_in(&both, &other.client("bob"));
}

#[test]
fn the_chain_leads_from_the_certificate_to_the_ca() {
    let (root, other) = (Ca::root("root"), Ca::root("other"));
    let (upper, lower);
    upper = root.intermediate("upper");
    lower = upper.intermediate("lower");
    let both = || -> ClientTrust { other.anchors().and(root.anchors()).into() };
    let direct = root.client("alice");
    for chain in let_in(&both(), &direct) {
        assert_eq!(chain, [direct.certificate(), root.certificate()]);
    }
    // What does not belong there is left out, and what was sent is put in order.
    let mixed = lower.client("alice").and(&other).and(&upper).and(&lower).and(&root);
    for chain in let_in(&both(), &mixed) {
        let cas = [&lower, &upper, &root].map(Ca::certificate);
        assert_eq!(chain, [&[mixed.certificate()][..], &cas].concat());
    }
}

#[test]
fn none_is_refused_where_one_is_required() {
    let (site, root) = (Site::new(), Ca::root("root"));
    let required = site.backend(ClientPolicy::Required(root.trust()));
    let optional = site.backend(ClientPolicy::Optional(root.trust()));
    for version in VERSIONS {
        let without = client(&site.ca, None, version);
        let (error, alert) = meet(&required, &without).refusal();
        assert!(matches!(error, HandshakeError::NoClientCertificate), "{error:?}");
        assert_eq!(alert, AlertDescription::CertificateRequired);
        assert_eq!(meet(&optional, &without).info().client_certificate, None);
    }
}

#[test]
fn a_bad_one_is_refused_where_none_is_required() {
    let (site, root) = (Site::new(), Ca::root("root"));
    let backend = site.backend(ClientPolicy::Optional(root.trust()));
    let stranger = Ca::root("other").client("mallory");
    for version in VERSIONS {
        let (refused, alert) = refusal(meet(&backend, &client(&site.ca, Some(&stranger), version)));
        assert_eq!(*refused.fault(), Fault::UnknownIssuer);
        assert_eq!(alert, AlertDescription::UnknownCA);
    }
}

#[test]
fn strangers_are_told_by_their_topmost_ca() {
    let (root, other) = (Ca::root("root"), Ca::root("other"));
    let refused = |holder: &Holder, culprit: &Certificate| {
        let alert = AlertDescription::UnknownCA;
        is_refused(&root.trust(), holder, culprit, &Fault::UnknownIssuer, alert);
    };
    let alone = other.client("mallory");
    refused(&alone, &alone.certificate());
    let own = Holder::self_signed("mallory");
    refused(&own, &own.certificate());

    let lower = other.intermediate("lower");
    let with_one = lower.client("mallory").and(&lower);
    refused(&with_one, &lower.certificate());
    let with_all = lower.client("mallory").and(&lower).and(&other);
    refused(&with_all, &other.certificate());
    // Two that issued each other are no way out, and no way round for ever.
    let upper = root.intermediate("upper");
    let missing = upper.intermediate("missing");
    let gap = missing.client("mallory").and(&upper);
    refused(&gap, &gap.certificate());
}

#[test]
fn a_ca_made_anew_is_another_ca() {
    let (before, now) = (Ca::root("the CA"), Ca::root("the CA"));
    let alice = before.client("alice");
    let alert = AlertDescription::UnknownCA;
    is_refused(&now.trust(), &alice, &alice.certificate(), &Fault::UnknownIssuer, alert);
    let lower = before.intermediate("lower");
    let bob = lower.client("bob").and(&lower);
    is_refused(&now.trust(), &bob, &lower.certificate(), &Fault::UnknownIssuer, alert);
}

#[test]
fn time_is_kept_for_every_certificate_of_the_chain() {
    let root = Ca::root("root");
    let alert = AlertDescription::CertificateExpired;
    let old = root.client_with("old", |p| p.not_after = ago(DAY));
    is_refused(&root.trust(), &old, &old.certificate(), &Fault::Expired, alert);
    let early = root.client_with("early", |p| p.not_before = ahead(DAY));
    is_refused(&root.trust(), &early, &early.certificate(), &Fault::NotYetValid, alert);

    let ca = root.intermediate_with("old CA", |p| p.not_after = ago(DAY));
    let alice = ca.client("alice").and(&ca);
    is_refused(&root.trust(), &alice, &ca.certificate(), &Fault::Expired, alert);
    let ca = root.intermediate_with("early CA", |p| p.not_before = ahead(DAY));
    let alice = ca.client("alice").and(&ca);
    is_refused(&root.trust(), &alice, &ca.certificate(), &Fault::NotYetValid, alert);
}

/// webpki looks at no dates of those that are trusted.
#[test]
fn a_ca_ends_before_its_clients_certificates_do() {
    let root = Ca::root_with("root", |p| p.not_after = ahead(Duration::from_secs(1)));
    let other = Ca::root("other");
    let lower = root.intermediate("lower");
    let direct = root.client("alice");
    // It does not say by which of several CAs of the name.
    let vague = root.client_with("bob", |p| p.use_authority_key_identifier_extension = false);
    let clients = [direct, vague, lower.client("carol").and(&lower)];
    let (ended, old) = (root.certificate(), root.anchors());
    let trust: ClientTrust = old.clone().and(other.anchors()).into();
    let namesake: ClientTrust = old.clone().and(Ca::root("root").anchors()).into();
    let alone: ClientTrust = old.clone().into();
    let renewed = root.renewed();
    let both: ClientTrust = old.and(renewed.anchors()).into();

    let left = ended.not_after() + Duration::from_secs(1);
    thread::sleep(left.duration_since(SystemTime::now()).unwrap_or_default());
    let alert = AlertDescription::CertificateExpired;
    for holder in &clients {
        for trust in [&trust, &namesake, &alone] {
            is_refused(trust, holder, &ended, &Fault::Expired, alert);
        }
        for chain in let_in(&both, holder) {
            assert_eq!(chain.last(), Some(&renewed.certificate()));
        }
    }
    is_let_in(&trust, &other.client("dave"));
    // Who would not have been let in before is not now, and for the reason that there was.
    let mallory = Ca::root("third").client("mallory");
    let alert = AlertDescription::UnknownCA;
    is_refused(&trust, &mallory, &mallory.certificate(), &Fault::UnknownIssuer, alert);
}

#[test]
fn a_servers_certificate_is_not_for_clients() {
    let root = Ca::root("root");
    let alert = AlertDescription::UnsupportedCertificate;
    let server = root.server(&["server.test"]);
    is_refused(&root.trust(), &server, &server.certificate(), &Fault::NotForClients, alert);
    // One that does not say what it is for is for everything, as is one that is for both.
    is_let_in(&root.trust(), &root.client_with("any", |p| p.extended_key_usages.clear()));
    let both = root
        .client_with("both", |p| p.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth));
    is_let_in(&root.trust(), &both);
}

#[test]
fn rules_are_kept_in_the_handshake_only_when_they_are_early() {
    let root = Ca::root("root");
    let rules = AllowRules::new(vec!["alice".parse().unwrap()], vec![]);
    let (alice, bob) = (root.client("alice"), root.client("bob"));
    let early = root.trust().allow(rules.clone(), true);
    let alert = AlertDescription::AccessDenied;
    is_refused(&early, &bob, &bob.certificate(), &Fault::NotAllowed, alert);
    is_let_in(&early, &alice);
    is_let_in(&root.trust().allow(rules, false), &bob);
    // Who is not to be believed is not asked for a name.
    let stranger = Ca::root("other").client("alice");
    let alert = AlertDescription::UnknownCA;
    is_refused(&early, &stranger, &stranger.certificate(), &Fault::UnknownIssuer, alert);
}

#[test]
fn a_certificate_that_was_changed_shows_by_its_signature() {
    let root = Ca::root("root");
    let mut alice = root.client("alice");
    let mut der = alice.leaf().to_vec();
    let at = der.windows(5).position(|bytes| bytes == b"alice").unwrap();
    der[at..at + 5].copy_from_slice(b"admin");
    alice.chain = vec![der.into()];
    let alert = AlertDescription::DecryptError;
    is_refused(&root.trust(), &alice, &alice.certificate(), &Fault::BadSignature, alert);
}

#[test]
fn a_ca_is_no_client() {
    let root = Ca::root("root");
    let ca = root.client_with("ca", |p| {
        p.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    let alert = AlertDescription::CertificateUnknown;
    is_refused(&root.trust(), &ca, &ca.certificate(), &Fault::IsCa, alert);
    // One that nobody knows is that in the first place.
    let other = Ca::root("other");
    is_refused(&other.trust(), &ca, &ca.certificate(), &Fault::UnknownIssuer, alert);
}

/// Shows a chain, and signs with a key that has nothing to do with it.
#[derive(Debug)]
struct Impostor(Arc<CertifiedKey>);

impl Impostor {
    fn client(
        site: &Site,
        chain: Vec<CertificateDer<'static>>,
        key: &rcgen::KeyPair,
        version: &'static SupportedProtocolVersion,
    ) -> Arc<ClientConfig> {
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let key: Arc<dyn SigningKey> = provider().key_provider.load_private_key(key).unwrap();
        let mut config = Arc::unwrap_or_clone(client(&site.ca, None, version));
        config.client_auth_cert_resolver = Arc::new(Self(Arc::new(CertifiedKey::new(chain, key))));
        Arc::new(config)
    }
}

impl ResolvesClientCert for Impostor {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[test]
fn whoever_shows_a_certificate_must_have_its_key() {
    let (site, root) = (Site::new(), Ca::root("root"));
    let backend = site.backend(ClientPolicy::Required(root.trust()));
    let (alice, mallory) = (root.client("alice"), root.client("mallory"));
    for version in VERSIONS {
        let impostor = Impostor::client(&site, alice.chain.clone(), &mallory.key, version);
        let (refused, alert) = refusal(meet(&backend, &impostor));
        assert_eq!(*refused.fault(), Fault::BadSignature);
        assert_eq!(refused.certificate(), &alice.certificate());
        assert_eq!(alert, AlertDescription::DecryptError);
    }
}

#[test]
fn what_does_not_parse_is_refused_without_a_name() {
    let (site, root) = (Site::new(), Ca::root("root"));
    let rules = AllowRules::new(vec!["alice".parse().unwrap()], vec![]);
    let late = site.backend(ClientPolicy::Required(root.trust().allow(rules.clone(), false)));
    let early = site.backend(ClientPolicy::Required(root.trust().allow(rules, true)));
    let garbage = CertificateDer::from(b"\x30\x03\x02\x01\x00".to_vec());
    // Only webpki takes this one, which has no use for names here.
    let odd = root.client_with("alice", |p| {
        // A name that is cut off.
        let names = vec![0x30, 2, 0x82, 5];
        p.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 17], names)];
    });
    assert!(Certificate::from_der(odd.leaf()).is_err());
    for version in VERSIONS {
        for chain in [vec![garbage.clone()], vec![garbage.clone(), root.der.clone()]] {
            let client = Impostor::client(&site, chain, &odd.key, version);
            let (error, alert) = meet(&late, &client).refusal();
            assert!(matches!(error, HandshakeError::Tls(_)), "{error:?}");
            assert_eq!(alert, AlertDescription::BadCertificate);
        }
        let odd = client(&site.ca, Some(&odd), version);
        for backend in [&early, &late] {
            let (error, alert) = meet(backend, &odd).refusal();
            assert!(matches!(error, HandshakeError::Tls(_)), "{error:?}");
            assert_eq!(alert, AlertDescription::BadCertificate);
        }
    }
    // Garbage beside a good leaf is no harm.
    let mut alice = root.client("alice");
    alice.chain.push(garbage);
    is_let_in(&root.trust(), &alice);
}

#[test]
fn a_refusal_is_not_laid_at_the_next_ones_door() {
    let (site, root) = (Site::new(), Ca::root("root"));
    let backend = site.backend(ClientPolicy::Required(root.trust()));
    let (alice, stranger) = (root.client("alice"), Ca::root("other").client("mallory"));
    for version in VERSIONS {
        for _ in 0..3 {
            refusal(meet(&backend, &client(&site.ca, Some(&stranger), version)));
            let (error, _) = meet(&backend, &client(&site.ca, None, version)).refusal();
            assert!(matches!(error, HandshakeError::NoClientCertificate), "{error:?}");
            meet(&backend, &client(&site.ca, Some(&alice), version)).info();
        }
    }
}
