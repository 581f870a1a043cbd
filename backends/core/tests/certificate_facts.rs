//! What `turnkey check` asks of a certificate: its key, its signature, its usages, its names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use std::net::IpAddr;

use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose, SanType};
use support::{Dir, Holder, parse};
use turnkey_backend::{Certificate, KeyKind};

/// What `openssl` makes of a new key and further arguments of `openssl req`.
fn made(dir: &Dir, key: &str, arguments: &str) -> Certificate {
    dir.openssl(&format!("genpkey -out key.pem {key}"));
    dir.openssl(&format!("req -x509 -key key.pem -subj /CN=me -out cert.pem {arguments}"));
    parse(str::from_utf8(&dir.read("cert.pem")).unwrap())
}

/// The line of `openssl x509 -text` that begins with the word.
fn openssl_says(dir: &Dir, word: &str) -> String {
    let text = dir.openssl("x509 -in cert.pem -noout -text");
    let line = text.lines().find_map(|line| line.trim().strip_prefix(word)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {word} in {text}")).trim().to_owned()
}

#[test]
fn keys_are_told_by_kind_and_size() {
    let dir = Dir::new();
    for bits in [1024, 2048, 2047, 3072] {
        let key = format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{bits}");
        assert_eq!(made(&dir, &key, "").key(), &KeyKind::Rsa { bits });
        assert_eq!(openssl_says(&dir, "Public-Key"), format!("({bits} bit)"));
    }
    let key = "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048";
    assert_eq!(made(&dir, key, "").key(), &KeyKind::Rsa { bits: 2048 });
    for curve in ["P-192", "P-224", "P-256", "P-384", "P-521"] {
        let key = format!("-algorithm EC -pkeyopt ec_paramgen_curve:{curve}");
        assert_eq!(made(&dir, &key, "").key(), &KeyKind::Ec { curve: curve.to_owned() });
        assert_eq!(openssl_says(&dir, "NIST CURVE"), curve);
    }
    let curve = |name: &str| {
        let key = format!("-algorithm EC -pkeyopt ec_paramgen_curve:{name}");
        made(&dir, &key, "").key().to_string()
    };
    assert_eq!(curve("secp256k1"), "EC on secp256k1");
    assert_eq!(curve("brainpoolP256r1"), "EC on 1.3.36.3.3.2.8.1.1.7");
    assert_eq!(made(&dir, "-algorithm ED25519", "").key(), &KeyKind::Ed25519);
    assert_eq!(made(&dir, "-algorithm ED448", "").key(), &KeyKind::Ed448);

    // A curve that is spelled out instead of named.
    let explicit = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit";
    assert_eq!(made(&dir, explicit, "").key().to_string(), "of kind 1.2.840.10045.2.1");
}

#[test]
fn kinds_of_keys_are_shown() {
    let ec = KeyKind::Ec { curve: "P-256".to_owned() };
    let shown = [KeyKind::Rsa { bits: 2048 }, ec, KeyKind::Ed25519, KeyKind::Ed448];
    assert_eq!(
        shown.map(|kind| kind.to_string()),
        ["RSA with 2048 bits", "EC on P-256", "Ed25519", "Ed448"]
    );
}

#[test]
fn signatures_are_named_as_openssl_names_them() {
    let dir = Dir::new();
    let rsa = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";
    let ec = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
    let pss = |hash: &str| format!("-{hash} -sigopt rsa_padding_mode:pss");
    for (key, arguments, weak) in [
        (rsa, "-sha256", false),
        (rsa, "-sha224", false),
        (rsa, "-sha384", false),
        (rsa, "-sha512", false),
        (rsa, "-sha1", true),
        (rsa, "-md5", true),
        (rsa, &pss("sha256"), false),
        (rsa, &pss("sha512"), false),
        (rsa, &pss("sha1"), true),
        (ec, "-sha256", false),
        (ec, "-sha224", false),
        (ec, "-sha384", false),
        (ec, "-sha512", false),
        (ec, "-sha1", true),
        ("-algorithm ED25519", "", false),
        ("-algorithm ED448", "", false),
    ] {
        let certificate = made(&dir, key, arguments);
        let wanted = openssl_says(&dir, "Signature Algorithm");
        assert_eq!(certificate.signature_algorithm(), wanted);
        assert_eq!(certificate.is_signature_weak(), weak, "{wanted} {arguments}");
    }
    // What nobody knows is shown by its number.
    let certificate = made(&dir, ec, "-sha3-256");
    assert_eq!(certificate.signature_algorithm(), "2.16.840.1.101.3.4.3.10");
    assert!(!certificate.is_signature_weak());
}

fn with(change: impl FnOnce(&mut rcgen::CertificateParams)) -> Certificate {
    let mut holder = Holder::leaf("me");
    change(&mut holder.params);
    parse(&holder.self_signed())
}

#[test]
fn extended_usages_limit_who_a_certificate_is_for() {
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, CodeSigning, ServerAuth};
    for (purposes, server, client) in [
        (vec![], true, true),
        (vec![ServerAuth], true, false),
        (vec![ClientAuth], false, true),
        (vec![ServerAuth, ClientAuth], true, true),
        (vec![CodeSigning], false, false),
        (vec![CodeSigning, Any], true, true),
    ] {
        let certificate = with(|params| params.extended_key_usages.clone_from(&purposes));
        let allows = (certificate.allows_server_auth(), certificate.allows_client_auth());
        assert_eq!(allows, (server, client), "{purposes:?}");
    }
}

