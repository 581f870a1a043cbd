//! Start-up and reloads look at the same, and say the same.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::check;
use crate::files::pipe;
use crate::support::{Authority, Pki, Profile, Program, Server};

const DAY: Duration = Duration::from_secs(86400);

fn server() -> Profile {
    Profile::server("server.localhost")
}

#[test]
fn what_is_good_is_served_in_silence() {
    let pki = Pki::new();
    let server = Server::with(&pki.mutual_args());
    assert_eq!(server.log(), "");
    assert_eq!(Server::with(&["--adhoc", "--mode", "mutual"]).log(), "");
}

#[test]
fn warnings_are_logged_in_the_same_words() {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&server().names(&["localhost"]).valid_for(DAY * 3));
    let files = pki.save("soon", &leaf);
    fs::set_permissions(&files.key, fs::Permissions::from_mode(0o644)).unwrap();
    let crl = pki.write("ca.crl", pki.ca.list(-48, -24));
    let other = pki.write("other.crt", Authority::root("Other CA").pem());
    let args = [
        &["--cert", &files.cert, "--key", &files.key, "--client-ca", &pki.ca_file][..],
        &["--client-ca", &other, "--client-crl", &crl],
    ]
    .concat();

    let checked = check(&args);
    let warnings = checked.findings().iter().filter(|f| f["severity"] == "warning");
    let mut expected: Vec<String> = warnings
        .map(|f| {
            let field = |name: &str| f[name].as_str().unwrap_or_else(|| panic!("{name}: {f}"));
            let (subject, option) = (field("subject"), field("option"));
            format!("warn: {subject}: {}; {} ({option})", field("text"), field("fix"))
        })
        .collect();
    expected.sort_unstable();
    assert_eq!(expected.len(), 4, "{expected:?}");

    let server = Server::with(&args);
    for line in &expected {
        // By then another second may have begun.
        server.assert_logs(&[line.split(" UTC, ").next().unwrap()]);
    }
    assert_eq!(server.log().lines().count(), expected.len(), "{}", server.log());
}

/// Errors are one line, whatever there would be to warn of.
#[test]
fn an_error_stands_alone() {
    let pki = Pki::new();
    let files = pki.save("soon", &pki.ca.issue(&server().valid_for(DAY * 3)));
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let args = ["--cert", &files.cert, "--key", &files.key, "--port", &port];
    let output = Program::new(&args).run();
    assert_eq!((output.code, output.stderr.lines().count()), (Some(1), 1), "{}", output.stderr);
    assert!(output.stderr.contains("in use"), "{}", output.stderr);
}

/// It is not read again to find out where something stands.
#[test]
fn what_came_of_a_pipe_is_said_of_it() {
    let pki = Pki::new();
    let end = time::OffsetDateTime::now_utc() + time::Duration::days(3);
    let ending = Authority::odd_root("Ending CA", |params| params.not_after = end);
    let (ca, writer) = pipe(&pki, "pipe.crt", ending.pem());
    let server = Server::with(&[&pki.mutual_args()[..], &["--client-ca", &ca]].concat());
    writer.join().unwrap();
    server.assert_logs(&[&format!("warn: {ca}: "), "CN=Ending CA", "ends on", "(--client-ca)"]);
}

/// Also where no key but one for upstreams has it.
#[test]
fn a_password_that_all_can_read_is_warned_of() {
    let pki = Pki::new();
    let password = pki.write("password", "secret");
    fs::set_permissions(&password, fs::Permissions::from_mode(0o644)).unwrap();
    let upstream = ["--proxy", "https://127.0.0.1:1", "--upstream-cert", &pki.client.both];
    let args = [&upstream[..], &["--key-password-file", &password]].concat();
    check(&args).assert_only("warning", "world-readable", &[&password, "the password"]);
    let server = Server::with(&args);
    server.assert_logs(&[&format!("warn: {password}: "), "the password", "(--key-password-file)"]);
}

#[test]
fn a_reload_warns_too() {
    let pki = Pki::new();
    let files = pki.save("served", &pki.ca.issue(&server()));
    let server = Server::with(&["--cert", &files.cert, "--key", &files.key]);
    pki.save("served", &pki.ca.issue(&self::server().valid_for(DAY * 3)));
    server.reload();
    server.assert_logs(&["warn: ", &files.cert, "ends on", "in 2 days"]);
}

/// Every client of the CA would be refused.
#[test]
fn a_reload_of_a_list_of_another_ca_changes_nothing() {
    let pki = Pki::new();
    let crl = pki.write("ca.crl", pki.ca.list(-24, 120));
    let args = [&pki.mutual_args()[..], &["--client-crl", &crl]].concat();
    let server = Server::with(&args);
    pki.write("ca.crl", Authority::root("Test CA").list(-24, 120));
    let line = server.hang_up();
    assert!(line.starts_with("error: not reloaded"), "{line}");
    assert!(line.contains("ca.crl") && line.contains("not signed"), "{line}");
}
