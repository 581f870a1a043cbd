//! What comes out, for people and for programs.

use std::time::Duration;

use crate::support::{FAILURE, Output, Pki, Profile, Program, USAGE, run, tool};
use crate::{check, check_program};

fn human(args: &[&str]) -> Output {
    Program::new(&[&["check"], args].concat()).run()
}

/// The lines of text, and the verdict, which is the last of them.
#[track_caller]
fn verdict(output: &Output) -> String {
    let text = output.text();
    assert!(text.ends_with('\n'), "{text:?}");
    text.lines().last().expect("a verdict").to_owned()
}

#[test]
fn what_is_good_is_said_in_lines_and_exits_with_0() {
    let pki = Pki::new();
    let output = human(&pki.server_args());
    assert_eq!((output.code, &*output.stderr), (Some(0), ""));
    assert_eq!(verdict(&output), "nothing is wrong; it would start");
    let text = output.text();
    let header = format!("{} (--cert)", pki.server.cert);
    assert_eq!(text.lines().filter(|line| *line == header).count(), 1, "one group: {text}");
    assert!(
        text.contains("  ok       the key of \"CN=server.localhost\" is EC on P-256\n"),
        "{text}"
    );
    assert!(!text.contains('\x1b'), "no colours in a pipe: {text:?}");
}

#[test]
fn warnings_are_counted_and_exit_with_0() {
    let pki = Pki::new();
    let files =
        pki.save("soon", &pki.ca.issue(&Profile::server("a").names(&[]).valid_for(DAY * 3)));
    let output = human(&["--cert", &files.cert, "--key", &files.key]);
    assert_eq!(output.code, Some(0), "{}", output.text());
    assert_eq!(verdict(&output), "2 warnings; it would start");
    assert!(output.text().contains("  warning  "), "{}", output.text());
}

const DAY: Duration = Duration::from_secs(86400);

