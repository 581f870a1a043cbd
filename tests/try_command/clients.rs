//! In mutual mode the command names a client's certificate, where one is known that is let in.

use std::fs;
use std::time::Duration;

use crate::support::{Authority, Crl, Pki, Profile, Program, Server, openssl, run, tool};
use crate::{By, alone, assert_answers, tried};

/// The client's files beside the CA, as `turnkey certs` writes them and as people do.
#[test]
fn with_a_clients_certificate() {
    let pki = Pki::new();
    let server = tried(By::File("ca.crt"), &pki.mutual_args());
    assert!(server.try_command.contains("/client.pem "), "{}", server.try_command);
    let allowed = [&pki.mutual_args()[..], &["--allow-san", "client.*"]].concat();
    tried(By::File("ca.crt"), &allowed);

    fs::remove_file(&pki.client.both).unwrap();
    let server = tried(By::File("ca.crt"), &pki.mutual_args());
    assert!(server.try_command.contains("/client.crt --key "), "{}", server.try_command);
}

/// For curl a password stands behind a colon.
#[test]
fn with_a_clients_certificate_in_an_unusual_place() {
    for name in ["a:b", r"a\:b", "it's mine"] {
        let pki = Pki::new();
        let dir = alone(&pki, name);
        for file in ["ca.crt", "client.pem", "server.crt", "server.key"] {
            fs::copy(pki.path(file), format!("{dir}/{file}")).unwrap();
        }
        let path = |file: &str| format!("{dir}/{file}");
        let (cert, key, ca) = (path("server.crt"), path("server.key"), path("ca.crt"));
        let args = ["--cert", &cert, "--key", &key, "--client-ca", &ca, "--port", "0"];
        let server = Program::new(&args).start();
        assert_answers(&server, &server.run_try_command());
    }
}

/// Types the password when curl asks for it.
const TYPES_PASSWORD: &str = r#"
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("sh", ["sh", "-c", sys.argv[1]])
shown, asked = b"", False
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    shown += piece
    if b"pass phrase" in shown and not asked:
        os.write(terminal, b"secret\n")
        asked = True
print(shown.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

#[test]
fn with_a_clients_key_that_has_a_password() {
    let pki = Pki::new();
    let encrypted = pki.path("encrypted.key");
    let password = "pass:secret";
    openssl(&["pkey", "-in", &pki.client.key, "-aes256", "-passout", password, "-out", &encrypted]);
    let encrypted = fs::read_to_string(encrypted).unwrap();
    let certificate = fs::read_to_string(&pki.client.cert).unwrap();
    pki.write("client.pem", format!("{certificate}{encrypted}"));
    let server = Server::with(&pki.mutual_args());
    let mut python = tool("python3");
    python.args(["-c", TYPES_PASSWORD, &server.try_command]);
    let output = run(python, b"", Duration::from_secs(20));
    assert!(output.code == Some(0) && output.text().contains("Top-level content"), "{output:?}");
}

/// Why the client whose files are beside the CA is not let in.
#[derive(Debug, Clone, Copy)]
enum Why {
    Revoked,
    Expired,
    OfAnotherCa,
    NotAllowed,
}

/// Puts the client's files there; options of the server.
fn refused(pki: &Pki, why: Why) -> [String; 2] {
    let mut options = ["--client-verify".to_owned(), "required".to_owned()];
    match why {
        Why::Revoked => {
            let leaf = pki.ca.issue(&Profile::client("revoked"));
            pki.save("client", &leaf);
            let list = pki.write("list.pem", Crl::of(&[leaf.serial]).pem(&pki.ca));
            options = ["--client-crl".to_owned(), list];
        }
        Why::Expired => {
            pki.save("client", &pki.ca.issue(&Profile::client("expired").expired()));
        }
        Why::OfAnotherCa => {
            let other = Authority::root("Other CA");
            pki.save("client", &other.issue(&Profile::client("stranger")));
        }
        Why::NotAllowed => options = ["--allow-cn".to_owned(), "other".to_owned()],
    }
    options
}

#[test]
fn without_a_client_of_an_allowed_issuer() {
    let pki = Pki::new();
    let one = pki.write("one-ca.pem", pki.ca.subordinate("One CA").pem());
    let server = Server::with(&[&pki.mutual_args()[..], &["--allow-issuer", &one]].concat());
    let missing = "clients need a certificate issued by \"CN=One CA,O=Company\": put one, and its key, into client.pem";
    assert!(server.greeting.contains(missing), "{}", server.greeting);
    // One of several is enough.
    let rules = ["--allow-issuer", &one, "--allow-issuer", &pki.ca_file];
    let server = Server::with(&[&pki.mutual_args()[..], &rules].concat());
    assert_answers(&server, &server.run_try_command());
}

#[test]
fn without_a_client_that_is_let_in() {
    for why in [Why::Revoked, Why::Expired, Why::OfAnotherCa, Why::NotAllowed] {
        let pki = Pki::new();
        let [option, value] = refused(&pki, why);
        let server = Server::with(&[&pki.mutual_args()[..], &[&option, &value]].concat());
        let lines: Vec<_> = server.greeting.lines().collect();
        assert_eq!(lines.len(), 3, "{:?}", server.greeting);
        let missing = "clients need a certificate issued by \"CN=Test CA,O=Company\": put one, and its \
            key, into client.pem";
        assert_eq!(lines[1], missing, "{why:?}");
        assert!(lines[2].starts_with("try: curl --cert client.pem --cacert "), "{}", lines[2]);
        // As it says.
        let leaf = pki.ca.issue(&Profile::client("other"));
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("client.pem"), format!("{}{}", leaf.cert, leaf.key)).unwrap();
        let mut shell = tool("sh");
        shell.args(["-c", &server.try_command]).current_dir(dir.path());
        assert_answers(&server, &run(shell, b"", Duration::from_secs(20)));
    }
    let pki = Pki::new();
    // Nobody insists.
    let server = tried(
        By::File("ca.crt"),
        &[&pki.mutual_args()[..], &["--allow-cn", "other", "--client-verify", "optional"]].concat(),
    );
    assert!(!server.try_command.contains("--cert "), "{}", server.try_command);
    let closed = ["--allow-cn", "other", "--client-verify", "optional", "--allow-anonymous", "off"];
    let server = Server::with(&[&pki.mutual_args()[..], &closed].concat());
    assert!(server.try_command.contains("curl --cert client.pem "), "{}", server.try_command);
}
