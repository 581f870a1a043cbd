//! Options by environment variables.

use std::net::TcpListener;

use crate::support::{Client, FAILURE, Pki, Program, assert_complaint};

#[test]
fn every_option_is_a_variable() {
    let pki = Pki::new();
    let server = Program::new(&[])
        .env("TURNKEY_MODE", "mutual")
        .env("TURNKEY_HOST", "::1")
        .env("TURNKEY_PORT", "0")
        .env("TURNKEY_BACKEND", "openssl")
        .env("TURNKEY_CERT", &pki.server.cert)
        .env("TURNKEY_KEY", &pki.server.key)
        .env("TURNKEY_CLIENT_CA", &pki.ca_file)
        .env("TURNKEY_CLIENT_VERIFY", "optional")
        .env("TURNKEY_TLS_MIN", "1.2")
        .env("TURNKEY_TLS_MAX", "1.2")
        .start();
    assert_eq!(server.backend(), "openssl");
    assert_eq!(server.url, format!("https://[::1]:{}/", server.port));
    let client = Client::new(&["--cacert", &pki.ca_file]);
    client.fetch(&server.url).assert_top_level();
    client.and(&["--tlsv1.3"]).fetch(&server.url).assert_refused();
    let whoami =
        client.and(&["-E", &pki.client.both]).fetch(&format!("{}whoami", server.url)).json();
    assert_eq!(whoami["client_certificate"]["common_name"], "client.localhost");
}

/// What is served is what was typed otherwise, so it is worth a warning and no more.
#[test]
fn a_variable_that_is_none_is_told_with_the_one_that_was_meant() {
    let server = Program::new(&["--port", "0"])
        .env("TURNKEY_PROT", "8443")
        .env("TURNKEY_VERSION", "1.2")
        .env("TURNKEY_HSTS", "")
        .start();
    let words = ["warn", "there is no option TURNKEY_PROT; did you mean TURNKEY_PORT?"];
    server.assert_logs(&words);
    assert!(!server.log().contains("TURNKEY_VERSION"), "{}", server.log());
    Client::new(&[]).fetch(&server.url).assert_top_level();
}

#[test]
fn the_command_line_beats_the_environment() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let program = |args: &[&str]| {
        Program::new(args)
            .env("TURNKEY_PORT", &port)
            .env("TURNKEY_HOST", "203.0.113.1")
            .env("TURNKEY_BACKEND", "openssl")
    };
    let pki = Pki::new();
    let identity = pki.server_args();
    let here = ["--port", "0", "--host", "127.0.0.1", "--backend", "rustls"];
    let server = program(&[&identity[..], &here].concat()).start();
    assert_eq!(server.backend(), "rustls");
    Client::new(&["--cacert", &pki.ca_file]).fetch(&server.url).assert_top_level();
    // Without the command line they count.
    let output = program(&[&identity[..], &["--host", "127.0.0.1"]].concat()).run();
    assert_complaint(&output, FAILURE, &[&port]);
}

#[test]
fn the_command_line_beats_the_recipe() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let pki = Pki::new();
    let program = |args: &[&str]| {
        Program::new(args)
            .env("HTTPS_ENABLED", "true")
            .env("VERIFY_USER", "false")
            .env("API_HOST", "203.0.113.1")
            .env("API_PORT", &port)
            .env("CA_CHAIN_CRT", &pki.server.cert)
            .env("API_KEY", &pki.server.key)
    };
    let server = program(&["--port", "0", "--host", "127.0.0.1"]).start();
    assert!(server.url.starts_with("https://"), "{:?}", server.banner);
    Client::new(&["--cacert", &pki.ca_file]).fetch(&server.url).assert_top_level();
    // Without the command line they count.
    let output = program(&["--host", "127.0.0.1"]).run();
    assert_complaint(&output, FAILURE, &[&port]);
}

/// `API_KEY` alone is somebody else's.
#[test]
fn the_recipe_counts_only_with_its_switch() {
    let server = Program::new(&["--port", "0"])
        .env("API_HOST", "203.0.113.1")
        .env("API_PORT", "none")
        .env("API_KEY", "a-token-for-another-program")
        .env("CA_CHAIN_CRT", "/nonexistent")
        .env("API_CA_T", "/nonexistent")
        .start();
    Client::new(&[]).fetch(&server.url).assert_top_level();
}

/// Clients are to be verified, says the command line; what the environment says otherwise is below
/// it, and must not turn mutual mode into one that lets everybody in.
#[test]
fn the_environment_does_not_switch_off_what_the_command_line_asks_for() {
    let pki = Pki::new();
    let implied = pki.mutual_args();
    for args in [implied.clone(), [&["--mode", "mutual"], &implied[..]].concat()] {
        let server = Program::new(&[&args[..], &["--port", "0"]].concat())
            .env("TURNKEY_CLIENT_VERIFY", "none")
            .start();
        assert!(server.banner.contains("mutual on https://"), "{}", server.banner);
        Client::new(&["-k"]).fetch(&server.url).assert_refused();
    }
}

/// A mode on the command line stands over the recipe's switches; its other settings still count.
#[test]
fn the_recipe_counts_beside_a_mode_on_the_command_line() {
    let server = Program::new(&["--mode", "http"])
        .env("HTTPS_ENABLED", "true")
        .env("API_HOST", "::1")
        .env("API_PORT", "0")
        .start();
    assert_eq!(server.url, format!("http://[::1]:{}/", server.port));
    let server = Program::new(&["--mode", "http", "--port", "0"]).env("VERIFY_USER", "1").start();
    Client::new(&[]).fetch(&server.url).assert_top_level();
}
