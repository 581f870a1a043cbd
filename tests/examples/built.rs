//! Examples as programs. `cargo test` builds them beside the tests, but not when it is told which
//! tests to run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// The program that an example is built to.
pub(crate) fn example(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(folder).join(name)
}

/// Where they all are, as new as their source.
fn folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test");
    let profile = test.ancestors().nth(2).expect("it is in deps").to_owned();
    let folder = profile.join("examples");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = ["src", "backends", "examples"].map(|part| newest(&root.join(part)));
    let newest_source = sources.into_iter().max().expect("there are some");
    let names = fs::read_dir(root.join("examples")).expect("the examples");
    let is_new = names.map(|name| folder.join(name.expect("a file").path().file_stem().unwrap()));
    if !is_new.into_iter().all(|program| modified(&program) > Some(newest_source)) {
        build(&profile);
    }
    folder
}

/// When the newest of the files below `path` was changed.
fn newest(path: &Path) -> SystemTime {
    if !path.is_dir() {
        return modified(path).expect("a file");
    }
    let entries = fs::read_dir(path).expect("a folder");
    let times = entries.map(|entry| newest(&entry.expect("an entry").path()));
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Builds them with the features that the tests were built with.
fn build(profile: &Path) {
    let features = [
        (cfg!(feature = "cli"), "cli"),
        (cfg!(feature = "native-tls"), "native-tls"),
        (cfg!(feature = "rustls"), "rustls"),
        (cfg!(feature = "openssl"), "openssl"),
        (cfg!(feature = "pki"), "pki"),
    ];
    let on = features.into_iter().filter(|(on, _)| *on).map(|(_, name)| name);
    let on = on.collect::<Vec<_>>().join(",");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--examples", "--no-default-features", "--features", &on]);
    cargo.arg("--target-dir").arg(profile.parent().expect("the target folder"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo");
    assert!(status.success(), "the examples are not built: {status}");
}
