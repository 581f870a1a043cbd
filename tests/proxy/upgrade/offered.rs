//! Which upgrades an upstream is asked for, and what it may answer.

use super::*;

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        a_refusal_is_a_usual_answer
        what_is_no_upgrade_is_not_passed_on
        protocols_that_carry_requests_are_not_offered
        other_protocols_are_offered_if_they_may
        an_answer_nobody_asked_for_is_refused
    }
}

fn a_refusal_is_a_usual_answer(front: Front) {
    for status in ["200 OK", "400 Bad Request", "426 Upgrade Required"] {
        let answer = format!("HTTP/1.1 {status}\r\nDate: today\r\nContent-Length: 2\r\n\r\nno");
        let upstream = Upstream::answering(answer.clone());
        let proxied = Proxied::new(front, &upstream);
        let mut conn = proxied.open();
        for n in 0..2 {
            conn.send(ASK).unwrap();
            until(&mut conn, b"no");
            assert_eq!(String::from_utf8_lossy(conn.ahead()), answer, "{n}");
            assert_eq!(conn.response().body, b"no");
        }
        // What follows is the next request, to whom it may concern.
        conn.send(&[ASK, b"GET /next HTTP/1.1\r\nHost: b.test\r\n\r\n"].concat()).unwrap();
        conn.response();
        conn.response();
        let requests = upstream.requests();
        let targets: Vec<_> =
            requests.iter().map(crate::support::upstream::Received::target).collect();
        assert_eq!(targets, ["/chat", "/chat", "/chat", "/next"]);
        assert_eq!(requests[3].values("x-forwarded-host"), ["b.test"]);
        assert_eq!(upstream.accepted(), 1);
    }
}

fn what_is_no_upgrade_is_not_passed_on(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::new(front, &upstream);
    let ask = String::from_utf8_lossy(ASK);
    for request in [
        ask.replace("HTTP/1.1", "HTTP/1.0"),
        ask.replace("keep-alive, Upgrade", "close"),
        ask.replace("GET", "POST").replace("\r\n\r\n", "\r\nContent-Length: 5\r\n\r\nhello"),
        ask.replace("Upgrade: websocket, Chat/1\r\n", ""),
        ask.replace("websocket, Chat/1", " , "),
    ] {
        let mut conn = proxied.open();
        conn.send(request.as_bytes()).unwrap();
        assert_eq!(conn.response().body, b"ok");
        let got = upstream.take_requests().remove(0);
        assert!(!got.text().to_ascii_lowercase().contains("upgrade"), "{}", got.text());
    }
}

/// In a tunnel of HTTP/2 a client could say of itself what we remove.
fn protocols_that_carry_requests_are_not_offered(front: Front) {
    let upstream = Upstream::answering(OK);
    let proxied = Proxied::new(front, &upstream);
    let ask = String::from_utf8_lossy(ASK);
    for (offered, passed) in [
        ("h2c", None),
        ("H2C", None),
        ("HTTP/2.0, TLS/1.0", None),
        ("h2c, websocket", Some("websocket")),
        ("h2c-17, h2-14", None),
        ("\"h2c\", \"websocket\"", None),
        ("websocket/1 h2c", None),
        ("x\r\nUpgrade: h2c , WebSocket/13", Some("WebSocket/13")),
    ] {
        let mut conn = proxied.open();
        let request = ask.replace("websocket, Chat/1", offered).replace(
            "Upgrade\r\n",
            "Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
        );
        conn.send(request.as_bytes()).unwrap();
        assert_eq!(conn.response().body, b"ok");
        let got = upstream.take_requests().remove(0);
        assert_eq!(got.values("upgrade"), Vec::from_iter(passed), "{offered}");
        assert!(!got.text().contains("HTTP2-Settings"), "{}", got.text());
    }
}

fn other_protocols_are_offered_if_they_may(front: Front) {
    let upstream = switching(|talk| while talk.exactly(1).is_some() {});
    let options = ["--upgrade", "chat", "--upgrade", "X"];
    let proxied = Proxied::with(front, &[&upstream.url], &options);
    let ask = String::from_utf8_lossy(ASK);
    for (offered, passed) in [
        ("websocket, Chat/1", "websocket, Chat/1"),
        ("x/2\r\nUpgrade: h2c-17, y, websocket", "x/2, websocket"),
    ] {
        let mut conn = proxied.open();
        conn.send(ask.replace("websocket, Chat/1", offered).as_bytes()).unwrap();
        until(&mut conn, b"\r\n\r\n");
        assert_eq!(upstream.take_requests()[0].values("upgrade"), [passed], "{offered}");
    }
}

fn an_answer_nobody_asked_for_is_refused(front: Front) {
    let ask = String::from_utf8_lossy(ASK);
    for (request, answered) in [
        (ask.replace("websocket, Chat/1", "h2c"), "h2c"),
        (ask.replace("websocket, Chat/1", "Chat/1"), "websocket"),
        (ask.replace("websocket, Chat/1", "websocket"), "websocket, h2c"),
        (ask.replace("keep-alive, Upgrade", "x"), "websocket"),
    ] {
        let answer = String::from_utf8_lossy(SWITCH).replace("websocket", answered);
        let upstream = Upstream::answering(answer);
        let proxied = Proxied::new(front, &upstream);
        assert_refused(&proxied.ask(&request), 502, &["protocol that nobody asked for"]);
    }
}
