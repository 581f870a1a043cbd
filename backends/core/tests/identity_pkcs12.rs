//! Identities from PKCS#12 as various tools write it, and what is written for others to read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use rcgen::{KeyPair, PKCS_ED25519};
use support::{Dir, Holder, now, printed};
use turnkey_backend::{Certificate, Found, Identity, IdentityError, Part};

/// A directory with `leaf.pem`, `chain.pem` (its two CAs) and `key.pem`.
fn pki(leaf: &Holder) -> Dir {
    let (root, ca) = (Holder::ca("root"), Holder::ca("ca"));
    let dir = Dir::new();
    dir.write("leaf.pem", leaf.signed_by(&ca));
    // Out of order, and with a CA that has nothing to do with it.
    let chain = [root.self_signed(), Holder::ca("other").self_signed(), ca.signed_by(&root)];
    dir.write("chain.pem", chain.concat());
    // As OpenSSL writes it.
    let key =
        Identity::from_pem(leaf.self_signed().as_bytes(), leaf.key_pem().as_bytes(), None, now());
    dir.write("key.pem", key.unwrap().key_pem().as_bytes());
    dir
}

/// Runs `openssl pkcs12 -export` and reads what it wrote.
fn export(dir: &Dir, arguments: &str, password: &str) -> Vec<u8> {
    let pass = format!("pass:{password}");
    let fixed = "pkcs12 -export -inkey key.pem -in leaf.pem -out out.p12 -passout";
    let arguments = fixed.split(' ').chain([pass.as_str()]).chain(arguments.split_whitespace());
    dir.openssl_with(&arguments.collect::<Vec<_>>());
    dir.read("out.p12")
}

fn names(identity: &Identity) -> Vec<&str> {
    identity.chain().iter().map(|certificate| certificate.common_name().unwrap()).collect()
}

#[track_caller]
fn check(dir: &Dir, p12: &[u8], password: Option<&str>) {
    let identity = Identity::from_pkcs12(p12, password, now())
        .unwrap_or_else(|error| panic!("{password:?}: {}", printed(&error)));
    assert_eq!(names(&identity), ["leaf", "ca", "root"]);
    dir.write("got.pem", identity.key_pem().as_bytes());
    assert_eq!(dir.openssl("pkey -in got.pem"), dir.openssl("pkey -in key.pem"));
}

const VARIETIES: [&str; 10] = [
    // AES-256 and a SHA-256 MAC.
    "",
    // RC2-40 and 3DES with a SHA-1 MAC: OpenSSL 1, older Windows and Java.
    "-legacy",
    "-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1",
    "-certpbe AES-128-CBC -keypbe AES-256-CBC -macalg sha512",
    "-certpbe NONE -keypbe NONE",
    "-certpbe NONE",
    "-keypbe NONE",
    "-nomac",
    "-nomac -legacy",
    "-name friendly -caname one -maciter -iter 1",
];

#[test]
fn every_variety_is_read() {
    let dir = pki(&Holder::leaf("leaf"));
    for variety in VARIETIES {
        let arguments = format!("{variety} -certfile chain.pem");
        for password in ["secret", "p\u{e4}ss w\u{f6}rd \u{20ac}"] {
            let p12 = export(&dir, &arguments, password);
            check(&dir, &p12, Some(password));
            for given in [None, Some("wrong"), Some("")] {
                let error = Identity::from_pkcs12(&p12, given, now()).unwrap_err();
                assert_eq!(error.password_needed(), given.is_none(), "{variety}: {error}");
                let wrong = matches!(error, IdentityError::WrongPassword);
                assert_eq!(wrong, given.is_some(), "{variety}: {error}");
            }
        }
        // The empty password is found without being asked for.
        let p12 = export(&dir, &arguments, "");
        check(&dir, &p12, None);
        check(&dir, &p12, Some(""));
    }
}

