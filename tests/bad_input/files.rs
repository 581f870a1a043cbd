//! Every option that takes a file, with everything that a path can turn out to be.

use std::fs;
use std::os::unix::fs::symlink;

use crate::run;
use crate::support::{
    FAILURE, Pki, Program, assert_complaint, assert_complaint_naming_one_of, openssl, tool,
};

crate::support::table! {
    columns {
        cert = FileOption::Cert;
        key = FileOption::Key;
        identity = FileOption::Identity;
        client_ca = FileOption::ClientCa;
        allow_issuer = FileOption::AllowIssuer;
        key_password_file = FileOption::KeyPasswordFile;
    } rows {
        missing
        a_directory
        a_dangling_symlink
        empty
        garbage
        text_that_is_something_else
    }
}

/// An option that takes a file.
#[derive(Debug, Clone, Copy)]
enum FileOption {
    Cert,
    Key,
    Identity,
    ClientCa,
    AllowIssuer,
    KeyPasswordFile,
}

/// Where files are made for one run only.
#[test]
fn a_folder_for_temporary_files_that_takes_none() {
    let adhoc = ["--adhoc", "--mode", "mutual", "--port", "0"];
    let program = Program::new(&adhoc).env("TMPDIR", "/proc");
    assert_complaint(&program.run(), FAILURE, &["cannot write /proc", "set TMPDIR"]);
}

/// What makes the one does not make the other.
#[test]
fn it_is_said_how_a_missing_file_is_made() {
    let pki = Pki::new();
    let missing = pki.path("nope");
    let with = |option: &str| run(&[&pki.mutual_args()[..], &[option, &missing]].concat());
    let ca = with("--client-ca");
    assert_complaint(&ca, FAILURE, &[&missing, "turnkey certs (--client-ca)"]);
    let keys = run(&[&pki.server_args()[..], &["--ticket-keys", &missing]].concat());
    assert_complaint(&keys, FAILURE, &[&missing, "openssl rand -out FILE 80 (--ticket-keys)"]);
    let list = with("--client-crl");
    assert_complaint(&list, FAILURE, &[&missing, "check the path (--client-crl)"]);
    for output in [keys, list] {
        assert!(!output.stderr.contains("turnkey certs"), "{}", output.stderr);
    }
}

/// Each is a good file, and for something else.
#[test]
fn what_is_not_of_a_ca_is_no_issuer() {
    let pki = Pki::new();
    let (pem, der) = (&pki.client.key, pki.path("key.der"));
    openssl(&["pkey", "-in", pem, "-outform", "DER", "-out", &der]);
    let leaf = "\"CN=client.localhost,O=Company\" is not a CA certificate";
    for (file, why) in [
        (pem, "it holds a private key in PEM"),
        (&der, "it looks like a private key in DER"),
        (&pki.client.cert, leaf),
        (&pki.client.both, leaf),
    ] {
        let output = run(&[&pki.mutual_args()[..], &["--allow-issuer", file]].concat());
        assert_complaint(&output, FAILURE, &[file, why, "(--allow-issuer)"]);
    }
}

/// The next file is not even opened: of a pipe that nobody writes to, that would never end.
#[test]
fn the_first_error_ends_it() {
    let pki = Pki::new();
    let (missing, pipe) = (pki.path("nope"), pki.path("pipe"));
    assert!(tool("mkfifo").arg(&pipe).status().unwrap().success());
    let (own, piped) = (["--cert", &missing], ["--cert", &pipe]);
    let upstream = ["--proxy", "https://127.0.0.1:1", "--upstream-ca", &pipe];
    let more = ["--ticket-keys", &pipe, "--ocsp", &pipe, "--port", "0"];
    let output = Program::new(&[&own[..], &piped, &upstream, &more].concat()).run();
    assert_complaint(&output, FAILURE, &[&missing, "no such file", "(--cert)"]);
}

fn missing(option: FileOption) {
    let pki = Pki::new();
    let path = pki.path("bad.file");
    rejected(option, &pki, &path);
}

/// Stands for what cannot be read: root can read all files.
fn a_directory(option: FileOption) {
    let pki = Pki::new();
    let path = pki.path("bad.file");
    fs::create_dir(&path).unwrap();
    rejected(option, &pki, &path);
}

fn a_dangling_symlink(option: FileOption) {
    let pki = Pki::new();
    let path = pki.path("bad.file");
    symlink(pki.path("nowhere"), &path).unwrap();
    rejected(option, &pki, &path);
}

fn empty(option: FileOption) {
    let pki = Pki::new();
    let path = pki.write("bad.file", "");
    rejected(option, &pki, &path);
}

fn garbage(option: FileOption) {
    let pki = Pki::new();
    let path = pki.write("bad.file", (0..=255).cycle().skip(128).take(4096).collect::<Vec<u8>>());
    rejected(option, &pki, &path);
}

fn text_that_is_something_else(option: FileOption) {
    let pki = Pki::new();
    let path =
        pki.write("bad.file", "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n");
    rejected(option, &pki, &path);
}

/// Starts with `path` for that option, where all the others are good.
fn rejected(option: FileOption, pki: &Pki, path: &str) {
    let (cert, key) = (pki.server.cert.as_str(), pki.server.key.as_str());
    let encrypted = pki.path("encrypted.key");
    let args = match option {
        FileOption::Cert => vec!["--cert", path, "--key", key],
        FileOption::Key => vec!["--cert", cert, "--key", path],
        FileOption::Identity => vec!["--identity", path],
        FileOption::ClientCa => vec!["--cert", cert, "--key", key, "--client-ca", path],
        FileOption::AllowIssuer => [&pki.mutual_args()[..], &["--allow-issuer", path]].concat(),
        FileOption::KeyPasswordFile => {
            // The password is the one that the file would hold if it were read carelessly.
            openssl(&["pkcs8", "-topk8", "-in", key, "-out", &encrypted, "-passout", "pass:right"]);
            vec!["--cert", cert, "--key", &encrypted, "--key-password-file", path]
        }
    };
    let output = run(&args);
    match option {
        // What is read from it is a password like any other, which then does not fit the key.
        FileOption::KeyPasswordFile => {
            let naming = [path, &encrypted, "--key-password-file"];
            assert_complaint_naming_one_of(&output, FAILURE, &naming);
        }
        _ => assert_complaint(&output, FAILURE, &[path]),
    }
}
