//! Connections to upstreams: which are used again, and what is done when one has gone stale.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::bodies::{SOON, signal};
use crate::support::table;
use crate::support::upstream::{Received, Upstream};
use crate::{Front, OK, OK_CLOSE, Proxied, assert_refused};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        they_are_used_again
        some_are_not
        one_that_has_gone_stale_is_not_used
        one_that_has_ended_is_closed_before_it_is_missed
        one_that_breaks_off_is_asked_again_once
        nothing_is_asked_twice_that_may_not_be
        requests_in_a_pipeline_are_answered_in_order
        no_more_than_so_many_wait
        a_unix_socket_is_as_good
    }
}

fn they_are_used_again(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::new(front, &upstream);
    for _ in 0..5 {
        assert_eq!(proxied.get("/"), OK_CLOSE);
    }
    let mut conn = proxied.open();
    for _ in 0..5 {
        assert_eq!(conn.get().body, b"ok");
    }
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    conn.send(post.as_bytes()).unwrap();
    assert_eq!(conn.response().body, b"ok");
    assert_eq!((upstream.accepted(), upstream.requests().len()), (1, 11));
}

fn some_are_not(front: Front) {
    for (answer, connections) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1),
        ("HTTP/1.1 204 No Content\r\n\r\n", 1),
        ("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 1),
        ("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok", 1),
        ("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok", 2),
        (
            "HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: y, close\r\nContent-Length: 2\r\n\r\nok",
            2,
        ),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 2),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 2\r\n\r\nok", 2),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokX", 2),
        ("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 Forged\r\nContent-Length: 0\r\n\r\n", 2),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n", 2),
    ] {
        let upstream = Upstream::answering(answer);
        let proxied = Proxied::new(front, &upstream);
        let mut conn = proxied.open();
        for _ in 0..2 {
            let status = conn.get().status;
            assert!(status == 200 || status == 204, "{answer:?}");
            assert!(conn.ahead().is_empty(), "{answer:?}: {:?}", conn.ahead());
        }
        assert_eq!(upstream.accepted(), connections, "{answer:?}");
        assert!(!proxied.get("/").contains("Forged"));
    }
    // What comes only after the answer is no answer to what is asked next.
    let upstream = Upstream::new(|talk| {
        while talk.request().is_some() {
            talk.send(OK);
            thread::sleep(Duration::from_millis(50));
            talk.send(b"HTTP/1.1 200 Forged\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let proxied = Proxied::new(front, &upstream);
    for _ in 0..2 {
        assert_eq!(proxied.get("/"), OK_CLOSE);
        thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(upstream.accepted(), 2);
}

fn one_that_has_gone_stale_is_not_used(front: Front) {
    for resets in [false, true] {
        let upstream = Upstream::new(move |talk| {
            talk.request();
            talk.send(OK);
            if resets {
                thread::sleep(Duration::from_millis(50));
                talk.reset();
            }
        });
        let proxied = Proxied::new(front, &upstream);
        for n in 1..4 {
            let post =
                "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx";
            assert_eq!(proxied.ask(post), OK_CLOSE);
            assert_eq!((upstream.accepted(), upstream.requests().len()), (n, n));
            thread::sleep(Duration::from_millis(200));
        }
    }
}

fn one_that_has_ended_is_closed_before_it_is_missed(front: Front) {
    let (closed, is_closed) = signal();
    let upstream = Upstream::new(move |talk| {
        talk.request();
        talk.send(OK);
        talk.finish();
        closed.send(talk.rest()).unwrap();
    });
    let proxied = Proxied::new(front, &upstream);
    assert_eq!(proxied.get("/"), OK_CLOSE);
    let rest = is_closed.lock().unwrap().recv_timeout(SOON).expect("it is held");
    assert_eq!(rest, b"");
}

/// Answers the first request of each connection, and breaks off at the second, by `how`. Each request
/// is recorded, and so is half of one.
fn breaking(how: fn(&mut crate::support::upstream::Talk)) -> Upstream {
    Upstream::new(move |talk| {
        talk.request();
        talk.send(OK);
        if let Some(head) = talk.head() {
            talk.record(Received { connection: talk.number, head, body: Vec::new() });
            how(talk);
        }
    })
}

fn one_that_breaks_off_is_asked_again_once(front: Front) {
    for how in [
        |_: &mut crate::support::upstream::Talk| {},
        |talk: &mut crate::support::upstream::Talk| talk.reset(),
    ] {
        for method in ["GET", "HEAD", "DELETE", "PUT", "OPTIONS"] {
            let upstream = breaking(how);
            let proxied = Proxied::new(front, &upstream);
            assert_eq!(proxied.get("/first"), OK_CLOSE);
            let request =
                format!("{method} /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            let came = proxied.ask(request);
            assert!(came.starts_with("HTTP/1.1 200 OK"), "{method}: {came}");
            let requests = upstream.requests();
            let seen: Vec<_> = requests.iter().map(|r| (r.connection, r.target())).collect();
            let second = "/second".to_owned();
            assert_eq!(
                seen,
                [(0, "/first".to_owned()), (0, second.clone()), (1, second)],
                "{method}"
            );
        }
    }
    // Once, and not for as long as it takes.
    let upstream = Upstream::new(|talk| {
        talk.request();
        if talk.number == 0 {
            talk.send(OK);
            talk.request();
        }
    });
    let proxied = Proxied::new(front, &upstream);
    assert_eq!(proxied.get("/first"), OK_CLOSE);
    assert_refused(&proxied.get("/second"), 502, &["closed the connection"]);
    assert_eq!((upstream.accepted(), upstream.requests().len()), (2, 3));
}

fn nothing_is_asked_twice_that_may_not_be(front: Front) {
    for request in [
        "POST /second HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "PATCH /second HTTP/1.1\r\nHost: a\r\n\r\n",
        // Some of the body may have been taken.
        "PUT /second HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "PUT /second HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "GET /second HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        let upstream = breaking(|_| {});
        let proxied = Proxied::new(front, &upstream);
        assert_eq!(proxied.get("/first"), OK_CLOSE);
        assert_refused(&proxied.ask(request), 502, &["upstream"]);
        assert_eq!((upstream.accepted(), upstream.requests().len()), (1, 2), "{request}");
    }
    // Nor what has been answered in part.
    for part in ["HTTP/1.1 ", "HTTP/1.1 103 Early Hints\r\n\r\n"] {
        let upstream = Upstream::new(move |talk| {
            talk.request();
            talk.send(OK);
            talk.request();
            talk.send(part.as_bytes());
        });
        let proxied = Proxied::new(front, &upstream);
        assert_eq!(proxied.get("/first"), OK_CLOSE);
        let came = proxied.get("/second");
        let came = came.strip_prefix("HTTP/1.1 103 Early Hints\r\n\r\n").unwrap_or(&came);
        assert_refused(came, 502, &["closed the connection"]);
        assert_eq!(upstream.accepted(), 1);
    }
}

fn requests_in_a_pipeline_are_answered_in_order(front: Front) {
    let upstream = Upstream::new(|talk| {
        while let Some(request) = talk.request() {
            let said = format!("{} {}", request.target(), String::from_utf8_lossy(&request.body));
            let length = said.len();
            // The first ones take the longest.
            thread::sleep(Duration::from_millis(if said.starts_with("/0") { 200 } else { 0 }));
            talk.send(
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{said}").as_bytes(),
            );
        }
    });
    let proxied = Proxied::new(front, &upstream);
    let mut requests = String::new();
    for n in 0..10 {
        requests += &*match n % 3 {
            0 => format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n"),
            1 => format!("POST /{n} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nGET"),
            _ => format!(
                "POST /{n} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                 3\r\nGET\r\n0\r\n\r\n"
            ),
        };
    }
    let mut conn = proxied.open();
    conn.send(requests.as_bytes()).unwrap();
    for n in 0..10 {
        let body = if n % 3 == 0 { "" } else { "GET" };
        assert_eq!(String::from_utf8_lossy(&conn.response().body), format!("/{n} {body}"));
    }
    assert_eq!(upstream.accepted(), 1);
}

fn no_more_than_so_many_wait(front: Front) {
    const MOST: usize = 64;
    const CLIENTS: usize = 80;
    let open = Arc::new(AtomicUsize::new(0));
    let (asked, counted) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&open));
    let upstream = Upstream::new(move |talk| {
        counted.fetch_add(1, Ordering::SeqCst);
        talk.request();
        asked.fetch_add(1, Ordering::SeqCst);
        // All at once, so that each has a connection.
        let end = Instant::now() + Duration::from_secs(10);
        while asked.load(Ordering::SeqCst) < CLIENTS && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        talk.send(OK);
        talk.rest();
        counted.fetch_sub(1, Ordering::SeqCst);
    });
    let proxied = Proxied::new(front, &upstream);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| assert_eq!(proxied.get("/"), OK_CLOSE));
        }
    });
    assert_eq!(upstream.accepted(), CLIENTS);
    let end = Instant::now() + Duration::from_secs(5);
    while open.load(Ordering::SeqCst) != MOST {
        assert!(Instant::now() < end, "{} are open", open.load(Ordering::SeqCst));
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(200));
    assert_eq!(open.load(Ordering::SeqCst), MOST, "these are kept");
}

fn a_unix_socket_is_as_good(front: Front) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.sock").to_str().unwrap().to_owned();
    let upstream = Upstream::unix(&path, |talk| {
        for _ in 0..3 {
            if talk.request().is_some() {
                talk.send(OK);
            }
        }
    });
    let proxied = Proxied::new(front, &upstream);
    let post = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";
    for _ in 0..3 {
        assert_eq!(proxied.ask(post), OK_CLOSE);
    }
    assert_eq!(upstream.accepted(), 1);
    assert_eq!(upstream.nth(2).body, b"hello");
    assert_eq!(upstream.nth(2).values("host"), ["a"]);
    // The fourth goes over another connection: that one has ended.
    thread::sleep(Duration::from_millis(100));
    assert_eq!(proxied.ask(post), OK_CLOSE);
    assert_eq!(upstream.accepted(), 2);
    drop(upstream);
}
