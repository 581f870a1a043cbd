//! Which backend is built when none is named: the first that can do what is asked.

use crate::support::{Client, Pki, Server};

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
