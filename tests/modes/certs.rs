//! What `turnkey certs` writes is taken by everybody.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::make_certs;
use crate::support::{Client, DEADLINE, Pki, Program, openssl, run, tool};

const FILES: [&str; 11] = [
    "ca.crt",
    "ca.key",
    "ca.pem",
    "client.crt",
    "client.key",
    "client.p12",
    "client.pem",
    "server.crt",
    "server.key",
    "server.p12",
    "server_chain.pem",
];

#[test]
fn every_file_is_there_and_keys_are_private() {
    let pki = Pki::new();
    let dir = pki.path("certs");
    let said = make_certs(&dir);
    assert!(said.contains("turnkey"), "the password of the PKCS#12 files: {said}");

    let mut names: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, FILES);
    for name in FILES {
        let path = format!("{dir}/{name}");
        let contents = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        let secret = contents.contains("PRIVATE KEY") || !contents.starts_with("-----BEGIN ");
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert!(!secret || mode == 0o600, "{name} has a key and mode {mode:o}");
    }
}

#[test]
fn openssl_takes_every_file() {
    let pki = Pki::new();
    let dir = pki.path("certs");
    make_certs(&dir);
    let path = |name: &str| format!("{dir}/{name}");
    for (purpose, leaf) in [("sslserver", "server.crt"), ("sslclient", "client.crt")] {
        let args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", &path("ca.crt")];
        openssl(&[&args[..], &[&path(leaf)]].concat());
    }
    for name in ["server", "client"] {
        let p12 = path(&format!("{name}.p12"));
        let args = ["pkcs12", "-in", &p12, "-passin", "pass:turnkey", "-nodes"];
        let shown = openssl(&args);
        assert!(shown.contains("PRIVATE KEY"), "{shown}");
        let first = openssl(&["x509", "-in", &path(&format!("{name}.crt"))]);
        assert!(shown.contains(first.trim()), "{name}.crt is not in {name}.p12");
    }
    let subject = openssl(&["x509", "-in", &path("server.crt"), "-noout", "-subject"]);
    assert!(subject.contains("C = CT") && subject.contains("CN = server.localhost"), "{subject}");
}

#[test]
fn the_identity_is_served_by_every_backend() {
    let pki = Pki::new();
    let dir = pki.path("certs");
    make_certs(&dir);
    for backend in ["native-tls", "rustls", "openssl"] {
        let args = ["--backend", backend, "--identity", "server.p12", "--port", "0"];
        let program = Program::new(&args).env("TURNKEY_KEY_PASSWORD", "turnkey");
        let server = program.dir(&dir).start();
        assert_eq!(server.backend(), backend);
        let client = Client::new(&["--cacert", &format!("{dir}/ca.crt")]);
        client.fetch(&server.url).assert_top_level();
        let address = "127.0.0.1";
        for name in ["localhost", "server.localhost", "a.server.localhost"] {
            let resolve = format!("{name}:{}:{address}", server.port);
            let client = client.and(&["--resolve", &resolve]);
            client.fetch(&format!("https://{name}:{}/", server.port)).assert_top_level();
        }
    }
}

/// The commands are there to be pasted.
#[test]
fn a_shell_takes_the_paths_that_are_printed() {
    let pki = Pki::new();
    for (out, quote) in [("certs", ""), (r"a\b", "'"), (r"a b\c", "'")] {
        let dir = pki.path(out);
        let said = make_certs(&dir);
        let (_, rest) = said.split_once("turnkey --identity ").expect("a command");
        let word = rest.lines().next().expect("a path");
        assert_eq!(word, format!("{quote}{dir}/server.p12{quote}"));
        let mut shell = tool("sh");
        shell.args(["-c", &format!("printf %s {word}")]);
        assert_eq!(run(shell, b"", DEADLINE).text(), format!("{dir}/server.p12"));
    }
}

#[test]
fn what_is_still_valid_is_kept() {
    let pki = Pki::new();
    let dir = pki.path("certs");
    make_certs(&dir);
    let contents = || FILES.map(|name| fs::read(format!("{dir}/{name}")).unwrap());
    let before = contents();
    make_certs(&dir);
    assert!(before == contents(), "a second run changed what was valid");
}
