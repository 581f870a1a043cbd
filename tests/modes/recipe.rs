//! The recipe with our own certificates: the same app in three modes by two switches, and the same
//! again by our own options.

use crate::make_certs;
use crate::support::{Client, Pki, Program, Server};

/// The recipe's configuration, with its switches set like this.
pub(super) fn recipe(dir: &str, https_enabled: &str, verify_user: &str) -> Program {
    Program::new(&[])
        .dir(dir)
        .env("HTTPS_ENABLED", https_enabled)
        .env("VERIFY_USER", verify_user)
        .env("API_HOST", "127.0.0.1")
        .env("API_PORT", "0")
        .env("CA_CHAIN_CRT", "server_chain.pem")
        .env("API_KEY", "server.key")
        .env("API_CA_T", "ca.crt")
}

/// The same in our own words.
pub(super) fn options(dir: &str, args: &[&str]) -> Program {
    Program::new(&[args, &["--port", "0"]].concat()).dir(dir)
}

const IDENTITY: [&str; 4] = ["--cert", "server_chain.pem", "--key", "server.key"];

/// A directory after `turnkey certs`.
fn certs() -> (Pki, String) {
    let pki = Pki::new();
    let dir = pki.path("certs");
    make_certs(&dir);
    (pki, dir)
}

#[track_caller]
pub(super) fn assert_mode(server: &Server, mode: &str) {
    assert!(server.banner.contains(&format!(": {mode} on ")), "{:?}", server.banner);
}

/// `curl http://127.0.0.1:8000/`
#[track_caller]
pub(super) fn assert_http(server: &Server) {
    assert_mode(server, "http");
    Client::new(&[]).fetch(&format!("http://127.0.0.1:{}/", server.port)).assert_top_level();
}

/// `curl -k https://127.0.0.1:8000/`
#[track_caller]
pub(super) fn assert_https(server: &Server) {
    assert_mode(server, "https");
    let url = format!("https://127.0.0.1:{}/", server.port);
    Client::new(&["-k"]).fetch(&url).assert_top_level();
    let plain = Client::new(&[]).fetch(&url.replace("https", "http"));
    assert_ne!(plain.status, 200, "it is not possible any more over plain HTTP: {plain:?}");
}

/// `curl -k https://127.0.0.1:8000/ -E client.pem`, and the same without
#[track_caller]
pub(super) fn assert_mutual(server: &Server, dir: &str) {
    assert_mode(server, "mutual");
    let url = format!("https://127.0.0.1:{}/", server.port);
    let client = Client::new(&["-k"]);
    client.and(&["-E", &format!("{dir}/client.pem")]).fetch(&url).assert_top_level();
    let identity = format!("{dir}/client.p12:turnkey");
    client.and(&["--cert-type", "P12", "--cert", &identity]).fetch(&url).assert_top_level();
    client.fetch(&url).assert_refused();
}

#[test]
fn http_by_the_recipe() {
    let (_pki, dir) = certs();
    assert_http(&recipe(&dir, "False", "False").start());
}

#[test]
fn http_by_options() {
    let (_pki, dir) = certs();
    assert_http(&options(&dir, &[]).start());
    assert_http(&options(&dir, &["--mode", "http"]).start());
}

#[test]
fn https_by_the_recipe() {
    let (_pki, dir) = certs();
    assert_https(&recipe(&dir, "True", "False").start());
}

#[test]
fn https_by_options() {
    let (_pki, dir) = certs();
    assert_https(&options(&dir, &IDENTITY).start());
    assert_https(&options(&dir, &[&IDENTITY[..], &["--mode", "https"]].concat()).start());
}

#[test]
fn mutual_by_the_recipe() {
    let (_pki, dir) = certs();
    assert_mutual(&recipe(&dir, "True", "True").start(), &dir);
}

#[test]
fn mutual_by_options() {
    let (_pki, dir) = certs();
    let args = [&IDENTITY[..], &["--client-ca", "ca.crt"]].concat();
    assert_mutual(&options(&dir, &args).start(), &dir);
    let args = [&args[..], &["--mode", "mutual", "--client-verify", "required"]].concat();
    assert_mutual(&options(&dir, &args).start(), &dir);
}

/// As the recipe has it: on all addresses.
#[test]
fn every_address_is_served() {
    let (_pki, dir) = certs();
    let server = recipe(&dir, "true", "true").env("API_HOST", "0.0.0.0").start();
    assert_mutual(&server, &dir);
    assert_eq!(server.run_try_command().text().trim_end(), "Top-level content");
}

#[test]
fn a_switch_is_written_in_many_ways() {
    let (_pki, dir) = certs();
    for (on, off) in [("true", "false"), ("1", "0"), ("YES", "no"), ("On", "OFF")] {
        assert_mode(&recipe(&dir, off, off).start(), "http");
        assert_mode(&recipe(&dir, on, off).start(), "https");
        assert_mode(&recipe(&dir, on, on).start(), "mutual");
    }
}