#[test]
fn errors_exit_with_1_and_all_of_them_are_said() {
    let pki = Pki::new();
    let (no_cert, no_ca) = (pki.path("no.crt"), pki.path("no-ca.crt"));
    let garbage = pki.write("garbage.crl", "garbage");
    let keys = pki.write("short.keys", "short");
    let output = human(&[
        "--cert",
        &no_cert,
        "--key",
        &pki.server.key,
        "--client-ca",
        &no_ca,
        "--client-ca",
        &pki.server.cert,
        "--client-crl",
        &garbage,
        "--ticket-keys",
        &keys,
        "--resumption",
        "on",
    ]);
    assert_eq!((output.code, &*output.stderr), (Some(FAILURE), ""));
    // Of the file with the ticket keys all can read too.
    assert_eq!(verdict(&output), "5 errors, 1 warning: it would not start");
    for name in [&no_cert, &no_ca, &pki.server.cert, &garbage, &keys] {
        assert!(output.text().contains(&**name), "{name}: {}", output.text());
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [&["--prot", "1"][..], &["--mode", "https"], &["--client-ca", "ca.crt"]] {
        let output = human(args);
        assert_eq!((output.code, output.text()), (Some(USAGE), String::new()), "{args:?}");
        assert_eq!(output.stderr.lines().count(), 1, "{args:?}: {}", output.stderr);
    }
}

#[test]
fn http_mode_has_little_to_check() {
    let checked = check(&["--port", "1234"]);
    checked.assert_quiet().assert_found("ok", "mode", &["http://127.0.0.1:1234/"]);
    assert_eq!(checked.said["mode"], "http");
    assert_eq!(checked.said["backend"], "plain");
    assert_eq!(checked.said["handshake"]["tried"], false);
    check(&["--host", "0.0.0.0"]).assert_only("note", "in-the-clear", &["https"][..0]);
    check(&["--trust-proxy", "0.0.0.0/0"]).assert_only("warning", "trusts-everybody", &[]);
}

#[test]
fn json_has_it_all() {
    let pki = Pki::new();
    let checked = check(&pki.mutual_args());
    let said = &checked.assert_quiet().said;
    assert_eq!(said["verdict"], "nothing is wrong; it would start");
    assert_eq!((&said["mode"], &said["backend"]), (&"mutual".into(), &"rustls".into()));
    let backends = said["backends"].as_array().unwrap();
    let able: Vec<_> = backends.iter().map(|b| (b["name"].as_str().unwrap(), &b["able"])).collect();
    let (yes, no) = (true.into(), false.into());
    assert_eq!(able, [("rustls", &yes), ("openssl", &yes), ("native-tls", &no)]);
    assert_eq!(backends[2]["lacks"], "client certificates");

    let identity = &said["identities"][0];
    assert_eq!(identity["file"], *pki.server.cert);
    assert_eq!(identity["subject"], "CN=server.localhost,O=Company");
    assert_eq!(identity["names"], serde_json::json!(["DNS:localhost", "IP:127.0.0.1", "IP:::1"]));
    assert_eq!(identity["days_left"], 49);
    let end = identity["not_after"].as_str().unwrap();
    assert!(end.ends_with('Z') && end.contains('T'), "{end}");
    for finding in checked.findings() {
        for field in ["severity", "code", "subject", "option", "text"] {
            assert!(finding[field].is_string(), "{field}: {finding}");
        }
        let code = finding["code"].as_str().unwrap();
        assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{code}");
        assert!(finding["option"].as_str().unwrap().starts_with("--"), "{finding}");
    }
}

/// What `turnkey certs` writes is good for everything, and nothing is wrong with it.
#[test]
fn the_files_of_turnkey_certs_are_quiet() {
    let pki = Pki::new();
    let dir = pki.path("certs");
    let made = Program::new(&["certs", "--out", &dir]).run();
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let file = |name: &str| format!("{dir}/{name}");
    let (ca, key, p12) = (file("ca.crt"), file("server.key"), file("server.p12"));
    let password = |args: &[&str]| Program::new(args).env("TURNKEY_KEY_PASSWORD", "turnkey");
    for cert in [file("server.crt"), file("server_chain.pem")] {
        for identity in [vec!["--cert", &cert, "--key", &key], vec!["--identity", &p12]] {
            for clients in [
                &[][..],
                &["--client-ca", &ca],
                &["--client-ca", &ca, "--client-verify", "optional"],
            ] {
                let checked = check_program(password, &[&identity, clients].concat());
                let bad = checked.trouble().iter().any(|(severity, _)| *severity != "note");
                assert!(!bad, "{identity:?} {clients:?}: {:#}", checked.said);
                checked.assert_code(0);
            }
        }
    }
}

#[test]
fn what_is_made_up_is_quiet() {
    check(&["--adhoc"]).assert_quiet();
    let mutual = check(&["--adhoc", "--mode", "mutual"]);
    let attempts = mutual.assert_quiet().said["handshake"]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2, "with the client that was made up, and without");
}

/// Prints what stands on a terminal of its own.
const TERMINAL: &str = r#"
import os, pty, sys
out = b""
def read(fd):
    global out
    piece = os.read(fd, 4096)
    out += piece
    return b""
pty.spawn(sys.argv[1:], read)
sys.stdout.write(out.decode())
"#;

fn on_terminal(environment: &[(&str, &str)]) -> String {
    let mut python = tool("python3");
    python.args(["-c", TERMINAL, env!("CARGO_BIN_EXE_turnkey"), "check"]).env("TERM", "xterm");
    python.envs(environment.iter().copied());
    run(python, b"", Duration::from_secs(15)).text()
}

#[test]
fn a_terminal_gets_colours_unless_it_wants_none() {
    let coloured = on_terminal(&[]);
    assert!(coloured.contains("\x1b[32mok"), "{coloured:?}");
    for none in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = on_terminal(&[none]);
        assert!(plain.contains("it would start") && !plain.contains('\x1b'), "{none:?}: {plain:?}");
    }
    assert!(on_terminal(&[("NO_COLOR", "")]).contains('\x1b'), "an empty variable is none");
}

/// A file can be called anything, and a line stays a line.
#[test]
fn names_of_files_are_printed_safely() {
    let pki = Pki::new();
    let odd = pki.write("odd\n\x1b[31m.crt", std::fs::read(&pki.server.cert).unwrap());
    let output = human(&["--cert", &odd, "--key", &pki.server.key]);
    assert_eq!(output.code, Some(0), "{}", output.text());
    assert!(!output.text().contains('\x1b'), "{:?}", output.text());
}
