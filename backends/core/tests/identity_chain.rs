//! Chains in any order, and what has no place in them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use std::time::Duration;

use rcgen::{KeyPair, PKCS_ED25519};
use support::{Dir, Holder, new_year_2026, now};
use turnkey_backend::{CertificateError, Identity, IdentityError, Part};

fn load(chain: &str, key: &str) -> Result<Identity, IdentityError> {
    Identity::from_pem(chain.as_bytes(), key.as_bytes(), None, now())
}

fn refused(chain: &str, key: &str) -> IdentityError {
    load(chain, key).expect_err("it should be refused")
}

/// The common names from the leaf on.
fn names(identity: &Identity) -> Vec<&str> {
    identity.chain().iter().map(|certificate| certificate.common_name().unwrap()).collect()
}

#[test]
fn the_chain_is_put_in_order() {
    let (root, one, two) = (Holder::ca("root"), Holder::ca("one"), Holder::ca("two"));
    let leaf = Holder::leaf("leaf");
    let certs =
        [leaf.signed_by(&two), two.signed_by(&one), one.signed_by(&root), root.self_signed()];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
        let chain: String = order.iter().map(|&i| certs[i].as_str()).collect();
        let identity = load(&chain, &leaf.key_pem()).unwrap();
        assert_eq!(names(&identity), ["leaf", "two", "one", "root"]);
        // The order of the text is that of the chain.
        let again = load(&identity.chain_pem(), &identity.key_pem()).unwrap();
        assert_eq!(again.chain(), identity.chain());
    }
    // Without a root.
    let chain = [certs[2].as_str(), &certs[0], &certs[1]].concat();
    assert_eq!(names(&load(&chain, &leaf.key_pem()).unwrap()), ["leaf", "two", "one"]);
    assert_eq!(names(&load(&certs[0], &leaf.key_pem()).unwrap()), ["leaf"]);
}

#[test]
fn a_key_that_does_not_state_its_public_half_still_finds_its_leaf() {
    let ed25519 = || KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let mut ca = Holder::with_key("ca", ed25519());
    ca.params.is_ca = Holder::ca("").params.is_ca;
    let leaf = Holder::with_key("leaf", ed25519());
    // PKCS#8 version 1, as OpenSSL writes it, has no place for the public key.
    let private = load(&leaf.self_signed(), &leaf.key_pem()).unwrap().key_pem().to_string();
    let dir = Dir::new();
    dir.write("key.pem", &private);
    assert_eq!(dir.openssl("pkey -in key.pem"), private);
    for chain in [leaf.signed_by(&ca) + &ca.self_signed(), ca.self_signed() + &leaf.signed_by(&ca)]
    {
        assert_eq!(names(&load(&chain, &private).unwrap()), ["leaf", "ca"]);
    }
    // A duplicate is no second leaf.
    let twice = ca.self_signed() + &leaf.signed_by(&ca).repeat(2);
    assert_eq!(names(&load(&twice, &private).unwrap()), ["leaf", "ca"]);
    // Of two that may be it, the first in the file.
    let other = Holder::with_key("other", ed25519());
    let error = refused(&(leaf.self_signed() + &other.self_signed()), &private);
    assert!(error.to_string().contains("\"CN=other\" has no place"), "{error}");
    // Version 2 states it.
    assert_eq!(names(&load(&other.self_signed(), &other.key_pem()).unwrap()), ["other"]);
    let error = refused(&leaf.self_signed(), &other.key_pem());
    assert!(matches!(error, IdentityError::KeyMismatch { .. }), "{error}");
}

/// Of CAs too, it is the one that has issued none of the others.
#[test]
fn such_a_key_finds_its_leaf_among_cas() {
    let ca = |name| {
        let mut holder = Holder::with_key(name, KeyPair::generate_for(&PKCS_ED25519).unwrap());
        holder.params.is_ca = Holder::ca("").params.is_ca;
        holder
    };
    let (root, one, two) = (ca("root"), ca("one"), ca("two"));
    let private = load(&two.self_signed(), &two.key_pem()).unwrap().key_pem().to_string();
    let certs = [root.self_signed(), one.signed_by(&root), two.signed_by(&one)];
    for order in [[0, 1, 2], [1, 0, 2], [1, 2, 0], [2, 1, 0]] {
        let chain: String = order.iter().map(|&i| certs[i].as_str()).collect();
        assert_eq!(names(&load(&chain, &private).unwrap()), ["two", "one", "root"], "{order:?}");
    }
    let chain = root.self_signed() + &one.signed_by(&root);
    let private = load(&one.self_signed(), &one.key_pem()).unwrap().key_pem().to_string();
    assert_eq!(names(&load(&chain, &private).unwrap()), ["one", "root"]);
}

