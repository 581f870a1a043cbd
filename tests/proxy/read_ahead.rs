//! Answers that are read ahead of a client that is slow to read, or does not read at all.

use std::sync::mpsc::Receiver;
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use crate::bodies::{SOON, signal};
use crate::support::upstream::{Talk, Upstream};
use crate::support::{Conn, Server, table};
use crate::{Front, OK, OK_CLOSE, Proxied};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        an_upstream_is_done_before_the_client_has_read
        who_streams_waits_for_the_client
        events_are_not_read_ahead
        an_answer_takes_a_part_of_the_room
        what_is_read_ahead_outlives_the_upstream_and_the_server
        what_came_before_it_broke_off_comes_too
    }
}

/// More than the kernel holds for two connections, of which one [holds little](hold_little).
const LENGTH: usize = 40 << 20;
const PIECE: usize = 1 << 16;

/// How the body of an answer is framed, so that the head and each piece are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framed {
    Length,
    Chunked,
    Close,
}

const FRAMED: [Framed; 3] = [Framed::Length, Framed::Chunked, Framed::Close];

impl Framed {
    fn send(self, talk: &mut Talk, content_type: &str) -> bool {
        let head = format!("HTTP/1.1 200 OK\r\nDate: today\r\nContent-Type: {content_type}\r\n");
        let framing = match self {
            Self::Length => format!("Content-Length: {LENGTH}\r\n\r\n"),
            Self::Chunked => "Transfer-Encoding: chunked\r\n\r\n".to_owned(),
            Self::Close => "Connection: close\r\n\r\n".to_owned(),
        };
        let (before, after) = match self {
            Self::Chunked => (format!("{PIECE:x}\r\n"), "\r\n"),
            Self::Length | Self::Close => (String::new(), ""),
        };
        let mut sent = talk.send([head, framing].concat().as_bytes());
        for piece in body().chunks(PIECE) {
            sent &= talk.send(&[before.as_bytes(), piece, after.as_bytes()].concat());
        }
        sent && (self != Self::Chunked || talk.send(b"0\r\n\r\n"))
    }
}

fn body() -> &'static [u8] {
    static BODY: LazyLock<Vec<u8>> = LazyLock::new(|| (0..251).cycle().take(LENGTH).collect());
    &BODY
}

/// A server that does one thing at a time, as one with a single worker does. `/large` is framed so, and each
/// one that was sent is told of. After other answers it closes.
fn one_worker(framed: Framed, content_type: &'static str) -> (Upstream, Receiver<bool>) {
    let (sent, all_sent) = signal();
    let worker = Mutex::new(());
    let upstream = Upstream::new(move |talk| {
        while let Some(request) = talk.request() {
            let _busy = worker.lock().unwrap();
            if request.target() != "/large" {
                talk.send(&[&OK[..17], b"Connection: close\r\n", &OK[17..]].concat());
                return;
            }
            sent.send(framed.send(talk, content_type)).unwrap();
            if framed == Framed::Close {
                return;
            }
        }
    });
    (upstream, all_sent.into_inner().unwrap())
}

const LARGE: &[u8] = b"GET /large HTTP/1.1\r\nHost: a.test\r\n\r\n";

fn ask_for_large(proxied: &Proxied) -> Conn {
    let mut conn = proxied.open();
    hold_little(&conn);
    conn.send(LARGE).unwrap();
    conn
}

/// Has the kernel hold little for this client, which it would have up to 32 MiB.
pub(crate) fn hold_little(conn: &Conn) {
    rustix::net::sockopt::set_socket_recv_buffer_size(conn.tcp(), 64 << 10).unwrap();
}

#[track_caller]
fn assert_comes(conn: &mut Conn, what: &str) {
    let answer = conn.response();
    assert_eq!(answer.status, 200, "{what}");
    assert!(answer.body == body(), "{what}: other bytes came, {}", answer.body.len());
}