#[test]
fn a_wrong_password_is_told_whatever_it_decrypts_to() {
    // Without a MAC, one in 256 yields padding that looks right.
    let dir = pki(&Holder::leaf("leaf"));
    for variety in ["-nomac -iter 1", "-nomac -iter 1 -legacy"] {
        let p12 = export(&dir, variety, "right");
        for wrong in 0..1500 {
            let error = Identity::from_pkcs12(&p12, Some(&wrong.to_string()), now()).unwrap_err();
            let told = matches!(error, IdentityError::WrongPassword);
            assert!(told, "{variety} {wrong}: {}", printed(&error));
        }
    }
}

#[test]
fn without_encryption_and_mac_no_password_is_needed() {
    let dir = pki(&Holder::leaf("leaf"));
    let p12 = export(&dir, "-certfile chain.pem -nomac -certpbe NONE -keypbe NONE", "unused");
    check(&dir, &p12, None);
    check(&dir, &p12, Some("anything"));
}

#[test]
fn what_is_encrypted_otherwise_is_named() {
    let dir = pki(&Holder::leaf("leaf"));
    for variety in [
        "-certpbe PBE-SHA1-RC4-128 -keypbe PBE-SHA1-RC4-128 -provider legacy -provider default",
        "-keypbe PBE-SHA1-2DES",
        "-keypbe CAMELLIA-256-CBC -certpbe CAMELLIA-256-CBC",
        "-macalg md5",
    ] {
        let p12 = export(&dir, variety, "secret");
        let error = Identity::from_pkcs12(&p12, Some("secret"), now()).unwrap_err();
        let unsupported =
            matches!(error, IdentityError::UnsupportedEncryption { part: Part::Both });
        assert!(unsupported, "{variety}: {}", printed(&error));
        assert!(error.to_string().contains("openssl pkcs12 -export"), "{error}");
    }
}

#[test]
fn ber_is_refused_with_the_command_that_converts_it() {
    let dir = pki(&Holder::leaf("leaf"));
    let p12 = export(&dir, "", "secret");
    // The outermost sequence with the indefinite length, as Bouncy Castle and NSS write it.
    assert_eq!(p12[..2], [0x30, 0x82]);
    let ber = [&[0x30, 0x80], &p12[4..], &[0, 0]].concat();
    let error = Identity::from_pkcs12(&ber, Some("secret"), now()).unwrap_err();
    assert!(matches!(error, IdentityError::MalformedPkcs12(_)), "{error}");
    assert!(error.to_string().contains("BER"), "{error}");
    // The command works.
    dir.write("ber.p12", ber);
    dir.openssl("pkcs12 -in ber.p12 -nodes -passin pass:secret -out all.pem");
    dir.openssl("pkcs12 -export -in all.pem -out converted.p12 -passout pass:secret");
    Identity::from_pkcs12(&dir.read("converted.p12"), Some("secret"), now()).unwrap();
}

#[test]
fn a_file_without_a_key_or_without_a_certificate_is_told() {
    let dir = pki(&Holder::leaf("leaf"));
    dir.openssl("pkcs12 -export -nokeys -in leaf.pem -out certs.p12 -passout pass:x");
    let error = Identity::from_pkcs12(&dir.read("certs.p12"), Some("x"), now()).unwrap_err();
    assert!(matches!(error, IdentityError::NoPrivateKey), "{error}");
    dir.openssl("pkcs12 -export -nocerts -inkey key.pem -out key.p12 -passout pass:x");
    let error = Identity::from_pkcs12(&dir.read("key.p12"), Some("x"), now()).unwrap_err();
    assert!(matches!(error, IdentityError::NoCertificate), "{error}");
}

