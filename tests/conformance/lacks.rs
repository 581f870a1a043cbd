//! What a backend cannot do is an error at start-up that names those that can; left to itself the
//! program takes one of them. Never is less served than was asked for.

use crate::sni::identity;
use crate::support::ocsp::Status;
use crate::support::{
    Crl, FAILURE, Pki, Profile, Program, Server, USAGE, assert_complaint, shared_keys,
};

/// Asks for more than native-tls has, in `what`'s words.
#[track_caller]
fn native_tls_lacks(what: &str, args: &[&str]) {
    let refused = Program::new(&[args, &["--backend", "native-tls", "--port", "0"]].concat()).run();
    assert_complaint(&refused, FAILURE, &["--backend native-tls", what, "rustls or openssl"]);
    let left_to_itself = Server::with(args);
    assert_eq!(left_to_itself.backend(), "rustls", "in {:?}", left_to_itself.banner);
    for able in ["rustls", "openssl"] {
        let server = Server::with(&[args, &["--backend", able]].concat());
        assert_eq!(server.backend(), able, "in {:?}", server.banner);
    }
}

#[test]
fn native_tls_has_no_client_cas() {
    native_tls_lacks("client certificates", &Pki::new().mutual_args());
}

#[test]
fn native_tls_has_no_mutual_mode() {
    let pki = Pki::new();
    native_tls_lacks(
        "client certificates",
        &[&pki.mutual_args()[..], &["--mode", "mutual"]].concat(),
    );
}

#[test]
fn native_tls_has_no_optional_client_certificates() {
    let pki = Pki::new();
    let args = [&pki.mutual_args()[..], &["--client-verify", "optional"]].concat();
    native_tls_lacks("client certificates", &args);
}

/// Those come first that revocation lists need.
#[test]
fn native_tls_has_no_revocation_lists() {
    let pki = Pki::new();
    let list = pki.write("list.pem", Crl::default().pem(&pki.ca));
    native_tls_lacks(
        "client certificates",
        &[&pki.mutual_args()[..], &["--client-crl", &list]].concat(),
    );
}

#[test]
fn native_tls_has_no_second_identity() {
    let pki = Pki::new();
    let other = identity(&pki, "other", &["other.test"]);
    let args = ["--cert", &other.cert, "--key", &other.key];
    native_tls_lacks("several certificates by name", &[&pki.server_args()[..], &args].concat());
}

#[test]
fn native_tls_has_no_resumption_control() {
    let pki = Pki::new();
    for wish in ["on", "off"] {
        let args = [&pki.server_args()[..], &["--resumption", wish]].concat();
        native_tls_lacks("resumption control", &args);
    }
    let keys = shared_keys(&pki, "keys", 7);
    let args = [&pki.server_args()[..], &["--ticket-keys", &keys]].concat();
    native_tls_lacks("resumption control", &args);
}

#[test]
fn native_tls_has_no_stapling() {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&Profile::server("stapled"));
    let response = pki.ocsp("response.der", &leaf, Status::Good, 1);
    let files = pki.save("stapled", &leaf);
    let args = ["--cert", &files.cert, "--key", &files.key, "--ocsp", &response];
    native_tls_lacks("OCSP stapling", &args);
}

#[test]
fn native_tls_has_no_tls_1_3() {
    let pki = Pki::new();
    for option in ["--tls-min", "--tls-max"] {
        native_tls_lacks("TLS 1.3", &[&pki.server_args()[..], &[option, "1.3"]].concat());
    }
}

#[test]
fn plain_has_no_tls() {
    let pki = Pki::new();
    for args in [&pki.server_args()[..], &pki.mutual_args()] {
        let args = [args, &["--backend", "plain", "--port", "0"]].concat();
        let naming = ["--backend plain", "rustls", "openssl"];
        assert_complaint(&Program::new(&args).run(), FAILURE, &naming);
    }
}

/// Without an identity it is http mode, and what is asked for would be left undone.
#[test]
fn http_mode_has_no_tls_options() {
    let pki = Pki::new();
    let list = pki.write("list.pem", Crl::default().pem(&pki.ca));
    let keys = shared_keys(&pki, "keys", 7);
    for args in [
        ["--tls-min", "1.3"],
        ["--resumption", "on"],
        ["--ticket-keys", &keys],
        ["--ocsp", &list],
        ["--backend", "rustls"],
        ["--client-ca", &pki.ca_file],
        ["--client-crl", &list],
        ["--allow-cn", "*"],
        ["--allow-san", "*"],
        ["--allow-issuer", &pki.ca_file],
        ["--client-verify", "required"],
    ] {
        let output = Program::new(&[&args[..], &["--port", "0"]].concat()).run();
        assert_complaint(&output, USAGE, &["--cert"]);
    }
}
