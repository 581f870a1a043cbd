//! What stands in certificates: dates, keys, signatures, usages, names.

use std::time::Duration;

use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};

use crate::support::{Pki, Profile, openssl, secret};
use crate::{Checked, check, check_leaf};

const DAY: Duration = Duration::from_secs(86400);

fn server() -> Profile {
    Profile::server("server.localhost")
}

#[test]
fn one_that_has_expired() {
    let pki = Pki::new();
    let checked = check_leaf(&pki, &pki.ca.issue(&server().expired().names(&[])));
    checked.assert_found("error", "expired", &["CN=server.localhost", "1 day ago"]);
    // It is looked at all the same.
    checked.assert_found("warning", "no-names", &[]);
    checked.assert_found("ok", "chain", &["Test CA"]);
    assert_eq!(checked.said["identities"][0]["days_left"], -1);
}

#[test]
fn one_that_is_not_yet_valid() {
    let pki = Pki::new();
    let checked = check_leaf(&pki, &pki.ca.issue(&server().not_yet_valid()));
    checked.assert_only("error", "not-yet-valid", &["is not valid before", "in 23 hours"]);
}

#[test]
fn one_that_ends_soon() {
    let pki = Pki::new();
    let hour = DAY / 24;
    let checked = check_leaf(&pki, &pki.ca.issue(&server().valid_for(DAY * 29 + hour)));
    checked.assert_only("warning", "expires-soon", &["CN=server.localhost", "in 29 days", " UTC"]);
    assert_eq!(checked.said["identities"][0]["days_left"], 29);
    check_leaf(&pki, &pki.ca.issue(&server().valid_for(DAY * 30 + hour))).assert_quiet();
}

#[test]
fn an_intermediate_that_ends_soon_or_has() {
    let pki = Pki::new();
    let now = time::OffsetDateTime::now_utc();
    let lower = |days: i64| {
        let end = now + time::Duration::days(days);
        let lower = pki.ca.odd_subordinate("Lower CA", |params| params.not_after = end);
        check_leaf(&pki, &lower.issue(&server()).with_chain(&[&lower]))
    };
    lower(5).assert_only("warning", "expires-soon", &["CN=Lower CA", "in 4 days"]);
    lower(-5).assert_only("error", "expired", &["CN=Lower CA", "5 days ago"]);
}

/// A leaf that has not begun and an issuer that has ended are valid at no time together.
#[test]
fn two_that_are_valid_at_no_time() {
    let pki = Pki::new();
    let end = time::OffsetDateTime::now_utc() - time::Duration::days(5);
    let lower = pki.ca.odd_subordinate("Lower CA", |params| params.not_after = end);
    let leaf = lower.issue(&server().not_yet_valid()).with_chain(&[&lower]);
    let checked = check_leaf(&pki, &leaf);
    checked.assert_found("error", "expired", &["CN=Lower CA"]);
    checked.assert_found("error", "not-yet-valid", &["CN=server.localhost"]);
}

#[test]
fn the_key_of_another() {
    let pki = Pki::new();
    let checked = check(&["--cert", &pki.server.cert, "--key", &pki.client.key]);
    checked.assert_only("error", "key-mismatch", &[&pki.client.key, &pki.server.cert]);
}

/// Without its public half, which such keys may leave out, only a TLS stack can tell.
#[test]
fn the_key_of_another_that_does_not_say_so() {
    let pki = Pki::new();
    let key = pki.path("short.key");
    openssl(&["ec", "-in", &pki.client.key, "-no_public", "-out", &key]);
    let checked = check(&["--cert", &pki.server.cert, "--key", &secret(key)]);
    checked.assert_only("error", "key-mismatch", &["does not belong"]);
}

