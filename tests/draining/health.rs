//! What the server says of itself to those who balance between several of its kind.

use std::thread;
use std::time::Duration;

use crate::support::{Site, Stack, on};

const HEALTH: &[u8] = b"GET /healthz?from=balancer HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn it_serves_and_then_it_drains() {
    on(&[Stack::Plain, Stack::Rustls], |stack| {
        let mut site = Site::new(stack, &[("--health", "/healthz")]);
        let mut conn = site.open();
        for _ in 0..2 {
            conn.send(HEALTH).unwrap();
            let answer = conn.response();
            assert_eq!((answer.status, &*answer.body), (200, &b"serving\n"[..]));
        }
        // Other paths, and other methods, are the app's.
        conn.get().assert_top_level();
        conn.send(b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").unwrap();
        assert_eq!(conn.response().status, 404);
        // A request that is under way when the signal comes is answered, and this one with the truth.
        let (begin, rest) = HEALTH.split_at(10);
        conn.send(begin).unwrap();
        thread::sleep(Duration::from_millis(100));
        site.server.signal("TERM");
        thread::sleep(Duration::from_millis(200));
        conn.send(rest).unwrap();
        let answer = conn.response();
        assert_eq!((answer.status, &*answer.body), (503, &b"draining\n"[..]));
        assert!(answer.has("connection: close"), "{answer:?}");
        assert_eq!(site.server.wait().code(), Some(0));
    });
}

#[test]
fn without_the_option_the_path_is_the_apps() {
    let site = Site::new(Stack::Plain, &[]);
    let mut conn = site.open();
    conn.send(HEALTH).unwrap();
    assert_eq!(conn.response().status, 404);
}
