//! `turnkey check` says all that is wrong with what is to be served, and start-up agrees with it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod agreement;
mod certificates;
mod chains;
mod clients;
mod files;
mod handshakes;
mod issuers;
mod output;
mod serving;

use serde_json::Value;
use turnkey_test_support::{self as support, Files, Leaf, Pki, Program};

/// What `turnkey check --json` said.
#[derive(Debug)]
struct Checked {
    code: Option<i32>,
    said: Value,
}

#[track_caller]
fn check(args: &[&str]) -> Checked {
    check_program(Program::new, args)
}

#[track_caller]
fn check_program(program: impl FnOnce(&[&str]) -> Program, args: &[&str]) -> Checked {
    let output = program(&[&["check", "--json"], args].concat()).run();
    let said = serde_json::from_slice(&output.stdout);
    let said = said.unwrap_or_else(|e| panic!("not JSON: {e}: {output:?}"));
    assert_eq!(output.stderr, "", "all is said on stdout");
    Checked { code: output.code, said }
}

/// The same for the certificate and the key of a server.
#[track_caller]
fn check_files(files: &Files) -> Checked {
    check(&["--cert", &files.cert, "--key", &files.key])
}

/// The same for what is saved beside the CA.
#[track_caller]
fn check_leaf(pki: &Pki, leaf: &Leaf) -> Checked {
    check_files(&pki.save("checked", leaf))
}

impl Checked {
    fn findings(&self) -> &[Value] {
        self.said["findings"].as_array().expect("a list of findings")
    }

    /// The codes of all that is worse than `ok`, each with its severity, in order.
    fn trouble(&self) -> Vec<(&str, &str)> {
        let all = self.findings().iter();
        let all = all.map(|f| (f["severity"].as_str().unwrap(), f["code"].as_str().unwrap()));
        all.filter(|(severity, _)| *severity != "ok").collect()
    }

    /// Asserts that there is nothing worse than `ok`, but for notes about backends that are not asked.
    #[track_caller]
    fn assert_quiet(&self) -> &Self {
        let mut trouble = self.trouble();
        trouble.retain(|finding| *finding != ("note", "backend-unable"));
        assert_eq!(trouble, [], "{:#}", self.said);
        self.assert_code(0)
    }

    /// Asserts that it is `found`, once, and that there is no other warning or error.
    #[track_caller]
    fn assert_only(&self, severity: &str, code: &str, naming: &[&str]) -> &Self {
        let mut trouble = self.trouble();
        trouble.retain(|(severity, _)| *severity != "note");
        let expected = if severity == "note" { vec![] } else { vec![(severity, code)] };
        assert_eq!(trouble, expected, "{:#}", self.said);
        self.assert_found(severity, code, naming)
    }

    /// Asserts that it is found, with all of `naming` in what is said of it.
    #[track_caller]
    fn assert_found(&self, severity: &str, code: &str, naming: &[&str]) -> &Self {
        let found = self.findings().iter().find(|f| f["severity"] == severity && f["code"] == code);
        let found = found.unwrap_or_else(|| panic!("no {severity} {code}: {:#}", self.said));
        let text = format!("{} {} {}", found["subject"], found["text"], found["fix"]);
        for name in naming {
            assert!(text.contains(name), "no {name:?} in {text}");
        }
        self.assert_code(i32::from(self.trouble().iter().any(|(severity, _)| *severity == "error")))
    }

    #[track_caller]
    fn assert_absent(&self, code: &str) -> &Self {
        assert!(self.findings().iter().all(|f| f["code"] != code), "{code}: {:#}", self.said);
        self
    }

    #[track_caller]
    fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{:#}", self.said);
        assert_eq!(self.said["ok"], code == 0, "{:#}", self.said);
        self
    }
}
