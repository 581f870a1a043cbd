//! What the app receives of a request.

use super::*;

#[test]
fn the_app_sees_the_host_that_the_client_sent() {
    let mut app = App::new();
    app.at("/").get(|request: Request| async move {
        let sent = request.header("host").map(|values| values.as_str().to_owned());
        Ok(format!("{sent:?}, in the URL {:?}", request.url().host_str()))
    });
    let app = app.into();
    for (from_proxy, said, seen) in [
        (false, GET, r#"Some("a"), in the URL Some("a")"#),
        (false, "GET / HTTP/1.0\r\n\r\n", r#"None, in the URL Some("192.0.2.2")"#),
        (
            true,
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: b\r\n\r\n",
            r#"Some("a"), in the URL Some("b")"#,
        ),
    ] {
        let (answered, _) = answers(link(false, from_proxy), &app, said);
        assert!(answered.replace("\\\"", "\"").ends_with(seen), "{said}: {answered}");
    }
}

#[test]
fn the_app_sees_the_type_that_the_client_sent_and_no_other() {
    let mut app = App::new();
    app.at("/").post(|request: Request| async move {
        Ok(format!("{:?}", request.header("content-type").map(|values| values.as_str())))
    });
    let app = app.into();
    for (field, seen) in [("", "None"), ("Content-Type: text/a\r\n", r#"Some("text/a")"#)] {
        let said = format!("POST / HTTP/1.1\r\nHost: a\r\n{field}Content-Length: 1\r\n\r\n!");
        let (answered, _) = answers(link(false, false), &app, said);
        assert!(answered.replace("\\\"", "\"").ends_with(seen), "{answered}");
    }
}

/// Also where no `Request` is built, which would detect it otherwise.
#[test]
fn a_host_that_no_url_can_have_is_refused_whatever_answers() {
    for path in ["/", "/not-there"] {
        let get = |host| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        for host in ["1.2.3.456", "a%20b"] {
            let (answered, after) = answers(link(false, false), &app(), get(host));
            assert!(answered.starts_with("HTTP/1.1 400 "), "{host}: {answered}");
            assert!(answered.contains("do not make a valid URL"), "{host}: {answered}");
            assert_eq!(after, After::Close);
        }
        let (answered, _) = answers(link(false, false), &app(), get("1.2.3.4"));
        assert!(!answered.contains("400 Bad Request"), "{answered}");
    }
}

/// async-h1 accepts shorter heads than turnkey.
#[test]
fn targets_of_all_lengths_reach_the_app() {
    let lengths = 8000..=8192;
    let get = |n: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "p".repeat(n - 1));
    let (answered, _) =
        answers(link(false, false), &app(), lengths.clone().map(get).collect::<String>());
    assert_eq!(answered.matches("HTTP/1.1 404 Not Found\r\n").count(), lengths.count());
    assert!(!answered.contains("400 Bad Request"), "{answered}");
}

/// A handler cannot hide a malformed request.
#[test]
fn a_body_that_cannot_be_read_is_refused_whatever_the_handler_makes_of_it() {
    let mut app = App::new();
    app.at("/").post(|mut request: Request| async move {
        Ok(format!("read: {}", request.body_bytes().await.is_ok()))
    });
    let app = app.into();
    let over = format!("Transfer-Encoding: chunked\r\n\r\n65\r\n{}", "m".repeat(101));
    for (rest, status) in [
        ("Content-Length: 5\r\n\r\nhello", "200 OK"),
        ("Content-Length: 5\r\n\r\nhell", "400 Bad Request"),
        ("Transfer-Encoding: chunked\r\n\r\nx\r\n", "400 Bad Request"),
        (&over, "413 Payload Too Large"),
    ] {
        let said = format!("POST / HTTP/1.1\r\nHost: a\r\n{rest}");
        let (answered, _) = answers(link(false, false), &app, said);
        assert!(answered.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{rest}: {answered}");
        assert_eq!(answered.contains("read: true"), status == "200 OK", "{rest}: {answered}");
    }
}

/// The answer has begun, so `100 Continue` can no longer be sent. The body did not wait for it.
#[test]
fn a_body_that_came_unasked_and_is_read_late_is_followed_by_the_next_request() {
    let mut app = App::new();
    app.at("/").get(|_| async { Ok("hello") });
    app.at("/echo").post(|mut request: Request| async move {
        let first = smol::io::Cursor::new("f".repeat(64 * 1024));
        let both = smol::io::AsyncReadExt::chain(first, request.take_body());
        let mut response = Response::new(StatusCode::Ok);
        response.set_body(http_types::Body::from_reader(both, None));
        Ok(response)
    });
    let app = app.into();
    let head =
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    let (answered, _) = answers(link(false, false), &app, format!("{head}12345{GET}"));
    let (_, echoed) = answered.split_once("ffff").unwrap();
    assert!(echoed.contains("12345"), "{answered}");
    assert!(echoed.contains("HTTP/1.1 200 OK\r\n") && echoed.ends_with("hello"), "{answered}");
    assert!(!answered.contains("100 Continue"), "{answered}");
}
