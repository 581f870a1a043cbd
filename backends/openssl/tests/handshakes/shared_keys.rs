//! Sessions that are begun at one server and resumed at another.

use rustls::HandshakeKind;
use turnkey_backend::{
    AllowRules, ClientPolicy, ClientTrust, Fault, HandshakeError, Resumption, TicketKey,
};

use crate::support::{Authority, Client, Config, Server, VERSIONS};

fn key(byte: u8) -> Resumption {
    Resumption::Shared(TicketKey::new(&[byte; 80]).unwrap())
}

fn serve(ca: &Authority, policy: &ClientPolicy, resumption: Resumption) -> Server {
    // Each has a certificate of its own.
    let config = Config::new(ca.server(&["localhost"])).clients(policy.clone());
    config.resumption(resumption).serve()
}

/// How the second server's handshake went, for a client that comes from the first.
fn kind_at_second(client: &Client, first: &Server, second: &Server) -> HandshakeKind {
    assert_eq!(client.connect(first.address).unwrap().kind, HandshakeKind::Full);
    first.outcome().unwrap();
    let kind = client.connect(second.address).unwrap().kind;
    let tls = second.outcome().unwrap();
    assert_eq!(tls.resumed, Some(kind == HandshakeKind::Resumed));
    kind
}

#[test]
fn the_same_key_and_policy() {
    let ca = Authority::root("CA");
    let trust: ClientTrust = ca.anchors().into();
    for policy in [
        ClientPolicy::None,
        ClientPolicy::Optional(trust.clone()),
        ClientPolicy::Required(trust.clone()),
    ] {
        let [first, second] = [serve(&ca, &policy, key(1)), serve(&ca, &policy, key(1))];
        for version in VERSIONS {
            let client = Client::new(version).with(&ca.client("guest"));
            assert_eq!(kind_at_second(&client, &first, &second), HandshakeKind::Resumed);
            // And back.
            assert_eq!(client.connect(first.address).unwrap().kind, HandshakeKind::Resumed);
            let certificate = first.outcome().unwrap().client_certificate;
            assert_eq!(certificate.is_some(), !policy.is_none());
        }
    }
}

#[test]
fn another_key() {
    let ca = Authority::root("CA");
    let policy = ClientPolicy::Required(ca.anchors().into());
    let first = serve(&ca, &policy, key(1));
    for resumption in [key(2), Resumption::On, Resumption::Off] {
        let second = serve(&ca, &policy, resumption);
        for version in VERSIONS {
            let client = Client::new(version).with(&ca.client("guest"));
            assert_eq!(kind_at_second(&client, &first, &second), HandshakeKind::Full);
        }
    }
}

#[test]
fn another_policy() {
    let (ca, other) = (Authority::root("CA"), Authority::root("Other CA"));
    let trust = ClientTrust::new(ca.anchors());
    let both = ClientTrust::new(ca.anchors().and(other.anchors()));
    let listed = trust.clone().revocation_lists(vec![ca.revoke(&[])]);
    let ruled = trust.clone().allow(AllowRules::new(vec!["*".parse().unwrap()], vec![]), false);
    let policies = [
        ClientPolicy::None,
        ClientPolicy::Optional(trust.clone()),
        ClientPolicy::Required(trust),
        ClientPolicy::Required(both),
        ClientPolicy::Required(listed),
        ClientPolicy::Required(ruled),
    ];
    let servers = policies.map(|policy| serve(&ca, &policy, key(1)));
    for version in VERSIONS {
        for (from, first) in servers.iter().enumerate() {
            for (to, second) in servers.iter().enumerate().filter(|(to, _)| *to != from) {
                let client = Client::new(version).with(&ca.client("guest"));
                let kind = kind_at_second(&client, first, second);
                assert_eq!(kind, HandshakeKind::Full, "from {from} to {to} in {version}");
            }
        }
    }
}

#[test]
fn a_session_without_a_certificate_opens_no_door_that_wants_one() {
    let ca = Authority::root("CA");
    let strict = serve(&ca, &ClientPolicy::Required(ca.anchors().into()), key(1));
    for policy in [ClientPolicy::None, ClientPolicy::Optional(ca.anchors().into())] {
        let lax = serve(&ca, &policy, key(1));
        for version in VERSIONS {
            let client = Client::new(version);
            client.connect(lax.address).unwrap();
            lax.outcome().unwrap();
            client.connect(strict.address).unwrap_err();
            let error = strict.outcome().unwrap_err();
            assert!(matches!(error, HandshakeError::NoClientCertificate), "{error:?}");
        }
    }
}

#[test]
fn a_session_of_a_ca_that_is_trusted_no_more() {
    let (ca, removed) = (Authority::root("CA"), Authority::root("Removed CA"));
    let before = ClientPolicy::Required(ca.anchors().and(removed.anchors()).into());
    let before = serve(&ca, &before, key(1));
    let after = serve(&ca, &ClientPolicy::Required(ca.anchors().into()), key(1));
    for version in VERSIONS {
        let client = Client::new(version).with(&removed.client("guest"));
        client.connect(before.address).unwrap();
        before.outcome().unwrap();
        client.connect(after.address).unwrap_err();
        let error = after.outcome().unwrap_err();
        let HandshakeError::ClientCertificate(refused) = error else { panic!("{error:?}") };
        assert_eq!(refused.fault(), &Fault::UnknownIssuer);
    }
}
