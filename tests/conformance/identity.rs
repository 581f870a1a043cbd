//! Every form that a server's identity comes in.

use crate::Setup;
use crate::support::{
    Authority, Files, Leaf, Pki, Profile, Program, Server, export_pkcs12, openssl, s_client,
};

crate::support::table! {
    columns {
        native_tls = Setup::NATIVE_TLS;
        rustls = Setup::RUSTLS_CLIENT_13;
        openssl = Setup::OPENSSL_CLIENT_13;
    } rows {
        ec_key_pkcs8
        ec_key_sec1
        ec_key_encrypted_pkcs8
        rsa_key_pkcs8
        rsa_key_pkcs1
        rsa_key_encrypted_pkcs8
        pkcs12_ec
        pkcs12_rsa
        pkcs12_for_old_systems
        one_file_with_the_key_first
        pem_with_text_and_crlf
        chain_in_pem_is_sent_in_order
        chain_in_pem_is_sent_in_order_whatever_the_file
        chain_in_pkcs12_is_sent_in_order
        chain_in_pkcs12_is_sent_in_order_whatever_the_bags
    }
}

/// Not the one that `turnkey certs` uses, which the program might know by heart.
const PASSWORD: &str = "correct horse";

fn ec_key_pkcs8(setup: Setup) {
    key_is_served(setup, &ec(), "BEGIN PRIVATE KEY", |key, _| key.to_owned());
}

fn ec_key_sec1(setup: Setup) {
    key_is_served(setup, &ec(), "BEGIN EC PRIVATE KEY", traditional);
}

fn ec_key_encrypted_pkcs8(setup: Setup) {
    key_is_served(setup, &ec(), "BEGIN ENCRYPTED PRIVATE KEY", encrypted);
}

fn rsa_key_pkcs8(setup: Setup) {
    key_is_served(setup, &rsa(), "BEGIN PRIVATE KEY", |key, _| key.to_owned());
}

fn rsa_key_pkcs1(setup: Setup) {
    key_is_served(setup, &rsa(), "BEGIN RSA PRIVATE KEY", traditional);
}

fn rsa_key_encrypted_pkcs8(setup: Setup) {
    key_is_served(setup, &rsa(), "BEGIN ENCRYPTED PRIVATE KEY", encrypted);
}

fn pkcs12_ec(setup: Setup) {
    pkcs12_is_served(setup, &ec(), &[]);
}

fn pkcs12_rsa(setup: Setup) {
    pkcs12_is_served(setup, &rsa(), &[]);
}

/// What macOS before 15 and Windows before 10 can read.
fn pkcs12_for_old_systems(setup: Setup) {
    let old = ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"];
    pkcs12_is_served(setup, &ec(), &old);
}

fn one_file_with_the_key_first(setup: Setup) {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&ec());
    let both = pki.write("both.pem", format!("{}{}", leaf.key, leaf.cert));
    served(setup, &pki, &setup.serve(&["--cert", &both]));
}

/// As Windows editors and `openssl x509 -text` leave it.
fn pem_with_text_and_crlf(setup: Setup) {
    let pki = Pki::new();
    let text = openssl(&["x509", "-in", &pki.server.cert, "-text"]);
    assert!(text.starts_with("Certificate:"));
    let cert = pki.write("text.crt", text.replace('\n', "\r\n"));
    let key = std::fs::read_to_string(&pki.server.key).unwrap().replace('\n', "\r\n");
    let key = pki.write("crlf.key", key);
    served(setup, &pki, &setup.serve(&["--cert", &cert, "--key", &key]));
}

fn chain_in_pem_is_sent_in_order(setup: Setup) {
    let pki = Pki::new();
    let files = pki.save("chained", &chain(&pki).in_order());
    let server = setup.serve(&["--cert", &files.cert, "--key", &files.key]);
    chain_is_in_order(setup, &pki, &server);
}

/// RFC 8446 §4.4.2 lets clients insist on the order, and not all files have it.
fn chain_in_pem_is_sent_in_order_whatever_the_file(setup: Setup) {
    let pki = Pki::new();
    let files = pki.save("chained", &chain(&pki).reversed());
    let server = setup.serve(&["--cert", &files.cert, "--key", &files.key]);
    chain_is_in_order(setup, &pki, &server);
}

fn chain_in_pkcs12_is_sent_in_order(setup: Setup) {
    let pki = Pki::new();
    let identity = export_pkcs12(&pki, "chained.p12", &chain(&pki).in_order(), PASSWORD);
    chain_is_in_order(setup, &pki, &serve_pkcs12(setup, &pki, &identity));
}

