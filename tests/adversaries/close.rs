//! The end of a connection on which the client still sends: it reads what it is told, and no reset
//! takes that away (RFC 9112 §9.6).

use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Conn, Site, Stack, is_time_out, on, report};

/// A request that is refused before its body, which comes all the same.
struct Refused {
    status: u16,
    head: String,
}

fn refused() -> Vec<Refused> {
    let length = format!("Content-Length: {BODY}");
    let post = |fields: &str| format!("POST /echo HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
    vec![
        Refused { status: 413, head: post(&length) },
        Refused { status: 400, head: post(&format!("Bad Name: x\r\n{length}")) },
        Refused { status: 400, head: post(&format!("{length}\r\nTransfer-Encoding: chunked")) },
        Refused { status: 431, head: post(&format!("X: {}\r\n{length}", "x".repeat(20_000))) },
    ]
}

/// Three times what a body may be.
const BODY: usize = 3 << 20;

#[test]
fn a_refusal_is_read_by_a_client_that_still_sends() {
    on(&Stack::ALL, |stack| {
        let site = Site::new(stack, &[]);
        let body = vec![b'x'; BODY];
        let times = if Stack::PLAIN_AND_TLS.contains(&stack) { 50 } else { 10 };
        for n in 0..times {
            for Refused { status, head } in refused() {
                let mut conn = site.open();
                conn.send(head.as_bytes()).unwrap();
                // The answer may be there before the body is, in the middle of it, or be read only
                // when all has been sent.
                if n % 3 == 0 {
                    thread::sleep(Duration::from_millis(5));
                }
                for piece in body.chunks(if n % 3 == 1 { 10_000 } else { BODY }) {
                    conn.send(piece).unwrap_or_else(|e| panic!("{status}, {n}: sending: {e}"));
                }
                assert_told(&mut conn, status);
            }
        }
        site.assert_served_soon();
        site.assert_calm();
    });
}

/// curl stops sending when it is told to, and tells whether it could read why.
#[test]
fn curl_reads_the_413() {
    on(&Stack::ALL, |stack| {
        let site = Site::new(stack, &[]);
        let body = format!("@{}", site.pki.write("body", vec![b'x'; BODY]));
        let curl = site.curl().and(&["--data-binary", &body, "-H", "Expect:"]);
        for _ in 0..10 {
            let answer = curl.fetch(&format!("{}echo", site.server.url));
            assert_eq!((answer.exit, answer.status), (0, 413), "{answer:?}");
        }
    });
}

#[track_caller]
fn assert_told(conn: &mut Conn, status: u16) {
    let answer = conn.response();
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.has("connection: close"), "{answer:?}");
    assert!(conn.rest().is_empty());
}

/// Whoever is told, and goes on forever, is cut off.
#[test]
fn a_client_that_never_stops_is_cut_off() {
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let site = Site::new(stack, &[]);
        let open = site.descriptors_at_rest();
        let mut conns: Vec<Conn> = refused()
            .iter()
            .map(|Refused { status, head }| {
                let mut conn = site.open();
                conn.send(head.as_bytes()).unwrap();
                assert_told(&mut conn, *status);
                conn
            })
            .collect();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(35) && !conns.is_empty() {
            thread::sleep(Duration::from_millis(200));
            conns.retain_mut(|conn| match conn.send(b"x") {
                Ok(()) => true,
                Err(e) => {
                    assert!(!is_time_out(&e), "{e}");
                    false
                }
            });
        }
        report(stack, &format!("cut off after {:?}", start.elapsed()));
        assert!(conns.is_empty(), "{} still send after {:?}", conns.len(), start.elapsed());
        site.server.await_descriptors(open, Duration::from_secs(5));
    });
}
