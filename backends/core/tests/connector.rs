//! Which connectors are as good as another, so that the connections of one are the other's, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use support::{Holder, now};
use turnkey_backend::{ConnectConfig, Identity, TrustAnchors};

#[test]
fn connectors_are_the_same_if_all_that_they_are_built_from_is() {
    let anchors = |ca: &Holder| TrustAnchors::from_pem(ca.self_signed().as_bytes(), now()).unwrap();
    let (alice, bob) = (Holder::leaf("alice"), Holder::leaf("bob"));
    let of_alice = alice.identity();
    // The key stays when a certificate is renewed.
    let renewed = alice.identity();
    assert_eq!(of_alice.key().secret_pkcs8_der(), renewed.key().secret_pkcs8_der());
    let (one, two) = (anchors(&Holder::ca("one")), anchors(&Holder::ca("two")));
    let config = |anchors: &TrustAnchors, identity: Option<&Identity>| ConnectConfig {
        anchors: Some(anchors.clone()),
        identity: identity.cloned(),
    };
    let different = [
        config(&one, None),
        config(&two, None),
        config(&one, Some(&of_alice)),
        config(&one, Some(&renewed)),
        config(&one, Some(&bob.identity())),
        config(&two, Some(&of_alice)),
    ];
    for (i, config) in different.iter().enumerate() {
        for (j, other) in different.iter().enumerate() {
            assert_eq!(config.is_as(&other.clone()), i == j, "{i} and {j}");
        }
    }
}

#[test]
fn what_the_system_trusts_may_have_changed() {
    let config = ConnectConfig::default();
    assert!(!config.is_as(&config));
}
