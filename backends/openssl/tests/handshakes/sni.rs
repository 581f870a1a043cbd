//! Which identity a client is shown.

use openssl::pkey::PKey;
use rustls::HandshakeKind;
use turnkey_backend::{BuildError, ClientPolicy, HandshakeError, Identity};

use crate::support::{Authority, Client, Config, Profile, VERSIONS};

fn three(ca: &Authority) -> Vec<Identity> {
    vec![
        ca.server(&["first.test"]),
        // Of another type of key, so that the choice of the cipher cannot bring back the first.
        ca.issue(&Profile::server(&["exact.example.test"]).rsa()).and(ca).identity(),
        ca.server(&["*.example.test"]),
    ]
}

#[test]
fn the_identity_is_the_one_for_the_name() {
    let ca = Authority::root("CA");
    let server = Config::of(three(&ca)).serve();
    for version in VERSIONS {
        for (name, shown) in [
            ("first.test", &["first.test"][..]),
            ("exact.example.test", &["exact.example.test", "CA"]),
            ("EXACT.example.test", &["exact.example.test", "CA"]),
            ("other.example.test", &["*.example.test"]),
            ("two.labels.example.test", &["first.test"]),
            ("example.test", &["first.test"]),
            ("unknown.test", &["first.test"]),
        ] {
            let met = Client::new(version).asking_for(name).connect(server.address).unwrap();
            assert_eq!(met.chain, shown, "{name} in {version}");
            assert_eq!(server.outcome().unwrap().server_name.unwrap(), name.to_lowercase());
        }
        let met = Client::new(version).asking_for_none().connect(server.address).unwrap();
        assert_eq!(met.chain, ["first.test"], "{version}");
        assert_eq!(server.outcome().unwrap().server_name, None);
    }
}

#[test]
fn the_policy_is_the_same_under_every_name() {
    let ca = Authority::root("CA");
    let other = Authority::root("Other CA");
    let policy = ClientPolicy::Required(ca.anchors().into());
    let server = Config::of(three(&ca)).clients(policy).serve();
    for version in VERSIONS {
        for name in ["first.test", "exact.example.test", "a.example.test", "unknown.test"] {
            let client = Client::new(version).asking_for(name);
            client.connect(server.address).unwrap_err();
            let error = server.outcome().unwrap_err();
            assert!(matches!(error, HandshakeError::NoClientCertificate), "{name}: {error:?}");

            let stranger = client.clone().with(&other.client("stranger"));
            stranger.connect(server.address).unwrap_err();
            let error = server.outcome().unwrap_err();
            assert!(matches!(error, HandshakeError::ClientCertificate(_)), "{name}: {error:?}");

            client.with(&ca.client("friend")).connect(server.address).unwrap();
            let certificate = server.outcome().unwrap().client_certificate.unwrap();
            assert_eq!(certificate.common_name(), Some("friend"));
        }
    }
}

#[test]
fn a_second_hello_does_not_double_the_chain() {
    let ca = Authority::root("CA");
    let server = Config::of(three(&ca)).serve();
    let client = Client::guessing_wrong().asking_for("exact.example.test");
    let met = client.connect(server.address).unwrap();
    assert_eq!(met.kind, HandshakeKind::FullWithHelloRetryRequest);
    assert_eq!(met.chain, ["exact.example.test", "CA"]);
}

#[test]
fn a_key_of_another_certificate_is_an_error_wherever_it_stands() {
    let ca = Authority::root("CA");
    // A key that does not say its public half, or it would not have got this far.
    let mut odd = ca.issue(&Profile::server(&["odd.test"]).ed25519());
    let key = PKey::generate_ed25519().unwrap().private_key_to_pem_pkcs8().unwrap();
    odd.key = String::from_utf8(key).unwrap();
    let odd = odd.identity();
    for identities in [vec![odd.clone()], vec![ca.server(&["first.test"]), odd.clone()]] {
        let error = Config::of(identities).build().unwrap_err();
        assert!(matches!(error, BuildError::KeyMismatch), "{error:?}");
    }
}

#[test]
fn a_key_too_small_is_an_error_wherever_it_stands() {
    let ca = Authority::root("CA");
    let small = ca.issue(&Profile::server(&["small.test"]).small()).identity();
    for identities in [vec![small.clone()], vec![ca.server(&["first.test"]), small.clone()]] {
        let error = Config::of(identities).build().unwrap_err();
        assert!(matches!(error, BuildError::Identity(_)), "{error:?}");
    }
}