#[test]
fn several_identities_in_one_file_are_ambiguous() {
    use p12_keystore::{KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
    let entry = |holder: &Holder, id: &str| {
        let key = PrivateKey::from_der(&holder.key.serialize_der()).unwrap();
        let cert = holder.params.self_signed(&holder.key).unwrap();
        let cert = p12_keystore::Certificate::from_der(cert.der()).unwrap();
        (key, cert, id.to_owned())
    };
    let read = |entries: Vec<(PrivateKey, Vec<p12_keystore::Certificate>, String)>| {
        let mut store = KeyStore::new();
        for (key, certs, id) in entries {
            let chain = PrivateKeyChain::new(id.as_str(), key, certs);
            store.add_entry(&id, KeyStoreEntry::PrivateKeyChain(chain));
        }
        Identity::from_pkcs12(&store.writer("x").write().unwrap(), Some("x"), now())
    };
    let (one, two) = (Holder::leaf("one"), Holder::leaf("two"));
    let ((key1, cert1, id1), (key2, cert2, id2)) = (entry(&one, "1"), entry(&two, "2"));
    let error = read(vec![
        (key1.clone(), vec![cert1], id1.clone()),
        (key2.clone(), vec![cert2.clone()], id2.clone()),
    ])
    .unwrap_err();
    assert!(matches!(error, IdentityError::SeveralKeys { count: 2 }), "{error}");
    // A key whose certificate is not there does not matter, nor does which comes first.
    for ids in [(&id1, &id2), (&id2, &id1)] {
        let identity = read(vec![
            (key1.clone(), vec![], ids.0.clone()),
            (key2.clone(), vec![cert2.clone()], ids.1.clone()),
        ]);
        assert_eq!(names(&identity.unwrap()), ["two"]);
    }
    let error = read(vec![(key1, vec![cert2], id1)]).unwrap_err();
    assert!(matches!(error, IdentityError::KeyMismatch { .. }), "{error}");
}

#[test]
fn the_local_key_id_tells_where_the_key_does_not() {
    // An Ed25519 key does not state its public half: of two leaves it may be either's.
    use p12_keystore::{KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
    let ed25519 = |name| Holder::with_key(name, KeyPair::generate_for(&PKCS_ED25519).unwrap());
    let certificate = |holder: &Holder| {
        let certificate = holder.params.self_signed(&holder.key).unwrap();
        p12_keystore::Certificate::from_der(certificate.der()).unwrap()
    };
    let (other, leaf) = (ed25519("other"), ed25519("leaf"));
    let pem = leaf.self_signed();
    let version_1 = Identity::from_pem(pem.as_bytes(), leaf.key_pem().as_bytes(), None, now());
    let key = PrivateKey::from_der(version_1.unwrap().key().secret_pkcs8_der()).unwrap();
    let mut store = KeyStore::new();
    // Certificates of their own are written before those of keys.
    store.add_entry("other", KeyStoreEntry::Certificate(certificate(&other)));
    let chain = PrivateKeyChain::new("id", key, [certificate(&leaf)]);
    store.add_entry("leaf", KeyStoreEntry::PrivateKeyChain(chain));
    let identity = Identity::from_pkcs12(&store.writer("x").write().unwrap(), Some("x"), now());
    assert_eq!(names(&identity.unwrap()), ["leaf"]);
}

#[test]
fn what_is_not_pkcs12_is_told_by_what_it_holds() {
    let dir = pki(&Holder::leaf("leaf"));
    dir.openssl("x509 -in leaf.pem -outform DER -out leaf.der");
    dir.openssl("pkey -in key.pem -outform DER -out key.der");
    for (file, expected) in [
        ("leaf.pem", Found::PemCertificate),
        ("key.pem", Found::PemPrivateKey),
        ("leaf.der", Found::DerCertificate),
        ("key.der", Found::DerPrivateKey),
    ] {
        match Identity::from_pkcs12(&dir.read(file), None, now()).unwrap_err() {
            IdentityError::NotPkcs12(found) => assert_eq!(found, expected, "{file}"),
            other => panic!("{file}: {other}"),
        }
    }
    let error = Identity::from_pkcs12(b"", None, now()).unwrap_err();
    assert!(matches!(error, IdentityError::Empty { part: Part::Both }), "{error}");
    assert_eq!(error.to_string(), "the PKCS#12 file is empty");
    let error = Identity::from_pkcs12(b"garbage", None, now()).unwrap_err();
    assert!(matches!(error, IdentityError::NotPkcs12(Found::Unknown)), "{error}");
    let p12 = export(&dir, "", "x");
    let error = Identity::from_pkcs12(&p12[..p12.len() / 2], Some("x"), now()).unwrap_err();
    assert!(matches!(error, IdentityError::MalformedPkcs12(_)), "{error}");
}

#[test]
fn what_is_written_is_read_by_openssl_and_here() {
    let leaves = [
        (Holder::leaf("leaf"), "leaf"),
        (Holder::with_key("leaf", KeyPair::generate_for(&PKCS_ED25519).unwrap()), "leaf"),
        // Past what PKCS#12 can hold as a friendly name.
        (Holder::leaf("\u{1f600}"), "identity"),
        (Holder::leaf(""), "identity"),
    ];
    for (leaf, friendly_name) in leaves {
        let dir = pki(&leaf);
        let p12 = export(&dir, "-certfile chain.pem", "x");
        let identity = Identity::from_pkcs12(&p12, Some("x"), now()).unwrap();
        let written = identity.to_pkcs12("p@ss word").unwrap();
        dir.write("written.p12", &written);

        let read = Identity::from_pkcs12(&written, Some("p@ss word"), now()).unwrap();
        assert_eq!(read.chain(), identity.chain());
        assert_eq!(read.key(), identity.key());
        assert!(Identity::from_pkcs12(&written, None, now()).unwrap_err().password_needed());

        // OpenSSL 3 without its legacy provider.
        let pass = ["-passin", "pass:p@ss word"];
        let dump = ["pkcs12", "-in", "written.p12", "-nodes", "-out", "all.pem"];
        dir.openssl_with(&[&dump[..], &pass].concat());
        assert_eq!(dir.openssl("pkey -in all.pem"), dir.openssl("pkey -in key.pem"));
        let all = String::from_utf8(dir.read("all.pem")).unwrap();
        assert_eq!(all.matches("BEGIN CERTIFICATE").count(), 3);
        // Key and leaf are tied together by one local key id.
        let ids: Vec<_> = all.lines().filter(|line| line.contains("localKeyID")).collect();
        assert!(ids.len() == 2 && ids[0] == ids[1], "{all}");
        let shown = format!("    friendlyName: {friendly_name}\n");
        assert!(all.contains(&shown), "{shown}: {all}");
        let combined = Identity::from_pem(all.as_bytes(), all.as_bytes(), None, now()).unwrap();
        assert_eq!(combined.chain(), identity.chain());

        // `-info` goes to standard error.
        let script = "openssl pkcs12 -in written.p12 -info -noout -passin 'pass:p@ss word' 2>&1";
        let mut info = std::process::Command::new("sh");
        info.args(["-c", script]).current_dir(dir.path());
        let info = String::from_utf8(info.output().unwrap().stdout).unwrap();
        assert!(info.contains("MAC: sha1"), "{info}");
        assert_eq!(info.matches("pbeWithSHA1And3-KeyTripleDES-CBC").count(), 2, "{info}");
    }
}

#[test]
fn an_unusable_password_is_refused() {
    let leaf = Holder::leaf("leaf");
    let (cert, key) = (leaf.self_signed(), leaf.key_pem());
    let identity = Identity::from_pem(cert.as_bytes(), key.as_bytes(), None, now()).unwrap();
    for password in ["", "p\u{e4}ss"] {
        let error = identity.to_pkcs12(password).unwrap_err();
        assert!(matches!(error, IdentityError::UnusablePassword), "{error}");
    }
    let certificate = Certificate::from_der(identity.leaf().der()).unwrap();
    assert_eq!(&certificate, identity.leaf());
}
