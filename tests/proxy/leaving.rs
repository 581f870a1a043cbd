//! Clients that leave while the upstream is busy with what they asked for: it is told at once, and not
//! when it has something to say.

use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use crate::bodies::{await_connections, signal};
use crate::support::upstream::{Talk, Upstream};
use crate::support::{Conn, table};
use crate::{Front, OK, OK_CLOSE, Proxied};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        before_there_is_an_answer
        within_the_answer
        before_the_upstream_has_the_request
        the_connection_is_not_used_again
        whoever_says_no_more_may_still_listen
        what_comes_meanwhile_is_not_lost
    }
}

/// What a busy machine may need, and much less than what ends it otherwise.
const AT_ONCE: Duration = Duration::from_secs(4);

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Takes a request, says this, and tells when nobody listens any more.
fn thinking(said: &'static [u8]) -> (Upstream, Receiver<usize>) {
    let (gone, knows) = signal();
    let upstream = Upstream::new(move |talk| {
        talk.request();
        talk.send(said);
        let more = talk.rest();
        gone.send(more.len()).unwrap();
    });
    (upstream, knows.into_inner().unwrap())
}

#[track_caller]
fn assert_told(proxied: &mut Proxied, knows: &Receiver<usize>, what: &str) {
    let more = knows.recv_timeout(AT_ONCE).unwrap_or_else(|_| panic!("{what}: it is not told"));
    assert_eq!(more, 0, "{what}: it got more than the request");
    proxied.server.assert_alive();
    let log = proxied.server.log();
    assert!(!log.contains("error: ") && !log.contains("left alone"), "{what}: {log}");
}

fn before_there_is_an_answer(front: Front) {
    let pipeline = GET.repeat(3);
    let long = format!("{GET}GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(4000)).repeat(3);
    for request in [
        GET,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        &pipeline,
        &long,
        // Half of the next one.
        &pipeline[..pipeline.len() - 4],
    ] {
        let (upstream, knows) = thinking(b"");
        let mut proxied = Proxied::new(front, &upstream);
        let mut conn = proxied.open();
        conn.send(request.as_bytes()).unwrap();
        upstream.nth(0);
        thread::sleep(Duration::from_millis(50));
        conn.reset();
        assert_told(&mut proxied, &knows, request);
    }
}

fn within_the_answer(front: Front) {
    for said in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
    ] {
        let (upstream, knows) = thinking(said);
        let mut proxied = Proxied::new(front, &upstream);
        let mut conn = proxied.open();
        conn.send(GET.as_bytes()).unwrap();
        until(&mut conn, "hello");
        conn.reset();
        assert_told(&mut proxied, &knows, &said.escape_ascii().to_string());
    }
}

/// It is waited for in the handshake, which it does not begin.
fn before_the_upstream_has_the_request(front: Front) {
    let (gone, knows) = signal();
    let upstream = Upstream::new(move |talk| {
        talk.exactly(1);
        talk.rest();
        gone.send(0).unwrap();
    });
    let url = upstream.url.replace("http:", "https:");
    let mut proxied = Proxied::with(front, &[&url], &[]);
    let mut conn = proxied.open();
    conn.send(GET.as_bytes()).unwrap();
    await_connections(&upstream, 1);
    thread::sleep(Duration::from_millis(50));
    conn.reset();
    assert_told(&mut proxied, &knows.into_inner().unwrap(), "handshake");
}

fn the_connection_is_not_used_again(front: Front) {
    let (gone, knows) = signal();
    let upstream = Upstream::new(move |talk| {
        while let Some(request) = talk.request() {
            if request.target() == "/slow" {
                let more = talk.rest();
                gone.send(more.len()).unwrap();
                return;
            }
            talk.send(OK);
        }
    });
    let mut proxied = Proxied::new(front, &upstream);
    let knows = knows.into_inner().unwrap();
    assert_eq!(proxied.get("/"), OK_CLOSE);
    let mut conn = proxied.open();
    conn.send(GET.replace("/ ", "/slow ").as_bytes()).unwrap();
    upstream.nth(1);
    conn.reset();
    assert_told(&mut proxied, &knows, "slow");
    assert_eq!(proxied.get("/"), OK_CLOSE);
    let on: Vec<_> = upstream.requests().iter().map(|request| request.connection).collect();
    assert_eq!(on, [0, 0, 1]);
}

fn whoever_says_no_more_may_still_listen(front: Front) {
    let pause = || thread::sleep(Duration::from_millis(300));
    let upstream = Upstream::new(move |talk: &mut Talk| {
        while talk.request().is_some() {
            pause();
            talk.send(b"HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 10\r\n\r\nhello");
            pause();
            talk.send(b"world");
        }
    });
    let proxied = Proxied::new(front, &upstream);
    for request in [GET.to_owned(), GET.repeat(2)] {
        let mut conn = proxied.open();
        conn.send(request.as_bytes()).unwrap();
        conn.finish().unwrap();
        for _ in 0..request.matches("GET").count() {
            assert_eq!(conn.response().body, b"helloworld");
        }
        assert_eq!(conn.rest(), b"");
    }
    assert_eq!(upstream.accepted(), 1);
}

/// More than is looked at meanwhile; of a body that is not taken at first, and of a pipeline.
fn what_comes_meanwhile_is_not_lost(front: Front) {
    const LENGTH: usize = 1 << 20;
    let upstream = Upstream::new(|talk| {
        while let Some(head) = talk.head() {
            thread::sleep(Duration::from_millis(200));
            if head.starts_with(b"POST") {
                let body = talk.exactly(LENGTH).unwrap();
                assert!(body.iter().zip((0..251).cycle()).all(|(&byte, n)| byte == n));
            }
            talk.send(OK);
        }
    });
    let proxied = Proxied::new(front, &upstream);
    let mut conn = proxied.open();
    let mut bytes =
        format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {LENGTH}\r\n\r\n").into_bytes();
    bytes.extend((0..251).cycle().take(LENGTH));
    let field = format!("Host: a\r\nX: {}\r\n", "x".repeat(5000));
    for _ in 0..8 {
        bytes.extend_from_slice(GET.replace("Host: a\r\n", &field).as_bytes());
    }
    conn.send(&bytes).unwrap();
    for _ in 0..9 {
        assert_eq!(conn.response().body, b"ok");
    }
}

#[track_caller]
fn until(conn: &mut Conn, end: &str) {
    while crate::support::upstream::find(conn.ahead(), end.as_bytes()).is_none() {
        let read = conn.read_some();
        assert!(matches!(read, Ok(1..)), "{read:?}");
    }
}
