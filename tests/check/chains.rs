//! How the certificates of a file go together.

use std::fs;

use crate::support::{Authority, Files, Leaf, Pki, Profile, Program, export_pkcs12};
use crate::{Checked, check, check_files, check_leaf, check_program};

fn server() -> Profile {
    Profile::server("server.localhost")
}

/// The same in a folder where no CA stands beside it.
fn away(pki: &Pki, leaf: &Leaf) -> Files {
    let dir = pki.path("away");
    fs::create_dir_all(&dir).unwrap();
    pki.save("away/server", leaf)
}

#[test]
fn one_below_a_root_that_stands_beside_it() {
    let pki = Pki::new();
    check(&pki.server_args()).assert_quiet().assert_found("ok", "chain", &[&pki.ca_file]);
}

#[test]
fn one_whose_issuer_is_not_known() {
    let pki = Pki::new();
    let files = away(&pki, &pki.ca.issue(&server()));
    let checked = check_files(&files);
    checked.assert_only("warning", "chain-incomplete", &[&files.cert, "Test CA", "ca.crt"]);
    // Mutual mode is given the CA, and it is the same.
    let args = ["--cert", &files.cert, "--key", &files.key, "--client-ca", &pki.ca_file];
    check(&args).assert_quiet().assert_found("ok", "chain", &["a client CA"]);
    // So it is in the store of the system.
    let program = |args: &[&str]| Program::new(args).env("SSL_CERT_FILE", &pki.ca_file);
    let args = ["--cert", &files.cert, "--key", &files.key];
    check_program(program, &args).assert_quiet().assert_found("ok", "chain", &[&pki.ca_file]);
}

#[test]
fn a_missing_intermediate() {
    let pki = Pki::new();
    let lower = pki.ca.subordinate("Lower CA");
    let leaf = lower.issue(&server());
    let checked = check_leaf(&pki, &leaf);
    checked.assert_only("warning", "chain-incomplete", &["CN=Lower CA", "append"]);
    // The handshake shows that a client that has the root is none the wiser.
    assert_eq!(checked.said["handshake"]["attempts"][0]["chain"].as_array().unwrap().len(), 1);
    check_leaf(&pki, &leaf.with_chain(&[&lower])).assert_quiet();
}

/// An intermediate is no root, wherever it stands.
#[test]
fn a_missing_intermediate_that_stands_beside_it() {
    let pki = Pki::new();
    let lower = pki.ca.subordinate("Lower CA");
    let files = away(&pki, &lower.issue(&server()));
    pki.write("away/ca.crt", lower.pem());
    let checked = check_files(&files);
    checked.assert_only("warning", "chain-incomplete", &["CN=Lower CA", "away/ca.crt"]);
}

/// certbot leaves `cert.pem` and `fullchain.pem` beside each other.
#[test]
fn the_wrong_one_of_two_files() {
    let pki = Pki::new();
    let lower = pki.ca.subordinate("Lower CA");
    let leaf = lower.issue(&server());
    let files = away(&pki, &leaf);
    let full = pki.write("away/fullchain.pem", leaf.with_chain(&[&lower]).cert);
    let checked = check_files(&files);
    checked.assert_only("warning", "chain-incomplete", &[&format!("use --cert {full}")]);
}

#[test]
fn a_chain_that_ends_in_the_unknown() {
    let pki = Pki::new();
    let lower = pki.ca.subordinate("Lower CA");
    let files = away(&pki, &lower.issue(&server()).with_chain(&[&lower]));
    check_files(&files).assert_only("note", "root-unknown", &["CN=Lower CA", "CN=Test CA"]);
}

#[test]
fn a_chain_out_of_order() {
    let pki = Pki::new();
    let lower = pki.ca.subordinate("Lower CA");
    let lowest = lower.subordinate("Lowest CA");
    let leaf = lowest.issue(&server());
    let orders = [[&lower, &lowest], [&lowest, &lower]];
    let misordered = check_leaf(&pki, &leaf.clone().with_chain(&orders[0]));
    misordered.assert_only("note", "chain-misordered", &["CN=server.localhost", "CN=Lowest CA"]);
    // It is sent in order.
    let sent = &misordered.said["handshake"]["attempts"][0]["chain"];
    assert_eq!(sent[1], "CN=Lowest CA,O=Company");
    assert_eq!(sent[2], "CN=Lower CA,O=Company");
    let ordered = check_leaf(&pki, &leaf.clone().with_chain(&orders[1]));
    ordered.assert_quiet();

    let mut last = leaf.clone();
    last.cert = format!("{}{}{}", lowest.pem(), lower.pem(), leaf.cert);
    check_leaf(&pki, &last).assert_only("note", "chain-misordered", &[]);
}

