//! Which backend is built when none is named: the first that can do what is asked.

use crate::support::{Client, FAILURE, Pki, Program, Server, assert_complaint, openssl};

#[test]
fn https_is_built_on_rustls() {
    let pki = Pki::new();
    let server = Server::with(&pki.server_args());
    assert_eq!(server.backend(), "rustls", "in {:?}", server.banner);
    assert!(server.banner.ends_with(", TLS 1.2 and 1.3"), "{:?}", server.banner);
    let client = Client::new(&["--cacert", &pki.ca_file, "--tlsv1.3"]);
    client.fetch(&server.url).assert_top_level();
}

/// What everybody expects, and the backend that was named lacks.
#[test]
fn what_native_tls_lacks_is_said_at_start_up() {
    let pki = Pki::new();
    let args = [&pki.server_args()[..], &["--backend", "native-tls"]].concat();
    let lack = "TLS 1.2 only: native-tls has no 1.3 on this system";
    let server = Server::with(&args);
    assert!(server.banner.ends_with(lack), "{:?}", server.banner);
    let server = Server::with(&[&args[..], &["--tls-max", "1.2"]].concat());
    assert!(server.banner.ends_with(", TLS 1.2"), "nothing else was asked: {:?}", server.banner);
}

/// A key that rustls does not sign with.
#[test]
fn an_ed448_key_is_for_openssl() {
    let pki = Pki::new();
    let (key, cert) = (pki.path("ed448.key"), pki.path("ed448.crt"));
    openssl(&["genpkey", "-algorithm", "ed448", "-out", &key]);
    let name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    openssl(&[&["req", "-x509", "-key", &key, "-days", "30", "-out", &cert][..], &name].concat());
    let args = ["--cert", &cert, "--key", &key];
    let server = Server::with(&args);
    assert_eq!(server.backend(), "openssl", "in {:?}", server.banner);
    Client::new(&["-k"]).fetch(&server.url).assert_top_level();
    let refused =
        Program::new(&[&args[..], &["--backend", "rustls", "--port", "0"]].concat()).run();
    let words = ["--backend rustls: cannot do Ed448 keys; use --backend openssl or native-tls"];
    assert_complaint(&refused, FAILURE, &words);
}

/// webpki keeps no constraints on names of email addresses: it refuses whoever has one.
#[test]
fn name_constraints_of_other_kinds_are_for_openssl() {
    let pki = Pki::new();
    let (ca, key) = (pki.path("constrained.crt"), pki.path("constrained.key"));
    let make = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let files = ["-keyout", &key, "-out", &ca, "-days", "30", "-subj", "/CN=constrained"];
    let names = ["-addext", "nameConstraints=critical,permitted;email:example.test"];
    openssl(&[&make[..], &files, &names].concat());
    let [cert_option, cert, key_option, own_key] = pki.server_args();
    let args = [cert_option, cert, key_option, own_key, "--client-ca", &ca];
    let server = Server::with(&args);
    assert_eq!(server.backend(), "openssl", "in {:?}", server.banner);
    let rustls = Server::with(&[&args[..], &["--backend", "rustls"]].concat());
    assert_eq!(rustls.backend(), "rustls", "it may serve others of that CA all the same");
}

#[test]
fn mutual_is_built_on_rustls() {
    let pki = Pki::new();
    let server = Server::with(&pki.mutual_args());
    assert_eq!(server.backend(), "rustls", "in {:?}", server.banner);
    let client = Client::new(&["--cacert", &pki.ca_file, "-E", &pki.client.both]);
    client.fetch(&server.url).assert_top_level();
}

#[test]
fn tls_1_3_is_built_on_rustls() {
    let pki = Pki::new();
    let server = Server::with(&[&pki.server_args()[..], &["--tls-min", "1.3"]].concat());
    assert_eq!(server.backend(), "rustls", "in {:?}", server.banner);
    Client::new(&["--cacert", &pki.ca_file]).fetch(&server.url).assert_top_level();
}

#[test]
fn http_is_built_on_plain() {
    let server = Server::with(&[]);
    assert_eq!(server.backend(), "plain", "in {:?}", server.banner);
    Client::new(&[]).fetch(&server.url).assert_top_level();
}
