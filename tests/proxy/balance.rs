//! Several upstreams.

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::support::table;
use crate::support::upstream::{DeadPort, Upstream};
use crate::{Front, OK, OK_CLOSE, Proxied, assert_refused};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        they_take_turns
        a_dead_one_is_skipped_and_left_alone
        a_body_is_not_lost_to_a_dead_one
        all_may_be_dead
        the_least_busy_is_asked
        one_that_has_the_request_is_the_only_one
    }
}

fn they_take_turns(front: Front) {
    let upstreams: Vec<_> = (0..3).map(|_| Upstream::answering(OK)).collect();
    let urls: Vec<_> = upstreams.iter().map(|upstream| &*upstream.url).collect();
    let proxied = Proxied::with(front, &urls, &[]);
    let count = || upstreams.iter().map(|u| u.requests().len()).collect::<Vec<_>>();
    let mut conn = proxied.open();
    for expected in [[1, 0, 0], [1, 1, 0], [1, 1, 1], [2, 1, 1], [2, 2, 1], [2, 2, 2]] {
        assert_eq!(conn.get().body, b"ok");
        assert_eq!(count(), expected);
    }
    assert!(upstreams.iter().all(|upstream| upstream.accepted() == 1));
}

fn a_dead_one_is_skipped_and_left_alone(front: Front) {
    let (dead, live) = (DeadPort::new(), Upstream::answering(OK));
    let proxied = Proxied::with(front, &[&dead.url, &live.url], &[]);
    for _ in 0..10 {
        assert_eq!(proxied.get("/"), OK_CLOSE);
    }
    assert_eq!(live.requests().len(), 10);
    proxied.server.assert_logs(&["error", &dead.url, "refused"]);
    proxied.server.assert_logs(&["warn", &dead.url, "left alone for a while"]);
    assert_eq!(proxied.server.log().matches(&dead.url).count(), 2, "{}", proxied.server.log());
    assert!(!proxied.server.log().contains(&live.url), "{}", proxied.server.log());
}

fn a_body_is_not_lost_to_a_dead_one(front: Front) {
    for body in [
        "Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
    ] {
        for streaming in [&[][..], &["--proxy-streaming"]] {
            let (dead, live) = (DeadPort::new(), Upstream::answering(OK));
            let proxied = Proxied::with(front, &[&dead.url, &live.url], streaming);
            let came =
                proxied.ask(format!("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{body}"));
            assert_eq!(came, OK_CLOSE, "{body}");
            let request = live.only();
            let body = String::from_utf8_lossy(&request.body).into_owned();
            assert!(body == "hello" || body == "5\r\nhello\r\n0\r\n\r\n", "{body}");
            proxied.server.assert_logs(&["error", &dead.url, "refused"]);
        }
    }
}

fn all_may_be_dead(front: Front) {
    let dead = [DeadPort::new(), DeadPort::new()];
    let urls = [&*dead[0].url, &*dead[1].url];
    let proxied = Proxied::with(front, &urls, &[]);
    for _ in 0..3 {
        assert_refused(&proxied.get("/"), 502, &["the upstream refused the connection"]);
    }
    // Each is asked each time, since nobody else can be; that they are left alone is no news then.
    for url in urls {
        proxied.server.assert_says(&format!("the upstream {url}: "), 3);
        proxied.server.assert_says(&format!("the upstream {url} is left alone"), 1);
    }
    // One that is there again is asked at once: better than none.
    let revived = Upstream::answering(OK);
    let proxied = Proxied::with(front, &[&dead[0].url, &revived.url], &[]);
    assert_eq!(proxied.get("/"), OK_CLOSE);
}

fn the_least_busy_is_asked(front: Front) {
    let (go, may_go) = channel::<()>();
    let may_go = Mutex::new(may_go);
    let busy = Upstream::new(move |talk| {
        while talk.request().is_some() {
            may_go.lock().unwrap().recv_timeout(Duration::from_secs(8)).ok();
            talk.send(OK);
        }
    });
    let other = Upstream::answering(OK);
    let balance = ["--balance", "least-connections"];
    let proxied = Proxied::with(front, &[&busy.url, &other.url], &balance);
    thread::scope(|scope| {
        let slow = scope.spawn(|| proxied.get("/slow"));
        assert_eq!(busy.nth(0).target(), "/slow");
        for _ in 0..4 {
            assert_eq!(proxied.get("/"), OK_CLOSE);
        }
        assert_eq!((busy.requests().len(), other.requests().len()), (1, 4));
        go.send(()).unwrap();
        assert_eq!(slow.join().unwrap(), OK_CLOSE);
    });
    // Both have nothing to do, and take turns.
    drop(go);
    for _ in 0..4 {
        proxied.get("/");
    }
    assert_eq!((busy.requests().len(), other.requests().len()), (3, 6));
}

/// Whoever has got a request may have done what it asks for.
fn one_that_has_the_request_is_the_only_one(front: Front) {
    let silent = Upstream::new(|talk| {
        talk.request();
        talk.rest();
    });
    let hasty = Upstream::new(|talk| drop(talk.request()));
    let bad = Upstream::answering("garbage");
    for (upstream, status) in [(silent, 504), (hasty, 502), (bad, 502)] {
        let other = Upstream::answering(OK);
        let timeout = ["--proxy-timeout", "0.5"];
        let proxied = Proxied::with(front, &[&upstream.url, &other.url], &timeout);
        assert_refused(&proxied.get("/"), status, &["upstream"]);
        assert_eq!((upstream.requests().len(), other.accepted()), (1, 0));
        // That is no reason to leave it alone.
        assert_eq!(proxied.get("/"), OK_CLOSE);
        assert_refused(&proxied.get("/"), status, &["upstream"]);
        assert!(!proxied.server.log().contains("left alone"), "{}", proxied.server.log());
    }
}
