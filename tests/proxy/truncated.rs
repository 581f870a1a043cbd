//! Answers that break off: the client must not take what it has for the whole.

use std::time::Duration;

use crate::support::upstream::Upstream;
use crate::support::{Conn, table};
use crate::{Front, Proxied, assert_refused};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        what_breaks_off_does_not_pass_for_whole
        what_stalls_breaks_off
        what_is_malformed_breaks_off
        who_pauses_for_too_long_has_not_got_the_whole
        what_the_end_of_the_server_cuts_off_is_not_the_whole
        a_client_that_leaves_ends_it
    }
}

/// How a body is framed, and what comes of it.
const BODIES: [(&str, &str); 3] = [
    ("HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 10\r\n\r\n", "hello"),
    ("HTTP/1.1 200 OK\r\nDate: today\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n"),
    ("HTTP/1.1 200 OK\r\nDate: today\r\nTransfer-Encoding: chunked\r\n\r\n", "9\r\nhello"),
];

/// Asserts that what comes ends as no whole response does: before its end, or by an error where only
/// the end of the connection would tell.
#[track_caller]
fn assert_broken(mut client: Conn, what: &str) {
    let by_fin = loop {
        match client.read_some() {
            Ok(0) => break true,
            Ok(_) => {}
            Err(error) => {
                assert!(!crate::support::is_time_out(&error), "{what}: it goes on");
                break false;
            }
        }
    };
    let came = String::from_utf8_lossy(client.ahead()).into_owned();
    let (head, body) = came.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{what}: {came:?}"));
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{what}: {came:?}");
    assert!(body.contains("hello"), "{what}: what there was came too: {came:?}");
    assert!(!body.contains("HTTP/1.1"), "{what}: {came:?}");
    let passes = if head.contains("Content-Length: 10") {
        body.len() >= 10
    } else if head.contains("Transfer-Encoding: chunked") {
        body.contains("0\r\n\r\n")
    } else {
        by_fin
    };
    // Of some there is no end.
    assert!(!passes, "{what}: it passes for whole: {head:?}, {} bytes", body.len());
}

/// Asks in both versions before an upstream that sends this and then does `then`.
fn each(
    front: Front,
    head: &str,
    body: &str,
    then: fn(&mut crate::support::upstream::Talk),
    cause: &str,
) {
    let bytes = format!("{head}{body}");
    let upstream = Upstream::new(move |talk| {
        talk.request();
        talk.send(bytes.as_bytes());
        // What is under way shall get there.
        std::thread::sleep(Duration::from_millis(100));
        then(talk);
    });
    let proxied = Proxied::with(front, &[&upstream.url], &["--proxy-timeout", "0.6"]);
    for version in ["1.1", "1.0"] {
        let mut conn = proxied.open();
        let request = format!("GET / HTTP/{version}\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
        conn.send(request.as_bytes()).unwrap();
        assert_broken(conn, &format!("{version}, {head}{body}"));
    }
    proxied.server.assert_logs(&["error", &upstream.url, "broke off", cause]);
    assert_eq!(upstream.accepted(), 2, "it was asked again, or the connection used again");
}

/// An upstream that goes on until it cannot any more, and not as fast as it could: all of it is kept.
fn endless() -> Upstream {
    Upstream::new(|talk| {
        talk.request();
        let piece = format!("40000\r\nhello{}\r\n", " ".repeat(0x40000 - 5));
        talk.send(BODIES[1].0.as_bytes());
        while talk.send(piece.as_bytes()) {
            std::thread::sleep(Duration::from_millis(5));
        }
    })
}

/// It is cut off, and may read on.
fn who_pauses_for_too_long_has_not_got_the_whole(front: Front) {
    let upstream = endless();
    let proxied = Proxied::with(front, &[&upstream.url], &["--write-timeout", "0.5"]);
    for version in ["1.1", "1.0"] {
        let mut conn = proxied.open();
        conn.send(format!("GET / HTTP/{version}\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
        std::thread::sleep(Duration::from_secs(2));
        assert_broken(conn, version);
    }
}

fn what_the_end_of_the_server_cuts_off_is_not_the_whole(front: Front) {
    for version in ["1.1", "1.0"] {
        let upstream = endless();
        let proxied = Proxied::with(front, &[&upstream.url], &["--drain-timeout", "0.5"]);
        let mut conn = proxied.open();
        conn.send(format!("GET / HTTP/{version}\r\nHost: a\r\n\r\n").as_bytes()).unwrap();
        assert!(matches!(conn.read_some(), Ok(1..)));
        proxied.server.signal("TERM");
        assert_broken(conn, version);
    }
}

fn what_breaks_off_does_not_pass_for_whole(front: Front) {
    for (head, body) in BODIES {
        each(front, head, body, |_| {}, "");
        each(front, head, body, |talk| talk.reset(), "");
    }
    let until_close = "HTTP/1.1 200 OK\r\nDate: today\r\n\r\n";
    each(front, until_close, "hello", |talk| talk.reset(), "");
}

fn what_stalls_breaks_off(front: Front) {
    for (head, body) in BODIES {
        each(front, head, body, |talk| drop(talk.rest()), "timed out");
    }
    each(front, "HTTP/1.1 200 OK\r\n\r\n", "hello", |talk| drop(talk.rest()), "timed out");
}

fn what_is_malformed_breaks_off(front: Front) {
    let (head, body) = BODIES[1];
    each(front, head, body, |talk| _ = talk.send(b"x\r\n"), "malformed");
    each(front, head, body, |talk| _ = talk.send(b"0\r\nbad trailer\r\n\r\n"), "malformed");
    each(front, head, "6\r\nhello!", |talk| _ = talk.send(b"0\r\n\r\n"), "malformed");
    // As long as the client knows nothing of it, it can be told.
    let upstream = Upstream::answering(format!("{head}x\r\n"));
    let proxied = Proxied::new(front, &upstream);
    assert_refused(&proxied.get("/"), 502, &["broke off"]);
    proxied.server.assert_logs(&["error", &upstream.url, "broke off", "malformed"]);
}

fn a_client_that_leaves_ends_it(front: Front) {
    let (gone, knows) = std::sync::mpsc::channel();
    let upstream = Upstream::new(move |talk| {
        talk.request();
        talk.send(b"HTTP/1.1 200 OK\r\n\r\n");
        while talk.send(&[b'x'; 10_000]) {}
        gone.send(()).unwrap();
    });
    let mut proxied = Proxied::new(front, &upstream);
    let mut conn = proxied.open();
    conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    conn.read_some().unwrap();
    conn.reset();
    knows.recv_timeout(Duration::from_secs(8)).expect("the upstream is told");
    proxied.server.assert_alive();
}