/// PKCS#12 is a bag: its order says nothing.
fn chain_in_pkcs12_is_sent_in_order_whatever_the_bags(setup: Setup) {
    let pki = Pki::new();
    let identity = export_pkcs12(&pki, "chained.p12", &chain(&pki).reversed(), PASSWORD);
    chain_is_in_order(setup, &pki, &serve_pkcs12(setup, &pki, &identity));
}

fn ec() -> Profile {
    Profile::server("server.localhost")
}

fn rsa() -> Profile {
    ec().rsa()
}

/// Serves with a key in the form that `convert` makes of the key file; `label` is what the new
/// file has to say it is, so that the row is about what it says it is about.
fn key_is_served(
    setup: Setup,
    profile: &Profile,
    label: &str,
    convert: impl Fn(&str, &str) -> String,
) {
    let pki = Pki::new();
    let Files { cert, key, .. } = pki.save("form", &pki.ca.issue(profile));
    let key = convert(&key, &pki.path("converted.key"));
    let pem = std::fs::read_to_string(&key).unwrap();
    assert!(pem.contains(label), "not {label}: {pem}");
    let password = pki.write("password", format!("{PASSWORD}\n"));

    let mut args = vec!["--cert", &cert, "--key", &key];
    if pem.contains("ENCRYPTED") {
        args.extend(["--key-password-file", &password]);
    }
    served(setup, &pki, &setup.serve(&args));
}

/// The encodings before PKCS#8: PKCS#1 for RSA, SEC1 for EC.
fn traditional(key: &str, out: &str) -> String {
    openssl(&["pkey", "-in", key, "-traditional", "-out", out]);
    out.to_owned()
}

fn encrypted(key: &str, out: &str) -> String {
    let password = format!("pass:{PASSWORD}");
    openssl(&[
        "pkcs8",
        "-topk8",
        "-v2",
        "aes-256-cbc",
        "-in",
        key,
        "-out",
        out,
        "-passout",
        &password,
    ]);
    out.to_owned()
}

fn pkcs12_is_served(setup: Setup, profile: &Profile, options: &[&str]) {
    let pki = Pki::new();
    let Files { cert, key, .. } = pki.save("form", &pki.ca.issue(profile));
    let identity = pki.path("identity.p12");
    let password = format!("pass:{PASSWORD}");
    let args = ["pkcs12", "-export", "-in", &cert, "-inkey", &key, "-out", &identity];
    openssl(&[&args[..], &["-passout", &password], options].concat());
    served(setup, &pki, &serve_pkcs12(setup, &pki, &identity));
}

/// With the password in the environment, where the keys in PEM have it in a file.
fn serve_pkcs12(setup: Setup, pki: &Pki, identity: &str) -> Server {
    let args = ["--backend", setup.backend, "--identity", identity, "--port", "0"];
    let program = Program::new(&args).env("TURNKEY_KEY_PASSWORD", PASSWORD);
    let server = program.dir(&pki.path(".")).start();
    assert_eq!(server.backend(), setup.backend);
    server
}

fn served(setup: Setup, pki: &Pki, server: &Server) {
    setup.client(pki).fetch(&server.url).assert_top_level();
}

/// A leaf under two intermediates.
struct Chain {
    leaf: Leaf,
    upper: Authority,
    lower: Authority,
}

fn chain(pki: &Pki) -> Chain {
    let upper = pki.ca.subordinate("Upper CA");
    let lower = upper.subordinate("Lower CA");
    Chain { leaf: lower.issue(&ec()), upper, lower }
}

impl Chain {
    fn in_order(&self) -> Leaf {
        self.leaf.clone().with_chain(&[&self.lower, &self.upper])
    }

    fn reversed(&self) -> Leaf {
        self.leaf.clone().with_chain(&[&self.upper, &self.lower])
    }
}

fn chain_is_in_order(setup: Setup, pki: &Pki, server: &Server) {
    let output = s_client(server.port, &["-showcerts", "-CAfile", &pki.ca_file], b"Q\n");
    let subjects: Vec<_> = output
        .text()
        .lines()
        .filter_map(|line| line.trim_start().split_once(" s:"))
        .filter(|(index, _)| index.parse::<u8>().is_ok())
        .map(|(_, subject)| subject.rsplit("CN = ").next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(subjects, ["server.localhost", "Lower CA", "Upper CA"], "{output:?}");
    // And it is complete: the client knows the root alone.
    served(setup, pki, server);
}
