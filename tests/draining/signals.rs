//! What a signal does to the connections that there are.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Conn, GET, Site, Stack, is_time_out, on};

/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(1500);

/// An upload with `length` bytes to come.
fn begin_upload(conn: &mut Conn, length: usize) {
    let head = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    conn.send(head.as_bytes()).unwrap();
}

/// Waits until the server has left, which it has to do well and within `limit`.
#[track_caller]
fn assert_leaves(site: &mut Site, since: Instant, limit: Duration) {
    let status = site.server.wait();
    let taken = since.elapsed();
    assert_eq!(status.code(), Some(0), "{:?}: log: {}", site.stack, site.server.log());
    assert!(taken < limit + SLACK, "{:?}: left after {taken:?}", site.stack);
    site.assert_calm();
    assert!(site.dialer.try_tcp().is_err(), "the port is still open");
}

/// Slow uploads, most of which comes after the signal.
#[test]
fn what_is_in_flight_finishes() {
    on(&Stack::ALL, |stack| {
        for signal in ["TERM", "INT"] {
            let mut site = Site::new(stack, &[("--drain-timeout", "10")]);
            let mut uploads: Vec<Conn> = (0..10).map(|_| site.open()).collect();
            for conn in &mut uploads {
                begin_upload(conn, 8);
                conn.send(b"a").unwrap();
            }
            // One has its head under way, and one has nothing yet to answer with.
            let mut head = site.open();
            head.send(&GET[..10]).unwrap();
            thread::sleep(Duration::from_millis(100));
            site.server.signal(signal);
            let start = Instant::now();
            thread::sleep(Duration::from_millis(200));
            head.send(&GET[10..]).unwrap();
            for byte in b"bcdefgh" {
                for conn in &mut uploads {
                    conn.send(&[*byte]).unwrap();
                }
                thread::sleep(Duration::from_millis(100));
            }
            let answer = head.response();
            answer.assert_top_level();
            assert!(answer.has("connection: close"), "{answer:?}");
            assert!(head.rest().is_empty());
            for mut conn in uploads {
                let answer = conn.response();
                assert_eq!((answer.status, &*answer.body), (200, &b"abcdefgh"[..]));
                assert!(conn.rest().is_empty(), "the connection is to end after its answer");
            }
            drop(head);
            assert_leaves(&mut site, start, Duration::from_secs(1));
        }
    });
}

/// An answer that begins after the signal says that it is the last.
#[test]
fn the_last_answer_says_so() {
    on(&Stack::ALL, |stack| {
        let mut site = Site::new(stack, &[]);
        // A request that the app takes, and one that it refuses.
        for (request, status) in [(&b"PUT /echo"[..], 200), (b"DELETE /echo", 405)] {
            let mut conn = site.open();
            conn.get().assert_top_level();
            conn.send(request).unwrap();
            conn.send(b" HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n").unwrap();
            thread::sleep(Duration::from_millis(100));
            site.server.signal("TERM");
            let start = Instant::now();
            thread::sleep(Duration::from_millis(100));
            conn.send(b"\r\nab").unwrap();
            let answer = conn.response();
            assert_eq!(answer.status, status, "{answer:?}");
            assert!(answer.has("connection: close"), "{answer:?}");
            assert!(conn.rest().is_empty());
            drop(conn);
            assert_leaves(&mut site, start, Duration::from_millis(200));
            site = Site::new(stack, &[]);
        }
    });
}

/// They have been served, and wait for nothing.
#[test]
fn idle_connections_end_at_once() {
    on(&Stack::ALL, |stack| {
        let mut site = Site::new(stack, &[("--idle-timeout", "60"), ("--drain-timeout", "20")]);
        let mut idle: Vec<Conn> = (0..50).map(|_| site.open()).collect();
        for conn in &mut idle {
            conn.get().assert_top_level();
        }
        site.server.signal("TERM");
        let start = Instant::now();
        for conn in &mut idle {
            assert_eq!(conn.rest(), b"", "said out of the blue");
        }
        let taken = start.elapsed();
        assert!(taken < Duration::from_secs(1), "the last one ended after {taken:?}");
        drop(idle);
        assert_leaves(&mut site, start, Duration::ZERO);
    });
}

/// It is no request that is under way (RFC 9112 §2.2).
#[test]
fn an_empty_line_holds_nothing_up() {
    on(&Stack::ALL, |stack| {
        let patient =
            [("--head-timeout", "20"), ("--idle-timeout", "60"), ("--drain-timeout", "20")];
        let mut site = Site::new(stack, &patient);
        let mut idle = site.open();
        idle.get().assert_top_level();
        idle.send(b"\r\n").unwrap();
        thread::sleep(Duration::from_millis(100));
        site.server.signal("TERM");
        let start = Instant::now();
        assert_eq!(idle.rest(), b"", "said out of the blue");
        drop(idle);
        assert_leaves(&mut site, start, Duration::ZERO);
    });
}

