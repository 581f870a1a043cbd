//! Files that can be read, and hold what cannot be served with.

use std::fs;

use crate::support::{
    Authority, Client, FAILURE, Files, Pki, Profile, Server, USAGE, assert_complaint,
    assert_complaint_naming_one_of, export_pkcs12, openssl,
};
use crate::{program, run};

/// The password of everything encrypted here. It must never be seen in a message.
const PASSWORD: &str = "S3cret-of-the-key";
const WRONG: &str = "Wr0ng-of-the-key";

fn server() -> Profile {
    Profile::server("server.localhost")
}

#[test]
fn an_expired_certificate_in_pem() {
    let pki = Pki::new();
    let files = pki.save("old", &pki.ca.issue(&server().expired()));
    let output = run(&["--cert", &files.cert, "--key", &files.key]);
    assert_complaint(&output, FAILURE, &[&files.cert, "expired"]);
}

#[test]
fn an_expired_certificate_in_pkcs12() {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&server().expired());
    let identity = export_pkcs12(&pki, "old.p12", &leaf, PASSWORD);
    let output = program(&["--identity", &identity]).env("TURNKEY_KEY_PASSWORD", PASSWORD).run();
    assert_complaint(&output, FAILURE, &[&identity, "expired"]);
}

#[test]
fn a_certificate_that_is_not_yet_valid() {
    let pki = Pki::new();
    let files = pki.save("new", &pki.ca.issue(&server().not_yet_valid()));
    let output = run(&["--cert", &files.cert, "--key", &files.key]);
    assert_complaint(&output, FAILURE, &[&files.cert, "not valid"]);
}

#[test]
fn the_key_of_another_certificate() {
    let pki = Pki::new();
    let output = run(&["--cert", &pki.server.cert, "--key", &pki.client.key]);
    assert_complaint_naming_one_of(&output, FAILURE, &[&pki.client.key, &pki.server.cert]);
    assert_complaint(&output, FAILURE, &["key"]);
}

/// Of the same kind but not of the same numbers, as after a renewal done by halves.
#[test]
fn the_rsa_key_of_another_certificate() {
    let pki = Pki::new();
    let [one, two] = ["one", "two"].map(|n| pki.save(n, &pki.ca.issue(&server().rsa())));
    let output = run(&["--cert", &one.cert, "--key", &two.key]);
    assert_complaint_naming_one_of(&output, FAILURE, &[&two.key, &one.cert]);
}

#[test]
fn a_certificate_where_the_key_belongs() {
    let pki = Pki::new();
    let output = run(&["--cert", &pki.server.cert, "--key", &pki.client.cert]);
    assert_complaint(&output, FAILURE, &[&pki.client.cert, "key"]);
}

#[test]
fn cert_and_key_exchanged() {
    let pki = Pki::new();
    let output = run(&["--cert", &pki.server.key, "--key", &pki.server.cert]);
    assert_complaint_naming_one_of(&output, FAILURE, &[&pki.server.key, &pki.server.cert]);
}

/// A key encrypted in each way that there is, and the password that `args` and `env` give.
fn encrypted_key(pki: &Pki, how: &[&str]) -> String {
    let out = pki.path("encrypted.key");
    let (pass, key) = (format!("pass:{PASSWORD}"), pki.server.key.as_str());
    openssl(&[how, &["-in", key, "-out", &out, "-passout", &pass]].concat());
    out
}

const PKCS8: &[&str] = &["pkcs8", "-topk8", "-v2", "aes-256-cbc"];
/// `Proc-Type: 4,ENCRYPTED`, which OpenSSL wrote before 1.0.
const TRADITIONAL: &[&str] = &["ec", "-aes256"];

#[test]
fn an_encrypted_key_without_a_password() {
    let pki = Pki::new();
    let key = encrypted_key(&pki, PKCS8);
    // Ends at once, where a prompt would wait; there is no terminal.
    let args = ["--cert", &pki.server.cert, "--key", &key];
    assert_complaint(&run(&args), FAILURE, &[&key, "(--key)", "--key-password-file"]);
    // An empty variable is how many a tool says that there is none.
    let empty = program(&args).env("TURNKEY_KEY_PASSWORD", "").run();
    assert_complaint(&empty, FAILURE, &[&key, "--key-password-file"]);
    assert!(!empty.stderr.contains("what was typed"), "{}", empty.stderr);
    // In one file with the certificate.
    let both = [&pki.server.cert, &key].map(|file| fs::read_to_string(file).unwrap()).concat();
    let both = pki.write("both.pem", both);
    assert_complaint(&run(&["--cert", &both]), FAILURE, &[&both, "(--cert)"]);
}

#[test]
fn an_encrypted_key_of_the_old_kind_without_a_password() {
    let pki = Pki::new();
    let key = encrypted_key(&pki, TRADITIONAL);
    let output = run(&["--cert", &pki.server.cert, "--key", &key]);
    assert_complaint(&output, FAILURE, &[&key]);
}

