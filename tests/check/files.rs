//! Files that cannot be read, that others can read, and passwords.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::ocsp::{Status, ocsp_until};
use crate::support::{
    Pki, Profile, Program, export_pkcs12, openssl, run, secret, shared_keys, tool,
};
use crate::{check, check_leaf, check_program};

const PASSWORD: &str = "S3cret-of-the-key";

fn open_to(path: &str, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn encrypted_key(pki: &Pki) -> String {
    let out = pki.path("encrypted.key");
    let pass = format!("pass:{PASSWORD}");
    openssl(&["pkcs8", "-topk8", "-in", &pki.server.key, "-out", &out, "-passout", &pass]);
    secret(out)
}

#[test]
fn a_file_that_is_not_there() {
    let pki = Pki::new();
    let path = pki.path("missing.crt");
    let checked = check(&["--cert", &path, "--key", &pki.server.key]);
    checked.assert_only("error", "unreadable", &[&path, "no such file"]);
    assert_eq!(checked.said["backends"], serde_json::json!([]));
    assert_eq!(checked.said["handshake"]["tried"], false);
}

#[test]
fn a_password_that_is_missing() {
    let pki = Pki::new();
    let key = encrypted_key(&pki);
    // Ends at once, where a prompt would wait; there is no terminal.
    let checked = check(&["--cert", &pki.server.cert, "--key", &key]);
    checked.assert_only("error", "password-missing", &[&key, "--key-password-file"]);
}

#[test]
fn a_password_that_is_wrong() {
    let pki = Pki::new();
    let key = encrypted_key(&pki);
    let password = secret(pki.write("password", "Wr0ng"));
    let args = ["--cert", &pki.server.cert, "--key", &key, "--key-password-file", &password];
    let checked = check(&args);
    checked.assert_only("error", "password-wrong", &[&key]);
    assert!(!checked.said.to_string().contains("Wr0ng"), "{:#}", checked.said);
}

#[test]
fn a_password_that_is_right() {
    let pki = Pki::new();
    let key = encrypted_key(&pki);
    let args = ["--cert", &pki.server.cert, "--key", &key];
    check_program(|args| Program::new(args).env("TURNKEY_KEY_PASSWORD", PASSWORD), &args)
        .assert_quiet();
}

/// It is one file, however many identities it is for.
#[test]
fn a_password_file_that_is_empty_is_said_once() {
    let pki = Pki::new();
    let key = encrypted_key(&pki);
    let (cert, password) = (pki.server.cert.as_str(), secret(pki.write("password", "")));
    let identity = ["--cert", cert, "--key", &key];
    let args = [&identity[..], &identity, &["--key-password-file", &password]].concat();
    check(&args).assert_only("error", "unreadable", &[&password, "is empty"]);
    let upstream = ["--proxy", "https://127.0.0.1:1", "--upstream-cert", cert];
    let args = [&args[..], &upstream, &["--upstream-key", &key]].concat();
    check(&args).assert_only("error", "unreadable", &[&password, "is empty"]);
}

/// What else is wrong with the certificate is said all the same.
#[test]
fn a_key_that_cannot_be_read_hides_nothing() {
    let pki = Pki::new();
    let mut leaf = pki.ca.issue(&Profile::server("old").expired().names(&[]));
    leaf.key = "nothing".to_owned();
    let checked = check_leaf(&pki, &leaf);
    checked.assert_found("error", "malformed", &["PEM"]);
    checked.assert_found("error", "expired", &["CN=old"]);
    checked.assert_found("warning", "no-names", &[]);
}

#[test]
fn a_key_that_all_can_read() {
    let pki = Pki::new();
    open_to(&pki.server.key, 0o644);
    let checked = check(&pki.server_args());
    let chmod = format!("chmod 600 {}", pki.server.key);
    checked.assert_only("warning", "world-readable", &[&chmod, "read", "0644"]);
    open_to(&pki.server.key, 0o640);
    check(&pki.server_args()).assert_quiet();
    open_to(&pki.server.key, 0o602);
    check(&pki.server_args()).assert_only("warning", "world-readable", &["change"]);
}

#[test]
fn a_key_beside_its_certificate_that_all_can_read() {
    let pki = Pki::new();
    open_to(&pki.server.both, 0o644);
    check(&["--cert", &pki.server.both]).assert_only(
        "warning",
        "world-readable",
        &[&pki.server.both],
    );
}

/// Not the link, which all can read on every system.
#[test]
fn a_link_to_a_key() {
    let pki = Pki::new();
    let link = pki.path("link.key");
    std::os::unix::fs::symlink(&pki.server.key, &link).unwrap();
    let args = ["--cert", &pki.server.cert, "--key", &link];
    check(&args).assert_quiet();
    open_to(&pki.server.key, 0o644);
    check(&args).assert_only("warning", "world-readable", &[&link]);
}

#[test]
fn other_secrets_that_all_can_read() {
    let pki = Pki::new();
    let identity = export_pkcs12(&pki, "id.p12", &pki.ca.issue(&Profile::server("a")), PASSWORD);
    let password = secret(pki.write("password", PASSWORD));
    let keys = shared_keys(&pki, "tickets", 7);
    let args = ["--identity", &identity, "--key-password-file", &password, "--ticket-keys", &keys];
    check(&args).assert_quiet();
    for file in [&identity, &password, &keys] {
        open_to(file, 0o644);
        check(&args).assert_only("warning", "world-readable", &[file]);
        open_to(file, 0o600);
    }
}

#[test]
fn ticket_keys_that_are_too_short() {
    let pki = Pki::new();
    let keys = secret(pki.write("tickets", "short"));
    let checked = check(&[&pki.server_args()[..], &["--ticket-keys", &keys]].concat());
    checked.assert_only("error", "ticket-keys", &[&keys, "5 bytes"]);
}

#[test]
fn a_response_to_be_stapled() {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&Profile::server("stapled"));
    let files = pki.save("stapled", &leaf);
    let identity = ["--cert", &files.cert, "--key", &files.key];
    let with = |ocsp: &str| check(&[&identity[..], &["--ocsp", ocsp]].concat());

    let good = pki.ocsp("good", &leaf, Status::Good, 5);
    let checked = with(&good);
    checked.assert_quiet().assert_found("ok", "ocsp", &[&good, "CN=stapled"]);
    assert_eq!(checked.said["identities"][0]["stapled"], true);
    assert_eq!(checked.said["backend"], "rustls", "the native backend staples nothing");

    // All its times, of which the first may be as far ahead as clocks are apart.
    let soon = time::OffsetDateTime::now_utc() + 4 * time::Duration::MINUTE;
    let ends = pki.ocsp("ends", &leaf, Status::Good, 5);
    ocsp_until(&ends, soon);
    with(&ends).assert_only("note", "ocsp-expires-soon", &[&ends, "minutes"]);

    let revoked = pki.ocsp("revoked", &leaf, Status::Revoked, 5);
    with(&revoked).assert_only("error", "ocsp", &[&revoked, "revoked"]);

    let other = pki.ocsp("other", &pki.ca.issue(&Profile::server("other")), Status::Good, 5);
    let checked = with(&other);
    checked.assert_only("warning", "ocsp-not-sent", &[&other, "not about"]);
    assert_eq!(checked.said["backend"], "rustls", "the next one may be good");
    with(&pki.path("missing")).assert_only("error", "ocsp", &["no such file"]);

    // Whether it is about an identity that cannot be read, nobody can tell.
    let args = ["--cert", &files.cert, "--key", &pki.path("missing.key"), "--ocsp", &other];
    check(&args).assert_only("error", "unreadable", &["missing.key"]);
    // What is wrong with the one that can be read is said.
    let second = pki.path("second");
    let args = [&identity[..], &["--cert", &second, "--key", &second], &["--ocsp"]].concat();
    let checked = check(&[&args[..], &[&revoked]].concat());
    checked.assert_found("error", "ocsp", &[&revoked, "revoked"]);
    checked.assert_found("error", "unreadable", &[&second]);
}

