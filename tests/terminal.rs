//! What stands on a terminal, and what does not where there is none.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::process::Command;
use std::time::Duration;

use turnkey_test_support::{Output, run, tool};

const DEADLINE: Duration = Duration::from_secs(120);

/// Runs its arguments on a terminal, and prints what stood there; what went to stderr, too.
const TERMINAL: &str = r"
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    sys.stdout.buffer.write(piece)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

fn program(on_terminal: bool, args: &[&str]) -> Command {
    let program = env!("CARGO_BIN_EXE_turnkey");
    let mut command = if on_terminal { tool("python3") } else { tool(program) };
    if on_terminal {
        command.args(["-c", TERMINAL, program]);
    }
    command.args(args).env("TERM", "xterm");
    command
}

/// Makes certificates in a new folder.
fn certs(on_terminal: bool, more: &[&str], environment: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("certs").to_str().unwrap().to_owned();
    let mut command = program(on_terminal, &[&["certs", "--out", &out], more].concat());
    command.envs(environment.iter().copied());
    let output = run(command, b"", DEADLINE);
    assert_eq!(output.code, Some(0), "{output:?}");
    output
}

#[test]
fn certs_has_colours_on_a_terminal() {
    let text = certs(true, &[], &[]).text();
    // A terminal ends lines its own way.
    for coloured in
        ["\x1b[1mca\x1b[0m: CN=", "  \x1b[32mcreated\x1b[0m; wrote ca.crt", "\x1b[1mServe:"]
    {
        assert!(text.contains(coloured), "no {coloured:?} in {text:?}");
    }
}

#[test]
fn what_became_of_each_certificate_has_a_colour_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let again = |more: &[&str]| {
        let command = program(true, &[&["certs", "--out", out], more].concat());
        run(command, b"", DEADLINE).text()
    };
    again(&[]);
    assert!(again(&[]).contains("  \x1b[2mkept\x1b[0m"));
    assert!(again(&["--host", "other.test"]).contains("  \x1b[36mrenewed\x1b[0m: the old one"));
    assert!(again(&["--force"]).contains("  \x1b[33mreplaced\x1b[0m, as --force says"));
}

/// The same words, and nothing else, where a program reads.
#[test]
fn a_pipe_gets_the_text_alone() {
    let plain = certs(false, &["--key-type", "rsa2048"], &[]);
    assert!(!plain.text().contains(['\x1b', '\r']) && plain.stderr.is_empty(), "{plain:?}");
    assert!(plain.text().contains("\n  created; wrote ca.crt, ca.key, ca.pem\n"), "{plain:?}");
}

#[test]
fn colours_can_be_had_and_be_done_without() {
    for (on_terminal, environment, colours) in [
        (true, &[("NO_COLOR", "1")][..], false),
        (true, &[("NO_COLOR", "")], true),
        (true, &[("CLICOLOR", "0")], false),
        (true, &[("TERM", "dumb")], false),
        (false, &[("CLICOLOR_FORCE", "1")], true),
        (false, &[("CLICOLOR_FORCE", "0")], false),
        (false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
    ] {
        let text = certs(on_terminal, &[], environment).text();
        assert_eq!(text.contains('\x1b'), colours, "{on_terminal} {environment:?}: {text:?}");
        let mut check = program(on_terminal, &["check"]);
        check.envs(environment.iter().copied());
        let text = run(check, b"", DEADLINE).text();
        assert_eq!(text.contains("\x1b[32mok"), colours, "{on_terminal} {environment:?}: {text:?}");
    }
}

/// Keys of RSA take their time; this many take longer than anyone waits without a sign, on any machine.
#[test]
fn what_takes_long_shows_that_it_goes_on_and_leaves_nothing_behind() {
    let names: Vec<String> = (0..10).map(|i| format!("client{i}")).collect();
    let mut options = vec!["--key-type", "rsa2048"];
    options.extend(names.iter().flat_map(|name| ["--client", name]));
    let text = certs(true, &options, &[]).text();
    assert!(text.starts_with("\r| making keys and certificates\r"), "{text:?}");
    // Whatever the number of frames, the line is emptied before the report begins on it.
    let blank = format!("\r{:30}\r", "");
    let (progress, report) = text.rsplit_once(&blank).unwrap();
    assert!(!progress.contains("ca: ") && report.starts_with("\x1b[1mca\x1b[0m: "), "{text:?}");
    let dumb = certs(true, &options, &[("TERM", "dumb")]).text();
    assert!(!dumb.contains("making"), "{dumb:?}");
}

/// A report reads from the top: what it is about, findings in one column, the verdict.
#[test]
fn check_marks_what_matters() {
    let mut check =
        program(true, &["check", "--cert", "/nonexistent/a.crt", "--key", "/nonexistent/a.key"]);
    check.env("LC_ALL", "C");
    let text = run(check, b"", DEADLINE).text();
    assert!(text.contains("\x1b[1m/nonexistent/a.crt (--cert)\x1b[0m"), "{text:?}");
    assert!(text.contains("  \x1b[1m\x1b[31merror   \x1b[0m "), "{text:?}");
    assert!(text.contains("\x1b[1m\x1b[31m1 error: it would not start\x1b[0m"), "{text:?}");
}
