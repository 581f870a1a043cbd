//! `make install` and `make uninstall`, below a folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{Output, run, tool};

const DEADLINE: Duration = Duration::from_secs(30);

/// Runs make with the program that is under test, so that nothing is built.
fn make(target: &str, root: &Path, more: &[&str]) -> Output {
    let mut make = tool("make");
    make.args(["--silent", target, concat!("TURNKEY=", env!("CARGO_BIN_EXE_turnkey"))]);
    make.arg(format!("DESTDIR={}", root.display())).args(more);
    make.current_dir(env!("CARGO_MANIFEST_DIR"));
    run(make, b"", DEADLINE)
}

/// The files in a folder and all below it, from there, in order.
pub(crate) fn files_in(folder: &Path) -> Vec<PathBuf> {
    fn collect(folder: &Path, root: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, root, files);
            } else {
                files.push(path.strip_prefix(root).unwrap().to_owned());
            }
        }
    }
    let mut files = Vec::new();
    collect(folder, folder, &mut files);
    files.sort();
    files
}

#[test]
fn all_that_is_installed_is_where_it_is_looked_for_and_goes_again() {
    let root = tempfile::tempdir().unwrap();
    let output = make("install", root.path(), &["PREFIX=/opt/turnkey"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let prefix = root.path().join("opt/turnkey");
    let expected = [
        "bin/turnkey",
        "lib/systemd/system/turnkey.service",
        "lib/systemd/system/turnkey.socket",
        "lib/sysusers.d/turnkey.conf",
        "share/bash-completion/completions/turnkey",
        "share/doc/turnkey/CERTIFICATES.md",
        "share/doc/turnkey/LICENSE-APACHE",
        "share/doc/turnkey/LICENSE-MIT",
        "share/doc/turnkey/turnkey.env",
        "share/fish/vendor_completions.d/turnkey.fish",
        "share/man/man1/turnkey.1",
        "share/zsh/site-functions/_turnkey",
    ];
    assert_eq!(files_in(&prefix), expected.map(PathBuf::from));
    for file in expected {
        let metadata = fs::metadata(prefix.join(file)).unwrap();
        let mode = if file == "bin/turnkey" { 0o755 } else { 0o644 };
        assert_eq!(metadata.permissions().mode() & 0o7777, mode, "{file}");
        assert!(metadata.len() > 50, "{file} is empty");
        assert!(output.text().contains(file), "{file} is not in {output:?}");
    }

    let mut version = tool(prefix.join("bin/turnkey").to_str().unwrap());
    version.arg("--version");
    let version = run(version, b"", DEADLINE).text();
    assert!(version.starts_with(concat!("turnkey ", env!("CARGO_PKG_VERSION"))), "{version}");
    let unit = fs::read_to_string(prefix.join("lib/systemd/system/turnkey.service")).unwrap();
    assert!(unit.contains("\nExecStart=/opt/turnkey/bin/turnkey\n"), "{unit}");

    // What lies beside it is somebody else's.
    fs::write(prefix.join("bin/other"), "").unwrap();
    let output = make("uninstall", root.path(), &["PREFIX=/opt/turnkey"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(files_in(&prefix), [PathBuf::from("bin/other")]);
    assert!(!prefix.join("share/doc/turnkey").exists());
}

#[test]
fn the_prefix_is_usr_local() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(make("install", root.path(), &[]).code, Some(0));
    assert!(root.path().join("usr/local/bin/turnkey").exists());
    let again = make("install", root.path(), &[]);
    assert_eq!(again.code, Some(0), "over what is there: {again:?}");
}

#[test]
fn a_prefix_that_is_no_whole_path_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let output = make("install", root.path(), &["PREFIX=local"]);
    assert_ne!(output.code, Some(0));
    assert!(output.stderr.contains("PREFIX=local: expected a whole path"), "{output:?}");
    assert!(files_in(root.path()).is_empty());
}