/// A certificate of the CA's, made by openssl with these options.
fn by_openssl(pki: &Pki, key: &[&str], sign: &[&str], extensions: &str) -> Checked {
    let (key_file, request) = (pki.path("made.key"), pki.path("made.csr"));
    let (cert, ca_key) = (pki.path("made.crt"), pki.write("ca.key", pki.ca.key_pem()));
    let extensions = pki.write("made.ext", extensions);
    let new =
        ["req", "-new", "-nodes", "-subj", "/CN=made", "-keyout", &key_file, "-out", &request];
    openssl(&[&new[..], key].concat());
    let ca = ["-CA", &pki.ca_file, "-CAkey", &ca_key, "-set_serial", "7", "-days", "50"];
    let files = ["-in", &request, "-out", &cert, "-extfile", &extensions];
    openssl(&[&["x509", "-req"], &ca[..], &files, sign].concat());
    check(&["--cert", &cert, "--key", &secret(key_file)])
}

const NAME: &str = "subjectAltName=DNS:localhost";
const P256: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

#[test]
fn keys_that_are_too_short() {
    let pki = Pki::new();
    let checked = by_openssl(&pki, &["-newkey", "rsa:1024"], &["-sha256"], NAME);
    checked.assert_found("warning", "key-weak", &["RSA with 1024 bits"]);
    let checked = by_openssl(
        &pki,
        &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp224r1"],
        &["-sha256"],
        NAME,
    );
    checked.assert_found("warning", "key-weak", &["P-224"]);
    checked.assert_found("error", "backend", &["EC on P-224", "have it issued for a P-256 key"]);
}

#[test]
fn keys_that_are_unusual() {
    let pki = Pki::new();
    by_openssl(&pki, &["-newkey", "ed25519"], &[], NAME).assert_only(
        "note",
        "key-unusual",
        &["Ed25519"],
    );
    by_openssl(&pki, &["-newkey", "rsa:3072"], &["-sha256"], NAME).assert_quiet();
    by_openssl(&pki, P256, &["-sha256"], NAME).assert_quiet();
}

#[test]
fn a_signature_that_can_be_forged() {
    let pki = Pki::new();
    let checked = by_openssl(&pki, P256, &["-sha1"], NAME);
    checked.assert_found("warning", "signature-weak", &["CN=made", "ecdsa-with-SHA1"]);
    assert_eq!(checked.said["backend"], "rustls");
    // OpenSSL does not even start with it.
    let (cert, key) = (pki.path("made.crt"), pki.path("made.key"));
    let checked = check(&["--cert", &cert, "--key", &key, "--backend", "openssl"]);
    checked.assert_found("error", "backend", &["too weak", "--backend rustls can"]);
}

/// Clients that trust a root do not look at its signature.
#[test]
fn a_root_that_is_signed_with_sha_1() {
    let pki = Pki::new();
    let (key, cert) = (pki.path("old-ca.key"), pki.path("old-ca.crt"));
    let new = ["req", "-x509", "-sha1", "-nodes", "-subj", "/CN=old", "-days", "50"];
    openssl(&[&new[..], P256, &["-keyout", &key, "-out", &cert]].concat());
    let checked = check(&[&pki.server_args()[..], &["--client-ca", &cert]].concat());
    checked.assert_absent("signature-weak").assert_code(0);
}

#[test]
fn no_names_at_all() {
    let pki = Pki::new();
    let checked = check_leaf(&pki, &pki.ca.issue(&server().names(&[])));
    checked.assert_only("warning", "no-names", &["common name", "subjectAltName"]);
    let checked = check_leaf(&pki, &pki.ca.issue(&server().names(&["email:a@example.test"])));
    checked.assert_only("warning", "no-names", &["email:a@example.test"]);
}

#[test]
fn an_address_for_a_dns_name() {
    let pki = Pki::new();
    let checked = by_openssl(&pki, P256, &["-sha256"], "subjectAltName=DNS:localhost,DNS:10.1.2.3");
    checked.assert_only("warning", "address-as-name", &["10.1.2.3", "IP:10.1.2.3"]);
    let both = "subjectAltName=DNS:10.1.2.3,IP:10.1.2.3";
    by_openssl(&pki, P256, &["-sha256"], both).assert_quiet();
}

