//! A proxied client takes more descriptors than one: as many are let in as there are enough for.

use std::thread;
use std::time::Duration;

use crate::bodies::signal;
use crate::read_ahead::{METRICS, buffered, hold_little};
use crate::support::upstream::Upstream;
use crate::support::{Conn, Dialer, Program, Server};
use crate::{OK, assert_refused};

/// How many the process may have: 32 are kept for other things, and a ninth of the rest for clients that
/// are turned away, which leaves 57.
const DESCRIPTORS: u32 = 96;

/// What the first connections open, and is kept.
const KEPT: usize = 12;

/// Answers each request when it may.
fn slow() -> (Upstream, std::sync::mpsc::Sender<()>) {
    let (go, may_go) = signal::<()>();
    let upstream = Upstream::new(move |talk| {
        while talk.request().is_some() {
            _ = may_go.lock().unwrap().recv_timeout(Duration::from_secs(8));
            talk.send(OK);
        }
    });
    (upstream, go)
}

fn start(args: &[&str]) -> Server {
    Program::with_descriptors(DESCRIPTORS, &[args, &["--port", "0"]].concat()).start()
}

/// As many clients as there is room for, each with a body that is held back in a file if need be.
#[track_caller]
fn assert_takes(clients: usize, args: &[&str], upstream: &Upstream) {
    let server = start(args);
    let dialer = Dialer::plain(server.port);
    let body = format!("186a0\r\n{}\r\n0\r\n\r\n", "x".repeat(100_000));
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut conns: Vec<Conn> = (0..clients).map(|_| dialer.open()).collect();
    for conn in &mut conns {
        conn.send(format!("{head}{body}").as_bytes()).unwrap();
    }
    upstream.nth(clients - 1);
    // Whoever comes now is told so; there are descriptors for that too.
    for _ in 0..3 {
        let mut conn = dialer.open();
        assert_refused(&String::from_utf8_lossy(&conn.rest()), 503, &["too many connections"]);
    }
    assert!(server.descriptors() <= DESCRIPTORS as usize);
    server.assert_logs(&["turned away", &format!("{clients} (--max-connections)")]);
    assert!(!server.log().contains("error: "), "{}", server.log());
    drop(conns);
}

#[test]
fn the_default_leaves_room_for_upstreams_and_held_back_bodies() {
    let (upstream, _go) = slow();
    assert_takes(19, &["--proxy", &upstream.url], &upstream);
}

#[test]
fn without_held_back_bodies_there_is_room_for_more() {
    let (upstream, _go) = slow();
    assert_takes(28, &["--proxy", &upstream.url, "--proxy-streaming"], &upstream);
}

/// What waits at the others is counted, as far as it does not take all the room.
#[test]
fn several_upstreams_leave_room_for_less() {
    let (upstream, _go) = slow();
    let args = ["--proxy", &upstream.url, "--proxy", &upstream.url, "--proxy", &upstream.url];
    assert_takes(13, &args, &upstream);
}

/// A client has one file at a time: of its body, or of the answer that is read ahead of it.
#[test]
fn answers_that_are_read_ahead_fit_too() {
    const CLIENTS: usize = 19;
    let (sent, all_sent) = signal();
    let upstream = Upstream::new(move |talk| {
        // It answers while it reads, and what it answers has no end.
        talk.head();
        talk.send(b"HTTP/1.1 200 OK\r\n\r\n");
        let piece = vec![b'x'; 1 << 16];
        let (mut count, mut told) = (0, false);
        while talk.send(&piece) {
            count += piece.len();
            if !told && count > 32 << 20 {
                talk.exactly(100_000);
                told = true;
                sent.send(()).unwrap();
            }
        }
    });
    let server = start(&["--proxy", &upstream.url]);
    let before = server.descriptors();
    let dialer = Dialer::plain(server.port);
    let mut conns: Vec<Conn> = (0..CLIENTS).map(|_| dialer.open()).collect();
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n";
    for conn in &mut conns {
        hold_little(conn);
        conn.send(format!("{head}{}", "x".repeat(100_000)).as_bytes()).unwrap();
    }
    let all_sent = all_sent.lock().unwrap();
    for _ in 0..CLIENTS {
        all_sent.recv_timeout(Duration::from_secs(60)).expect("it is read ahead");
    }
    assert!(server.descriptors() <= before + KEPT + 3 * CLIENTS, "{}", server.descriptors());
    assert!(!server.log().contains("error: "), "{}", server.log());
    drop(conns);
}

