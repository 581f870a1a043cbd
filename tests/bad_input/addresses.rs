//! Addresses that cannot be listened on.

use std::net::TcpListener;

use crate::support::{FAILURE, Output, Pki, Program, USAGE, assert_complaint};

fn listen_on(host: &str, port: &str) -> Output {
    Program::new(&["--host", host, "--port", port]).run()
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    assert_complaint(&listen_on("127.0.0.1", &port), FAILURE, &[&port, "in use"]);
}

#[test]
fn a_port_in_use_in_mutual_mode() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let pki = Pki::new();
    let output = Program::new(&[&pki.mutual_args()[..], &["--port", &port]].concat()).run();
    assert_complaint(&output, FAILURE, &[&port, "in use"]);
}

#[test]
fn a_port_that_another_turnkey_has() {
    let first = crate::support::Server::with(&[]);
    let port = first.port.to_string();
    assert_complaint(&listen_on("127.0.0.1", &port), FAILURE, &[&port, "in use"]);
}

#[test]
fn an_address_of_another_machine() {
    // TEST-NET-3, RFC 5737: nobody's.
    assert_complaint(&listen_on("203.0.113.1", "0"), FAILURE, &["203.0.113.1"]);
}

#[test]
fn a_host_that_is_no_name() {
    for host in ["not..a..host", "a b", "256.1.1.1.1", ""] {
        let output = listen_on(host, "0");
        // Whether that is found on the command line or by the resolver is not of interest.
        assert!([FAILURE, USAGE].contains(&output.code.unwrap_or(-1)), "{host:?}: {output:?}");
        let code = output.code.unwrap();
        assert_complaint(&output, code, &[if host.is_empty() { "--host" } else { host }]);
    }
}
