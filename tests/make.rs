//! What stands before the program: `make` says what is missing before cargo fails over it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use turnkey_test_support::{Output, run, tool};

const DEADLINE: Duration = Duration::from_secs(10);

/// Runs the check of the build tools where only these commands are found, and `pkg-config` says
/// that it knows no OpenSSL.
fn check(commands: &[&str]) -> Output {
    check_in(&tempfile::tempdir().unwrap(), commands)
}

/// The same with what stands in a folder as well.
fn check_in(bin: &TempDir, commands: &[&str]) -> Output {
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

/// Puts a program that answers so into the folder.
fn program(bin: &TempDir, name: &str, script: &str) {
    let path = bin.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn rust_version() -> &'static str {
    let (_, rest) = include_str!("../Cargo.toml").split_once("\nrust-version = \"").unwrap();
    rest.split_once('"').unwrap().0
}

#[test]
fn a_cargo_that_is_too_old_is_named_with_what_to_do() {
    let needed = rust_version();
    let minor: u32 = needed.strip_prefix("1.").unwrap().parse().unwrap();
    let before = format!("1.{}", minor - 1);
    for version in ["1.65.0", "0.66.0", "1.9.0", &before, &format!("{before}.1 (abc 2025-01-01)")] {
        let bin = tempfile::tempdir().unwrap();
        program(&bin, "cargo", &format!("echo cargo '{version}'"));
        let output = check_in(&bin, &["uname", "cc"]);
        assert_eq!(output.code, Some(1), "{version}: {output:?}");
        assert_eq!(output.stderr.lines().count(), 1, "{output:?}");
        let version = version.split(' ').next().unwrap();
        for part in [&format!("cargo {version} is too old"), needed, "rustup", "backports"] {
            assert!(output.stderr.contains(part), "{part} is not in: {}", output.stderr);
        }
    }
    assert!(check(&["uname"]).stderr.contains(&format!("Install Rust {needed} or later")));
}

/// One that says nothing of its version may be any.
#[test]
fn a_cargo_that_is_new_enough_is_taken() {
    let needed = rust_version();
    let minor: u32 = needed.strip_prefix("1.").unwrap().parse().unwrap();
    let later = format!("1.{}.0-nightly (abc 2025-01-01)", minor + 1);
    for says in
        [&format!("cargo {needed}.0"), &format!("cargo {later}"), "cargo 2.0.0", "", "what?"]
    {
        let bin = tempfile::tempdir().unwrap();
        program(&bin, "cargo", &format!("echo '{says}'"));
        let output = check_in(&bin, &["uname"]);
        assert!(output.stderr.contains("a C compiler is missing"), "{says}: {output:?}");
    }
}

/// A rebuild takes minutes, in which cargo says what it is at.
#[test]
fn a_build_is_not_silent() {
    let bin = tempfile::tempdir().unwrap();
    program(&bin, "cargo", "[ \"$1\" != build ] || echo \"arguments: $*\"");
    program(&bin, "turnkey", "");
    for turnkey in ["turnkey", "missing"] {
        let mut make = tool("make");
        make.args(["--silent", "build", &format!("CARGO={}/cargo", bin.path().display())]);
        make.arg(format!("TURNKEY={}", bin.path().join(turnkey).display()));
        make.current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = run(make, b"", DEADLINE);
        assert_eq!(output.text(), "arguments: build --release\n", "{output:?}");
    }
}

/// The last line can be pasted: `tests/readme/table.rs` has it served.
#[test]
fn certificates_that_are_made_are_to_be_served_by_make() {
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("certs").display().to_string();
    let make = |more: &[&str]| {
        let mut make = tool("make");
        make.args(["--silent", "certs", "CARGO=true", &format!("CERTS={certs}")]).args(more);
        make.arg(concat!("TURNKEY=", env!("CARGO_BIN_EXE_turnkey")));
        make.current_dir(env!("CARGO_MANIFEST_DIR"));
        run(make, b"", DEADLINE)
    };
    // Nothing was made that could be served.
    for arguments in ["ARGS=--host /", "ARGS=--help"] {
        assert!(!make(&[arguments]).text().contains("make run"), "{arguments}");
    }
    let output = make(&[]);
    assert!(output.text().ends_with(&format!("\n  make run CERTS='{certs}'\n")), "{output:?}");
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
