//! A server that says that it will stop, and goes on until nobody comes any more.

use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Conn, Site, Stack, is_time_out, on};

/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(1500);

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

fn begin_upload(site: &Site) -> Conn {
    let mut conn = site.open();
    conn.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe").unwrap();
    conn
}

#[test]
fn it_serves_on_and_says_that_it_will_stop() {
    const DELAY: Duration = Duration::from_secs(2);
    on(&Stack::ALL, |stack| {
        let patient = [("--idle-timeout", "9"), ("--body-timeout", "9")];
        let options = [&[("--health", "/healthz"), ("--drain-delay", "2")][..], &patient].concat();
        let mut site = Site::new(stack, &options);
        let [mut kept, mut quiet] = [site.open(), site.open()];
        for conn in [&mut kept, &mut quiet] {
            let answer = conn.get();
            assert!(!answer.has("connection: close"), "{answer:?}");
        }
        site.server.signal("TERM");
        let start = Instant::now();
        site.server.assert_says("stopping in 2 seconds", 1);
        // New connections, and those that stand, are served once more.
        for mut conn in [site.open(), kept] {
            let answer = conn.get();
            answer.assert_top_level();
            assert!(answer.has("connection: close"), "{answer:?}");
            assert!(conn.rest().is_empty());
        }
        let mut conn = site.open();
        conn.send(HEALTH).unwrap();
        let answer = conn.response();
        assert_eq!((answer.status, &*answer.body), (503, &b"draining\n"[..]));
        assert!(answer.has("connection: close"), "{answer:?}");
        drop(conn);
        let mut late = begin_upload(&site);
        // One that has nothing to ask is left alone until then.
        quiet.wait_at_most(DELAY + SLACK);
        assert_eq!(quiet.rest(), b"");
        let waited = start.elapsed();
        assert!(waited > DELAY.mul_f32(0.9) && waited < DELAY + SLACK, "after {waited:?}");
        // What is under way has the time of --drain-timeout still.
        thread::sleep(Duration::from_millis(300));
        assert!(site.dialer.try_tcp().is_err(), "the port is still open");
        late.send(b"llo").unwrap();
        assert_eq!(late.response().body, b"hello");
        drop((quiet, late));
        assert_eq!(site.server.wait().code(), Some(0));
        site.assert_calm();
    });
}

#[test]
fn the_drain_time_out_begins_after_it() {
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let options = [("--drain-delay", "0.7"), ("--drain-timeout", "1"), ("--body-timeout", "9")];
        let mut site = Site::new(stack, &options);
        let _upload = begin_upload(&site);
        thread::sleep(Duration::from_millis(50));
        site.server.signal("TERM");
        let start = Instant::now();
        assert_eq!(site.server.wait().code(), Some(0));
        let taken = start.elapsed();
        let limit = Duration::from_millis(1700);
        assert!(taken > limit.mul_f32(0.9) && taken < limit + SLACK, "left after {taken:?}");
    });
}

#[test]
fn a_second_signal_does_not_wait_for_it() {
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let mut site = Site::new(stack, &[("--drain-delay", "20"), ("--drain-timeout", "20")]);
        let mut upload = begin_upload(&site);
        site.server.signal("TERM");
        thread::sleep(Duration::from_millis(300));
        site.server.assert_alive();
        assert!(site.open().get().has("connection: close"));
        site.server.signal("INT");
        let start = Instant::now();
        assert_eq!(site.server.wait().code(), Some(0));
        assert!(start.elapsed() < SLACK, "left after {:?}", start.elapsed());
        let ended = upload.try_response();
        assert!(ended.as_ref().is_err_and(|e| !is_time_out(e)), "{ended:?}");
    });
}
