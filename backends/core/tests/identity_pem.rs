//! Identities from PEM: every form of key and of file, and what is wrong with the rest.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use support::{Dir, Holder, now, printed};
use turnkey_backend::{CertificateError, Found, Identity, IdentityError, Part};

const PASSWORD: &str = "p\u{e4}ssword \u{20ac}";

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

/// A key and a certificate by `openssl`, as `key.pem` (PKCS#8) and `cert.pem`.
fn by_openssl(algorithm: &str) -> Dir {
    let dir = Dir::new();
    dir.openssl(&format!("genpkey {algorithm} -out key.pem"));
    dir.openssl("req -x509 -key key.pem -subj /CN=me -out cert.pem");
    dir
}

const RSA: &str = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";
const RSA_PSS: &str = "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048";
const P256: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
const P384: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-384";
const ED25519: &str = "-algorithm ED25519";

/// Loads `cert.pem` and the key, and checks that what comes out is the key in PKCS#8.
#[track_caller]
fn check_key(dir: &Dir, key: &str, password: Option<&str>) {
    let loaded = Identity::from_pem(&dir.read("cert.pem"), &dir.read(key), password, now());
    let identity = loaded.unwrap_or_else(|error| panic!("{key}: {}", printed(&error)));
    dir.write("out.pem", identity.key_pem().as_bytes());
    assert!(identity.key_pem().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    dir.write("out.der", identity.key().secret_pkcs8_der());
    let original = dir.openssl("pkey -in key.pem -text");
    assert_eq!(dir.openssl("pkey -in out.pem -text"), original, "{key}");
    assert_eq!(dir.openssl("pkey -inform DER -in out.der -text"), original, "{key}");
    dir.write("chain.pem", identity.chain_pem());
    assert_eq!(dir.openssl("x509 -in chain.pem"), dir.openssl("x509 -in cert.pem"));
}

#[test]
fn every_form_of_key_is_read() {
    for algorithm in [RSA, RSA_PSS, P256, P384, ED25519] {
        let dir = by_openssl(algorithm);
        check_key(&dir, "key.pem", None);
        // A password that is not needed does no harm.
        check_key(&dir, "key.pem", Some("unused"));
        if algorithm != RSA_PSS && algorithm != ED25519 {
            dir.openssl("pkey -in key.pem -traditional -out traditional.pem");
            let text = String::from_utf8(dir.read("traditional.pem")).unwrap();
            let label = if algorithm == RSA { "RSA PRIVATE KEY" } else { "EC PRIVATE KEY" };
            assert!(text.starts_with(&format!("-----BEGIN {label}-----")), "{text}");
            check_key(&dir, "traditional.pem", None);
        }
    }
}

#[test]
fn every_form_of_encryption_is_read() {
    let dir = by_openssl(RSA);
    for encryption in [
        "-v2 aes-256-cbc",
        "-v2 aes-128-cbc",
        "-v2 aes-256-cbc -v2prf hmacWithSHA1",
        "-v2 aes-256-cbc -v2prf hmacWithSHA512",
        "-v2 des3",
        "-scrypt",
    ] {
        let command = format!("pkcs8 -topk8 -in key.pem -out encrypted.pem {encryption} -passout");
        let mut arguments: Vec<_> = command.split_whitespace().collect();
        let password = format!("pass:{PASSWORD}");
        arguments.push(&password);
        dir.openssl_with(&arguments);
        check_key(&dir, "encrypted.pem", Some(PASSWORD));

        let (cert, key) = (dir.read("cert.pem"), dir.read("encrypted.pem"));
        let error = Identity::from_pem(&cert, &key, None, now()).unwrap_err();
        assert!(error.password_needed() && error.part() == Part::Key, "{error}");
        let error = Identity::from_pem(&cert, &key, Some("wrong"), now()).unwrap_err();
        assert!(matches!(error, IdentityError::WrongPassword), "{encryption}: {error}");
        assert!(!error.password_needed());
    }
}

#[test]
fn a_wrong_password_is_told_whatever_it_decrypts_to() {
    // One in 256 yields padding that looks right.
    let dir = by_openssl(P256);
    dir.openssl("pkcs8 -topk8 -in key.pem -out encrypted.pem -iter 1 -passout pass:right");
    let (cert, key) = (dir.read("cert.pem"), dir.read("encrypted.pem"));
    for wrong in 0..2000 {
        let error = Identity::from_pem(&cert, &key, Some(&wrong.to_string()), now()).unwrap_err();
        assert!(matches!(error, IdentityError::WrongPassword), "{wrong}: {error}");
    }
}

#[test]
fn unsupported_encryption_is_refused_with_the_command_that_converts_it() {
    let dir = by_openssl(RSA);
    let refused = |key: &str| {
        Identity::from_pem(&dir.read("cert.pem"), &dir.read(key), Some("x"), now()).unwrap_err()
    };
    dir.openssl("pkey -in key.pem -traditional -aes256 -passout pass:x -out legacy.pem");
    let error = refused("legacy.pem");
    assert!(matches!(error, IdentityError::LegacyEncryption), "{error}");
    assert!(error.to_string().contains("openssl pkcs8 -topk8 -in"), "{error}");
    dir.openssl("pkcs8 -topk8 -in legacy.pem -passin pass:x -out converted.pem -passout pass:x");
    check_key(&dir, "converted.pem", Some("x"));

    for old in ["-v1 PBE-SHA1-3DES", "-v1 PBE-MD5-DES -provider legacy -provider default"] {
        dir.openssl(&format!("pkcs8 -topk8 -in key.pem -passout pass:x -out old.pem {old}"));
        let error = refused("old.pem");
        let unsupported = matches!(error, IdentityError::UnsupportedEncryption { part: Part::Key });
        assert!(unsupported, "{old}: {error}");
        assert!(error.to_string().contains("openssl pkcs8 -topk8 -v2 aes-256-cbc"), "{error}");
        // No one is asked for a password in vain.
        let without = Identity::from_pem(&dir.read("cert.pem"), &dir.read("old.pem"), None, now());
        assert!(!without.unwrap_err().password_needed());
    }
}

#[test]
fn an_ec_key_may_come_with_its_parameters() {
    let dir = Dir::new();
    dir.openssl("ecparam -genkey -name prime256v1 -out key.pem");
    assert!(dir.read("key.pem").starts_with(b"-----BEGIN EC PARAMETERS-----"));
    dir.openssl("req -x509 -key key.pem -subj /CN=me -out cert.pem");
    check_key(&dir, "key.pem", None);

    dir.openssl("ecparam -genkey -name prime256v1 -param_enc explicit -out explicit.pem");
    let error = Identity::from_pem(&dir.read("cert.pem"), &dir.read("explicit.pem"), None, now())
        .unwrap_err();
    assert!(matches!(error, IdentityError::UnsupportedKey(_)), "{error}");
    dir.openssl("pkcs8 -topk8 -nocrypt -in explicit.pem -out explicit8.pem");
    let error = Identity::from_pem(&dir.read("cert.pem"), &dir.read("explicit8.pem"), None, now())
        .unwrap_err();
    assert!(error.to_string().contains("named_curve"), "{error}");

    // The point in its short form.
    dir.openssl("ec -in key.pem -conv_form compressed -out compressed.pem");
    let cert = dir.read("cert.pem");
    Identity::from_pem(&cert, &dir.read("compressed.pem"), None, now()).unwrap();
    // A key that leaves its point out: the TLS stack checks it.
    dir.openssl("ec -in key.pem -no_public -out private.pem");
    Identity::from_pem(&cert, &dir.read("private.pem"), None, now()).unwrap();
    // But the curve has to be the same.
    let other = by_openssl(P384).read("cert.pem");
    let error = Identity::from_pem(&other, &dir.read("private.pem"), None, now()).unwrap_err();
    assert!(matches!(error, IdentityError::KeyMismatch { .. }), "{error}");
}

#[test]
fn files_are_read_as_people_have_them() {
    let (ca, leaf) = (Holder::ca("ca"), Holder::leaf("leaf"));
    let (cert, ca_cert, key) = (leaf.signed_by(&ca), ca.self_signed(), leaf.key_pem());
    let chain = format!("{cert}{ca_cert}");
    let crlf = chain.replace("\r\n", "\n").replace('\n', "\r\n");
    let around = format!("Bag Attributes\n  friendlyName: x\nsubject=CN = leaf\n{chain}\nthe end");
    let pasted = format!("{}{}", cert.trim_end(), ca_cert.trim_end());
    for chain in [&chain, &crlf, &around, &pasted, &format!("\u{feff}{crlf}")] {
        let identity = load(chain, &key).unwrap();
        assert_eq!(names(&identity), ["leaf", "ca"]);
        assert_eq!(identity.leaf().common_name(), Some("leaf"));
    }
    // One file for both, in either order; duplicates.
    for combined in [format!("{key}{chain}"), format!("{chain}{key}{chain}{key}")] {
        assert_eq!(names(&load(&combined, &combined).unwrap()), ["leaf", "ca"]);
    }
    let old = chain.replace(" CERTIFICATE", " X509 CERTIFICATE");
    assert_eq!(names(&load(&old, &key).unwrap()), ["leaf", "ca"]);
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let dirs = [RSA, RSA, P256, P256, P384, ED25519].map(by_openssl);
    for (i, cert) in dirs.iter().enumerate() {
        for (j, key) in dirs.iter().enumerate() {
            let loaded =
                Identity::from_pem(&cert.read("cert.pem"), &key.read("key.pem"), None, now());
            if i == j {
                loaded.unwrap();
                continue;
            }
            let error = loaded.unwrap_err();
            assert!(matches!(error, IdentityError::KeyMismatch { .. }), "{i} {j}: {error}");
            assert_eq!(error.part(), Part::Both);
            assert!(error.to_string().contains("\"CN=me\""), "{error}");
        }
    }
}

#[test]
fn several_keys_are_no_matter_when_one_belongs() {
    let (ca, leaf) = (Holder::ca("ca"), Holder::leaf("leaf"));
    let keys = ca.key_pem() + &leaf.key_pem();
    assert_eq!(names(&load(&leaf.signed_by(&ca), &keys).unwrap()), ["leaf"]);
    let error = refused(&(leaf.signed_by(&ca) + &ca.self_signed()), &keys);
    assert!(matches!(error, IdentityError::SeveralKeys { count: 2 }), "{error}");
    assert_eq!(error.part(), Part::Key);
}

#[test]
fn the_wrong_file_is_told_by_what_it_holds() {
    let dir = by_openssl(P256);
    dir.openssl("x509 -in cert.pem -outform DER -out cert.der");
    dir.openssl("pkey -in key.pem -outform DER -out key.der");
    dir.openssl("pkcs8 -topk8 -in key.pem -outform DER -out encrypted.der -passout pass:x");
    dir.openssl("pkey -in key.pem -pubout -out public.pem");
    dir.openssl("pkey -in key.pem -pubout -outform DER -out public.der");
    dir.openssl("req -new -key key.pem -subj /CN=me -out request.pem");
    dir.openssl("req -in request.pem -outform DER -out request.der");
    dir.openssl("crl2pkcs7 -nocrl -certfile cert.pem -out cert.p7b");
    dir.openssl("pkcs12 -export -in cert.pem -inkey key.pem -out all.p12 -passout pass:x");
    dir.openssl("ecparam -name prime256v1 -out parameters.pem");
    dir.write(
        "openssh.pem",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nYWJj\n-----END OPENSSH PRIVATE KEY-----\n",
    );
    let utf16 = String::from_utf8(dir.read("cert.pem")).unwrap();
    let utf16: Vec<u8> = utf16.encode_utf16().flat_map(u16::to_le_bytes).collect();
    dir.write("utf16.pem", [&[0xff, 0xfe], utf16.as_slice()].concat());
    dir.write("garbage", "garbage");

    let cases = [
        // The file, what it is as a chain, what it is as a key.
        ("cert.pem", None, Some(Found::PemCertificate)),
        ("key.pem", Some(Found::PemPrivateKey), None),
        ("public.pem", Some(Found::PemPublicKey), Some(Found::PemPublicKey)),
        ("request.pem", Some(Found::PemRequest), Some(Found::PemRequest)),
        ("cert.p7b", Some(Found::PemPkcs7), Some(Found::PemPkcs7)),
        ("openssh.pem", Some(Found::OpenSshKey), Some(Found::OpenSshKey)),
        ("parameters.pem", Some(Found::OtherPem), Some(Found::OtherPem)),
        ("cert.der", Some(Found::DerCertificate), Some(Found::DerCertificate)),
        ("key.der", Some(Found::DerPrivateKey), Some(Found::DerPrivateKey)),
        ("encrypted.der", Some(Found::DerPrivateKey), Some(Found::DerPrivateKey)),
        ("public.der", Some(Found::DerPublicKey), Some(Found::DerPublicKey)),
        ("request.der", Some(Found::DerRequest), Some(Found::DerRequest)),
        ("all.p12", Some(Found::Pkcs12), Some(Found::Pkcs12)),
        ("utf16.pem", Some(Found::Utf16), Some(Found::Utf16)),
        ("garbage", Some(Found::Unknown), Some(Found::Unknown)),
    ];
    let (cert, key) = (dir.read("cert.pem"), dir.read("key.pem"));
    for (file, as_chain, as_key) in cases {
        let bytes = dir.read(file);
        let inputs = [(Part::Chain, as_chain, &bytes, &key), (Part::Key, as_key, &cert, &bytes)];
        for (part, expected, chain, key) in inputs {
            let found = match Identity::from_pem(chain, key, None, now()) {
                Ok(_) => None,
                Err(error) => {
                    assert_eq!(error.part(), part, "{file}: {error}");
                    match error {
                        IdentityError::NotPem { found, .. }
                        | IdentityError::WrongKind { found, .. } => {
                            assert!(error.to_string().contains(&found.to_string()), "{error}");
                            Some(found)
                        }
                        IdentityError::NoCertificate => Some(Found::PemPrivateKey),
                        IdentityError::NoPrivateKey => Some(Found::PemCertificate),
                        other => panic!("{file} as {part}: {other}"),
                    }
                }
            };
            assert_eq!(found, expected, "{file} as {part}");
        }
    }
}

#[test]
fn empty_and_damaged_files_are_told_apart() {
    let leaf = Holder::leaf("leaf");
    let (cert, key) = (leaf.self_signed(), leaf.key_pem());
    for empty in ["", " \r\n"] {
        let no_chain = refused(empty, &key);
        assert!(matches!(no_chain, IdentityError::Empty { part: Part::Chain }));
        assert_eq!(no_chain.to_string(), "the certificate chain is empty");
        let no_key = refused(&cert, empty);
        assert!(matches!(no_key, IdentityError::Empty { part: Part::Key }));
        assert_eq!(no_key.to_string(), "the private key is empty");
    }
    let broken = refused(&cert[..cert.len() / 2], &key);
    assert!(matches!(broken, IdentityError::BrokenPem { part: Part::Chain, .. }), "{broken}");
    assert!(broken.to_string().contains("\"CERTIFICATE\""), "{broken}");
    let broken = refused(&cert, &key.replace("-----END", "A\n-----END"));
    assert!(matches!(broken, IdentityError::BrokenPem { part: Part::Key, .. }), "{broken}");

    let wrapped = |label: &str| format!("-----BEGIN {label}-----\nYWJj\n-----END {label}-----\n");
    let malformed = refused(&wrapped("CERTIFICATE"), &key);
    let certificate =
        matches!(malformed, IdentityError::Certificate(CertificateError::Malformed(_)));
    assert!(certificate, "{malformed}");
    for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
        let malformed = refused(&cert, &wrapped(label));
        assert!(matches!(malformed, IdentityError::MalformedKey(_)), "{label}: {malformed}");
    }
    let dsa = refused(&cert, &wrapped("DSA PRIVATE KEY"));
    assert!(matches!(dsa, IdentityError::UnsupportedKey(_)), "{dsa}");
}

