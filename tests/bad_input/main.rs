//! Whatever is wrong at the start is said in one line, and nothing is served.
//!
//! Each case: the exit code (1: what was named does not work, 2: wrong usage), one line on stderr
//! that starts with `turnkey: ` and names the file or flag, no panic, no prompt, within 5 s.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod addresses;
mod files;
mod habits;
mod identities;
mod usage;

use std::ffi::OsStr;

use turnkey_test_support::{
    self as support, Output, Program, Server, assert_agreement, name_of_rust,
};

/// What the program says when it is started like that, on a free port; `turnkey check` must say it too.
#[track_caller]
fn run(args: &[&str]) -> Output {
    program(args).run()
}

fn program(args: &[&str]) -> Started {
    let args = [args, &["--port", "0"]].concat();
    Started {
        start: Program::new(&args),
        check: Program::new(&[&["check", "--json"], &args[..]].concat()),
    }
}

/// A command line that is started, and checked.
struct Started {
    start: Program,
    check: Program,
}

impl Started {
    fn env(self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let value = value.as_ref();
        Self { start: self.start.env(name, value), check: self.check.env(name, value) }
    }

    /// Starts what is expected not to.
    #[track_caller]
    fn run(self) -> Output {
        let output = self.start.run();
        assert_agreement(&output, &self.check.run());
        output
    }

    fn start(self) -> Server {
        self.start.start()
    }
}

/// What every run of the program is checked for, in all tests.
#[test]
fn names_of_rust_are_told_from_words() {
    for (line, name) in [
        ("invalid peer certificate: UnknownIssuer", Some("UnknownIssuer")),
        ("failed: Other(OtherError(1))", Some("Other")),
        ("Parsing Error: Der(InvalidLength)", Some("Der")),
        ("expected Some(Tag(16))", Some("Some")),
        ("it is Custom { kind: 1 }", Some("Custom")),
        ("with OpenSSL 3.0 and GnuTLS, 16 MiB (or more), RFC 5280, curl(1), WebSocket", None),
        ("/tmp/turnkey-test-BBqfCl/a.crt, /tmp/AbCd(1)", None),
        ("CN=Test CA,O=Example: check API(s) {x}", None),
    ] {
        assert_eq!(name_of_rust(line), name, "{line}");
    }
}
