//! Bodies of requests on their way to the upstream.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::held_back::post_chunked;
use crate::support::upstream::{Received, Talk, Upstream};
use crate::support::{Conn, table};
use crate::{Front, OK, OK_CLOSE, Proxied, assert_refused};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        an_upstream_is_asked_when_the_body_is_whole
        a_known_length_streams
        an_upload_is_held_back_by_the_upstream
        an_answer_may_come_while_the_body_does
        an_answer_before_the_body_is_handed_on
        too_large_a_body_is_refused
        a_client_that_stalls_is_told
        a_slow_client_is_not_a_slow_upstream
        a_client_that_leaves_leaves_the_upstream_a_part
        who_always_sends_keeps_nobody_waiting
    }
}

pub(crate) const POST: &str = "POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n";

/// What an upstream says when it has got so far, and when it may go on.
pub(crate) fn signal<T: Send>() -> (Sender<T>, Mutex<Receiver<T>>) {
    let (sender, receiver) = channel();
    (sender, Mutex::new(receiver))
}

pub(crate) const SOON: Duration = Duration::from_secs(10);

fn an_upstream_is_asked_when_the_body_is_whole(front: Front) {
    for length in [2_usize, 10_000, 65_537, 1_000_000] {
        let upstream = Upstream::answering(OK);
        let proxied = Proxied::new(front, &upstream);
        let body: Vec<u8> = (0..251).cycle().take(length).collect();
        let (all_but_one, last) = body.split_at(length - 1);
        let mut conn = proxied.open();
        conn.send(format!("{POST}Content-Length: {length}\r\n\r\n").as_bytes()).unwrap();
        conn.send(all_but_one).unwrap();
        // Others have left in the middle of it, in both ways.
        for leave in [|conn: Conn| drop(conn), |conn: Conn| conn.reset()] {
            let mut conn = proxied.open();
            conn.send(format!("{POST}Content-Length: {length}\r\n\r\n").as_bytes()).unwrap();
            conn.send(all_but_one).unwrap();
            thread::sleep(Duration::from_millis(50));
            leave(conn);
        }
        // Whoever is served beside it is the first that the upstream hears of.
        assert_eq!(proxied.get("/"), OK_CLOSE);
        assert_eq!(upstream.accepted(), 1, "{length}: it was asked before the body was there");
        assert_eq!(upstream.take_requests().len(), 1);
        conn.send(last).unwrap();
        assert_eq!(String::from_utf8_lossy(&conn.rest()), OK_CLOSE);
        let request = upstream.only();
        assert_eq!(request.values("content-length"), [length.to_string()]);
        assert!(request.values("transfer-encoding").is_empty(), "{}", request.text());
        assert!(request.body == body, "{length}: other bytes came");
    }
}

fn a_known_length_streams(front: Front) {
    let (got, so_far) = signal();
    let upstream = Upstream::new(move |talk| {
        let head = talk.head().unwrap();
        assert!(head.ends_with(b"\r\nContent-Length: 11\r\n\r\n"));
        got.send(talk.exactly(6)).unwrap();
        got.send(talk.exactly(5)).unwrap();
        talk.send(OK);
    });
    let proxied = Proxied::with(front, &[&upstream.url], &["--proxy-streaming"]);
    let mut conn = proxied.open();
    conn.send(format!("{POST}Content-Length: 11\r\n\r\nhello ").as_bytes()).unwrap();
    let so_far = so_far.lock().unwrap();
    assert_eq!(so_far.recv_timeout(SOON).unwrap().unwrap(), b"hello ");
    conn.send(b"world").unwrap();
    assert_eq!(so_far.recv_timeout(SOON).unwrap().unwrap(), b"world");
    assert_eq!(String::from_utf8_lossy(&conn.rest()), OK_CLOSE);
}

