//! Sessions that are resumed, and those that must not be.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use rustls::client::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::{AlertDescription, HandshakeKind};
use turnkey_backend::{
    Certificate, ClientPolicy, ClientTrust, Fault, HandshakeError, Resumption, TicketKey,
};
use turnkey_rustls::Rustls;

use crate::client::{Site, VERSIONS, client, client_with, meet, meet_as};
use crate::pki::{Ca, ahead};

fn shared(secret: u8) -> Resumption {
    Resumption::Shared(TicketKey::new(&[secret; 48]).unwrap())
}

/// Begins a session at `first` and takes it to `second`: whether it is resumed there.
fn goes_over(first: &Rustls, second: &Rustls, client: &Arc<ClientConfig>) -> bool {
    assert!(!meet(first, client).resumed(), "there is no session yet");
    meet(second, client).resumed()
}

#[test]
fn off_is_off() {
    let (site, root) = (Site::new(), Ca::root("root"));
    let alice = root.client("alice");
    for policy in [ClientPolicy::None, ClientPolicy::Required(root.trust())] {
        let backend = site.backend_with(policy, Resumption::Off);
        for version in VERSIONS {
            let client = client(&site.ca, Some(&alice), version);
            let first = meet(&backend, &client);
            assert_eq!(first.client.as_ref().unwrap().tls13_tickets_received(), 0);
            assert!(!first.resumed());
            assert!(!meet(&backend, &client).resumed());
        }
    }
}

#[test]
fn on_is_on_until_a_reload() {
    let (site, root) = (Site::new(), Ca::root("root"));
    for policy in [ClientPolicy::None, ClientPolicy::Optional(root.trust())] {
        let backend = || site.backend_with(policy.clone(), Resumption::On);
        for version in VERSIONS {
            let same = backend();
            let fresh = || client(&site.ca, None, version);
            assert!(goes_over(&same, &same, &fresh()));
            assert!(!goes_over(&same, &backend(), &fresh()));
        }
    }
}

#[test]
fn a_resumed_session_keeps_the_clients_certificate() {
    let (site, root) = (Site::new(), Ca::root("root"));
    let ca = root.intermediate("CA");
    let alice = ca.client("alice").and(&ca);
    for policy in [ClientPolicy::Required(root.trust()), ClientPolicy::Optional(root.trust())] {
        for resumption in [Resumption::On, shared(1)] {
            let backend = site.backend_with(policy.clone(), resumption);
            for version in VERSIONS {
                let client = client(&site.ca, Some(&alice), version);
                for resumed in [false, true, true] {
                    let met = meet(&backend, &client);
                    assert_eq!(met.resumed(), resumed);
                    let info = met.info();
                    assert_eq!(info.client_certificate, Some(alice.certificate()));
                    let chain = [alice.certificate(), ca.certificate(), root.certificate()];
                    assert_eq!(info.client_chain.as_deref(), Some(&chain[..]));
                    let ends = chain.iter().map(Certificate::not_after);
                    assert_eq!(info.client_vouched_until, ends.min());
                }
            }
        }
    }
}

#[test]
fn a_shared_key_takes_a_session_to_another_server() {
    let (site, root) = (Site::new(), Ca::root("root"));
    let alice = root.client("alice");
    for policy in [ClientPolicy::None, ClientPolicy::Required(root.trust())] {
        let backend = |resumption| site.backend_with(policy.clone(), resumption);
        for version in VERSIONS {
            let fresh = || client(&site.ca, Some(&alice), version);
            assert!(goes_over(&backend(shared(1)), &backend(shared(1)), &fresh()));
            assert!(!goes_over(&backend(shared(1)), &backend(shared(2)), &fresh()));
            assert!(!goes_over(&backend(shared(1)), &backend(Resumption::On), &fresh()));
            assert!(!goes_over(&backend(Resumption::On), &backend(shared(1)), &fresh()));
            assert!(!goes_over(&backend(shared(1)), &backend(Resumption::Off), &fresh()));
        }
    }
}

#[test]
fn a_second_hello_is_no_second_session() {
    let site = Site::new();
    let backend = site.backend_with(ClientPolicy::None, Resumption::On);
    // The server has to ask for a share of the second group: it does not know the first.
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![aws_lc_rs::kx_group::MLKEM768, aws_lc_rs::kx_group::SECP256R1];
    let client = client_with(Arc::new(provider), &site.ca, None, VERSIONS[1]);
    let first = meet(&backend, &client);
    let kind = first.client.as_ref().unwrap().handshake_kind();
    assert_eq!(kind, Some(HandshakeKind::FullWithHelloRetryRequest));
    assert!(!first.resumed());
    assert!(meet(&backend, &client).resumed());
}

