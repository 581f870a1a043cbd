//! What stands before the program: `make` says what is missing before cargo fails over it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use support::{Output, run, tool};

mod support;

const DEADLINE: Duration = Duration::from_secs(10);

/// Runs the check of the build tools where only these commands are found, and `pkg-config` says
/// that it knows no OpenSSL.
fn check(commands: &[&str]) -> Output {
    let bin = tempfile::tempdir().unwrap();
    for command in commands {
        let found = match *command {
            "pkg-config" => "false".to_owned(),
            other => other.to_owned(),
        };
        let path = std::env::var("PATH").unwrap();
        let target = path.split(':').map(|dir| Path::new(dir).join(&found)).find(|p| p.exists());
        symlink(target.expect("it is on the PATH"), bin.path().join(command)).unwrap();
    }
    let mut shell = tool("/bin/sh");
    shell.arg("scripts/build-tools.sh").current_dir(env!("CARGO_MANIFEST_DIR"));
    shell.env("PATH", bin.path());
    run(shell, b"", DEADLINE)
}

fn assert_says(output: &Output, what: &str, packages: [&str; 3]) {
    assert_eq!(output.code, Some(1), "{output:?}");
    for text in [what, "Debian", "Fedora", "Alpine"].into_iter().chain(packages) {
        assert!(output.stderr.contains(text), "{text} is not in: {}", output.stderr);
    }
}

#[test]
fn a_missing_c_compiler_is_named_with_its_packages() {
    assert_says(&check(&["uname", "cargo"]), "C compiler", ["gcc libc6-dev", "gcc", "musl-dev"]);
}

#[test]
fn missing_pkg_config_is_named_with_its_packages() {
    let output = check(&["uname", "cargo", "cc"]);
    assert_says(&output, "pkg-config is missing", ["pkg-config", "pkgconf-pkg-config", "pkgconf"]);
}

#[test]
fn missing_headers_are_named_with_their_packages() {
    let output = check(&["uname", "cargo", "cc", "pkg-config"]);
    assert_says(&output, "OpenSSL's headers", ["libssl-dev", "openssl-devel", "openssl-dev"]);
}

#[test]
fn help_lists_what_there_is() {
    let mut make = tool("make");
    make.arg("help").current_dir(env!("CARGO_MANIFEST_DIR"));
    let text = run(make, b"", DEADLINE).text();
    for target in ["certs", "run", "test", "lint", "help", "MODE=", "BACKEND=", "VERIFY_USER=1"] {
        assert!(text.contains(target), "{target} is not in: {text}");
    }
}