/// A pipe with these contents for the first who reads it, as a shell makes of `<(…)`.
pub(crate) fn pipe(pki: &Pki, name: &str, contents: String) -> (String, JoinHandle<()>) {
    let path = pki.path(name);
    assert!(tool("mkfifo").arg(&path).status().unwrap().success());
    let writer = thread::spawn({
        let path = path.clone();
        // Waits for the reader.
        move || fs::write(path, contents).unwrap()
    });
    (path, writer)
}

#[test]
fn a_pipe_is_read_once() {
    let pki = Pki::new();
    let lower = pki.ca.subordinate("Lower CA");
    let leaf = lower.issue(&Profile::server("piped")).with_chain(&[&lower]);
    let files = pki.save("piped", &leaf);
    let (cert, writer) = pipe(&pki, "pipe.crt", leaf.cert);
    check(&["--cert", &cert, "--key", &files.key]).assert_quiet();
    writer.join().unwrap();
}

/// What has expired is read for another time, and from the same bytes.
#[test]
fn a_pipe_with_what_has_expired_is_looked_at() {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&Profile::server("old").expired().names(&[]));
    let files = pki.save("old", &leaf);
    let (cert, writer) = pipe(&pki, "pipe.crt", leaf.cert);
    let checked = check(&["--cert", &cert, "--key", &files.key]);
    writer.join().unwrap();
    checked.assert_found("error", "expired", &[&cert, "CN=old"]);
    checked.assert_found("warning", "no-names", &[&cert]);
    assert_eq!(checked.said["identities"][0]["days_left"], -1);
}

