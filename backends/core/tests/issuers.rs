//! Rules by the CA that issued a client's certificate directly.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use rcgen::date_time_ymd;
use support::{Dir, Holder, new_year_2026, now, parse, printed};
use turnkey_backend::{
    AllowRules, AllowedIssuers, Certificate, ClientPolicy, ClientTrust, Fault, HandshakeError,
    IssuerKey, TlsInfo, TrustAnchors, Vouched,
};

fn issuers(text: &str) -> AllowedIssuers {
    AllowedIssuers::read(text.as_bytes()).unwrap()
}

fn trust(root: &Holder) -> ClientTrust {
    TrustAnchors::from_pem(root.self_signed().as_bytes(), now()).unwrap().into()
}

/// The verified chain of alice, whose certificate the last of `cas` issued. The root comes first.
fn chain(cas: &[&Holder]) -> Vec<Certificate> {
    let (root, last) = (cas.first().unwrap(), cas.last().unwrap());
    let between = cas.windows(2).map(|pair| parse(&pair[1].signed_by(pair[0]))).rev();
    let alice = parse(&Holder::leaf("alice").signed_by(last));
    [alice].into_iter().chain(between).chain([parse(&root.self_signed())]).collect()
}

fn denied(trust: &ClientTrust, chain: &[Certificate]) -> Option<Fault> {
    trust.denies(&chain[0], IssuerKey::in_chain(chain))
}

#[test]
fn only_clients_that_an_allowed_issuer_issued_directly_are_let_in() {
    let (root, one, two) = (Holder::ca("root"), Holder::ca("one"), Holder::ca("two"));
    let below = Holder::ca("below");
    let only = |text: &str| trust(&root).issued_by(issuers(text));
    let of_one = only(&one.signed_by(&root));
    assert_eq!(denied(&of_one, &chain(&[&root, &one])), None);
    for others in [&[&root][..], &[&root, &two], &[&root, &one, &below]] {
        assert_eq!(denied(&of_one, &chain(others)), Some(Fault::IssuerNotAllowed));
    }
    // One of several is enough.
    let more = issuers(&one.signed_by(&root)).and(issuers(&two.signed_by(&root)));
    let both = trust(&root).issued_by(more);
    for ca in [&one, &two] {
        assert_eq!(denied(&both, &chain(&[&root, ca])), None);
    }
    // The trust anchor is an issuer like others.
    let of_root = only(&root.self_signed());
    assert_eq!(denied(&of_root, &chain(&[&root])), None);
    assert_eq!(denied(&of_root, &chain(&[&root, &one])), Some(Fault::IssuerNotAllowed));
    // Without the rule, all are.
    assert_eq!(denied(&trust(&root), &chain(&[&root, &one, &below])), None);
}

/// A sub-CA without `pathlen:0` can make a CA of any name.
#[test]
fn a_namesake_with_another_key_is_another_issuer() {
    let (root, one, two) = (Holder::ca("root"), Holder::ca("one"), Holder::ca("two"));
    let trust = trust(&root).issued_by(issuers(&one.signed_by(&root)));
    let namesake = Holder::ca("one");
    for others in [&[&root, &namesake][..], &[&root, &two, &namesake]] {
        let chain = chain(others);
        assert_eq!(chain[0].issuer(), "CN=one");
        assert_eq!(denied(&trust, &chain), Some(Fault::IssuerNotAllowed));
    }
}

/// A renewed certificate, one that another root signed, and one with another name.
#[test]
fn the_same_key_with_another_certificate_is_the_same_issuer() {
    let (root, other, mut one) = (Holder::ca("root"), Holder::ca("other"), Holder::ca("one"));
    let cross_signed = issuers(&one.signed_by(&other));
    one.params.not_after = date_time_ymd(2000, 1, 1);
    let expired = issuers(&one.signed_by(&root));
    one.params.not_after = date_time_ymd(4000, 1, 1);
    let mut renamed = Holder::ca("renamed");
    renamed.key = one.key;
    for issuers in [cross_signed, expired] {
        let trust = trust(&root).issued_by(issuers);
        assert_eq!(denied(&trust, &chain(&[&root, &renamed])), None);
    }
}

#[test]
fn the_issuer_and_the_names_both_have_to_be_allowed() {
    let (root, one) = (Holder::ca("root"), Holder::ca("one"));
    let policy = |issuer: &Holder, name: &str| {
        let names = AllowRules::new(vec![name.parse().unwrap()], vec![]);
        trust(&root).issued_by(issuers(&issuer.self_signed())).allow(names, false)
    };
    let chain = chain(&[&root, &one]);
    assert_eq!(denied(&policy(&one, "alice"), &chain), None);
    assert_eq!(denied(&policy(&one, "bob"), &chain), Some(Fault::NotAllowed));
    // A name does not help with another issuer.
    for name in ["alice", "bob"] {
        assert_eq!(denied(&policy(&root, name), &chain), Some(Fault::IssuerNotAllowed));
    }
}