fn an_upload_is_held_back_by_the_upstream(front: Front) {
    const LENGTH: usize = 64 << 20;
    /// What the kernel holds of it, in both connections.
    const HELD: usize = 24 << 20;
    let (go, may_go) = signal::<()>();
    let upstream = Upstream::new(move |talk| {
        talk.head().unwrap();
        may_go.lock().unwrap().recv_timeout(SOON).unwrap();
        let mut sum = 0_u64;
        for _ in 0..LENGTH / (1 << 20) {
            let piece = talk.exactly(1 << 20).unwrap();
            sum += piece.iter().map(|&b| u64::from(b)).sum::<u64>();
        }
        talk.send(
            format!("HTTP/1.1 200 OK\r\nX-Sum: {sum}\r\nContent-Length: 0\r\n\r\n").as_bytes(),
        );
    });
    let proxied =
        Proxied::with(front, &[&upstream.url], &["--max-body", "64M", "--proxy-streaming"]);
    let mut conn = proxied.open();
    conn.send(format!("{POST}Content-Length: {LENGTH}\r\n\r\n").as_bytes()).unwrap();
    let before = proxied.server.memory();
    let sent = std::sync::atomic::AtomicUsize::new(0);
    let load = |order| sent.load(order);
    thread::scope(|scope| {
        scope.spawn(|| {
            let piece: Vec<u8> = (0..=255).cycle().take(64 << 10).collect();
            for _ in 0..LENGTH / piece.len() {
                conn.send(&piece).unwrap();
                sent.fetch_add(piece.len(), Ordering::SeqCst);
            }
        });
        // As far as it gets.
        let order = Ordering::SeqCst;
        let mut last = usize::MAX;
        while last != load(order) {
            last = load(order);
            thread::sleep(Duration::from_millis(500));
        }
        assert!(last < HELD, "{last} bytes went where nobody takes them");
        let held = proxied.server.memory().saturating_sub(before);
        assert!(held < 4 << 10, "{held} KiB more");
        go.send(()).unwrap();
    });
    let answer = String::from_utf8_lossy(&conn.rest()).into_owned();
    let sum = LENGTH / 256 * (255 * 256 / 2);
    assert!(answer.contains(&format!("\r\nX-Sum: {sum}\r\n")), "{answer}");
    let held = proxied.server.memory().saturating_sub(before);
    assert!(held < 4 << 10, "{held} KiB more");
}

/// An upstream that echoes must not have to wait for the end, nor have the client wait.
fn an_answer_may_come_while_the_body_does(front: Front) {
    const LENGTH: usize = 8 << 20;
    let upstream = Upstream::new(|talk| {
        talk.head().unwrap();
        talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n").as_bytes());
        for _ in 0..LENGTH / (1 << 16) {
            let Some(piece) = talk.exactly(1 << 16) else { return };
            talk.send(&piece);
        }
        talk.record(Received { connection: talk.number, head: Vec::new(), body: Vec::new() });
        talk.answer_all(OK);
    });
    let proxied =
        Proxied::with(front, &[&upstream.url], &["--proxy-timeout", "5", "--proxy-streaming"]);
    let mut conn = proxied.open();
    let head = format!("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: {LENGTH}\r\n\r\n");
    conn.send(head.as_bytes()).unwrap();
    let piece: Vec<u8> = (0..=255).cycle().take(1 << 16).collect();
    let mut back = 0;
    for n in 0..LENGTH / piece.len() {
        conn.send(&piece).unwrap();
        // All of this piece comes back before the next one goes.
        let wanted = (n + 1) * piece.len();
        while back < wanted {
            let before = conn.ahead().len();
            let read = conn.read_some();
            assert!(matches!(read, Ok(1..)), "{read:?} after {back} bytes");
            let head = crate::support::upstream::find(conn.ahead(), b"\r\n\r\n")
                .map_or(before, |at| at + 4);
            back = conn.ahead().len() - head;
        }
    }
    assert_eq!(conn.response().body.len(), LENGTH);
    // All of it has been read: the connection is good for more.
    assert_eq!(proxied.get("/"), OK_CLOSE);
    assert_eq!(upstream.accepted(), 1);
}