#[test]
fn the_root_in_the_chain() {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&server()).with_chain(&[&pki.ca]);
    check_leaf(&pki, &leaf).assert_only("note", "root-sent", &["CN=Test CA"]);
    let p12 = export_pkcs12(&pki, "root.p12", &leaf, "password");
    let program = |args: &[&str]| Program::new(args).env("TURNKEY_KEY_PASSWORD", "password");
    check_program(program, &["--identity", &p12]).assert_only("note", "root-sent", &[&p12]);
}

#[test]
fn a_certificate_with_no_place_in_the_chain() {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&server()).with_chain(&[&Authority::root("Stranger CA")]);
    check_leaf(&pki, &leaf).assert_only("error", "stray-certificate", &["Stranger CA"]);
}

/// By name it is the issuer; by its key it is not.
#[test]
fn an_issuer_that_did_not_sign() {
    let pki = Pki::new();
    let leaf = pki.ca.subordinate("Lower CA").issue(&server());
    let checked = check_leaf(&pki, &leaf.with_chain(&[&pki.ca.subordinate("Lower CA")]));
    checked.assert_only("warning", "signature-wrong", &["CN=server.localhost", "CN=Lower CA"]);
    checked.assert_found("note", "handshake-refused", &[]);
}

#[test]
fn its_own_issuer() {
    let pki = Pki::new();
    let checked = check_leaf(&pki, &server().self_signed());
    checked.assert_only("note", "self-signed", &["CN=server.localhost"]);
}

/// `--cert` may hold the key too.
#[test]
fn certificate_and_key_in_one_file() {
    let pki = Pki::new();
    check(&["--cert", &pki.server.both]).assert_quiet();
    let only = check(&["--cert", &pki.server.cert]);
    only.assert_only("error", "no-key", &["holds no private key", "--key"]);
}

fn several(identities: &[&Files], more: &[&str]) -> Checked {
    let args = identities.iter().flat_map(|f| ["--cert", &f.cert, "--key", &f.key]);
    check(&[&args.collect::<Vec<_>>()[..], more].concat())
}

#[test]
fn several_identities() {
    let pki = Pki::new();
    let save = |file: &str, names: &[&str]| pki.save(file, &pki.ca.issue(&server().names(names)));
    let (one, two) = (save("one", &["one.test", "*.one.test"]), save("two", &["two.test"]));
    let checked = several(&[&one, &two], &["--host", "two.test"]);
    checked.assert_found("ok", "names", &[&one.cert, "DNS:one.test, DNS:*.one.test"]);
    checked.assert_found("ok", "host", &["two.test"]);
    let attempts = checked.said["handshake"]["attempts"].as_array().unwrap();
    let asked: Vec<_> = attempts.iter().map(|a| a["server_name"].as_str().unwrap()).collect();
    assert_eq!(asked, ["one.test", "two.test"], "each is asked for by its name");
    assert_eq!(checked.said["identities"].as_array().unwrap().len(), 2);

    let again = save("again", &["TWO.test", "three.test"]);
    let checked = several(&[&one, &two, &again], &[]);
    checked.assert_only("error", "duplicate-name", &["two.test", &again.cert, &two.cert]);

    let nameless = save("nameless", &["10.1.2.3"]);
    several(&[&one, &nameless], &[]).assert_only("warning", "never-shown", &[&nameless.cert]);
    several(&[&nameless, &one], &[]).assert_quiet();
    // One of two that is wrong does not hide the other.
    let old = pki.save("old", &pki.ca.issue(&server().names(&["old.test"]).expired()));
    let short = pki.save("short", &pki.ca.issue(&server().names(&[])));
    let checked = several(&[&old, &short], &[]);
    checked.assert_found("error", "expired", &[&old.cert]);
    checked.assert_found("warning", "no-names", &[&short.cert]);
}