#[test]
fn an_encrypted_key_with_a_wrong_password() {
    let pki = Pki::new();
    let key = encrypted_key(&pki, PKCS8);
    let password = pki.write("password", WRONG);
    let args = ["--cert", &pki.server.cert, "--key", &key, "--key-password-file", &password];
    let output = run(&args);
    assert_complaint(&output, FAILURE, &[&key, "password"]);
    assert!(!output.stderr.contains(WRONG), "the password is shown: {}", output.stderr);
}

#[test]
fn a_pkcs12_file_with_a_wrong_password() {
    let pki = Pki::new();
    let identity = export_pkcs12(&pki, "id.p12", &pki.ca.issue(&server()), PASSWORD);
    let output = program(&["--identity", &identity]).env("TURNKEY_KEY_PASSWORD", WRONG).run();
    assert_complaint(&output, FAILURE, &[&identity, "password"]);
    assert!(!output.stderr.contains(WRONG), "the password is shown: {}", output.stderr);
}

#[test]
fn a_pkcs12_file_without_the_password() {
    let pki = Pki::new();
    let identity = export_pkcs12(&pki, "id.p12", &pki.ca.issue(&server()), PASSWORD);
    let output = run(&["--identity", &identity]);
    assert_complaint(&output, FAILURE, &[&identity, "--key-password-file"]);
}

#[test]
fn a_pkcs12_file_that_is_cut_short() {
    let pki = Pki::new();
    let identity = export_pkcs12(&pki, "id.p12", &pki.ca.issue(&server()), PASSWORD);
    let bytes = fs::read(&identity).unwrap();
    let identity = pki.write("cut.p12", &bytes[..bytes.len() / 2]);
    let output = program(&["--identity", &identity]).env("TURNKEY_KEY_PASSWORD", PASSWORD).run();
    assert_complaint(&output, FAILURE, &[&identity]);
}

#[test]
fn a_pkcs12_file_with_certificates_only() {
    let pki = Pki::new();
    let (identity, pass) = (pki.path("trust.p12"), format!("pass:{PASSWORD}"));
    let args = ["pkcs12", "-export", "-nokeys", "-in", &pki.server.cert, "-out", &identity];
    openssl(&[&args[..], &["-passout", &pass]].concat());
    let output = program(&["--identity", &identity]).env("TURNKEY_KEY_PASSWORD", PASSWORD).run();
    assert_complaint(&output, FAILURE, &[&identity, "key"]);
}

/// Not an error: without a password a PKCS#12 file is tried with none.
#[test]
fn a_pkcs12_file_with_an_empty_password_is_served() {
    let pki = Pki::new();
    let identity = export_pkcs12(&pki, "id.p12", &pki.ca.issue(&server()), "");
    assert_served(&pki, &Server::with(&["--identity", &identity]));
}

#[test]
fn a_cert_without_a_key() {
    let pki = Pki::new();
    let cert = pki.server.cert.as_str();
    assert_complaint(&run(&["--cert", cert]), USAGE, &[cert, "--key"]);
    // Twice the same file is one file, which has to hold both.
    let output = run(&["--cert", cert, "--key", cert]);
    assert!([Some(USAGE), Some(FAILURE)].contains(&output.code), "{output:?}");
    assert_complaint(&output, output.code.unwrap(), &[cert, "key"]);
}

#[test]
fn a_key_without_a_cert() {
    let pki = Pki::new();
    assert_complaint(&run(&["--key", &pki.server.key]), USAGE, &["--cert"]);
}

#[test]
fn one_file_that_holds_both_is_served() {
    let pki = Pki::new();
    let Files { both, .. } = &pki.server;
    assert_served(&pki, &Server::with(&["--cert", both]));
}

#[test]
fn a_client_ca_file_without_a_certificate() {
    let pki = Pki::new();
    let args = [&pki.server_args()[..], &["--client-ca", &pki.server.key]].concat();
    assert_complaint(&run(&args), FAILURE, &[&pki.server.key]);
}

#[test]
fn a_chain_in_which_one_certificate_is_damaged() {
    let pki = Pki::new();
    let lower = pki.ca.subordinate("Lower CA");
    let mut leaf = lower.issue(&server()).with_chain(&[&lower]);
    let end = leaf.cert.len() - 200;
    leaf.cert.replace_range(end..end + 40, &"!".repeat(40));
    let files = pki.save("damaged", &leaf);
    let output = run(&["--cert", &files.cert, "--key", &files.key]);
    assert_complaint(&output, FAILURE, &[&files.cert]);
}

#[test]
fn a_chain_to_which_the_leaf_does_not_belong() {
    let pki = Pki::new();
    let stranger = Authority::root("Other CA").subordinate("Stranger CA");
    let leaf = pki.ca.subordinate("Lower CA").issue(&server()).with_chain(&[&stranger]);
    let files = pki.save("mixed", &leaf);
    let output = run(&["--cert", &files.cert, "--key", &files.key]);
    assert_complaint(&output, FAILURE, &[&files.cert]);
}

fn assert_served(pki: &Pki, server: &Server) {
    Client::new(&["--cacert", &pki.ca_file]).fetch(&server.url).assert_top_level();
}
