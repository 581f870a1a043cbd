//! Heads: how large they may be, and what is in them that http-types cannot hold.

use turnkey::{App, Balance, Fields, Folder, Limits, Proxy, Request, Server, builtin};

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
    let more: Vec<_> = (1..fields).map(|n| format!("X-{n}: {n}\r\n")).collect();
    let more = more.concat();
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

/// What a browser sends that was given such a cookie, with one in ASCII before it and one behind.
const COOKIES: &[u8] =
    b"Cookie: a=1\r\nCookie: n=\xc3\xa9\r\nCookie: b=\xff; c=2\r\ncookie: d=3\r\n";

/// A request for `path` with these cookies.
fn with_cookies(path: &str) -> Vec<u8> {
    let line = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n");
    [line.as_bytes(), COOKIES, b"\r\n"].concat()
}

#[test]
fn a_handler_gets_the_bytes_of_a_cookie_beyond_ascii() {
    on(&Stack::PLAIN_AND_TLS, |stack| {
        let mut app = App::new();
        app.at("/").get(|request: Request| async move {
            let map = request.header("cookie").map(ToString::to_string);
            let raw: Vec<_> = Fields::of(&request).values("cookie").collect();
            let raw: Vec<_> = raw.iter().map(|value| value.escape_ascii().to_string()).collect();
            Ok(format!("{map:?} {raw:?}"))
        });
        let library = Library::serve(stack, app);
        let mut conn = library.open();
        // On the same connection: nothing is kept for the next request.
        for (request, expected) in [
            (
                with_cookies("/"),
                r#"Some("[\"a=1\", \"d=3\"]") ["a=1", "d=3", "n=\\xc3\\xa9", "b=\\xff; c=2"]"#,
            ),
            (request("/", 1), "None []"),
        ] {
            conn.send(&request).unwrap();
            let answer = conn.response();
            let body = String::from_utf8(answer.body).unwrap();
            assert_eq!((answer.status, &*body), (200, expected));
        }
    });
}

#[test]
fn the_built_in_app_and_folders_answer_to_cookies_beyond_ascii() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "hello").unwrap();
    let mut files = App::new();
    files.mount("/", Folder::new(folder.path()).unwrap());
    for (app, paths) in [(builtin(), ["/", "/whoami"]), (files, ["/a.txt", "/a.txt?b"])] {
        let library = Library::serve(Stack::Plain, app);
        for path in paths {
            assert_eq!(status(&library, &with_cookies(path)), 200, "{path}");
        }
        // In names, and before the fields, such bytes have no place.
        for odd in [
            &b"GET / HTTP/1.1\r\nHost: a\r\nX-N\xe4me: 1\r\n\r\n"[..],
            b"GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n",
            b"G\xcbT / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: \xe4\r\n\r\n",
        ] {
            assert_eq!(status(&library, odd), 400, "{}", odd.escape_ascii());
        }
    }
}

#[test]
fn upstreams_and_their_clients_get_bytes_beyond_ascii_as_they_are() {
    let answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: n=\xc3\xa9\r\nContent-Length: 2\r\n\r\nok";
    let upstream = Upstream::answering(answer);
    let proxy = Proxy::new(vec![upstream.url.parse().unwrap()], Balance::default()).streaming(true);
    let library = Library::start(Server::proxy(proxy), Pki::new(), |port, _| Dialer::plain(port));
    let mut conn = library.open();
    let request = [
        &b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"[..],
        COOKIES,
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: \xff\r\n\r\n",
    ];
    conn.send(&request.concat()).unwrap();
    let came = conn.rest();
    let held = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(held(&came, b"\r\nSet-Cookie: n=\xc3\xa9\r\n"), "{}", came.escape_ascii());
    let got = upstream.only();
    assert!(held(&got.head, COOKIES), "{}", got.head.escape_ascii());
    assert!(held(&got.body, b"\r\nX-Sum: \xff\r\n"), "{}", got.body.escape_ascii());
}