#[test]
fn an_issuer_that_is_not_known_is_denied() {
    let root = Holder::ca("root");
    let chain = chain(&[&root]);
    let of_root = trust(&root).issued_by(issuers(&root.self_signed()));
    assert_eq!(of_root.denies(&chain[0], None), Some(Fault::IssuerNotAllowed));
    assert_eq!(denied(&of_root, &chain[..1]), Some(Fault::IssuerNotAllowed));
    // Nor does a trust anchor issue itself.
    let anchor = &chain[1];
    for chain in [&[anchor.clone()][..], &[anchor.clone(), anchor.clone()]] {
        assert_eq!(IssuerKey::in_chain(chain), None);
        assert_eq!(denied(&of_root, chain), Some(Fault::IssuerNotAllowed));
    }
    assert_eq!(IssuerKey::in_chain(&[]), None);

    // All that is known of the client is its certificate.
    let names = AllowRules::default();
    for (early, let_in) in [(true, false), (false, true)] {
        let policy = ClientPolicy::Required(of_root.clone().allow(names.clone(), early));
        for resumed in [false, true] {
            let mut tls = TlsInfo::default();
            tls.client_certificate = Some(chain[0].clone());
            tls.resumed = Some(resumed);
            match policy.admit(&tls, new_year_2026()) {
                Ok(()) => assert!(let_in),
                Err(HandshakeError::ClientCertificate(refused)) => {
                    assert_eq!((let_in, refused.fault()), (false, &Fault::IssuerNotAllowed));
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!(ClientPolicy::Optional(of_root.clone()).admit(&TlsInfo::default(), now()).is_ok());
    }
}

#[test]
fn what_is_known_of_a_connection_has_the_key_of_the_issuer() {
    let (root, one) = (Holder::ca("root"), Holder::ca("one"));
    let chain = chain(&[&root, &one]);
    let mut tls = TlsInfo::default();
    tls.set_client(Some(Vouched { chain: chain.clone(), until: now() }));
    assert_eq!(tls.client_issuer_key, Some(IssuerKey::of(&chain[1])));
    let key = IssuerKey::of(&chain[1]);
    assert_eq!(IssuerKey::from_bytes(key.to_bytes()), key);
    let hash = key.to_bytes().map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(format!("{key:?}"), format!("IssuerKey({hash})"));
    tls.set_client(None);
    assert_eq!(tls.client_issuer_key, None);
}

/// Connections and sessions of clients that the new policy lets in too go on.
#[test]
fn the_digest_has_the_keys_of_the_issuers_alone() {
    let (root, one, two) = (Holder::ca("root"), Holder::ca("one"), Holder::ca("two"));
    let trust = trust(&root);
    let digest =
        |text: &str| ClientPolicy::Required(trust.clone().issued_by(issuers(text))).digest();
    let (old, new) = (one.signed_by(&root), one.self_signed());
    assert_eq!(digest(&old), digest(&new));
    assert_eq!(digest(&old), digest(&(old.clone() + &new)));
    let two = two.self_signed();
    assert_eq!(digest(&(old.clone() + &two)), digest(&(two.clone() + &old)));
    assert_ne!(digest(&old), digest(&two));
    assert_ne!(digest(&old), digest(&(old.clone() + &two)));
    assert_ne!(digest(&old), ClientPolicy::Required(trust.clone()).digest());
}

#[test]
fn a_file_of_issuers_holds_certificates_of_cas() {
    let (one, two) = (Holder::ca("one").self_signed(), Holder::ca("two").self_signed());
    let names = |issuers: &AllowedIssuers| -> Vec<_> {
        issuers.certificates().iter().map(|ca| ca.subject().to_owned()).collect()
    };
    assert_eq!(names(&issuers(&(one.clone() + &two + &one))), ["CN=one", "CN=two"]);
    assert_eq!(names(&issuers(&one).and(issuers(&(two + &one)))), ["CN=one", "CN=two"]);
    let der = AllowedIssuers::read(parse(&one).der()).unwrap();
    assert_eq!(names(&der), ["CN=one"]);

    let why = |bytes: &[u8]| printed(&AllowedIssuers::read(bytes).unwrap_err());
    let dir = Dir::new();
    dir.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem");
    dir.openssl("pkey -in key.pem -outform DER -out key.der");
    assert!(why(b" \n").contains("is empty"));
    assert!(why(b"text").contains("expected PEM certificates of CAs"));
    assert!(why(&dir.read("key.pem")).contains("it holds a private key in PEM"));
    assert!(why(&dir.read("key.der")).contains("it looks like a private key in DER"));
    let leaf = Holder::leaf("alice").self_signed();
    for mixed in [leaf.clone(), one.clone() + &leaf, leaf + &one] {
        assert!(why(mixed.as_bytes()).contains("\"CN=alice\" is not a CA certificate"));
    }
    assert!(why(one.replace("MII", "!!!").as_bytes()).contains("cannot be read"));
}
