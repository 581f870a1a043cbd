//! Time-outs that run when they should, and not when they should not.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use smol::Timer;
use turnkey::{App, Request};

use crate::support::{GET, Library, Site, Stack, is_time_out, on};

const SLACK: Duration = Duration::from_millis(1500);

/// Two seconds after the answer, without a word.
#[test]
fn idle_connections_are_closed_in_time_and_quietly() {
    on(&Stack::ALL, |stack| {
        let site = Site::new(stack, &[]);
        let mut conn = site.open();
        // One time-out after the last answer, not after the first.
        for _ in 0..2 {
            conn.get().assert_top_level();
            thread::sleep(Duration::from_secs(1));
        }
        let start = Instant::now();
        conn.get().assert_top_level();
        assert_eq!(conn.rest(), b"", "{stack:?}: said out of the blue");
        assert_within(start, Duration::from_secs(2));
        assert_eq!(site.server.log(), "", "{stack:?}");
    });
}

/// Twice as long as the idle time-out in all, but never as long at a time.
#[test]
fn a_connection_in_use_lives_on() {
    on(&Stack::ALL, |stack| {
        let site = Site::new(stack, &[]);
        let mut conn = site.open();
        for _ in 0..4 {
            conn.get().assert_top_level();
            thread::sleep(Duration::from_millis(1200));
        }
        conn.get().assert_top_level();
    });
}

/// Some clients send one behind a body (RFC 9112 §2.2). The connection is idle still, three times as long
/// as a head may take.
#[test]
fn an_empty_line_begins_no_request() {
    on(&Stack::ALL, |stack| {
        let site = Site::new(stack, &[("--head-timeout", "0.3"), ("--idle-timeout", "20")]);
        let mut behind = site.open();
        let post = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\n";
        behind.send(post).unwrap();
        assert_eq!(behind.response().body, b"hello");
        let mut alone = site.open();
        alone.get().assert_top_level();
        let mut first = site.open();
        for conn in [&mut alone, &mut first] {
            conn.send(b"\r\n").unwrap();
        }
        thread::sleep(Duration::from_secs(1));
        for mut conn in [behind, alone, first] {
            conn.get().assert_top_level();
            conn.send(b"\r\n").unwrap();
            conn.finish().unwrap();
            assert_eq!(conn.rest(), b"", "{stack:?}: it has asked for nothing");
        }
    });
}

/// The time of a head begins with the head.
#[test]
fn a_head_behind_an_empty_line_has_all_of_its_time() {
    on(&Stack::ALL, |stack| {
        let site = Site::new(stack, &[("--idle-timeout", "20")]);
        let mut conn = site.open();
        conn.send(b"\r\n").unwrap();
        thread::sleep(Duration::from_millis(600));
        let start = Instant::now();
        conn.send(&GET[..10]).unwrap();
        assert_eq!(conn.response().status, 408);
        assert_within(start, Duration::from_secs(1));
    });
}

#[test]
fn empty_lines_do_not_keep_an_idle_connection() {
    on(&Stack::ALL, |stack| assert_idle_while_sent(stack, &[b"\r\n"]));
}

/// Half of one is no head that has begun.
#[test]
fn empty_lines_in_halves_do_not_keep_an_idle_connection() {
    on(&Stack::ALL, |stack| assert_idle_while_sent(stack, &[b"\r", b"\n"]));
}

/// Sends `pieces`, around and around, which must be no reason to keep the connection, nor to say anything.
#[track_caller]
fn assert_idle_while_sent(stack: Stack, pieces: &[&[u8]]) {
    let limit = Duration::from_secs(1);
    let site = Site::new(stack, &[("--head-timeout", "20"), ("--idle-timeout", "1")]);
    let mut conn = site.open();
    let start = Instant::now();
    conn.get().assert_top_level();
    conn.wait_at_most(Duration::from_millis(300));
    for piece in pieces.iter().cycle() {
        conn.send(piece).unwrap();
        match conn.read_some() {
            Err(e) if is_time_out(&e) => {
                let taken = start.elapsed();
                assert!(taken < limit + SLACK, "{stack:?}: open after {taken:?}");
            }
            ended => {
                assert!(matches!(ended, Ok(0)), "{stack:?}: {ended:?}: {:?}", conn.ahead());
                break;
            }
        }
    }
    assert_within(start, limit);
}

/// Also when it has begun, and when bytes keep coming.
#[test]
fn handshakes_end_in_time() {
    on(&[Stack::Rustls, Stack::NativeTls, Stack::OpenSsl], |stack| {
        let site = Site::new(stack, &[]);
        site.served_while(|| {
            let mut tcp = site.dialer.tcp();
            let start = Instant::now();
            tcp.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            // The beginning of a record of 512 bytes, byte by byte.
            for byte in [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc].iter().chain(&[3; 100]) {
                if tcp.write_all(&[*byte]).is_err() {
                    break;
                }
                match tcp.read(&mut [0; 64]) {
                    Err(e) if is_time_out(&e) => {}
                    Ok(1..) => panic!("an answer to half a hello"),
                    Ok(0) | Err(_) => break,
                }
            }
            assert_within(start, Duration::from_secs(1));
        });
        site.server.assert_says("handshake was not complete within 1 second", 1);
    });
}

fn assert_within(start: Instant, limit: Duration) {
    let taken = start.elapsed();
    assert!(taken > limit.mul_f32(0.9) && taken < limit + SLACK, "{taken:?}, not {limit:?}");
}

fn slow_app() -> App {
    let think = || Timer::after(Duration::from_millis(2500));
    let mut app = App::new();
    app.at("/").get(|_| async { Ok("Top-level content") });
    app.at("/think").get(move |_| async move {
        think().await;
        Ok("42")
    });
    app.at("/think-first").post(move |mut request: Request| async move {
        think().await;
        let body = request.body_bytes().await?;
        think().await;
        Ok(body.len().to_string())
    });
    app
}

/// A handler may take longer than all the time-outs: they are for the client.
#[test]
fn a_handler_may_take_its_time() {
    on(&Stack::ALL, |stack| {
        let library = Library::serve(stack, slow_app());
        let mut conn = library.open();
        conn.send(b"GET /think HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let answer = conn.response();
        assert_eq!((answer.status, &*answer.body), (200, &b"42"[..]));
        conn.get().assert_top_level();
    });
}

/// The body is there, or comes while the handler does not ask for it: the client is not late.
#[test]
fn the_body_time_out_counts_only_waiting() {
    on(&Stack::ALL, |stack| {
        let library = Library::serve(stack, slow_app());
        let head = b"POST /think-first HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
        let mut at_once = library.open();
        at_once.send(head).unwrap();
        at_once.send(&vec![b'x'; 100_000]).unwrap();
        let mut meanwhile = library.open();
        meanwhile.send(head).unwrap();
        thread::sleep(Duration::from_millis(1500));
        meanwhile.send(&vec![b'x'; 100_000]).unwrap();
        for mut conn in [at_once, meanwhile] {
            let answer = conn.response();
            assert_eq!((answer.status, &*answer.body), (200, &b"100000"[..]));
            conn.get().assert_top_level();
        }
    });
}
