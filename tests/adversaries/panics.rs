//! Handlers that panic, which those of the program do not.

use std::sync::Once;
use std::time::{Duration, Instant};

use turnkey::{App, Request};

use crate::support::{Library, Stack, on};

/// What must not reach a client.
const SECRET: &str = "the handler panics on purpose";

fn app() -> App {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let text = info.payload().downcast_ref::<String>().map(String::as_str);
            if text.or(info.payload().downcast_ref().copied()) != Some(SECRET) {
                usual(info);
            }
        }));
    });
    let mut app = App::new();
    app.at("/").get(|_| async { Ok("Top-level content") });
    // Before there is a future, and in it.
    app.at("/at-once").get(|request: Request| {
        assert!(request.len().is_none_or(|n| n > 1_000_000), "{SECRET}");
        async { Ok("") }
    });
    app.at("/later").post(|mut request: Request| async move {
        _ = request.body_bytes().await;
        panic!("{SECRET}");
        #[allow(unreachable_code, reason = "the type of the answer")]
        Ok("")
    });
    app
}

#[test]
fn panics_are_500_and_no_more() {
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let library = Library::serve(stack, app());
        let mut bystander = library.open();
        let mut conn = library.open();
        for n in 0..100 {
            conn.send(if n % 2 == 0 {
                b"GET /at-once HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
            } else {
                b"POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
            })
            .unwrap();
            let answer = conn.response();
            assert_eq!(answer.status, 500, "{answer:?}");
            let told = [answer.head.as_bytes(), &answer.body].concat();
            assert!(!String::from_utf8_lossy(&told).contains("purpose"), "{answer:?}");
            if answer.has("connection: close") {
                assert!(conn.rest().is_empty());
                conn = library.open();
            }
            let start = Instant::now();
            bystander.get().assert_top_level();
            assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        }
    });
}