#[test]
fn der_is_taken_as_it_is() {
    let (ca, leaf) = (Holder::ca("ca"), Holder::leaf("leaf"));
    let from_pem = load(&(leaf.signed_by(&ca) + &ca.self_signed()), &leaf.key_pem()).unwrap();
    let mut chain: Vec<_> = from_pem.chain().iter().map(|cert| cert.der().clone()).collect();
    chain.reverse();
    let from_der =
        |chain, key: &Holder| Identity::from_der(chain, key.key.serialize_der().into(), now());
    let identity = from_der(chain.clone(), &leaf).unwrap();
    assert_eq!(identity.chain(), from_pem.chain());
    assert_eq!(identity.key(), from_pem.key());
    assert!(matches!(from_der(vec![], &leaf), Err(IdentityError::Empty { part: Part::Chain })));
    assert!(matches!(from_der(chain, &Holder::leaf("x")), Err(IdentityError::KeyMismatch { .. })));
}

#[test]
fn the_key_is_not_shown() {
    let leaf = Holder::leaf("leaf");
    let identity = load(&leaf.self_signed(), &leaf.key_pem()).unwrap();
    let shown = format!("{identity:?} {identity:#?}");
    assert!(shown.contains("CN=leaf"));
    // Neither in base64 nor as numbers.
    let key = identity.key().secret_pkcs8_der();
    let text = identity.key_pem();
    let numbers: Vec<_> = key[40..44].iter().map(ToString::to_string).collect();
    assert!(!shown.contains(&text.lines().nth(1).unwrap()[20..40]));
    assert!(!shown.contains(&numbers.join(", ")));
    assert!(!shown.to_lowercase().contains("key"), "{shown}");
}
