//! Places that cannot be listened at, and options that make no sense together.

use crate::support::{FAILURE, Program, USAGE, assert_complaint};
use crate::{Service, free_port};

#[test]
fn addresses_that_are_none() {
    for address in
        ["8000", ":8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "unix:", "::1:80"]
    {
        let output = Program::new(&["--listen", address]).run();
        assert_complaint(&output, USAGE, &["--listen", address]);
    }
}

#[test]
fn a_port_beside_it() {
    let output = Program::new(&["--listen", "127.0.0.1:0", "--port", "8000"]).run();
    assert_complaint(&output, USAGE, &["--listen", "--port"]);
}

#[test]
fn permissions_without_a_file_and_permissions_that_are_none() {
    let output = Program::new(&["--port", "0", "--socket-mode", "660"]).run();
    assert_complaint(&output, USAGE, &["--socket-mode", "--listen unix:"]);
    for mode in ["rw", "888", "1777", "-1"] {
        let output = Program::new(&["--listen", "unix:socket", "--socket-mode", mode]).run();
        assert_complaint(&output, USAGE, &["--socket-mode", mode, "660"]);
    }
}

#[test]
fn a_redirect_to_no_port() {
    let output =
        Program::new(&["--adhoc", "--listen", "unix:socket", "--redirect-from", "0"]).run();
    assert_complaint(&output, USAGE, &["--redirect-from", "--listen"]);
}

#[test]
fn one_that_is_taken_of_several() {
    let service = Service::start("http", &["--listen", "127.0.0.1:0"]);
    let taken = service.server.banner.split(" and http://").nth(1).unwrap();
    let taken = taken.split('/').next().unwrap();
    let output = Program::new(&["--listen", "127.0.0.1:0", "--listen", taken]).run();
    assert_complaint(&output, FAILURE, &[taken, "in use", "--listen", "ss -ltnp"]);
    let listen = format!("unix:{}", service.path);
    let output = Program::new(&["--listen", "127.0.0.1:0", "--listen", &listen]).run();
    assert_complaint(&output, FAILURE, &[&listen, "in use", "ss -lxp"]);
    assert_eq!(service.whoami(&[])["client"], "unix", "the one that was there is none the worse");
}

#[test]
fn a_file_that_is_no_socket() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("precious");
    std::fs::write(&path, "precious").unwrap();
    let listen = format!("unix:{}", path.display());
    let output = Program::new(&["--listen", &listen]).run();
    assert_complaint(&output, FAILURE, &[&listen, "no socket"]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn folders_that_are_missing_and_paths_that_are_too_long() {
    let dir = tempfile::tempdir().unwrap();
    let missing = format!("unix:{}/missing/socket", dir.path().display());
    assert_complaint(&Program::new(&["--listen", &missing]).run(), FAILURE, &[&missing, "folder"]);
    let long = format!("unix:{}/{}", dir.path().display(), "a".repeat(120));
    assert_complaint(&Program::new(&["--listen", &long]).run(), FAILURE, &[&long, "too long"]);
}

#[test]
fn hosts_that_are_nowhere() {
    let port = free_port();
    let nowhere = format!("nowhere.invalid:{port}");
    let output = Program::new(&["--listen", "127.0.0.1:0", "--listen", &nowhere]).run();
    assert_complaint(&output, FAILURE, &["--listen nowhere.invalid", "no such host"]);
    let elsewhere = format!("192.0.2.1:{port}");
    let output = Program::new(&["--listen", &elsewhere]).run();
    assert_complaint(&output, FAILURE, &[&elsewhere, "not an address of this machine"]);
}
