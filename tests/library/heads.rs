//! Heads: how large they may be.

use turnkey::{App, Balance, Folder, Limits, Proxy, Request, Server};

use crate::support::upstream::Upstream;
use crate::support::{Dialer, Library, Pki, Stack, on};

/// Four times the default.
fn raised() -> Limits {
    let mut limits = Limits::default();
    limits.max_head = 64 * 1024;
    limits
}

/// A request for `target`, with so many fields.
fn request(target: &str, fields: usize) -> Vec<u8> {
    let more: String = (1..fields).map(|n| format!("X-{n}: {n}\r\n")).collect();
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n").into_bytes()
}

fn status(library: &Library, request: &[u8]) -> u16 {
    let mut conn = library.open();
    conn.send(request).unwrap();
    conn.response().status
}

#[test]
fn targets_and_fields_follow_a_raised_limit_on_heads() {
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let mut app = App::new();
        app.fallback(|request: Request| async move {
            Ok(format!("{} {}", request.url().as_str().len(), request.iter().count()))
        });
        let library = Library::limited(stack, app, raised());
        let mut conn = library.open();
        let target = format!("/{}", "t".repeat(40_000));
        conn.send(&request(&target, 400)).unwrap();
        let answer = conn.response();
        let scheme = if stack.is_tls() { "https" } else { "http" };
        let length = scheme.len() + "://localhost".len() + target.len();
        assert_eq!((answer.status, answer.body), (200, format!("{length} 400").into_bytes()));
        assert_eq!(status(&library, &request("/", 401)), 431, "{stack:?}");
        let size = request("", 1).len();
        for (fits, target) in [(true, 65536 - size), (false, 65536 - size + 1)] {
            let target = format!("/{}", "t".repeat(target - 1));
            assert_eq!(status(&library, &request(&target, 1)), if fits { 200 } else { 431 });
        }
        assert_eq!(status(&library, &request(&format!("/{}", "t".repeat(65536)), 1)), 414);
    });
}

/// What answers has no limit of its own that is lower.
#[test]
fn folders_and_upstreams_take_the_heads_that_a_raised_limit_lets_through() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "hello").unwrap();
    let folder = Folder::new(folder.path()).unwrap();
    let mut app = App::new();
    app.mount("/", folder);
    let library = Library::limited(Stack::Plain, app, raised());
    let query = "q".repeat(40_000);
    assert_eq!(status(&library, &request(&format!("/a.txt?{query}"), 400)), 200);
    // No file has such a name, nor such a path.
    assert_eq!(status(&library, &request(&format!("/{query}"), 1)), 404);
    assert_eq!(status(&library, &request(&"/q".repeat(20_000), 1)), 404);

    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let proxy = Proxy::new(vec![upstream.url.parse().unwrap()], Balance::default());
    let server = Server::proxy(proxy).limits(raised());
    let library = Library::start(server, Pki::new(), |port, _| Dialer::plain(port));
    let target = format!("/{query}?{}", "q".repeat(20_000));
    assert_eq!(status(&library, &request(&target, 400)), 200);
    let came = upstream.only();
    assert_eq!((came.target(), came.values("x-399")), (target, vec!["399".to_owned()]));
}