/// The kernel breaks off what the server waits in.
#[test]
fn a_server_that_was_stopped_goes_on() {
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let site = Site::new(stack, &[]);
        let mut conn = site.open();
        conn.get().assert_top_level();
        for _ in 0..3 {
            site.server.signal("STOP");
            site.server.signal("CONT");
            conn.get().assert_top_level();
            site.open().get().assert_top_level();
        }
        site.assert_calm();
    });
}

/// Clients that do not end their side keep the server for the lingering close, and no longer.
#[test]
fn clients_that_stay_do_not_hold_it_up() {
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let mut site = Site::new(stack, &[("--idle-timeout", "60"), ("--drain-timeout", "20")]);
        let mut idle = site.open();
        idle.get().assert_top_level();
        site.server.signal("TERM");
        let start = Instant::now();
        assert_leaves(&mut site, start, Duration::from_secs(2));
        assert_eq!(idle.rest(), b"");
    });
}

/// A client that has connected is about to ask. It does so 200 ms later.
#[test]
fn the_first_request_of_a_new_connection_is_answered() {
    on(&Stack::ALL, |stack| {
        let mut site = Site::new(stack, &[]);
        let shaken = site.open();
        let connected = site.dialer.tcp();
        site.server.signal("TERM");
        let start = Instant::now();
        thread::sleep(Duration::from_millis(200));
        for mut conn in [shaken, site.dialer.speak_over(connected).expect("a handshake")] {
            let answer = conn.get();
            answer.assert_top_level();
            assert!(answer.has("connection: close"), "{answer:?}");
            assert!(conn.rest().is_empty());
        }
        assert_leaves(&mut site, start, Duration::from_millis(200));
    });
}

/// The system has accepted them, the server has not yet: it was stopped meanwhile.
#[test]
fn the_backlog_is_answered() {
    on(&Stack::ALL, |stack| {
        // So many handshakes at once take a busy machine a while.
        let patient = [("--drain-timeout", "10"), ("--handshake-timeout", "10")];
        let mut site = Site::new(stack, &patient);
        site.assert_served_soon();
        site.server.signal("STOP");
        let waiting: Vec<TcpStream> = (0..60).map(|_| site.dialer.tcp()).collect();
        site.server.signal("TERM");
        site.server.signal("CONT");
        let start = Instant::now();
        thread::scope(|scope| {
            for tcp in waiting {
                scope.spawn(|| {
                    let mut conn = site.dialer.speak_over(tcp).expect("a handshake");
                    // It says that it is the last one if the signal was heard first.
                    conn.get().assert_top_level();
                    assert!(conn.rest().is_empty());
                });
            }
        });
        assert_leaves(&mut site, start, Duration::from_secs(1));
    });
}

/// A body of which a byte comes now and then, and a client that does not read.
#[test]
fn the_drain_time_out_holds() {
    on(&Stack::ALL, |stack| {
        let mut site = Site::new(stack, &[("--write-timeout", "60"), ("--max-body", "64M")]);
        let mut endless = site.open();
        begin_upload(&mut endless, 1000);
        let mut unread = site.open();
        begin_upload(&mut unread, 32 << 20);
        unread.wait_at_most(Duration::from_millis(200));
        while unread.send(&vec![b'x'; 1 << 16]).is_ok() {}

        let before = Instant::now();
        site.server.signal("TERM");
        let start = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                while endless.send(b"x").is_ok() && start.elapsed() < Duration::from_secs(10) {
                    thread::sleep(Duration::from_millis(200));
                }
            });
            let status = site.server.wait();
            // The signal came in between.
            let (at_most, at_least) = (before.elapsed(), start.elapsed());
            assert_eq!(status.code(), Some(0), "{}", site.server.log());
            let limit = Duration::from_secs(2);
            assert!(at_most > limit.mul_f32(0.9), "left after {at_most:?}");
            assert!(at_least < limit + SLACK, "left after {at_least:?}");
        });
        site.server.assert_says("still open after 2 seconds", 1);
    });
}

/// The second signal, whichever it is, does not wait for the deadline.
#[test]
fn a_second_signal_ends_it_at_once() {
    on(&Stack::ALL, |stack| {
        for signals in [["TERM", "TERM"], ["INT", "TERM"], ["TERM", "INT"]] {
            let mut site = Site::new(stack, &[("--drain-timeout", "20")]);
            let mut endless = site.open();
            begin_upload(&mut endless, 1000);
            endless.send(b"x").unwrap();
            thread::sleep(Duration::from_millis(50));
            site.server.signal(signals[0]);
            thread::sleep(Duration::from_millis(300));
            site.server.assert_alive();
            site.server.signal(signals[1]);
            let start = Instant::now();
            let status = site.server.wait();
            let taken = start.elapsed();
            assert_eq!(status.code(), Some(0), "{signals:?}: {}", site.server.log());
            assert!(taken < SLACK, "{signals:?}: left after {taken:?}");
            let ended = endless.try_response();
            assert!(ended.as_ref().is_err_and(|e| !is_time_out(e)), "{ended:?}");
        }
    });
}
