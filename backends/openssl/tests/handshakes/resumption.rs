//! Sessions that are begun again: with what the client keeps, at the server that it came to first.

use std::thread;
use std::time::Duration;

use rustls::HandshakeKind;
use turnkey_backend::{
    ClientPolicy, Fault, HandshakeError, Resumption, TlsInfo, TlsVersion, TrustAnchors,
};

use crate::support::{Authority, Client, Config, Profile, Server, VERSIONS};

/// Both sides say the same of whether it was resumed.
#[track_caller]
fn visit(client: &Client, server: &Server, resumed: bool) -> TlsInfo {
    let met = client.connect(server.address).unwrap();
    let kind = if resumed { HandshakeKind::Resumed } else { HandshakeKind::Full };
    assert_eq!(met.kind, kind);
    let tls = server.outcome().unwrap();
    assert_eq!(tls.resumed, Some(resumed));
    tls
}

fn policies(anchors: &TrustAnchors) -> [ClientPolicy; 3] {
    let trust = || anchors.clone().into();
    [ClientPolicy::None, ClientPolicy::Optional(trust()), ClientPolicy::Required(trust())]
}

#[test]
fn switched_off() {
    let ca = Authority::root("CA");
    for policy in policies(&ca.anchors()) {
        let server = Config::new(ca.server(&["localhost"])).clients(policy).serve();
        for version in VERSIONS {
            let client = Client::new(version).with(&ca.client("guest"));
            (0..3).for_each(|_| drop(visit(&client, &server, false)));
            // Nor is a client given what it could not use.
            assert_eq!(client.connect(server.address).unwrap().tickets, 0);
        }
    }
}

#[test]
fn switched_on() {
    let ca = Authority::root("CA");
    for policy in policies(&ca.anchors()) {
        let config = Config::new(ca.server(&["localhost"])).clients(policy.clone());
        let server = config.resumption(Resumption::On).serve();
        for version in VERSIONS {
            let client = Client::new(version).with(&ca.client("guest"));
            let first = visit(&client, &server, false);
            assert_eq!(first.key_exchange.as_deref(), Some("x25519"));
            assert_eq!(first.client_certificate.is_some(), !policy.is_none());
            for _ in 0..3 {
                let again = visit(&client, &server, true);
                assert_eq!(again.version, Some(version));
                // A session of TLS 1.2 exchanges no keys when it is resumed.
                let exchanged = (version == TlsVersion::Tls13).then_some("x25519");
                assert_eq!(again.key_exchange.as_deref(), exchanged);
                assert_eq!(again.client_certificate, first.client_certificate);
                assert_eq!(again.client_vouched_until, first.client_vouched_until);
                assert_eq!(again.client_vouched_until.is_some(), !policy.is_none());
                // The key of its issuer is kept in the ticket, and no more of its chain.
                assert_eq!(again.client_issuer_key, first.client_issuer_key);
                assert_eq!(again.client_issuer_key.is_some(), !policy.is_none());
                assert_eq!(again.client_chain, None);
            }
        }
    }
}

#[test]
fn nobody_stays_nobody() {
    let ca = Authority::root("CA");
    let config = Config::new(ca.server(&["localhost"]));
    let config = config.clients(ClientPolicy::Optional(ca.anchors().into()));
    let server = config.resumption(Resumption::On).serve();
    for version in VERSIONS {
        let client = Client::new(version);
        assert_eq!(visit(&client, &server, false).client_certificate, None);
        assert_eq!(visit(&client, &server, true).client_certificate, None);
    }
}

#[test]
fn under_another_name() {
    let ca = Authority::root("CA");
    for policy in policies(&ca.anchors()) {
        let rsa = ca.issue(&Profile::server(&["two.test"]).rsa()).identity();
        let identities = vec![ca.server(&["one.test"]), rsa];
        let config = Config::of(identities).clients(policy);
        let server = config.resumption(Resumption::On).serve();
        for version in VERSIONS {
            let client = Client::new(version).with(&ca.client("guest"));
            let one = visit(&client.asking_for("one.test"), &server, false);
            let two = visit(&client.asking_for("two.test"), &server, false);
            assert_eq!(two.client_certificate, one.client_certificate);
            for (tls, name) in [(one, "one.test"), (two, "two.test")] {
                assert_eq!(tls.server_name.as_deref(), Some(name));
            }
            let again = visit(&client.asking_for("two.test"), &server, true);
            assert_eq!(again.server_name.as_deref(), Some("two.test"));
            visit(&client.asking_for("unknown.test"), &server, false);
            visit(&client.asking_for("unknown.test"), &server, true);
        }
    }
}

#[test]
fn the_next_backend_knows_nothing_of_the_last() {
    let ca = Authority::root("CA");
    for policy in policies(&ca.anchors()) {
        let config = Config::new(ca.server(&["localhost"])).clients(policy);
        let config = config.resumption(Resumption::On);
        for version in VERSIONS {
            let client = Client::new(version).with(&ca.client("guest"));
            visit(&client, &config.serve(), false);
            visit(&client, &config.serve(), false);
        }
    }
}

#[test]
fn a_certificate_expires_between_two_visits() {
    let ca = Authority::root("CA");
    let config = Config::new(ca.server(&["localhost"]));
    let config = config.clients(ClientPolicy::Optional(ca.anchors().into()));
    let server = config.resumption(Resumption::On).serve();
    let clients = VERSIONS.map(|version| {
        let leaf = ca.issue(&Profile::client("guest").expires_in(5));
        let client = Client::new(version).with(&leaf);
        visit(&client, &server, false);
        client
    });
    thread::sleep(Duration::from_secs(7));
    for client in clients {
        let _ = client.connect(server.address);
        let error = server.outcome().unwrap_err();
        let HandshakeError::ClientCertificate(refused) = error else { panic!("{error:?}") };
        assert_eq!(refused.fault(), &Fault::Expired);
    }
}

#[test]
fn a_session_outlives_no_change_of_version() {
    let ca = Authority::root("CA");
    let server = Config::new(ca.server(&["localhost"])).resumption(Resumption::On).serve();
    let client = Client::new(TlsVersion::Tls12);
    visit(&client, &server, false);
    visit(&Client::new(TlsVersion::Tls13), &server, false);
    visit(&client, &server, true);
}
