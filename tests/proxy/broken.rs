//! Upstreams that answer what no client should see, or not at all: 502 and 504, with a line that
//! names the cause and a log that names the upstream.

use std::time::{Duration, Instant};

use crate::support::table;
use crate::support::upstream::{DeadPort, Upstream};
use crate::{Front, Proxied, assert_refused};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        malformed_answers_are_not_handed_on
        a_head_that_breaks_off_is_no_answer
        a_slow_upstream_is_a_504
        an_upstream_that_resets_is_a_502
        an_upstream_that_is_not_there
        the_connection_ends_after_it
    }
}

#[expect(clippy::too_many_lines, reason = "most of it is a table")]
fn malformed_answers_are_not_handed_on(front: Front) {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(257));
    let options =
        format!("HTTP/1.1 200 OK\r\nConnection: {}\r\nContent-Length: 0\r\n\r\n", "x,".repeat(101));
    let large =
        format!("HTTP/1.1 200 OK\r\n{}\r\n", format!("X: {}\r\n", "y".repeat(8000)).repeat(9));
    let cases: &[(&[u8], &str)] = &[
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
            "two Content-Length",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 3\r\n\r\nok",
            "two Content-Length",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nok", "Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok", "Content-Length"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "both Content-Length and Transfer-Encoding",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: \r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
        (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
        (b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nX: a\nY: b\r\nContent-Length: 0\r\n\r\n", "bare LF"),
        (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", "bare LF"),
        (b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", "status"),
        (b"HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n", "status"),
        (b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "malformed"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "malformed"),
        (b"<html>hello</html>", "malformed"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
            "protocol",
        ),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nX: \0\r\n\r\n", "malformed"),
        (many.as_bytes(), "too many fields"),
        (options.as_bytes(), "too many options"),
        (large.as_bytes(), "too large"),
    ];
    for (answer, cause) in cases {
        let upstream = Upstream::answering(answer.to_vec());
        let proxied = Proxied::new(front, &upstream);
        let came = proxied.get("/");
        let hints = "HTTP/1.1 103 Early Hints\r\n\r\n";
        let shown = answer.escape_ascii().to_string();
        assert_refused(came.strip_prefix(hints).unwrap_or(&came), 502, &["malformed", cause]);
        proxied.server.assert_logs(&["error", &upstream.url, cause]);
        assert_eq!(upstream.accepted(), 1, "it was asked again: {shown}");
    }
}

fn a_head_that_breaks_off_is_no_answer(front: Front) {
    for (answer, resets) in [
        ("", false),
        ("", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", true),
        ("HTTP/1.1 103 Early Hints\r\n\r\n", false),
    ] {
        let upstream = Upstream::new(move |talk| {
            talk.request();
            talk.send(answer.as_bytes());
            if resets {
                // What is under way shall get there.
                std::thread::sleep(Duration::from_millis(100));
                talk.reset();
            }
        });
        let proxied = Proxied::new(front, &upstream);
        let came = proxied.get("/");
        let came = came.strip_prefix("HTTP/1.1 103 Early Hints\r\n\r\n").unwrap_or(&came);
        assert_refused(came, 502, &["upstream", "before it had answered"]);
        proxied.server.assert_logs(&["error", &upstream.url, "before it had answered"]);
        assert_eq!(upstream.accepted(), 1, "it was asked again");
    }
}

fn a_slow_upstream_is_a_504(front: Front) {
    for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"] {
        let upstream = Upstream::new(move |talk| {
            talk.request();
            talk.send(answer.as_bytes());
            talk.rest();
        });
        let proxied = Proxied::with(front, &[&upstream.url], &["--proxy-timeout", "0.6"]);
        let start = Instant::now();
        assert_refused(&proxied.get("/"), 504, &["the upstream did not answer within 0.6 seconds"]);
        let waited = start.elapsed();
        let limits = Duration::from_millis(590)..Duration::from_secs(3);
        assert!(limits.contains(&waited), "after {waited:?}");
        proxied.server.assert_logs(&["error", &upstream.url, "did not answer within 0.6 seconds"]);
        assert_eq!(upstream.accepted(), 1, "it was asked again");
    }
}

fn an_upstream_that_resets_is_a_502(front: Front) {
    let upstream = Upstream::new(|talk| {
        talk.request();
        talk.reset();
    });
    let proxied = Proxied::with(front, &[&upstream.url], &[]);
    // Nobody may ask twice for this.
    let came = proxied.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    assert_refused(&came, 502, &["the connection to the upstream broke before it had answered"]);
    proxied.server.assert_logs(&["error", &upstream.url, "broke before it had answered"]);
    assert_eq!(upstream.accepted(), 1, "it was asked again");
}

fn an_upstream_that_is_not_there(front: Front) {
    let dead = DeadPort::new();
    let proxied = Proxied::with(front, &[&dead.url], &[]);
    assert_refused(&proxied.get("/"), 502, &["the upstream refused the connection"]);
    proxied.server.assert_logs(&["error", &dead.url, "refused"]);

    let proxied = Proxied::with(front, &["http://no-such-host.invalid:81"], &[]);
    assert_refused(&proxied.get("/"), 502, &["the upstream cannot be reached"]);
    proxied.server.assert_logs(&["error", "http://no-such-host.invalid:81", "cannot be reached"]);

    let proxied = Proxied::with(front, &["unix:/nonexistent/app.sock"], &[]);
    let came = proxied.get("/");
    assert_refused(&came, 502, &["the upstream cannot be reached"]);
    assert!(!came.contains("app.sock"), "a client learns where we look: {came}");
    proxied.server.assert_logs(&["error", "unix:/nonexistent/app.sock", "No such file"]);
}

fn the_connection_ends_after_it(front: Front) {
    let dead = DeadPort::new();
    let proxied = Proxied::with(front, &[&dead.url], &[]);
    let came = proxied.ask(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert_refused(&came, 502, &["refused"]);
    assert_eq!(came.matches("HTTP/1.1 ").count(), 1, "{came}");
    let head = proxied.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 502 ") && head.ends_with("\r\n\r\n"), "{head}");
}
