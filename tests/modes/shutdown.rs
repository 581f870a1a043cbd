//! Leaving on a signal.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::Service;
use crate::support::Pki;

in_every_mode! {
    sigterm_ends_with_0
    sigint_ends_with_0
}

fn sigterm_ends_with_0(service: Service) {
    ends_with_0(service, "TERM");
}

fn sigint_ends_with_0(service: Service) {
    ends_with_0(service, "INT");
}

fn ends_with_0(service: Service, signal: &str) {
    let pki = Pki::new();
    let mut server = service.start(&pki);
    service.client(&pki).fetch(&server.url).assert_top_level();
    server.signal(signal);
    assert_eq!(server.wait().code(), Some(0), "log: {}", server.log());
    assert!(!server.log().contains("panicked"), "{}", server.log());
    let refused = TcpStream::connect(("127.0.0.1", server.port));
    assert!(refused.is_err(), "the port is still open");
}

/// A connection that waits for its next request keeps nobody.
#[test]
fn an_idle_connection_is_closed() {
    let mut server = Service::HTTP.start(&Pki::new());
    let mut idle = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    idle.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"Top-level content") && !answer.ends_with(b"Top-level content\n") {
        let mut some = [0; 4096];
        let n = idle.read(&mut some).unwrap();
        assert_ne!(n, 0, "closed early: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&some[..n]);
    }
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0), "log: {}", server.log());
    answer.clear();
    idle.read_to_end(&mut answer).unwrap();
    assert!(answer.iter().all(|b| *b == b'\n'), "{}", String::from_utf8_lossy(&answer));
}

/// An answer that has begun is finished.
#[test]
fn a_request_with_half_a_body_is_answered() {
    let request = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n0123456789";
    let answer = answer_across_sigterm(request, 5);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\n0123456789"), "{answer}");
}

/// A request that has begun is answered, and the client is told that it was the last.
#[test]
fn a_request_with_half_a_head_is_answered() {
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let answer = answer_across_sigterm(request, 10);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(answer.trim_end().ends_with("Top-level content"), "{answer}");
}

/// Sends the last `late` bytes of the request after SIGTERM, and reads to the end.
fn answer_across_sigterm(request: &str, late: usize) -> String {
    let mut server = Service::HTTP.start(&Pki::new());
    let mut slow = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (first, second) = request.split_at(request.len() - late);
    slow.write_all(first.as_bytes()).unwrap();
    // Time for the first part to be read, then for the signal to have its effect.
    thread::sleep(Duration::from_millis(200));
    server.signal("TERM");
    thread::sleep(Duration::from_millis(200));
    let refused = TcpStream::connect(("127.0.0.1", server.port));
    assert!(refused.is_err(), "new connections are still accepted");
    slow.write_all(second.as_bytes()).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert_eq!(server.wait().code(), Some(0), "log: {}", server.log());
    answer
}
