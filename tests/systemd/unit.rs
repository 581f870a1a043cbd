//! The units, as systemd's own tools see them.

use std::fs;
use std::time::Duration;

use crate::support::{Output, run, tool};

const DEADLINE: Duration = Duration::from_secs(60);

const SERVICE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/systemd/turnkey.service");
const SOCKET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/systemd/turnkey.socket");

fn analyze(args: &[&str]) -> Output {
    let mut analyze = tool("systemd-analyze");
    analyze.args(args);
    run(analyze, b"", DEADLINE)
}

/// With the program where it is, since here it is not installed.
#[test]
fn the_units_are_well_formed() {
    let folder = tempfile::tempdir().unwrap();
    let service = fs::read_to_string(SERVICE).unwrap();
    let service = service.replace("/usr/bin/turnkey", env!("CARGO_BIN_EXE_turnkey"));
    assert!(service.contains(env!("CARGO_BIN_EXE_turnkey")));
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("turnkey.service"), service).unwrap();
    fs::copy(SOCKET, path("turnkey.socket")).unwrap();
    let output =
        analyze(&["verify", "--man=no", &path("turnkey.service"), &path("turnkey.socket")]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!((output.text().as_str(), output.stderr.as_str()), ("", ""));
}

/// From 0, what may do nothing, to 10.
#[test]
fn the_service_is_exposed_to_little() {
    let output = analyze(&["security", "--offline=true", "--threshold=20", SERVICE]);
    assert_eq!(output.code, Some(0), "more than 2.0: {}", output.text());
    assert!(
        output.text().contains("Overall exposure level for turnkey.service: 1.6 OK"),
        "{output:?}"
    );
}
