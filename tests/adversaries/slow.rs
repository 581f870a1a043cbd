//! Clients that take their time: with the head, with the body, with reading the answer.

use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use turnkey::App;

use crate::support::{Conn, Library, Site, Stack, is_time_out, on, report};

/// All time-outs of these servers are a second; what a busy machine adds to one.
const SECOND: Duration = Duration::from_secs(1);
const SLACK: Duration = Duration::from_millis(1500);

/// So many at a time.
const MANY: usize = 20;

/// Bytes keep coming, but the head does not end: the time-out is for all of it.
#[test]
fn slow_heads_are_408() {
    on(&Stack::ALL, |stack| {
        let site = Site::new(stack, &[]);
        site.served_while(|| {
            let mut slow: Vec<Conn> = (0..MANY).map(|_| site.open()).collect();
            let start = Instant::now();
            let head =
                b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: 0123456789012345678901234567\r\n";
            // For 1.8 seconds, which is past the time-out and before the lingering ends.
            for &byte in head.iter().take(18) {
                for conn in &mut slow {
                    conn.send(&[byte]).expect("the server reads on, so that its answer arrives");
                }
                thread::sleep(Duration::from_millis(100));
            }
            for mut conn in slow {
                let answer = conn.response();
                assert_eq!(answer.status, 408, "{answer:?}");
                assert!(answer.has("connection: close"), "{answer:?}");
                assert!(answer.body.ends_with(b"\n"), "a line says why: {answer:?}");
                assert!(conn.rest().is_empty(), "one answer, then a clean end");
            }
            let taken = start.elapsed();
            assert!(taken < SECOND + SLACK, "answered after {taken:?}");
        });
    });
}

/// The time-out is for the head of one request, not for the connection.
#[test]
fn a_head_in_pieces_is_served_in_time() {
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let site = Site::new(stack, &[]);
        let mut conn = site.open();
        for _ in 0..4 {
            for piece in ["GET / HT", "TP/1.1\r\nHost: local", "host\r\n", "\r\n"] {
                conn.send(piece.as_bytes()).unwrap();
                thread::sleep(Duration::from_millis(100));
            }
            conn.response().assert_top_level();
        }
    });
}

/// An app that has read a body before it answers: a client can still be told what was wrong.
fn reading_app() -> App {
    let mut app = App::new();
    app.at("/").get(|_| async { Ok("Top-level content") });
    app.at("/length").post(|mut request: turnkey::Request| async move {
        let body = request.body_bytes().await?;
        Ok(body.len().to_string())
    });
    app
}

#[test]
fn bodies_that_stall_are_408() {
    on(&Stack::ALL, |stack| {
        let library = Library::serve(stack, reading_app());
        for begun in [
            &b"Content-Length: 10\r\n\r\n"[..],
            b"Content-Length: 10\r\n\r\n01234",
            b"Transfer-Encoding: chunked\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n5\r\n01",
        ] {
            let mut conn = library.open();
            conn.send(b"POST /length HTTP/1.1\r\nHost: localhost\r\n").unwrap();
            conn.send(begun).unwrap();
            let start = Instant::now();
            let answer = conn.response();
            let taken = start.elapsed();
            assert_eq!(answer.status, 408, "{answer:?}");
            assert!(answer.has("connection: close"), "{answer:?}");
            assert!(taken > SECOND / 2 && taken < SECOND + SLACK, "answered after {taken:?}");
            assert!(conn.rest().is_empty());
        }
    });
}

/// An answer that has begun cannot be taken back: it must not look whole.
#[test]
fn an_answer_whose_body_stalls_breaks_off() {
    on(&Stack::ALL, |stack| {
        let site = Site::new(stack, &[]);
        site.served_while(|| {
            let stalled: Vec<Conn> = (0..MANY)
                .map(|n| {
                    let mut conn = site.open();
                    let framing = ["Content-Length: 10", "Transfer-Encoding: chunked"][n % 2];
                    conn.send(
                        format!("POST /echo HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n5\r\n01")
                            .as_bytes(),
                    )
                    .unwrap();
                    conn
                })
                .collect();
            let start = Instant::now();
            for mut conn in stalled {
                let whole = conn.try_response();
                assert!(whole.as_ref().is_err_and(|e| !is_time_out(e)), "{whole:?}");
            }
            let taken = start.elapsed();
            assert!(taken < SECOND + SLACK, "cut off after {taken:?}");
        });
    });
}

/// Half a second for each byte is progress, four times as long as the time-out in all.
#[test]
fn slow_but_steady_bodies_are_served() {
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let site = Site::new(stack, &[]);
        let library = Library::serve(stack, reading_app());
        let mut echo = site.open();
        let mut read = library.open();
        echo.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n").unwrap();
        read.send(b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n").unwrap();
        for byte in b"abcdefgh" {
            thread::sleep(SECOND / 2);
            echo.send(&[*byte]).unwrap();
            read.send(&[*byte]).unwrap();
        }
        let answer = echo.response();
        assert_eq!((answer.status, &*answer.body), (200, &b"abcdefgh"[..]));
        let answer = read.response();
        assert_eq!((answer.status, &*answer.body), (200, &b"8"[..]));
        echo.get().assert_top_level();
        read.get().assert_top_level();
    });
}

/// Memory is measured for so many at a time.
const NOT_READING: u32 = 10;

/// They send 32 MB to be echoed, or requests without end, and read nothing of the answers. What
/// the server holds for them is bounded, and so is the time.
#[test]
fn clients_that_do_not_read_are_cut_off() {
    on(&Stack::ALL, |stack| {
        // It is by the write time-out that they are cut off, however long a busy machine lets the
        // clients themselves wait.
        let patient = [("--max-body", "64M"), ("--body-timeout", "30"), ("--head-timeout", "30")];
        let site = Site::new(stack, &patient);
        // What the first of everything takes is not theirs.
        site.open().get().assert_top_level();
        let before = site.server.memory();
        let peak = site.served_while(|| {
            thread::scope(|scope| {
                let clients: Vec<_> = (0..NOT_READING)
                    .map(|n| {
                        let site = &site;
                        scope.spawn(move || {
                            let conn = site.open();
                            if n % 2 == 0 { upload(conn) } else { pipeline(conn) }
                        })
                    })
                    .collect();
                let mut peak = before;
                while !clients.iter().all(ScopedJoinHandle::is_finished) {
                    peak = peak.max(site.server.memory());
                    thread::sleep(Duration::from_millis(20));
                }
                peak
            })
        });
        let each = (peak - before) / u64::from(NOT_READING);
        report(stack, &format!("{each} KiB for each client that does not read"));
        assert!(each <= 192, "{each} KiB for each client that does not read");
    });
}

fn upload(mut conn: Conn) {
    conn.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 33554432\r\n\r\n").unwrap();
    send_until_cut_off(conn, &vec![b'x'; 64 * 1024], 512);
}

fn pipeline(conn: Conn) {
    let mut request = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n".to_vec();
    request.resize(request.len() + 50_000, b'x');
    send_until_cut_off(conn, &request, 700);
}

/// Sends `bytes` so many times, which has to fail: nothing goes any more, and in time the server
/// ends it.
fn send_until_cut_off(mut conn: Conn, bytes: &[u8], times: usize) {
    let start = Instant::now();
    let error = (0..times).find_map(|_| conn.send(bytes).err());
    let error = error.expect("the server held it all, or threw it away");
    let taken = start.elapsed();
    assert!(!is_time_out(&error), "not cut off after {taken:?}: {error}");
    // What fits on the way is sent first.
    assert!(taken < 6 * SECOND, "cut off after {taken:?}");
}