/// What is buffered, as the metrics tell: in memory, and on disk.
pub(crate) fn buffered(server: &Server) -> (u64, u64) {
    let line = server.greeting.lines().find_map(|line| line.strip_prefix("metrics on "));
    let port = line.unwrap().trim_end_matches("/metrics").rsplit(':').next().unwrap();
    let mut conn = crate::support::Dialer::plain(port.parse().unwrap()).open();
    conn.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let text = String::from_utf8(conn.rest()).unwrap();
    let of = |place: &str| {
        let series = format!("turnkey_proxy_buffered_bytes{{place=\"{place}\"}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&series));
        value.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
    };
    (of("memory"), of("disk"))
}

/// Waits until nothing is buffered any more: an exchange may end after the client has its answer.
#[track_caller]
pub(crate) fn assert_given_back(proxied: &Proxied) {
    for _ in 0..500 {
        if buffered(&proxied.server) == (0, 0) {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("it is not given back: {:?}", buffered(&proxied.server));
}

pub(crate) const METRICS: [&str; 2] = ["--metrics", "127.0.0.1:0"];

fn an_upstream_is_done_before_the_client_has_read(front: Front) {
    for framed in FRAMED {
        let (upstream, all_sent) = one_worker(framed, "text/plain");
        let proxied = Proxied::with(front, &[&upstream.url], &METRICS);
        let mut conn = ask_for_large(&proxied);
        assert!(all_sent.recv_timeout(SOON).expect("it waits for the client"), "{framed:?}");
        let (memory, disk) = buffered(&proxied.server);
        assert!(memory < 200_000, "{framed:?}: {memory} bytes in memory");
        assert!(disk > 1 << 20 && disk < LENGTH as u64, "{framed:?}: {disk} bytes on disk");
        // Others are served, on the same connection as soon as it was given back.
        let is_used_again = (0..500).any(|n| {
            assert_eq!(proxied.get("/"), OK_CLOSE);
            thread::sleep(Duration::from_millis(n.min(20)));
            upstream.requests().last().unwrap().connection == 0 || framed == Framed::Close
        });
        assert!(is_used_again, "{framed:?}");
        // Of the log, nothing.
        assert!(!proxied.server.log().contains("warn: "), "{}", proxied.server.log());
        assert_comes(&mut conn, &format!("{framed:?}"));
        // The client's connection goes on.
        conn.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").unwrap();
        assert_eq!(conn.response().body, b"ok", "{framed:?}");
        assert_given_back(&proxied);

        // One that leaves leaves nothing here.
        let conn = ask_for_large(&proxied);
        assert!(all_sent.recv_timeout(SOON).unwrap(), "{framed:?}");
        conn.reset();
        assert_given_back(&proxied);
    }
}

/// Asserts that the upstream has not sent all of it before the client reads.
#[track_caller]
fn assert_waits(proxied: &Proxied, all_sent: &Receiver<bool>, what: &str) {
    let mut conn = ask_for_large(proxied);
    // As far as it gets: whoever reads ahead is done by then.
    thread::sleep(Duration::from_millis(700));
    assert!(all_sent.try_recv().is_err(), "{what}: it was read ahead");
    assert_comes(&mut conn, what);
    assert!(all_sent.recv_timeout(SOON).unwrap(), "{what}");
}

fn who_streams_waits_for_the_client(front: Front) {
    for framed in [Framed::Length, Framed::Chunked] {
        let (upstream, all_sent) = one_worker(framed, "text/plain");
        let args = [&METRICS[..], &["--proxy-streaming"]].concat();
        let proxied = Proxied::with(front, &[&upstream.url], &args);
        assert_waits(&proxied, &all_sent, &format!("{framed:?}"));
        assert_given_back(&proxied);
    }
}

/// What nobody takes would be old when it came.
fn events_are_not_read_ahead(front: Front) {
    for content_type in ["text/event-stream", "Text/Event-Stream ; charset=utf-8"] {
        let (upstream, all_sent) = one_worker(Framed::Chunked, content_type);
        assert_waits(&Proxied::new(front, &upstream), &all_sent, content_type);
    }
    // Each comes at once.
    let (go, may_go) = signal::<()>();
    let upstream = Upstream::new(move |talk| {
        talk.request();
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
        may_go.lock().unwrap().recv_timeout(SOON).unwrap();
        talk.send(b"data: 2\n\n");
    });
    let proxied = Proxied::new(front, &upstream);
    let mut conn = ask_for_large(&proxied);
    while !conn.ahead().ends_with(b"data: 1\n\n\r\n") {
        assert_ne!(conn.read_some().unwrap(), 0);
    }
    go.send(()).unwrap();
    assert_eq!(conn.response().body, b"data: 1\n\ndata: 2\n\n");
}

fn an_answer_takes_a_part_of_the_room(front: Front) {
    for (max, part) in [("4M", 1 << 20), ("64K", 0), ("0", 0)] {
        let (upstream, all_sent) = one_worker(Framed::Length, "text/plain");
        let args = [&METRICS[..], &["--proxy-buffer-max", max]].concat();
        let proxied = Proxied::with(front, &[&upstream.url], &args);
        let before = proxied.server.memory();
        let mut conn = ask_for_large(&proxied);
        let is_full = (0..500).any(|_| {
            thread::sleep(Duration::from_millis(20));
            let (memory, disk) = buffered(&proxied.server);
            disk >= part && memory > 64 << 10
        });
        assert!(is_full, "{max}: {:?}", buffered(&proxied.server));
        // That is as far as it gets.
        thread::sleep(Duration::from_millis(300));
        assert!(all_sent.try_recv().is_err(), "{max}: all of it was read ahead");
        let (memory, disk) = buffered(&proxied.server);
        assert_eq!(disk, part, "{max}");
        assert!(memory < 200_000, "{max}: {memory} bytes in memory");
        let held = proxied.server.memory().saturating_sub(before);
        assert!(held < 4 << 10, "{max}: {held} KiB more");
        // There is room for others, and nothing to tell of.
        assert!(!proxied.server.log().contains("warn: "), "{}", proxied.server.log());
        assert_comes(&mut conn, max);
        assert!(all_sent.recv_timeout(SOON).unwrap());
        assert_given_back(&proxied);
    }
}

fn what_is_read_ahead_outlives_the_upstream_and_the_server(front: Front) {
    let (upstream, all_sent) = one_worker(Framed::Length, "text/plain");
    let mut proxied = Proxied::new(front, &upstream);
    let mut conn = ask_for_large(&proxied);
    assert!(all_sent.recv_timeout(SOON).expect("it waits for the client"));
    drop(upstream);
    proxied.server.signal("TERM");
    // It takes no more connections then.
    let stops = (0..500).any(|_| {
        thread::sleep(Duration::from_millis(20));
        proxied.dialer.try_tcp().is_err()
    });
    assert!(stops, "it goes on");
    assert_comes(&mut conn, "when the server stops");
    assert_eq!(conn.rest(), b"");
    assert!(proxied.server.wait().success());
}

fn what_came_before_it_broke_off_comes_too(front: Front) {
    const SENT: usize = 24 << 20;
    let (sent, all_sent) = signal();
    let upstream = Upstream::new(move |talk| {
        talk.request();
        talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n").as_bytes());
        talk.send(&body()[..SENT]);
        talk.finish();
        sent.send(()).unwrap();
    });
    let proxied = Proxied::with(front, &[&upstream.url], &METRICS);
    let mut conn = ask_for_large(&proxied);
    all_sent.lock().unwrap().recv_timeout(SOON).expect("it waits for the client");
    proxied.server.assert_logs(&["error", &upstream.url, "broke off"]);
    while let Ok(1..) = conn.read_some() {}
    let head = crate::support::upstream::find(conn.ahead(), b"\r\n\r\n").unwrap() + 4;
    assert!(conn.ahead()[head..] == body()[..SENT], "{} bytes came", conn.ahead().len() - head);
    assert_given_back(&proxied);
}
