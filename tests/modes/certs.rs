//! What `turnkey certs` writes is taken by everybody.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::make_certs;
use crate::support::{Client, DEADLINE, Pki, Program, USAGE, assert_complaint, openssl, run, tool};

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

/// A client is let in by the name that it was given, and another is not.
#[test]
fn a_client_with_a_name_is_let_in_by_it() {
    const URI: &str = "spiffe://example.test/ns/a/sa/web";
    let pki = Pki::new();
    let dir = pki.path("certs");
    certs(&["--out", &dir, "--client", "web", "--san", URI, "--san", "email:web@example.test"]);
    for rule in [URI, "URI:spiffe://example.test/ns/*/sa/web", "*@example.test"] {
        let args = ["--cert", "server_chain.pem", "--key", "server.key", "--client-ca", "ca.crt"];
        let args = [&args[..], &["--port", "0", "--allow-san", rule]].concat();
        let server = Program::new(&args).dir(&dir).start();
        let client = Client::new(&["--cacert", &format!("{dir}/ca.crt")]);
        let client = |name: &str| client.and(&["--cert", &format!("{dir}/{name}.pem")]);
        client("web").fetch(&server.url).assert_top_level();
        let other = client("client").fetch(&server.url);
        assert_eq!((other.exit, other.status), (0, 403), "{rule}: {other:?}");
    }
}

/// Two servers of one port, told apart by name.
#[test]
fn two_folders_are_served_from_one_port() {
    let pki = Pki::new();
    let (a, b) = (pki.path("a"), pki.path("b"));
    for (dir, name) in [(&a, "a.example.test"), (&b, "b.example.test")] {
        certs(&["--out", dir, "--no-default-names", "--host", name]);
        // It stays so.
        certs(&["--out", dir, "--client", "alice"]);
    }
    let files =
        ["a", "b"].map(|dir| (format!("{dir}/server_chain.pem"), format!("{dir}/server.key")));
    for backend in ["rustls", "openssl"] {
        let mut args = vec!["--backend", backend, "--port", "0"];
        for (cert, key) in &files {
            args.extend(["--cert", cert, "--key", key]);
        }
        let server = Program::new(&args).dir(&pki.path("")).start();
        for (dir, other, name) in [(&a, &b, "a.example.test"), (&b, &a, "b.example.test")] {
            let resolve = format!("{name}:{}:127.0.0.1", server.port);
            let url = format!("https://{name}:{}/", server.port);
            let trusting = |dir: &str| {
                Client::new(&["--cacert", &format!("{dir}/ca.crt"), "--resolve", &resolve])
            };
            trusting(dir).fetch(&url).assert_top_level();
            trusting(other).fetch(&url).assert_refused();
        }
    }
}

#[test]
fn what_cannot_be_made_is_one_line_with_what_to_type() {
    for (args, said) in [
        (&["--san", "spiffe://a/b"][..], &["--client web --san spiffe://a/b", "--host"][..]),
        (&["--client", "a", "--client", "b", "--san", "x"], &["--client a --san x"]),
        (&["--client", "a", "--san", "IP:x"], &["--san \"IP:x\"", "IP:10.0.0.1"]),
        (&["--no-default-names"], &["--no-default-names --host"]),
    ] {
        let pki = Pki::new();
        let out = pki.path("certs");
        let output = Program::new(&[&["certs", "--out", &out][..], args].concat()).run();
        assert_complaint(&output, USAGE, said);
        assert!(!std::path::Path::new(&out).exists(), "{args:?}");
    }
}

fn certs(args: &[&str]) {
    let output = Program::new(&[&["certs"], args].concat()).run();
    assert_eq!(output.code, Some(0), "{output:?}");
}

/// The commands are there to be pasted.
#[test]
fn a_shell_takes_the_paths_that_are_printed() {
    let pki = Pki::new();
    for (out, quote) in [("certs", ""), (r"a\b", "'"), (r"a b\c", "'")] {
        let dir = pki.path(out);
        let said = make_certs(&dir);
        let command = said.lines().last().expect("a command").trim_start();
        let program = env!("CARGO_BIN_EXE_turnkey");
        let [chain, key] = ["server_chain.pem", "server.key"].map(|f| format!("{dir}/{f}"));
        let expected = format!("{program} --cert {quote}{chain}{quote} --key {quote}{key}{quote}");
        assert_eq!(command, expected);
        let server = Program::shell(&format!("{command} --port 0")).start();
        let output = server.run_try_command();
        assert_eq!(output.text(), "Top-level content", "{output:?}");
    }
}

/// Without a path the program is found by its name again.
#[test]
fn a_program_that_was_found_by_its_name_is_called_so() {
    let pki = Pki::new();
    let mut shell = tool("sh");
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_turnkey")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    shell.env("PATH", path).args(["-c", "turnkey certs"]).current_dir(pki.path(""));
    let said = run(shell, b"", DEADLINE).text();
    let last = "\n  turnkey --cert certs/server_chain.pem --key certs/server.key\n";
    assert!(said.ends_with(last), "{said}");
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
