//! The request line and the fields that an upstream gets.

use crate::support::table;
use crate::support::upstream::Upstream;
use crate::{Front, OK, OK_CLOSE, Proxied};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        the_whole_head
        targets_pass_byte_for_byte
        the_host_is_kept_or_set
        fields_keep_their_order_and_their_bytes
        fields_between_neighbours_go
        max_forwards_is_counted
        what_may_go_no_further_is_answered_here
    }
}

/// What we say of a client at 127.0.0.1.
fn ours(scheme: &str, host: &str) -> String {
    format!(
        "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: {scheme}\r\nX-Forwarded-Host: {host}\r\n\
         Forwarded: for=127.0.0.1;host=\"{host}\";proto={scheme}\r\n"
    )
}

fn the_whole_head(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::new(front, &upstream);
    let ours = ours(front.scheme(), "a.test:81");
    for (n, (request, line, end)) in [
        ("GET /x?y HTTP/1.1\r\n", "GET /x?y HTTP/1.1\r\n", ""),
        ("GET /x?y HTTP/1.0\r\n", "GET /x?y HTTP/1.1\r\n", ""),
        ("GET /x?y HTTP/1.7\r\n", "GET /x?y HTTP/1.1\r\n", ""),
        ("DELETE / HTTP/1.1\r\n", "DELETE / HTTP/1.1\r\n", ""),
        ("POST / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "Content-Length: 0\r\n"),
        ("PROPFIND / HTTP/1.1\r\n", "PROPFIND / HTTP/1.1\r\n", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let request =
            format!("{request}Host: a.test:81\r\nConnection: close\r\nAccept: */*\r\n\r\n");
        assert_eq!(proxied.ask(&request), OK_CLOSE, "{request}");
        let head = format!("{line}Host: a.test:81\r\nAccept: */*\r\n{ours}{end}\r\n");
        assert_eq!(upstream.nth(n).text(), head);
    }
}

fn targets_pass_byte_for_byte(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::new(front, &upstream);
    let mut conn = proxied.open();
    let long = format!("/{}?{}", "a".repeat(4000), "%2f".repeat(1000));
    for target in [
        "/",
        "/?",
        "/a//b/./../c;p=1,2?x=%2F&y=%zz?&&=",
        "/%00%0d%0a%2e%2E/~user/:@!$&'()*+,=|{}^`<>\"[]",
        "//double.test/path",
        "/query?back\\slash",
        "/http://a.test/",
        &long,
    ] {
        conn.send(format!("GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(conn.response().body, b"ok", "{target}");
        let requests = upstream.take_requests();
        assert_eq!(requests[0].line(), format!("GET {target} HTTP/1.1"));
    }
    for (method, target, host, path) in [
        ("GET", "http://b.test/x?y=/", "b.test", "/x?y=/"),
        ("GET", "HTTPS://b.test:81", "b.test:81", "/"),
        ("GET", "http://b.test?q", "b.test", "/?q"),
        ("OPTIONS", "http://b.test/", "b.test", "/"),
        ("OPTIONS", "http://b.test", "b.test", "*"),
        ("OPTIONS", "*", "a.test", "*"),
    ] {
        let request = format!("{method} {target} HTTP/1.1\r\nHost: a.test\r\n\r\n");
        conn.send(request.as_bytes()).unwrap();
        assert_eq!(conn.response().body, b"ok", "{target}");
        let request = &upstream.take_requests()[0];
        assert_eq!(request.line(), format!("{method} {path} HTTP/1.1"));
        assert_eq!(request.values("host"), [host], "{target}");
        assert_eq!(request.values("x-forwarded-host"), [host], "{target}");
    }
}

fn the_host_is_kept_or_set(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::new(front, &upstream);
    for host in ["A.test", "a.test:", "a.test:65535", "[::1]:81", "a_b%20c"] {
        proxied.ask(format!("GET / HTTP/1.1\r\nConnection: close, host\r\nhOsT:{host}\r\n\r\n"));
        let request = &upstream.take_requests()[0];
        assert_eq!(request.values("host"), [host]);
        assert_eq!(request.values("x-forwarded-host"), [host]);
    }
    // HTTP/1.0 may name none: it is the address that was called.
    proxied.ask("GET / HTTP/1.0\r\n\r\n");
    let local = format!("127.0.0.1:{}", proxied.server.port);
    assert_eq!(upstream.take_requests()[0].values("host"), [&*local]);

    let proxied = Proxied::with(front, &[&upstream.url], &["--upstream-host", "app.test:82"]);
    proxied.get("/");
    let request = &upstream.take_requests()[0];
    assert_eq!(request.values("host"), ["app.test:82"]);
    assert_eq!(request.values("x-forwarded-host"), ["a.test"]);
    let forwarded = format!("for=127.0.0.1;host=\"a.test\";proto={}", front.scheme());
    assert_eq!(request.values("forwarded"), [forwarded]);
}

fn fields_keep_their_order_and_their_bytes(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::with(front, &[&upstream.url], &["--lenient-names"]);
    let fields: &[&[u8]] = &[
        b"Z-Last: first",
        b"cookie: a=1",
        b"Cookie: b=2; c=\"3\"",
        b"X-Latin: caf\xe9 \xff\x80",
        b"X-UTF8: \xe2\x82\xac",
        b"X-Empty: ",
        b"X-Tab: a\tb  c",
        b"!#$%&'*+-.^_`|~09: token",
        b"COOKIE: d=4",
        b"A-First: last",
    ];
    let mut request = b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n".to_vec();
    for field in fields {
        request.extend_from_slice(field);
        request.extend_from_slice(b"  \r\n");
    }
    request.extend_from_slice(b"\r\n");
    assert_eq!(proxied.ask(&request), OK_CLOSE);
    let mut head = b"GET / HTTP/1.1\r\nHost: a.test\r\n".to_vec();
    for field in fields {
        head.extend_from_slice(field);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(ours(front.scheme(), "a.test").as_bytes());
    head.extend_from_slice(b"\r\n");
    let came = upstream.only().head;
    assert_eq!(came.escape_ascii().to_string(), head.escape_ascii().to_string());
}

fn fields_between_neighbours_go(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::new(front, &upstream);
    let request = "GET / HTTP/1.1\r\nX-Before: 1\r\nHost: a.test\r\nConnection: x-named, Foo\r\n\
                   X-NAMED: gone\r\nX-Named: gone too\r\nFoo: gone\r\nKeep-Alive: timeout=5\r\n\
                   Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\n\
                   TE: trailers, deflate\r\nUpgrade: websocket\r\nX-Named-Not: stays\r\n\
                   Authorization: Basic eDp5\r\nCONNECTION: bar , close\r\nBar: gone\r\n\
                   Content-Length: 0\r\n\r\n";
    assert_eq!(proxied.ask(request), OK_CLOSE);
    let ours = ours(front.scheme(), "a.test");
    let head = format!(
        "GET / HTTP/1.1\r\nHost: a.test\r\nX-Before: 1\r\nX-Named-Not: stays\r\n\
         Authorization: Basic eDp5\r\n{ours}\r\n"
    );
    assert_eq!(upstream.only().text(), head);
}

/// RFC 9110 §7.6.2.
fn max_forwards_is_counted(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::new(front, &upstream);
    for (method, value, passed) in [
        ("OPTIONS", "1", "0"),
        ("TRACE", "10", "9"),
        ("TRACE", "x", "x"),
        ("GET", "0", "0"),
        ("POST", "5", "5"),
    ] {
        let request = format!(
            "{method} / HTTP/1.1\r\nHost: a\r\nMax-Forwards: {value}\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(proxied.ask(request), OK_CLOSE);
        let got = upstream.take_requests().remove(0);
        assert_eq!(got.values("max-forwards"), [passed], "{method} {value}");
    }
}

fn what_may_go_no_further_is_answered_here(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::new(front, &upstream);
    let mut conn = proxied.open();
    for (method, status) in [("OPTIONS", 204), ("TRACE", 405), ("OPTIONS", 204)] {
        let request =
            format!("{method} /x HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nCookie: secret\r\n\r\n");
        conn.send(request.as_bytes()).unwrap();
        let answer = conn.response();
        assert_eq!(answer.status, status, "{method}");
        assert!(answer.has("allow: options"), "{}", answer.head);
        assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
    }
    assert_eq!(upstream.accepted(), 0);
}
