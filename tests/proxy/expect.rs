//! `Expect: 100-continue`, from the client to the upstream and back (RFC 9110 §10.1.1).

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::support::upstream::{Received, Upstream};
use crate::support::{Conn, table};
use crate::{Front, OK, OK_CLOSE, Proxied};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        an_upstream_that_wants_the_body_says_so
        an_upstream_that_does_not_is_not_sent_it
        an_upstream_that_keeps_quiet_is_sent_it_anyway
        a_body_that_is_held_back_is_asked_for_here
        a_client_that_sends_at_once_is_not_told
    }
}

/// Where bodies pass as they come, so that it is the upstream that asks for them.
fn streaming(front: Front, upstream: &Upstream) -> Proxied {
    Proxied::with(front, &[&upstream.url], &["--proxy-streaming"])
}

const HEAD: &[u8] =
    b"POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Length: 5\r\n\
                      Expect: 100-Continue\r\n\r\n";
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

#[track_caller]
fn expect_continue(conn: &mut Conn) {
    while conn.ahead().len() < CONTINUE.len() {
        assert_ne!(conn.read_some().unwrap(), 0, "it ended after {:?}", conn.ahead());
    }
    assert_eq!(conn.ahead().escape_ascii().to_string(), CONTINUE.escape_ascii().to_string());
}

#[track_caller]
fn expect_rest(conn: &mut Conn, rest: &str) {
    let came = conn.rest();
    let came = came.strip_prefix(CONTINUE).unwrap_or_else(|| panic!("{}", came.escape_ascii()));
    assert_eq!(String::from_utf8_lossy(came), rest);
}

fn an_upstream_that_wants_the_body_says_so(front: Front) {
    let (go, may_go) = channel::<()>();
    let may_go = std::sync::Mutex::new(may_go);
    let upstream = Upstream::new(move |talk| {
        let head = talk.head().unwrap();
        assert!(head.ends_with(b"\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"));
        may_go.lock().unwrap().recv().unwrap();
        talk.send(CONTINUE);
        let body = talk.exactly(5).unwrap();
        talk.record(Received { connection: 0, head, body });
        talk.send(OK);
    });
    let proxied = streaming(front, &upstream);
    let mut conn = proxied.open();
    conn.send(HEAD).unwrap();
    // Not before the upstream has said so.
    conn.wait_at_most(Duration::from_millis(300));
    assert!(conn.read_some().is_err(), "{:?}", conn.ahead());
    conn.wait_at_most(Duration::from_secs(10));
    go.send(()).unwrap();
    expect_continue(&mut conn);
    conn.send(b"hello").unwrap();
    expect_rest(&mut conn, OK_CLOSE);
    assert_eq!(upstream.only().body, b"hello");
}

fn an_upstream_that_does_not_is_not_sent_it(front: Front) {
    for status in ["417 Expectation Failed", "413 Content Too Large", "200 OK"] {
        let answer = format!("HTTP/1.1 {status}\r\nDate: today\r\nContent-Length: 2\r\n\r\nno");
        let expected = answer.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
        let upstream = Upstream::new(move |talk| {
            let head = talk.head().unwrap();
            talk.send(answer.as_bytes());
            let body = talk.rest();
            talk.record(Received { connection: 0, head, body });
        });
        let proxied = streaming(front, &upstream);
        let mut conn = proxied.open();
        // It would go on, but nobody can tell what comes next: body or request.
        conn.send(&String::from_utf8_lossy(HEAD).replace(": close", ": x").into_bytes()).unwrap();
        assert_eq!(String::from_utf8_lossy(&conn.rest()), expected);
        drop(conn);
        assert_eq!(upstream.nth(0).body, b"", "{status}");
    }
}

fn an_upstream_that_keeps_quiet_is_sent_it_anyway(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = streaming(front, &upstream);
    let mut conn = proxied.open();
    let start = Instant::now();
    conn.send(HEAD).unwrap();
    expect_continue(&mut conn);
    let waited = start.elapsed();
    let second = Duration::from_millis(900)..Duration::from_secs(5);
    assert!(second.contains(&waited), "after {waited:?}");
    conn.send(b"hello").unwrap();
    expect_rest(&mut conn, OK_CLOSE);
    assert_eq!(upstream.only().body, b"hello");
}

fn a_body_that_is_held_back_is_asked_for_here(front: Front) {
    let known = String::from_utf8_lossy(HEAD).into_owned();
    let chunked = known.replace("Content-Length: 5", "Transfer-Encoding: chunked");
    for (head, body) in [(known, "hello"), (chunked, "5\r\nhello\r\n0\r\n\r\n")] {
        let upstream = Upstream::answering(OK);
        let proxied = Proxied::new(front, &upstream);
        let mut conn = proxied.open();
        conn.send(head.as_bytes()).unwrap();
        expect_continue(&mut conn);
        assert_eq!(upstream.accepted(), 0, "the upstream is not asked for it");
        conn.send(body.as_bytes()).unwrap();
        expect_rest(&mut conn, OK_CLOSE);
        assert_eq!(upstream.only().values("expect"), [""; 0]);
        assert_eq!(upstream.only().body, b"hello");
    }
}

fn a_client_that_sends_at_once_is_not_told(front: Front) {
    let upstream = Upstream::new(|talk| {
        talk.head().unwrap();
        talk.send(CONTINUE);
        assert_eq!(talk.exactly(5).unwrap(), b"hello");
        talk.send(OK);
    });
    for proxied in [Proxied::new(front, &upstream), streaming(front, &upstream)] {
        assert_eq!(proxied.ask([HEAD, b"hello"].concat()), OK_CLOSE);
    }
}
