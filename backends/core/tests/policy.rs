//! The CAs that clients' certificates are checked against.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use std::time::Duration;

use support::{Dir, Holder, new_year_2026, now};
use turnkey_backend::{CertificateError, ClientPolicy, Found, Identity, PolicyError, TrustAnchors};

fn anchors(pem: &str) -> Result<TrustAnchors, PolicyError> {
    TrustAnchors::from_pem(pem.as_bytes(), now())
}

fn names(anchors: &TrustAnchors) -> Vec<&str> {
    anchors.certificates().iter().map(|ca| ca.common_name().unwrap()).collect()
}

#[test]
fn cas_are_read_from_pem_and_der() {
    let (root, other) = (Holder::ca("root"), Holder::ca("other"));
    let intermediate = Holder::ca("intermediate").signed_by(&root);
    let root_cert = root.self_signed();
    let text = [root_cert.clone(), other.self_signed(), intermediate, root_cert].concat();
    assert_eq!(names(&anchors(&text).unwrap()), ["root", "other", "intermediate"]);

    // Certificate and key in one file, like the recipe's `ca.pem`.
    let with_key = other.key_pem() + &other.self_signed();
    assert_eq!(names(&anchors(&with_key).unwrap()), ["other"]);

    let dir = Dir::new();
    dir.write("ca.pem", root.self_signed());
    dir.openssl("x509 -in ca.pem -outform DER -out ca.der");
    let from_der = TrustAnchors::from_pem(&dir.read("ca.der"), now()).unwrap();
    assert_eq!(names(&from_der), ["root"]);
}

#[test]
fn a_root_of_version_1_is_a_ca() {
    let dir = Dir::new();
    dir.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem");
    dir.openssl("req -new -key key.pem -subj /CN=old -out old.csr");
    dir.openssl("x509 -req -in old.csr -signkey key.pem -out old.pem");
    assert_eq!(names(&TrustAnchors::from_pem(&dir.read("old.pem"), now()).unwrap()), ["old"]);
}

#[test]
fn a_leaf_is_not_a_ca() {
    let (root, leaf) = (Holder::ca("root"), Holder::leaf("leaf"));
    let error = anchors(&(root.self_signed() + &leaf.signed_by(&root))).unwrap_err();
    assert!(matches!(error, PolicyError::NotACa { .. }));
    assert_eq!(
        error.to_string(),
        "\"CN=leaf\" is not a CA certificate; give the certificate of the CA that issued it"
    );
    assert!(matches!(anchors(&leaf.self_signed()), Err(PolicyError::NotACa { .. })));
}

#[test]
fn every_ca_has_to_be_valid() {
    let (good, mut ended) = (Holder::ca("good"), Holder::ca("ended"));
    ended.params.not_after = rcgen::date_time_ymd(2026, 1, 2);
    let text = good.self_signed() + &ended.self_signed();
    let at = |days: u64| {
        let time = new_year_2026() + Duration::from_secs(days * 86_400);
        TrustAnchors::from_pem(text.as_bytes(), time)
    };
    assert_eq!(names(&at(0).unwrap()), ["good", "ended"]);
    let error = at(3).unwrap_err();
    assert!(matches!(error, PolicyError::Certificate(CertificateError::Expired { .. })), "{error}");
    assert!(error.to_string().contains("\"CN=ended\" expired"), "{error}");
}

#[test]
fn what_is_no_ca_file_is_told_by_what_it_holds() {
    assert!(matches!(anchors(" \n"), Err(PolicyError::Empty)));
    let leaf = Holder::leaf("leaf");
    let error = anchors(&leaf.key_pem()).unwrap_err();
    assert!(matches!(error, PolicyError::NoCertificate(Found::PemPrivateKey)), "{error}");
    let error = anchors("garbage").unwrap_err();
    assert!(matches!(error, PolicyError::NotPem(Found::Unknown)), "{error}");
    let (cert, key) = (leaf.self_signed(), leaf.key_pem());
    let identity = Identity::from_pem(cert.as_bytes(), key.as_bytes(), None, now()).unwrap();
    let p12 = identity.to_pkcs12("x").unwrap();
    let error = TrustAnchors::from_pem(&p12, now()).unwrap_err();
    assert!(matches!(error, PolicyError::NotPem(Found::Pkcs12)), "{error}");
    let error = anchors(&cert[..cert.len() - 30]).unwrap_err();
    assert!(matches!(error, PolicyError::BrokenPem { .. }), "{error}");
}

#[test]
fn a_policy_has_anchors_unless_it_is_none() {
    let given = anchors(&Holder::ca("root").self_signed()).unwrap();
    assert!(ClientPolicy::default().is_none());
    assert!(ClientPolicy::None.trust().is_none());
    for policy in
        [ClientPolicy::Optional(given.clone().into()), ClientPolicy::Required(given.into())]
    {
        assert!(!policy.is_none());
        assert_eq!(names(policy.trust().unwrap().anchors()), ["root"]);
    }
}