#[test]
fn usages_limit_what_a_key_may_sign() {
    use KeyUsagePurpose::{CrlSign, DigitalSignature, KeyCertSign, KeyEncipherment};
    for (usages, wanted) in [
        (vec![], (true, true, true)),
        (vec![DigitalSignature], (true, false, false)),
        (vec![KeyCertSign], (false, true, false)),
        (vec![CrlSign], (false, false, true)),
        (vec![KeyEncipherment], (false, false, false)),
        (vec![DigitalSignature, KeyCertSign, CrlSign], (true, true, true)),
    ] {
        let ca = with(|params| params.key_usages.clone_from(&usages));
        let may = (ca.may_sign(), ca.may_sign_certificates(), ca.may_sign_crls());
        assert_eq!(may, wanted, "{usages:?}");
    }
}

#[test]
fn usages_that_cannot_be_read_allow_nothing() {
    let null = || vec![5, 0];
    let odd = with(|params| {
        let extension = |last| rcgen::CustomExtension::from_oid_content(&[2, 5, 29, last], null());
        params.custom_extensions = vec![extension(15), extension(37)];
    });
    assert!(!odd.allows_server_auth() && !odd.allows_client_auth());
    assert!(!odd.may_sign() && !odd.may_sign_certificates() && !odd.may_sign_crls());
}

fn for_hosts(names: &[&str]) -> Certificate {
    with(|params| {
        let name = |name: &&str| match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName((*name).try_into().unwrap()),
        };
        params.subject_alt_names = names.iter().map(name).collect();
    })
}

#[test]
fn a_host_is_looked_for_among_the_alternative_names() {
    let certificate =
        for_hosts(&["Example.test", "*.Shop.example.test", "127.0.0.1", "2001:db8::1"]);
    for good in [
        "example.test",
        "EXAMPLE.test",
        "example.test.",
        "a.shop.example.test",
        "A.SHOP.example.test.",
        "127.0.0.1",
        "2001:db8::1",
        "2001:DB8:0:0::1",
    ] {
        assert!(certificate.is_for_host(good), "{good}");
    }
    for bad in [
        "",
        ".",
        "www.example.test",
        "shop.example.test",
        ".shop.example.test",
        "a.b.shop.example.test",
        "ashop.example.test",
        "example.test..",
        "example.testing",
        "127.0.0.2",
        "2001:db8::2",
        "::ffff:127.0.0.1",
    ] {
        assert!(!certificate.is_for_host(bad), "{bad}");
    }
}

#[test]
fn stars_count_only_as_a_whole_first_label() {
    for (name, host) in [
        ("*", "example"),
        ("*.test", "example.test"),
        ("w*.example.test", "www.example.test"),
        ("*w.example.test", "www.example.test"),
        ("www.*.test", "www.example.test"),
        ("*.*.test", "www.example.test"),
        ("*", "127.0.0.1"),
    ] {
        assert!(!for_hosts(&[name]).is_for_host(host), "{name} {host}");
    }
}

#[test]
fn an_address_is_not_a_name_nor_a_name_an_address() {
    let by_name = for_hosts(&["example.test"]);
    let named = with(|params| {
        params.subject_alt_names = vec![SanType::DnsName("127.0.0.1".try_into().unwrap())];
    });
    assert_eq!(named.subject_alt_names(), ["DNS:127.0.0.1"]);
    assert!(!named.is_for_host("127.0.0.1"));
    assert!(!by_name.is_for_host("127.0.0.1"));
    assert!(!for_hosts(&["*.0.0.1"]).is_for_host("127.0.0.1"));
}

#[test]
fn the_common_name_is_no_name_for_clients() {
    let old = Holder::leaf("example.test");
    let old = parse(&old.self_signed());
    assert!(!old.has_alternative_names());
    assert!(!old.is_for_host("example.test"));
    assert_eq!(old.common_name(), Some("example.test"));
    assert!(for_hosts(&["127.0.0.1"]).has_alternative_names());
}