#[test]
fn names_against_the_host() {
    let pki = Pki::new();
    let files = pki.save("named", &pki.ca.issue(&server().names(&["*.example.test", "10.1.2.3"])));
    let with = |host: &str| check(&["--cert", &files.cert, "--key", &files.key, "--host", host]);
    for good in ["www.example.test", "WWW.Example.Test", "10.1.2.3"] {
        let checked = with(good);
        checked.assert_only("note", "host-elsewhere", &[good]).assert_found("ok", "host", &[good]);
        let verdict = checked.said["verdict"].as_str().unwrap();
        assert_eq!(verdict, format!("nothing is wrong; it would start where {good} is"));
    }
    for bad in ["example.test", "a.b.example.test", "other.test"] {
        with(bad).assert_only("warning", "host-mismatch", &[bad, "DNS:*.example.test"]);
    }
    // An address is what the machine is called by the one who runs it, not by its clients.
    with("10.1.2.4").assert_only("note", "host-mismatch", &["IP:10.1.2.4"]);
    with("localhost").assert_only("note", "host-mismatch", &["localhost"]);
    with("0.0.0.0").assert_quiet();
    with("127.0.0.1").assert_quiet();
    with("::").assert_quiet();
}

/// What clients call it is no address to listen on where there are others.
#[test]
fn the_host_is_a_name_where_others_are_listened_on() {
    let pki = Pki::new();
    let files = pki.save("named", &pki.ca.issue(&server().names(&["shop.test"])));
    let with = |listen: &str| {
        let identity = ["--cert", &files.cert, "--key", &files.key];
        check(&[&identity[..], &["--listen", listen, "--host", "shop.test"]].concat())
    };
    with("127.0.0.1:8443").assert_quiet().assert_found("ok", "host", &["shop.test"]);
    with("192.0.2.1:8443").assert_only("note", "host-elsewhere", &["192.0.2.1", "--listen"]);
}

#[test]
fn a_certificate_for_clients() {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&Profile::client("client").names(&["localhost"]));
    check_leaf(&pki, &leaf).assert_only("warning", "not-for-servers", &["serverAuth"]);
}

#[test]
fn a_key_that_may_not_sign() {
    let pki = Pki::new();
    let leaf = pki.ca.issue_odd(&server(), |params| {
        params.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    });
    let files = pki.save("odd", &leaf);
    let with = |backend| check(&["--cert", &files.cert, "--key", &files.key, "--backend", backend]);
    with("rustls").assert_only("warning", "may-not-sign", &["digitalSignature"]);
    // In TLS 1.2 OpenSSL finds nothing to show.
    with("native-tls").assert_found("warning", "handshake-failed", &["localhost"]);
}

/// What `openssl req -x509` makes.
#[test]
fn the_certificate_of_a_ca() {
    let pki = Pki::new();
    let leaf = pki.ca.issue_odd(&server(), |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    let checked = check_leaf(&pki, &leaf);
    checked.assert_only("warning", "ca-as-server", &["CN=server.localhost"]);
    // That is why, and there is no second warning of it.
    checked.assert_found("note", "handshake-refused", &["Test CA"]);
}

#[test]
fn an_issuer_that_may_not_issue() {
    let pki = Pki::new();
    let lower = pki.ca.odd_subordinate("Lower CA", |params| params.is_ca = IsCa::ExplicitNoCa);
    let checked = check_leaf(&pki, &lower.issue(&server()).with_chain(&[&lower]));
    checked.assert_only("warning", "issuer-no-ca", &["CN=Lower CA"]);
}

#[test]
fn an_issuer_that_may_not_issue_to_servers() {
    let pki = Pki::new();
    let lower = pki.ca.odd_subordinate("Lower CA", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let checked = check_leaf(&pki, &lower.issue(&server()).with_chain(&[&lower]));
    checked.assert_only("warning", "issuer-not-for-servers", &["CN=Lower CA"]);
}
