//! Which backend is built when none is named, and what is said when the one that is named lacks
//! what is asked for.

use crate::support::{Client, FAILURE, Pki, Program, Server, assert_complaint};

#[track_caller]
fn assert_lacking_on_native_tls(args: &[&str]) {
    let fixed = ["--backend", "native-tls", "--port", "0"];
    let output = Program::new(&[&fixed, args].concat()).run();
    assert_complaint(&output, FAILURE, &["native-tls", "rustls", "openssl"]);
}

#[test]
fn native_tls_lacks_mutual_mode() {
    let pki = Pki::new();
    assert_lacking_on_native_tls(&[&pki.mutual_args()[..], &["--mode", "mutual"]].concat());
}

#[test]
fn native_tls_lacks_client_cas() {
    assert_lacking_on_native_tls(&Pki::new().mutual_args());
}

#[test]
fn native_tls_lacks_optional_client_certificates() {
    let pki = Pki::new();
    let args = [&pki.mutual_args()[..], &["--client-verify", "optional"]].concat();
    assert_lacking_on_native_tls(&args);
}

#[test]
fn native_tls_lacks_tls_1_3() {
    let pki = Pki::new();
    assert_lacking_on_native_tls(&[&pki.server_args()[..], &["--tls-min", "1.3"]].concat());
}

#[test]
fn https_is_built_on_native_tls() {
    let pki = Pki::new();
    let server = Server::with(&pki.server_args());
    assert_eq!(server.backend(), "native-tls", "in {:?}", server.banner);
    Client::new(&["--cacert", &pki.ca_file]).fetch(&server.url).assert_top_level();
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
