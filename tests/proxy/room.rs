//! What bodies may take that wait for slow clients, of all clients together, and what happens without room.

use std::thread;
use std::time::Duration;

use crate::bodies::{POST, SOON, signal};
use crate::held_back::post_chunked;
use crate::read_ahead::{METRICS, assert_given_back, buffered, hold_little};
use crate::support::upstream::{Received, Upstream};
use crate::support::{Conn, table};
use crate::{Front, OK, OK_CLOSE, Proxied, assert_refused};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        without_room_bodies_pass_as_they_come
        without_a_place_for_files_bodies_pass_as_they_come
        what_was_taken_is_given_back
    }
}

const LENGTH: usize = 300_000;

fn body() -> Vec<u8> {
    (0..251).cycle().take(LENGTH).collect()
}

/// Tells of a head when it is there, and answers when the body is.
fn telling_of_heads() -> (Upstream, std::sync::mpsc::Receiver<()>) {
    let (asked, is_asked) = signal();
    let upstream = Upstream::new(move |talk| {
        while let Some(head) = talk.head() {
            let mut received = Received { connection: talk.number, head, body: Vec::new() };
            asked.send(()).unwrap();
            let length = received.values("content-length").first().map(|n| n.parse().unwrap());
            let Some(body) = talk.exactly(length.unwrap_or_default()) else { return };
            received.body = body;
            talk.record(received);
            talk.send(OK);
        }
    });
    (upstream, is_asked.into_inner().unwrap())
}

/// Sends all but the last byte of a body.
fn begin(proxied: &Proxied) -> Conn {
    let mut conn = proxied.open();
    conn.send(format!("{POST}Content-Length: {LENGTH}\r\n\r\n").as_bytes()).unwrap();
    conn.send(&body()[..LENGTH - 1]).unwrap();
    conn
}

#[track_caller]
fn end(mut conn: Conn, upstream: &Upstream) {
    conn.send(&body()[LENGTH - 1..]).unwrap();
    assert_eq!(String::from_utf8_lossy(&conn.rest()), OK_CLOSE);
    let request = upstream.take_requests().remove(0);
    assert_eq!(request.values("content-length"), [LENGTH.to_string()]);
    assert!(request.values("transfer-encoding").is_empty(), "{}", request.text());
    assert!(request.body == body(), "other bytes came");
}

#[track_caller]
fn await_disk(proxied: &Proxied, least: u64) {
    for _ in 0..500 {
        if buffered(&proxied.server).1 >= least {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("less than {least} on disk: {:?}", buffered(&proxied.server));
}

fn without_room_bodies_pass_as_they_come(front: Front) {
    let (upstream, is_asked) = telling_of_heads();
    // It has room for one.
    let args = [&METRICS[..], &["--proxy-buffer-max", "400K"]].concat();
    let proxied = Proxied::with(front, &[&upstream.url], &args);
    let first = begin(&proxied);
    await_disk(&proxied, 200 << 10);
    assert!(is_asked.try_recv().is_err(), "there is room for it");
    let others = [begin(&proxied), begin(&proxied), begin(&proxied)];
    for _ in &others {
        is_asked.recv_timeout(SOON).expect("the upstream is asked");
    }
    // Of a body of unknown length the upstream could not be told the length.
    let reason = ["no room", "unknown length", "Content-Length"];
    assert_refused(&post_chunked(&proxied, &body()), 503, &reason);
    assert!(buffered(&proxied.server).1 <= 400 << 10, "{:?}", buffered(&proxied.server));
    for conn in others {
        end(conn, &upstream);
    }
    assert!(is_asked.try_recv().is_err(), "the first is still held back");
    end(first, &upstream);
    assert_given_back(&proxied);
    let log = proxied.server.log();
    let said = log.lines().filter(|line| line.contains("--proxy-buffer-max"));
    let said: Vec<_> = said.collect();
    assert_eq!(said.len(), 1, "{log}");
    assert!(said[0].starts_with("warn: ") && said[0].contains("409600"), "{log}");
    // There is room again.
    is_asked.recv_timeout(SOON).unwrap();
    assert_eq!(post_chunked(&proxied, &body()), OK_CLOSE);
}

fn without_a_place_for_files_bodies_pass_as_they_come(front: Front) {
    let (upstream, is_asked) = telling_of_heads();
    let dir = tempfile::tempdir().unwrap();
    let none = dir.path().join("none").to_str().unwrap().to_owned();
    let proxied =
        Proxied::start(front, &[&upstream.url], &METRICS, |program| program.env("TMPDIR", &none));
    for _ in 0..3 {
        let conn = begin(&proxied);
        is_asked.recv_timeout(SOON).expect("the upstream is asked");
        end(conn, &upstream);
    }
    let log = proxied.server.log();
    let said: Vec<_> = log.lines().filter(|line| line.contains("temporary file")).collect();
    assert_eq!(said.len(), 1, "{log}");
    assert!(said[0].starts_with("error: ") && said[0].contains(&none), "{log}");
    assert!(said[0].contains("TMPDIR"), "{log}");
    assert_given_back(&proxied);

    // Answers come no faster than they are taken, and whole.
    let length = 40 << 20;
    let whole: Vec<u8> = (0..251).cycle().take(length).collect();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    let upstream = Upstream::answering([head.as_bytes(), &whole].concat());
    let proxied =
        Proxied::start(front, &[&upstream.url], &METRICS, |program| program.env("TMPDIR", &none));
    let mut conn = proxied.open();
    hold_little(&conn);
    conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    proxied.server.assert_logs(&["error", "temporary file", &none]);
    assert!(conn.response().body == whole, "other bytes came");
    assert_given_back(&proxied);
}

fn what_was_taken_is_given_back(front: Front) {
    // It takes a part of the body, answers with a part, and ends the connection.
    let upstream = Upstream::new(|talk| {
        talk.head();
        talk.exactly(100_000);
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        talk.reset();
    });
    let timeout = ["--body-timeout", "2"];
    let args = [&METRICS[..], &timeout].concat();
    let proxied = Proxied::with(front, &[&upstream.url], &args);
    let mut conn = begin(&proxied);
    await_disk(&proxied, 200 << 10);
    conn.send(&body()[LENGTH - 1..]).unwrap();
    while let Ok(1..) = conn.read_some() {}
    assert_given_back(&proxied);
    // A client that leaves, one that ends its side, and one that stalls.
    let leave: [fn(&mut Conn); 2] = [|conn| conn.finish().unwrap(), |_| ()];
    for leave in leave {
        let mut conn = begin(&proxied);
        await_disk(&proxied, 200 << 10);
        leave(&mut conn);
        while let Ok(1..) = conn.read_some() {}
        assert_given_back(&proxied);
    }
    let conn = begin(&proxied);
    await_disk(&proxied, 200 << 10);
    conn.reset();
    assert_given_back(&proxied);
}
