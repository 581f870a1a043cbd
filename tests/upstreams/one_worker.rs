//! gunicorn with one worker that does one thing at a time, as it comes: slow clients do not keep it from others.

use crate::Front;
use crate::support::programs::{Listen, Running, directory, gunicorn_of};
use crate::support::{Conn, Dialer, table};

table! {
    columns {
        http = "http";
        https = "https";
    } rows {
        a_slow_upload_keeps_nobody_waiting
        a_slow_download_keeps_nobody_waiting
    }
}

/// More than the kernel holds for a client that takes little, and for an upstream.
const LENGTH: usize = 40 << 20;

fn start(mode: &'static str) -> (Running, Front, Dialer) {
    let workers = ["--workers", "1", "--worker-class", "sync"];
    let (gunicorn, url) = gunicorn_of(&workers, "one_worker_app", Listen::Tcp, directory(), &[]);
    let front = Front::start(mode, &url, &[]);
    let dialer = if mode == "http" {
        Dialer::plain(front.server.port)
    } else {
        Dialer::tls(front.server.port, &front.pki.ca_file)
    };
    (gunicorn, front, dialer)
}

/// Asserts that others are served, with a body and without one.
#[track_caller]
fn assert_serves(dialer: &Dialer) {
    for (request, answer) in [
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "0"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", "5"),
    ] {
        let mut conn = dialer.open();
        conn.send(request.as_bytes()).unwrap();
        assert_eq!(String::from_utf8_lossy(&conn.response().body), answer);
    }
}

fn a_slow_upload_keeps_nobody_waiting(mode: &'static str) {
    let (_gunicorn, _front, dialer) = start(mode);
    let slow: Vec<Conn> = [100, 1_000_000]
        .map(|length| {
            let mut conn = dialer.open();
            let head = format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}");
            conn.send(format!("{head}\r\n\r\n{}", "x".repeat(length - 1)).as_bytes()).unwrap();
            conn
        })
        .into();
    assert_serves(&dialer);
    for (mut conn, length) in slow.into_iter().zip(["100", "1000000"]) {
        conn.send(b"x").unwrap();
        assert_eq!(String::from_utf8_lossy(&conn.response().body), length);
    }
}

fn a_slow_download_keeps_nobody_waiting(mode: &'static str) {
    let (_gunicorn, _front, dialer) = start(mode);
    let mut slow = dialer.open();
    rustix::net::sockopt::set_socket_recv_buffer_size(slow.tcp(), 64 << 10).unwrap();
    let request = format!("GET /?{LENGTH} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    slow.send(request.as_bytes()).unwrap();
    // It has begun to be answered, and takes no more.
    while slow.ahead().is_empty() {
        slow.read_some().unwrap();
    }
    assert_serves(&dialer);
    let body = slow.response().body;
    assert!(body.len() == LENGTH && body.iter().all(|&b| b == b'x'), "{} bytes", body.len());
}
