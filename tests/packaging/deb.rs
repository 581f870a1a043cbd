//! The Debian package: built by `make deb`, installed by dpkg, run as the service runs it, removed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{apart, run, tool};

const DEADLINE: Duration = Duration::from_secs(300);

/// Builds it of the program that is under test.
fn build(folder: &Path) -> PathBuf {
    let mut make = tool("make");
    make.args(["--silent", "deb", concat!("TURNKEY=", env!("CARGO_BIN_EXE_turnkey"))]);
    // Compressed less: it is thrown away.
    make.arg(format!("DEB_ARGS=--fast --output {}/", folder.display()));
    make.current_dir(env!("CARGO_MANIFEST_DIR"));
    // cargo has its tools in somebody's home.
    for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME"] {
        if let Some(value) = std::env::var_os(name) {
            make.env(name, value);
        }
    }
    let output = run(make, b"", DEADLINE);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(!output.stderr.contains("warning"), "{output:?}");
    let mut packages = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let package = packages.next().unwrap_or_else(|| panic!("no package: {output:?}"));
    assert_eq!(packages.next(), None);
    package
}

#[test]
fn a_package_installs_serves_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let package = build(folder.path());

    let mut command = apart("tests/packaging/system.sh");
    command.arg(package);
    let output = run(command, b"", DEADLINE);
    let text = output.text();
    assert_eq!(output.code, Some(0), "{text}{}", output.stderr);
    let said: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("== ")).collect();
    assert_eq!(
        said,
        [
            concat!("version turnkey ", env!("CARGO_PKG_VERSION")),
            "guide 1",
            "user turnkey:turnkey server:/etc/turnkey:/usr/sbin/nologin",
            "folder root:turnkey 750",
            "options root:root 600",
            "units disabled disabled ",
            "units enabled disabled ",
            "served Top-level content",
            "as turnkey",
            "left 0",
            "removed gone, turnkey.env",
            "purged gone",
        ],
        "{text}{}",
        output.stderr
    );
}
