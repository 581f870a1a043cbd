//! Certificates made for one run of the server.

use turnkey::tls::Identity;

use super::super::{adhoc, adhoc_mutual};
use super::*;

#[test]
fn an_adhoc_identity_is_a_self_signed_server_of_this_machine() {
    let folder = Folder::made();
    let now = SystemTime::now();
    let identity = adhoc(&["app.test".to_owned()], now).unwrap();
    assert_eq!(identity.chain().len(), 1);
    assert!(identity.leaf().is_self_signed() && !identity.leaf().is_ca());
    let lifetime = identity.leaf().not_after().duration_since(now).unwrap();
    assert!(lifetime < 30 * DAY && lifetime > 29 * DAY, "{lifetime:?}");
    folder.write("adhoc.crt", identity.chain_pem());
    let text = folder.openssl("verify -CAfile adhoc.crt -purpose sslserver adhoc.crt");
    assert_eq!(text, "adhoc.crt: OK\n");
    for host in ["localhost", "app.test"] {
        let text = folder.openssl(&format!("x509 -in adhoc.crt -noout -checkhost {host}"));
        assert!(text.contains("does match"), "{text}");
    }
    // Each run makes a new key.
    assert_ne!(adhoc(&[], now).unwrap().leaf().spki_sha256(), identity.leaf().spki_sha256());
    let error = adhoc(&["a b".to_owned()], now).unwrap_err();
    assert!(matches!(error, PkiError::Host { .. }), "{error}");
}

#[test]
fn adhoc_mutual_makes_a_server_and_a_client_of_one_ca() {
    let now = SystemTime::now();
    let made = adhoc_mutual(&["app.test".to_owned()], now).unwrap();
    let folder = made.folder.path();
    let openssl = |arguments: &str| openssl_in(folder, arguments).unwrap();
    fs::write(folder.join("server.crt"), made.identity.chain_pem()).unwrap();
    for (name, purpose) in [("server", "sslserver"), ("client", "sslclient")] {
        let verify =
            format!("verify -x509_strict -CAfile ca.crt -no-CApath -purpose {purpose} {name}.crt");
        assert_eq!(openssl(&verify), format!("{name}.crt: OK\n"));
    }
    for host in ["localhost", "app.test"] {
        let text = openssl(&format!("x509 -in server.crt -noout -checkhost {host}"));
        assert!(text.contains("does match"), "{text}");
    }
    let [ca] = made.anchors.certificates() else { panic!("one CA: {:?}", made.anchors) };
    assert_eq!(made.ca, folder.join("ca.crt"));
    assert!(fs::read_to_string(&made.ca).unwrap().contains(ca_pem(&made.identity).trim()));

    assert_eq!(made.client, folder.join("client.pem"));
    let pem = fs::read(&made.client).unwrap();
    let client = Identity::from_pem(&pem, &pem, None, now).unwrap();
    assert_eq!(client.leaf().common_name(), Some("client.localhost"));
    for leaf in [made.identity.leaf(), client.leaf()] {
        assert!(ca.issued(leaf) && !leaf.is_ca(), "{leaf:?}");
        let lifetime = leaf.not_after().duration_since(now).unwrap();
        assert!(lifetime < 30 * DAY && lifetime > 29 * DAY, "{lifetime:?}");
        assert!(ca.not_after() >= leaf.not_after(), "{ca:?}");
    }
}

/// The CA of a chain.
fn ca_pem(identity: &Identity) -> String {
    let pem = identity.chain_pem();
    pem.get(pem.rfind("-----BEGIN").unwrap()..).unwrap().to_owned()
}

#[test]
fn adhoc_mutual_keeps_its_files_private_and_the_key_of_the_ca_to_itself() {
    let made = adhoc_mutual(&[], SystemTime::now()).unwrap();
    let folder = made.folder.path().to_owned();
    let name = folder.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("turnkey-adhoc-"), "{name}");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["ca.crt", "client.crt", "client.key", "client.p12", "client.pem"]);
    let read = |file: &str| fs::read(folder.join(file)).unwrap();
    assert_eq!(read("client.pem"), [read("client.crt"), read("client.key")].concat());
    let text = openssl_in(&folder, "pkcs12 -in client.p12 -passin pass:turnkey -noenc").unwrap();
    let key = String::from_utf8(read("client.key")).unwrap();
    let public = |file: &str| openssl_in(&folder, &format!("{file} -noout -pubkey")).unwrap();
    assert!(text.contains(key.lines().nth(1).unwrap()), "it holds another key than {key}");
    assert_ne!(public("x509 -in ca.crt"), public("x509 -in client.crt"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let bits = |path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(bits(folder.clone()), 0o700);
        for (file, expected) in
            [("client.key", 0o600), ("client.pem", 0o600), ("client.p12", 0o600), ("ca.crt", 0o644)]
        {
            assert_eq!(bits(folder.join(file)), expected, "{file}");
        }
    }
    // Each run makes a new CA.
    let other = adhoc_mutual(&[], SystemTime::now()).unwrap();
    assert!(!other.anchors.certificates()[0].issued(made.identity.leaf()));

    drop(made);
    assert!(!folder.exists(), "the folder is still there");
}

#[test]
fn adhoc_mutual_refuses_what_is_no_host() {
    let error = adhoc_mutual(&["a b".to_owned()], SystemTime::now()).unwrap_err();
    assert!(matches!(error, PkiError::Host { .. }), "{error}");
}