#[test]
fn a_session_is_for_the_name_that_it_began_with() {
    let ca = Ca::root("the server's CA");
    let identity = ca.server(&["one.test", "two.test"]).identity();
    let site = Site { ca, identities: identity.into() };
    let backend = site.backend_with(ClientPolicy::None, Resumption::On);
    for version in VERSIONS {
        let client = client(&site.ca, None, version);
        assert!(!meet_as(&backend, &client, "one.test").resumed());
        assert!(!meet_as(&backend, &client, "two.test").resumed());
        assert!(meet_as(&backend, &client, "one.test").resumed());
    }
}

#[test]
fn a_session_from_before_a_certificate_was_required_is_no_way_in() {
    let (site, root) = (Site::new(), Ca::root("root"));
    let before = [ClientPolicy::None, ClientPolicy::Optional(root.trust())];
    let required = site.backend_with(ClientPolicy::Required(root.trust()), shared(1));
    for policy in before {
        let before = site.backend_with(policy, shared(1));
        for version in VERSIONS {
            let anonymous = client(&site.ca, None, version);
            assert!(goes_over(&before, &before, &anonymous));
            let (error, alert) = meet(&required, &anonymous).refusal();
            assert!(matches!(error, HandshakeError::NoClientCertificate), "{error:?}");
            assert_eq!(alert, AlertDescription::CertificateRequired);
        }
    }
}

#[test]
fn a_session_from_before_a_ca_was_removed_is_no_way_in() {
    let (site, kept, removed) = (Site::new(), Ca::root("kept"), Ca::root("removed"));
    let both: ClientTrust = kept.anchors().and(removed.anchors()).into();
    let before = site.backend_with(ClientPolicy::Required(both), shared(1));
    let after = site.backend_with(ClientPolicy::Required(kept.trust()), shared(1));
    let (alice, bob) = (kept.client("alice"), removed.client("bob"));
    for version in VERSIONS {
        let bob = client(&site.ca, Some(&bob), version);
        assert!(goes_over(&before, &before, &bob));
        let (refused, _) = crate::refusals::refusal(meet(&after, &bob));
        assert_eq!(*refused.fault(), Fault::UnknownIssuer);
        // Who is still good gets in, in a handshake of its own.
        assert!(!goes_over(&before, &after, &client(&site.ca, Some(&alice), version)));
    }
}

#[test]
fn a_session_from_before_a_revocation_is_no_way_in() {
    let (site, root) = (Site::new(), Ca::root("root"));
    let alice = root.client("alice");
    let policy = |list| ClientPolicy::Required(root.trust().revocation_lists(vec![list]));
    let before = site.backend_with(policy(root.list(&[])), shared(1));
    let after = site.backend_with(policy(root.list(&[alice.leaf()])), shared(1));
    for version in VERSIONS {
        let alice = client(&site.ca, Some(&alice), version);
        assert!(goes_over(&before, &before, &alice));
        let (refused, _) = crate::refusals::refusal(meet(&after, &alice));
        assert_eq!(*refused.fault(), Fault::Revoked);
    }
}

#[test]
fn a_session_does_not_outlast_the_certificate() {
    let (site, root) = (Site::new(), Ca::root("root"));
    let backend = site.backend_with(ClientPolicy::Required(root.trust()), Resumption::On);
    let alice = root.client_with("alice", |p| p.not_after = ahead(Duration::from_secs(4)));
    let clients = VERSIONS.map(|version| client(&site.ca, Some(&alice), version));
    for client in &clients {
        assert!(goes_over(&backend, &backend, client));
    }
    let end = alice.certificate().not_after() + Duration::from_secs(1);
    thread::sleep(end.duration_since(SystemTime::now()).unwrap_or_default());
    for client in &clients {
        let met = meet(&backend, client);
        // To rustls the session was good: there is no alert, and no greeting either.
        assert!(met.client.is_err());
        match met.server.unwrap_err() {
            HandshakeError::ClientCertificate(refused) => {
                assert_eq!(*refused.fault(), Fault::Expired);
                assert_eq!(refused.certificate(), &alice.certificate());
            }
            other => panic!("{other:?}"),
        }
    }
}
