//! The handshakes that a check has with itself, and the backends that could have them.

use serde_json::Value;

use crate::support::{Crl, Pki, Profile, Program};
use crate::{Checked, check, check_program};

fn attempts(checked: &Checked) -> Vec<&Value> {
    assert_eq!(checked.said["handshake"]["tried"], true, "{:#}", checked.said);
    checked.said["handshake"]["attempts"].as_array().unwrap().iter().collect()
}

#[test]
fn every_backend_serves() {
    let pki = Pki::new();
    for backend in ["native-tls", "rustls", "openssl"] {
        let checked = check(&[&pki.server_args()[..], &["--backend", backend]].concat());
        checked.assert_quiet().assert_found("ok", "backend-chosen", &[backend]);
        assert_eq!(checked.said["backend"], backend);
        let attempts = attempts(&checked);
        let version = if backend == "native-tls" { "TLS 1.2" } else { "TLS 1.3" };
        assert_eq!(attempts[0]["version"], version, "{backend}");
        assert!(attempts[0]["cipher"].as_str().unwrap().starts_with("TLS_"), "{backend}");
        assert_eq!(attempts[0]["chain"], serde_json::json!(["CN=server.localhost,O=Company"]));
        assert_eq!(attempts[0]["refused"], Value::Null);
    }
}

#[test]
fn the_versions_that_are_asked_for_are_tried() {
    let pki = Pki::new();
    let checked = check(&[&pki.server_args()[..], &["--tls-max", "1.2"]].concat());
    assert_eq!(attempts(&checked)[0]["version"], "TLS 1.2");
    let checked = check(&[&pki.server_args()[..], &["--tls-min", "1.3"]].concat());
    assert_eq!(attempts(&checked)[0]["version"], "TLS 1.3");
    checked.assert_found("note", "backend-unable", &["native-tls", "TLS 1.3"]);
}

#[test]
fn a_backend_that_cannot_do_it() {
    let pki = Pki::new();
    let checked = check(&[&pki.mutual_args()[..], &["--backend", "native-tls"]].concat());
    checked.assert_only("error", "backend", &["client certificates", "rustls"]);
    assert_eq!(checked.said["backend"], Value::Null);
    checked.assert_found("ok", "backend-able", &["rustls"]);
}

#[test]
fn mutual_mode_with_a_client_and_without() {
    let pki = Pki::new();
    for backend in ["rustls", "openssl"] {
        let checked = check(&[&pki.mutual_args()[..], &["--backend", backend]].concat());
        checked.assert_quiet();
        let attempts = attempts(&checked);
        assert_eq!(attempts.len(), 2, "{backend}");
        assert_eq!((&attempts[0]["refused"], &attempts[1]["client"]), (&Value::Null, &Value::Null));
        assert_eq!(attempts[0]["client"], *pki.client.both, "it stands beside the CA");
        let refused = attempts[1]["refused"].as_str().unwrap();
        assert!(refused.contains("sent no certificate"), "{backend}: {refused}");
        checked.assert_found("ok", "handshake-refuses", &["as it should be"]);
    }
}

#[test]
fn mutual_mode_without_a_client_that_is_known() {
    let pki = Pki::new();
    std::fs::remove_file(&pki.client.both).unwrap();
    let checked = check(&pki.mutual_args());
    checked.assert_only("note", "handshake-client-untried", &["client.pem"]);
    checked.assert_found("ok", "handshake-refuses", &[]);
    // One of another CA is none of theirs.
    let other = crate::support::Authority::root("Other CA").issue(&Profile::client("other"));
    pki.write("client.pem", format!("{}{}", other.cert, other.key));
    check(&pki.mutual_args()).assert_only("note", "handshake-client-untried", &[]);
}

#[test]
fn optional_clients_are_let_in_both_ways() {
    let pki = Pki::new();
    let args = [&pki.mutual_args()[..], &["--client-verify", "optional"]].concat();
    let checked = check(&args);
    checked.assert_quiet();
    assert!(attempts(&checked).iter().all(|attempt| attempt["refused"].is_null()));
}

#[test]
fn a_client_that_is_refused() {
    let pki = Pki::new();
    let client = pki.ca.issue(&Profile::client("client.localhost"));
    pki.write("client.pem", format!("{}{}", client.cert, client.key));
    let crl = pki.write("ca.crl", Crl::of(&[client.serial]).pem(&pki.ca));
    for backend in ["rustls", "openssl"] {
        let more = ["--client-crl", &crl, "--backend", backend];
        let checked = check(&[&pki.mutual_args()[..], &more].concat());
        checked.assert_only("note", "handshake-client-refused", &["client.pem", "revoked"]);
    }
}

#[test]
fn a_client_that_no_rule_lets_in() {
    let pki = Pki::new();
    let with = |more: &[&str]| check(&[&pki.mutual_args()[..], more].concat());
    let late = with(&["--allow-cn", "nobody"]);
    late.assert_only("note", "handshake-client-not-allowed", &["client.pem", "403"]);
    let early = with(&["--allow-cn", "nobody", "--deny-early"]);
    early.assert_only("note", "handshake-client-refused", &["client.pem"]);
    with(&["--allow-cn", "client.*"]).assert_quiet();
}

/// The name of a wildcard is one of those that it is for.
#[test]
fn a_wildcard_is_asked_for_by_a_name() {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&Profile::server("server.localhost").names(&["*.example.test"]));
    let files = pki.save("wild", &leaf);
    let checked = check(&["--cert", &files.cert, "--key", &files.key]);
    checked.assert_quiet();
    assert_eq!(attempts(&checked)[0]["server_name"], "www.example.test");
}

#[test]
fn limits_do_not_get_in_the_way() {
    let pki = Pki::new();
    let limits = ["--handshake-timeout", "0.001", "--max-connections", "1"];
    check(&[&pki.server_args()[..], &limits].concat()).assert_quiet();
}

/// Nothing is served, so a port that is in use is in nobody's way.
#[test]
fn a_port_that_is_in_use() {
    let pki = Pki::new();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    check(&[&pki.server_args()[..], &["--port", &port]].concat()).assert_quiet();
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "nobody came");
}

/// The environment counts, as it does for serving.
#[test]
fn options_from_the_environment() {
    let pki = Pki::new();
    let program = |args: &[&str]| {
        Program::new(args)
            .env("TURNKEY_CERT", &pki.server.cert)
            .env("TURNKEY_KEY", &pki.server.key)
            .env("TURNKEY_CLIENT_CA", &pki.ca_file)
    };
    let checked = check_program(program, &[]);
    checked.assert_quiet();
    assert_eq!(checked.said["mode"], "mutual");
}
