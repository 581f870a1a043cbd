//! Which connections to upstreams serve several clients, and which must not.

use crate::bodies::{SOON, signal};
use crate::support::table;
use crate::support::upstream::Upstream;
use crate::{Front, OK, OK_CLOSE, Proxied};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        a_body_that_may_be_left_unread_is_the_last_on_its_connection
        a_body_that_is_expected_is_not
        no_answer_follows_one_to_head
        an_authenticated_connection_serves_one_client_alone
        a_challenge_alone_makes_a_connection_private
        a_private_connection_outlives_head
    }
}

fn with_body(method: &str, framing: &str) -> String {
    format!("{method} /first HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{framing}")
}

const LENGTH: &str = "Content-Length: 5\r\n\r\nhello";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";

fn a_body_that_may_be_left_unread_is_the_last_on_its_connection(front: Front) {
    for method in ["GET", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
        for framing in [LENGTH, CHUNKED] {
            for options in [&[][..], &["--proxy-streaming"]] {
                let upstream = Upstream::answering(OK);
                let proxied = Proxied::with(front, &[&upstream.url], options);
                assert_eq!(proxied.ask(with_body(method, framing)), OK_CLOSE, "{method}");
                assert_eq!(proxied.get("/next"), OK_CLOSE);
                let requests = upstream.requests();
                assert_eq!(requests[0].values("connection"), ["close"], "{method} {framing}");
                assert_eq!(requests[1].values("connection"), [""; 0]);
                assert_eq!(requests[1].connection, 1, "{method} {framing}");
            }
        }
    }
}

fn a_body_that_is_expected_is_not(front: Front) {
    for method in ["POST", "PUT", "PATCH"] {
        for framing in [LENGTH, CHUNKED] {
            let upstream = Upstream::answering(OK);
            let proxied = Proxied::new(front, &upstream);
            assert_eq!(proxied.ask(with_body(method, framing)), OK_CLOSE);
            assert_eq!(proxied.get("/next"), OK_CLOSE);
            assert_eq!(upstream.nth(0).values("connection"), [""; 0], "{method} {framing}");
            assert_eq!(upstream.nth(1).connection, 0, "{method} {framing}");
        }
    }
}

/// An upstream may answer HEAD as it does GET, and its body may come after its head.
fn no_answer_follows_one_to_head(front: Front) {
    let upstream = Upstream::new(|talk| {
        while let Some(request) = talk.request() {
            let head = b"HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 39\r\n\r\n";
            talk.send(if request.line().starts_with("HEAD") { head } else { OK });
        }
    });
    let proxied = Proxied::new(front, &upstream);
    let came = proxied.ask("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(came.contains("\r\nContent-Length: 39\r\n"), "{came}");
    assert_eq!(proxied.get("/next"), OK_CLOSE);
    assert_eq!(upstream.nth(0).values("connection"), ["close"]);
    assert_eq!(upstream.nth(1).connection, 1);
}

/// Says who asks, as IIS does: whoever asks on a connection is taken for the one who authenticated it.
fn authenticating() -> Upstream {
    Upstream::new(|talk| {
        let mut user = None;
        while let Some(request) = talk.request() {
            let given = request.values("authorization").first().cloned().unwrap_or_default();
            if let Some(name) = given.strip_prefix("NTLM TYPE3-") {
                user = Some(name.to_owned());
            }
            talk.send(
                &match &user {
                    Some(user) => {
                        let length = user.len();
                        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{user}")
                    }
                    None => "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\n\
                         Content-Length: 0\r\n\r\n"
                        .to_owned(),
                }
                .into_bytes(),
            );
        }
    })
}

fn ask(authorization: &str) -> Vec<u8> {
    format!("GET /mine HTTP/1.1\r\nHost: a\r\n{authorization}\r\n").into_bytes()
}

fn an_authenticated_connection_serves_one_client_alone(front: Front) {
    let upstream = authenticating();
    let proxied = Proxied::with(front, &[&upstream.url], &["--threads", "1"]);
    let mut alice = proxied.open();
    for (authorization, status, body) in [
        ("", 401, &b""[..]),
        ("Authorization: NTLM TYPE1\r\n", 401, b""),
        ("Authorization: NTLM TYPE3-alice\r\n", 200, b"alice"),
        ("", 200, b"alice"),
    ] {
        alice.send(&ask(authorization)).unwrap();
        let answer = alice.response();
        assert_eq!((answer.status, &answer.body[..]), (status, body), "{authorization}");
    }
    let mut mallory = proxied.open();
    mallory.send(&ask("")).unwrap();
    assert_eq!(mallory.response().status, 401);
    alice.send(&ask("")).unwrap();
    assert_eq!(alice.response().body, b"alice");
    let connections: Vec<_> = upstream.requests().iter().map(|r| r.connection).collect();
    assert_eq!(connections, [0, 0, 0, 0, 1, 0]);
}

fn a_challenge_alone_makes_a_connection_private(front: Front) {
    let (closed, is_closed) = signal();
    let upstream = Upstream::new(move |talk| {
        talk.answer_all(
            b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x, Negotiate\r\n\
              Content-Length: 0\r\n\r\n",
        );
        closed.send(talk.number).unwrap();
    });
    let proxied = Proxied::new(front, &upstream);
    let mut conn = proxied.open();
    for _ in 0..2 {
        assert_eq!(conn.get().status, 401);
    }
    assert!(proxied.get("/").starts_with("HTTP/1.1 401 "));
    assert!(proxied.get("/").starts_with("HTTP/1.1 401 "));
    let connections: Vec<_> = upstream.requests().iter().map(|r| r.connection).collect();
    assert_eq!(connections, [0, 0, 1, 2]);
    // It ends with the client's.
    drop(conn);
    let closed = is_closed.lock().unwrap();
    let mut ended: Vec<_> =
        (0..3).map(|_| closed.recv_timeout(SOON).expect("it is held")).collect();
    ended.sort_unstable();
    assert_eq!(ended, [0, 1, 2]);
}

/// NTLM takes three requests on the same connection.
fn a_private_connection_outlives_head(front: Front) {
    let upstream = authenticating();
    let proxied = Proxied::new(front, &upstream);
    let mut alice = proxied.open();
    for authorization in ["NTLM TYPE1", "NTLM TYPE3-alice"] {
        let head = format!("HEAD / HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n\r\n");
        alice.send(head.as_bytes()).unwrap();
    }
    assert_eq!((upstream.nth(0).connection, upstream.nth(1).connection), (0, 0));
    assert_eq!(upstream.nth(1).values("connection"), [""; 0]);
}