/// As long as the upstream is yet to take the body from its file, the answer is read ahead in memory only.
#[test]
fn no_client_has_two_files() {
    const CLIENTS: usize = 12;
    let upstream = Upstream::new(|talk| {
        talk.head();
        talk.send(b"HTTP/1.1 200 OK\r\n\r\n");
        let piece = vec![b'x'; 1 << 16];
        while talk.send(&piece) {}
    });
    let server = start(&[&["--proxy", &upstream.url], &METRICS[..]].concat());
    let before = server.descriptors();
    let dialer = Dialer::plain(server.port);
    let mut conns: Vec<Conn> = (0..CLIENTS).map(|_| dialer.open()).collect();
    let body = "x".repeat(6 << 20);
    for conn in &mut conns {
        hold_little(conn);
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
        conn.send(format!("{head}{body}").as_bytes()).unwrap();
    }
    // Its tail, and as much of the answer.
    let full = 2 * (CLIENTS as u64) * (32 << 10);
    let is_full = (0..500).any(|_| {
        thread::sleep(Duration::from_millis(20));
        buffered(&server).0 > full
    });
    assert!(is_full, "{:?}", buffered(&server));
    thread::sleep(Duration::from_millis(300));
    assert!(server.descriptors() <= before + KEPT + 3 * CLIENTS, "{}", server.descriptors());
    drop(conns);
}

#[test]
fn too_many_are_warned_of() {
    let proxy = ["--proxy", "http://127.0.0.1:1"];
    let streaming = [&proxy[..], &["--proxy-streaming"]].concat();
    let no_files = [&proxy[..], &["--proxy-buffer-max", "0"]].concat();
    let three = proxy.repeat(3);
    for (args, most, naming) in [
        (&[][..], 64, "one each"),
        (&proxy, 21, "three each"),
        (&streaming, 32, "two each"),
        (&no_files, 32, "two each"),
        (&three, 16, "three each"),
    ] {
        let [fits, more] = [most, most + 1].map(|n: u32| n.to_string());
        let too_many = [args, &["--max-connections", &more]].concat();
        let line = start(&too_many).logged(&["--max-connections"]);
        assert!(line.starts_with("warn: ") && line.contains(naming), "{line}");
        assert!(line.contains("this process may have 96; raise the limit"), "{line}");
        let checked = [&["check"], &too_many[..]].concat();
        let checked = Program::with_descriptors(DESCRIPTORS, &checked).run();
        assert!(checked.text().contains(naming), "{checked:?}");
        assert_eq!(checked.code, Some(0), "{checked:?}");

        for args in [args, &[args, &["--max-connections", &fits]].concat()] {
            let server = start(args);
            assert!(!server.log().contains("descriptors"), "{}", server.log());
        }
    }
}

/// The limit that the process may raise itself is the one that counts.
#[test]
fn a_soft_limit_is_raised_first() {
    let mut command = crate::support::tool("sh");
    let program = env!("CARGO_BIN_EXE_turnkey");
    let check = "ulimit -Sn 64 && ulimit -Hn 1000 && exec \"$0\" check --max-connections 900";
    command.args(["-c", check, program]);
    let checked = crate::support::run(command, b"", Duration::from_secs(10));
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(!checked.text().contains("descriptors"), "{checked:?}");
}