#[test]
fn a_leaf_may_bear_the_name_of_its_ca() {
    let (ca, leaf) = (Holder::ca("server.localhost"), Holder::leaf("server.localhost"));
    for chain in [leaf.signed_by(&ca) + &ca.self_signed(), ca.self_signed() + &leaf.signed_by(&ca)]
    {
        let identity = load(&chain, &leaf.key_pem()).unwrap();
        assert!(!identity.chain()[0].is_ca() && identity.chain()[1].is_ca());
        assert_eq!(identity.chain().len(), 2);
    }
}

#[test]
fn cross_signed_cas_lead_on_and_never_in_a_circle() {
    let (old, new, leaf) = (Holder::ca("old"), Holder::ca("new"), Holder::leaf("leaf"));
    let key = leaf.key_pem();
    let cert = leaf.signed_by(&new);
    // The new root on its own and signed by the old one: the way that leads on is taken.
    let chain = [cert.clone(), new.self_signed(), new.signed_by(&old), old.self_signed()].concat();
    assert_eq!(names(&load(&chain, &key).unwrap()), ["leaf", "new", "old"]);
    let chain = [cert.clone(), new.self_signed()].concat();
    assert_eq!(names(&load(&chain, &key).unwrap()), ["leaf", "new"]);
    // A root is the end, though another of the same name and key could be taken for its issuer.
    let renewed = new.self_signed();
    let chain = [cert.clone(), new.self_signed(), renewed].concat();
    assert_eq!(names(&load(&chain, &key).unwrap()), ["leaf", "new"]);
    // Each signed by the other.
    let chain = [cert, new.signed_by(&old), old.signed_by(&new)].concat();
    assert_eq!(names(&load(&chain, &key).unwrap()), ["leaf", "new", "old"]);
}

#[test]
fn a_stray_certificate_is_named_with_what_was_looked_for() {
    let (root, right, wrong) = (Holder::ca("root"), Holder::ca("right"), Holder::ca("wrong"));
    let leaf = Holder::leaf("leaf");
    let key = leaf.key_pem();
    let error = refused(&(leaf.signed_by(&right) + &wrong.signed_by(&root)), &key);
    assert_eq!(error.part(), Part::Chain);
    assert_eq!(
        error.to_string(),
        "the certificate \"CN=wrong\" has no place in the chain, which ends with \"CN=leaf\", issued \
         by \"CN=right\"; is it the wrong intermediate? give the certificate of that issuer in its \
         place, or remove it"
    );
    // The right name, another key.
    let error = refused(&(leaf.signed_by(&right) + &Holder::ca("right").signed_by(&root)), &key);
    assert!(error.to_string().contains("of this name, but with another key"), "{error}");
    // The chain is complete without it.
    let chain = leaf.signed_by(&root) + &root.self_signed() + &wrong.signed_by(&root);
    let error = refused(&chain, &key);
    assert!(error.to_string().contains("ends with the root \"CN=root\"; remove it"), "{error}");
}

#[test]
fn every_certificate_of_the_chain_has_to_be_valid() {
    let (ca, mut leaf) = (Holder::ca("ca"), Holder::leaf("leaf"));
    leaf.params.not_after = rcgen::date_time_ymd(2026, 2, 1);
    let chain = leaf.signed_by(&ca) + &ca.self_signed();
    let key = leaf.key_pem();
    let at = |day: u64| {
        let time = new_year_2026() + Duration::from_secs(day * 86_400);
        Identity::from_pem(chain.as_bytes(), key.as_bytes(), None, time)
    };
    at(0).unwrap();
    let error = at(34).unwrap_err();
    assert!(
        matches!(error, IdentityError::Certificate(CertificateError::Expired { .. })),
        "{error}"
    );
    assert!(
        error.to_string().contains("\"CN=leaf\" expired on 2026-02-01 00:00:00 UTC, 3 days ago")
    );
    assert_eq!(error.part(), Part::Chain);

    let mut ca = ca;
    ca.params.not_before = rcgen::date_time_ymd(2027, 1, 1);
    let chain = leaf.signed_by(&ca) + &ca.self_signed();
    let loaded = Identity::from_pem(chain.as_bytes(), key.as_bytes(), None, new_year_2026());
    let error = loaded.unwrap_err();
    let early = matches!(error, IdentityError::Certificate(CertificateError::NotYetValid { .. }));
    assert!(early, "{error}");
    assert!(error.to_string().contains("\"CN=ca\" is not valid before 2027"), "{error}");
}
