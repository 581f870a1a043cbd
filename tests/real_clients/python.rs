//! Python: its own http.client, and requests.

use std::time::Duration;

use crate::site;
use crate::support::{self, Output, Pki, Server, Stack, run};

on_every_stack! {
    http_client_is_served
    requests_is_served
}

fn http_client_is_served(stack: Stack) {
    let site = site(stack);
    let output = python("http_client", &[&site.server.url, &site.pki.ca_file]);
    assert_eq!(output.text(), "get\nupload\nexpect\n", "{}", output.stderr);
    site.assert_calm();
}

fn requests_is_served(stack: Stack) {
    let site = site(stack);
    let output = python("with_requests", &[&site.server.url, &site.pki.ca_file]);
    assert_eq!(output.text(), "session\nupload\nsingle\n", "{}", output.stderr);
    site.assert_calm();
}

#[test]
fn requests_shows_its_certificate_to_rustls() {
    requests_shows_its_certificate("rustls");
}

#[test]
fn requests_shows_its_certificate_to_openssl() {
    requests_shows_its_certificate("openssl");
}

fn requests_shows_its_certificate(backend: &str) {
    let pki = Pki::new();
    let server = Server::with(&[&pki.mutual_args()[..], &["--backend", backend]].concat());
    let pki = [&pki.ca_file, &pki.client.cert, &pki.client.key].map(String::as_str);
    let output = python("with_requests", &[&[server.url.as_str()], &pki[..]].concat());
    assert_eq!(output.text(), "session\nupload\nsingle\ncertificate\n", "{}", output.stderr);
}

/// Runs a script that has to end well.
fn python(script: &str, args: &[&str]) -> Output {
    let script = format!("{}/tests/real_clients/{script}.py", env!("CARGO_MANIFEST_DIR"));
    let mut command = support::python();
    command.arg(&script).args(args);
    let output = run(command, b"", Duration::from_secs(30));
    assert_eq!(output.code, Some(0), "{}{}", output.text(), output.stderr);
    output
}