fn an_answer_before_the_body_is_handed_on(front: Front) {
    let refused = "HTTP/1.1 413 Content Too Large\r\nDate: today\r\nContent-Length: 3\r\n";
    let upstream = Upstream::new(move |talk| {
        talk.head();
        talk.send(format!("{refused}\r\nno\n").as_bytes());
        // As servers do it that want the answer to be read.
        talk.finish();
        talk.rest();
    });
    let proxied = Proxied::with(front, &[&upstream.url], &["--proxy-streaming"]);
    let mut conn = proxied.open();
    let head = format!("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: {}\r\n\r\n", 5 << 20);
    conn.send(head.as_bytes()).unwrap();
    conn.send(&b"x".repeat(100_000)).unwrap();
    let answer = String::from_utf8_lossy(&conn.rest()).into_owned();
    // Nobody waits for 5 MiB that nobody wants.
    assert_eq!(answer, format!("{refused}Connection: close\r\n\r\nno\n"));
    // Less is passed over, and the connection goes on.
    let mut conn = proxied.open();
    conn.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello").unwrap();
    assert_eq!(conn.response().status, 413);
    conn.send(b"worldGET / HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
    assert_eq!(conn.response().status, 413);
    assert_eq!(upstream.accepted(), 3, "a connection with half a request on it was used again");
    // When it is asked with all of the body, that is not in the way of the next request either.
    let proxied = Proxied::new(front, &upstream);
    let mut conn = proxied.open();
    for n in 4..6 {
        conn.send(head.as_bytes()).unwrap();
        conn.send(&b"x".repeat(5 << 20)).unwrap();
        let answer = conn.response();
        assert_eq!((answer.status, &*answer.body), (413, &b"no\n"[..]));
        assert_eq!(upstream.accepted(), n, "a connection with half a request on it was used again");
    }
}

fn too_large_a_body_is_refused(front: Front) {
    let upstream = Upstream::answering(OK);
    let limit = ["--max-body", "100000"];
    let proxied = Proxied::with(front, &[&upstream.url], &limit);
    let long = b"x".repeat(150_000);
    let known = format!("{POST}Content-Length: 100001\r\n\r\n");
    assert_refused(&proxied.ask(known), 413, &["100000"]);
    assert_refused(&post_chunked(&proxied, &long), 413, &["100000"]);
    assert_eq!(upstream.accepted(), 0, "the upstream was asked");
    assert_eq!(post_chunked(&proxied, &long[..100_000]), OK_CLOSE);

    let (got, all) = signal();
    let upstream = Upstream::new(move |talk| got.send(talk.rest()).unwrap());
    let streaming = [&limit[..], &["--proxy-streaming"]].concat();
    let proxied = Proxied::with(front, &[&upstream.url], &streaming);
    assert_refused(&post_chunked(&proxied, &long), 413, &["100000"]);
    let all = all.lock().unwrap().recv_timeout(SOON).unwrap();
    assert!(!all.ends_with(b"\r\n0\r\n\r\n") && all.len() < 110_000, "it passes for whole");
}

fn a_client_that_stalls_is_told(front: Front) {
    let (got, all) = signal();
    let upstream = Upstream::new(move |talk| got.send(talk.rest()).unwrap());
    let timeout = ["--body-timeout", "0.4"];
    let proxied = Proxied::with(front, &[&upstream.url], &timeout);
    let known = format!("{POST}Content-Length: 10\r\n\r\nhello");
    let chunked = format!("{POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    for request in [&known, &chunked] {
        assert_refused(&proxied.ask(request), 408, &["no byte of the request body"]);
    }
    assert_eq!(upstream.accepted(), 0, "half a body was handed on");
    let streaming = [&timeout[..], &["--proxy-streaming"]].concat();
    let proxied = Proxied::with(front, &[&upstream.url], &streaming);
    assert_refused(&proxied.ask(known), 408, &["no byte of the request body"]);
    let came = all.lock().unwrap().recv_timeout(SOON).unwrap();
    assert!(came.ends_with(b"\r\n\r\nhello"));
    assert_refused(&proxied.ask(&chunked), 408, &["no byte of the request body"]);
    let came = all.lock().unwrap().recv_timeout(SOON).unwrap();
    assert!(came.ends_with(b"\r\n\r\n5\r\nhello\r\n"), "{}", came.escape_ascii());
}

fn a_slow_client_is_not_a_slow_upstream(front: Front) {
    let upstream = Upstream::answering(OK);
    for streaming in [&[][..], &["--proxy-streaming"]] {
        let args = [&["--proxy-timeout", "0.4"], streaming].concat();
        let proxied = Proxied::with(front, &[&upstream.url], &args);
        let mut conn = proxied.open();
        conn.send(format!("{POST}Content-Length: 10\r\n\r\nhello").as_bytes()).unwrap();
        thread::sleep(Duration::from_secs(1));
        conn.send(b"world").unwrap();
        assert_eq!(String::from_utf8_lossy(&conn.rest()), OK_CLOSE);
    }
}

fn a_client_that_leaves_leaves_the_upstream_a_part(front: Front) {
    let (got, all) = signal();
    let rest = move |talk: &mut Talk| got.send(talk.rest()).unwrap();
    let upstream = Upstream::new(rest);
    let mut proxied = Proxied::with(front, &[&upstream.url], &["--proxy-streaming"]);
    let known = format!("{POST}Content-Length: 10\r\n\r\nhello");
    let chunked = format!("{POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    for (n, request) in [known, chunked].iter().enumerate() {
        // With a FIN, and with a reset.
        let mut conn = proxied.open();
        conn.send(request.as_bytes()).unwrap();
        await_connections(&upstream, 2 * n + 1);
        conn.finish().unwrap();
        let answer = String::from_utf8_lossy(&conn.rest()).into_owned();
        assert_refused(&answer, 400, &["ended before its body"]);
        let came = all.lock().unwrap().recv_timeout(SOON).unwrap();
        assert!(came.ends_with(b"hello") || came.ends_with(b"hello\r\n"));
        let mut conn = proxied.open();
        conn.send(request.as_bytes()).unwrap();
        await_connections(&upstream, 2 * n + 2);
        conn.reset();
        let came = all.lock().unwrap().recv_timeout(SOON).unwrap();
        assert!(!came.ends_with(b"0\r\n\r\n"), "{}", came.escape_ascii());
    }
    proxied.server.assert_alive();
}

#[track_caller]
pub(crate) fn await_connections(upstream: &Upstream, connections: usize) {
    for _ in 0..500 {
        if upstream.accepted() >= connections {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the upstream was not asked");
}

fn who_always_sends_keeps_nobody_waiting(front: Front) {
    let upstream = Upstream::new(|talk| {
        let Some(head) = talk.head() else { return };
        if head.starts_with(b"POST") {
            talk.rest();
        } else {
            talk.send(OK);
        }
    });
    let one = ["--max-body", "0", "--threads", "1"];
    who_always_sends_to(&Proxied::with(
        front,
        &[&upstream.url],
        &[&one[..], &["--proxy-streaming"]].concat(),
    ));
    // To a file, and then to the upstream.
    let little = [&one[..], &["--proxy-buffer-max", "32M"]].concat();
    who_always_sends_to(&Proxied::with(front, &[&upstream.url], &little));
}

fn who_always_sends_to(proxied: &Proxied) {
    let over = AtomicBool::new(false);
    // What they have got rid of, in bytes: by that it is told whether a turn has come, however slow the
    // machine is at the moment.
    let sent = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut conn = proxied.open();
                conn.send(format!("{POST}Content-Length: {}\r\n\r\n", 1_u64 << 40).as_bytes())
                    .unwrap();
                let piece = vec![b'x'; 1 << 16];
                while !over.load(Ordering::SeqCst) {
                    conn.send(&piece).unwrap();
                    sent.fetch_add(1 << 16, Ordering::SeqCst);
                }
            });
        }
        let _over = crate::support::Raise(&over);
        for _ in 0..10 {
            let before = sent.load(Ordering::SeqCst);
            assert_eq!(proxied.get("/"), OK_CLOSE);
            let meanwhile = sent.load(Ordering::SeqCst) - before;
            // Some 10 MB is what it takes, 40 at the most.
            assert!(meanwhile < 400 << 20, "served after {meanwhile} bytes of others");
        }
    });
}