#[test]
fn the_folder_that_is_not_there() {
    let pki = Pki::new();
    let (dir, there) = (pki.path("challenges"), pki.path("."));
    let with = |dir: &str| {
        check(&[&pki.server_args()[..], &["--redirect-from", "8080", "--dir", dir]].concat())
    };
    with(&dir).assert_only("error", "no-folder", &[&dir, "no such folder"]);
    with(&pki.server.cert).assert_only("error", "no-folder", &["is a file"]);
    let found = with(&there);
    found.assert_quiet().assert_found("ok", "redirect", &["8080"]);
    found.assert_found("ok", "folder", &[&there]);
    let spa = check(&["--dir", &there, "--spa"]);
    spa.assert_only("warning", "no-index", &["index.html"]);
}

/// Runs the rest of its arguments on a terminal of its own, and types the first one as often as it
/// is asked for a password. It prints what stood on the terminal.
const TYPING: &str = r#"
import os, pty, select, sys, termios, time
typed, argv = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(argv[0], argv)
shown, answered, end = b"", 0, time.time() + 10
while time.time() < end:
    if not select.select([terminal], [], [], 0.1)[0]:
        continue
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    # What is typed before the echo is off would be shown by the terminal itself.
    while answered < shown.count(b"Password") and time.time() < end:
        if not termios.tcgetattr(terminal)[3] & termios.ECHO:
            os.write(terminal, typed.encode() + b"\n")
            answered += 1
print(shown.decode())
"#;

/// One that has expired is looked at twice, and its password is asked for once.
#[test]
fn a_password_is_asked_for_once() {
    let pki = Pki::new();
    let leaf = pki.ca.issue(&Profile::server("old").expired());
    let identity = export_pkcs12(&pki, "old.p12", &leaf, PASSWORD);
    let mut python = tool("python3");
    python.args(["-c", TYPING, PASSWORD, env!("CARGO_BIN_EXE_turnkey")]);
    python.args(["check", "--identity", &identity]);
    let shown = run(python, b"", Duration::from_secs(15)).text();
    assert_eq!(shown.matches("Password of").count(), 1, "{shown}");
    assert!(shown.contains("expired") && !shown.contains(PASSWORD), "{shown}");
}
