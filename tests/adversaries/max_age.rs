//! `--max-age`: how long a connection stays open, whatever it is used for.

use std::thread;
use std::time::{Duration, Instant};

use turnkey::{App, Limits, Request};

use crate::support::{GET, Library, Site, Stack, Streams, UPGRADE, on};

/// Long enough for a first request, on a slow machine too.
const AGE: Duration = Duration::from_secs(3);

const OPTION: (&str, &str) = ("--max-age", "3");

#[test]
fn one_that_waits_for_a_request_is_closed() {
    on(&Stack::ALL, |stack| {
        let site = Site::new(stack, &[OPTION, ("--idle-timeout", "60")]);
        let start = Instant::now();
        let mut conn = site.open();
        conn.get().assert_top_level();
        assert_eq!(conn.rest(), b"", "{stack:?}");
        assert!(start.elapsed() >= AGE, "{stack:?}");
    });
}

/// However long it takes.
#[test]
fn the_answer_that_is_due_is_the_last_and_says_so() {
    on(&Stack::ALL, |stack| {
        let (word, words) = smol::channel::unbounded::<()>();
        let mut app = App::new();
        app.at("/").get(move |_: Request| {
            let words = words.clone();
            async move {
                words.recv().await?;
                Ok("done")
            }
        });
        let mut limits = Limits::default();
        limits.max_age = Some(AGE);
        let library = Library::limited(stack, app, limits);
        let mut conn = library.open();
        word.send_blocking(()).unwrap();
        assert!(!conn.get().has("connection: close"), "{stack:?}");
        conn.send(GET).unwrap();
        // More than what a stream may take beyond the age.
        thread::sleep(AGE + Duration::from_millis(2500));
        word.send_blocking(()).unwrap();
        let answer = conn.response();
        assert_eq!((answer.status, &*answer.body), (200, &b"done"[..]), "{stack:?}");
        assert!(answer.has("connection: close"), "{stack:?}: {}", answer.head);
        assert_eq!(conn.rest(), b"", "{stack:?}");
    });
}

#[test]
fn what_has_no_end_ends() {
    on(&Stack::ALL, |stack| {
        let upstream = Streams::start();
        let proxy = ("--proxy", &*upstream.url);
        let site = Site::new(stack, &[OPTION, proxy, ("--idle-timeout", "60")]);
        let start = Instant::now();
        let mut events = Streams::hear(site.open(), GET);
        let mut tunnel = Streams::hear(site.open(), UPGRADE);
        tunnel.rest();
        assert!(start.elapsed() >= AGE, "{stack:?}");
        let said = events.rest();
        assert!(said.ends_with(b"hello\n\n\r\n"), "{stack:?}: {}", said.escape_ascii());
    });
}

/// Though it always makes progress.
#[test]
fn a_body_that_takes_too_long_is_refused() {
    on(&Stack::ALL, |stack| {
        // It is asked when it has a length.
        let upstream = Streams::start();
        let site = Site::new(stack, &[OPTION, ("--proxy", &upstream.url)]);
        let mut conn = site.open();
        conn.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        let start = Instant::now();
        while start.elapsed() < AGE + Duration::from_secs(4) {
            // The answer has come when this fails.
            if conn.send(b"1\r\na\r\n").is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(200));
        }
        let answer = conn.response();
        assert_eq!(answer.status, 408, "{stack:?}");
        assert!(answer.has("connection: close"), "{stack:?}: {}", answer.head);
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(body.starts_with("the connection is as old as one may get"), "{stack:?}: {body}");
    });
}
