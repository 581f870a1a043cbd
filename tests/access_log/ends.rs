//! However a request ends, there is one line, and it says how.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::support::upstream::Upstream;
use crate::support::{Client, Conn, Dialer, GET, Pki, Server};
use crate::{PATIENCE, assert_ended, json, lines, object, objects, talk};

/// A body that takes the server long to send.
const MUCH: usize = 32 << 20;

#[test]
fn whole_and_one_for_each_of_a_connection() {
    let server = json(&[]);
    let mut conn = Dialer::plain(server.port).open();
    // Two at once, and one more.
    conn.send(&[GET, b"GET /whoami HTTP/1.1\r\nHost: a\r\n\r\n"].concat()).unwrap();
    conn.response().assert_top_level();
    let whoami = conn.response();
    conn.get().assert_top_level();
    let ended = objects(&server, 3);
    for (line, (id, target, sent)) in ended.iter().zip([
        ("1.1", "/", 17),
        ("1.2", "/whoami", whoami.body.len()),
        ("1.3", "/", 17),
    ]) {
        assert_ended(line, "complete", 200);
        assert_eq!([&line["id"], &line["target"]], [id, target], "{line}");
        assert_eq!(line["sent"], sent, "{line}");
    }
}

#[test]
fn refused_with_what_is_known() {
    let server = json(&["--max-body", "10", "--head-timeout", "0.3"]);
    let dialer = Dialer::plain(server.port);
    let cases: [(&[u8], u16, Option<&str>, &str); 7] = [
        (b"GET / HTTP/1.1\r\n\r\n", 400, Some("GET"), "/"),
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, None, "GET  / HTTP/1.1"),
        (b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 501, Some("BREW"), "/pot"),
        (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, Some("GET"), "/"),
        (
            b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n",
            413,
            Some("POST"),
            "/echo",
        ),
        (b"GET / HTT", 400, Some("GET"), "/"),
        (b"\x00\xff\r\n\r\n", 400, None, "\0\u{fffd}"),
    ];
    for (bytes, status, ..) in cases {
        let answer = talk(&dialer, bytes);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    // And one that comes to an end by the clock.
    let mut slow = dialer.open();
    slow.send(b"GET /slow").unwrap();
    assert_eq!(slow.response().status, 408);
    let ended = objects(&server, cases.len() + 1);
    for (line, (_, status, method, target)) in ended.iter().zip(cases) {
        assert_ended(line, "complete", status);
        assert_eq!(line["method"].as_str(), method, "{line}");
        assert_eq!(line["target"], target, "{line}");
        assert!(line["sent"].as_u64().unwrap() > 10, "it was told why: {line}");
    }
    let head = ended.last().unwrap();
    assert_ended(head, "complete", 408);
    assert!(head["target"] == "GET /slow" && head["seconds"].as_f64().unwrap() >= 0.3, "{head}");
}

/// Refused before an upstream was asked.
#[test]
fn a_body_that_stands_still() {
    let server = json(&["--proxy", "http://127.0.0.1:1", "--body-timeout", "0.3"]);
    let mut conn = Dialer::plain(server.port).open();
    let head = b"POST /a HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n";
    conn.send(&[&head[..], b"3\r\nabc\r\n"].concat()).unwrap();
    assert_eq!(conn.response().status, 408);
    let line = object(&server);
    assert_ended(&line, "complete", 408);
    assert_eq!((&line["received"], &line["host"]), (&3.into(), &"b".into()), "{line}");
    assert!(line["upstream"].is_null(), "{line}");
}

#[test]
fn broken_off_by_the_client() {
    let server = json(&["--max-body", "0"]);
    let mut conn = Dialer::plain(server.port).open();
    let head = format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {MUCH}\r\n\r\n");
    conn.send(head.as_bytes()).unwrap();
    conn.send(&vec![b'x'; 64 * 1024]).unwrap();
    // It has read what it reads, and leaves in the middle.
    thread::sleep(Duration::from_millis(100));
    conn.reset();
    let line = object(&server);
    assert_eq!(line["outcome"], "client_left", "{line}");
    assert!(line["received"].as_u64().unwrap() >= 1, "{line}");
}

#[test]
fn left_before_the_answer_is_499() {
    let (asked, is_asked) = mpsc::channel();
    let upstream = Upstream::new(move |talk| {
        // It never answers, and the client does not wait for it.
        while talk.request().is_some() {
            asked.send(()).unwrap();
        }
    });
    let server = json(&["--proxy", &upstream.url, "--proxy-timeout", "1", "--body-timeout", "5"]);
    let leave = |body: &str| {
        let mut conn = Dialer::plain(server.port).open();
        let head =
            "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
        conn.send(head.as_bytes()).unwrap();
        while conn.ahead() != b"HTTP/1.1 100 Continue\r\n\r\n" {
            assert_ne!(conn.read_some().unwrap(), 0, "it ended");
        }
        conn.send(body.as_bytes()).unwrap();
        conn
    };
    // The upstream is asked when the body is complete.
    leave("abc").reset();
    let whole = leave("abcdefghi");
    is_asked.recv_timeout(PATIENCE).unwrap();
    whole.reset();
    let mut ended = objects(&server, 2);
    ended.sort_by_key(|line| line["received"].as_u64());
    for (line, of) in ended.iter().zip([serde_json::Value::Null, (*upstream.url).into()]) {
        assert_ended(line, "client_left", 499);
        assert_eq!((&line["sent"], &line["upstream"]), (&0.into(), &of), "{line}");
    }
}

#[test]
fn handed_on_by_the_proxy() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n there\r\n0\r\n\r\n",
    );
    let server = json(&["--proxy", &upstream.url, "--health", "/healthz"]);
    let url = |path: &str| format!("{}{path}", server.url);
    assert_eq!(Client::new(&[]).fetch(&url("a")).text(), "hello there");
    assert_eq!(Client::new(&[]).fetch(&url("healthz")).text(), "serving\n");
    let ended = objects(&server, 2);
    assert_ended(&ended[0], "complete", 200);
    // The content, without the framing of its chunks.
    assert_eq!(ended[0]["sent"], 11, "{}", ended[0]);
    assert_eq!(ended[0]["upstream"], *upstream.url);
    assert_ended(&ended[1], "complete", 200);
    assert_eq!((&ended[1]["sent"], &ended[1]["upstream"]), (&8.into(), &serde_json::Value::Null));
}

#[test]
fn the_proxys_own_refusals_and_answers_that_break_off() {
    let broken =
        Upstream::answering_once("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly a part");
    let server = json(&["--proxy", &broken.url]);
    let answer = Client::new(&[]).fetch(&server.url);
    assert_ne!(answer.exit, 0, "half is not passed off as whole");
    let line = object(&server);
    assert_ended(&line, "broken_off", 200);
    assert_eq!(line["sent"], 11, "{line}");

    let gone = json(&["--proxy", "http://127.0.0.1:1"]);
    assert_eq!(Client::new(&[]).fetch(&gone.url).status, 502);
    let line = object(&gone);
    assert_ended(&line, "complete", 502);
    assert_eq!(line["upstream"], "http://127.0.0.1:1", "{line}");
}

#[test]
fn a_tunnel_has_its_line_when_it_has_ended() {
    let upstream = Upstream::new(|talk| {
        if talk.request().is_some() {
            talk.send(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
            );
            talk.send(b"welcome");
            talk.exactly(5);
        }
    });
    let server = json(&["--proxy", &upstream.url]);
    let mut conn = Dialer::plain(server.port).open();
    conn.send(
        b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    )
    .unwrap();
    while !conn.ahead().ends_with(b"welcome") {
        conn.read_some().unwrap();
    }
    thread::sleep(Duration::from_millis(100));
    assert!(lines(&server, 0).is_empty(), "it goes on still");
    conn.send(b"hello").unwrap();
    while conn.read_some().unwrap() > 0 {}
    let line = object(&server);
    assert_ended(&line, "complete", 101);
    assert_eq!((&line["sent"], &line["received"]), (&7.into(), &5.into()), "{line}");
    assert!(line["seconds"].as_f64().unwrap() >= 0.1, "{line}");
}

#[test]
fn http_on_the_port_for_https_and_the_port_that_sends_on() {
    let pki = Pki::new();
    let args = [&pki.server_args()[..], &["--redirect-from", "0"]].concat();
    let server = json(&args);
    let plain = server.greeting.lines().find_map(|line| line.strip_prefix("http://"));
    let plain = plain.and_then(|rest| rest.split('/').next()).unwrap().to_owned();
    let curl = Client::new(&["-H", "Host: localhost"]);
    assert_eq!(curl.fetch(&format!("http://127.0.0.1:{}/in/the/clear", server.port)).status, 400);
    assert_eq!(curl.fetch(&format!("http://{plain}/sent/on")).status, 308);
    let ended = objects(&server, 2);
    assert_ended(&ended[0], "complete", 400);
    assert_eq!([&ended[0]["method"], &ended[0]["target"]], ["GET", "/in/the/clear"]);
    assert_ended(&ended[1], "complete", 308);
    assert_eq!(ended[1]["target"], "/sent/on");
}

#[test]
fn turned_away() {
    let server = json(&["--max-connections", "1", "--threads", "1"]);
    let dialer = Dialer::plain(server.port);
    let mut first = dialer.open();
    first.get().assert_top_level();
    let answer = talk(&dialer, b"");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let ended = objects(&server, 2);
    assert_ended(&ended[1], "complete", 503);
    assert!(ended[1]["id"].is_null() && ended[1]["client"] == "127.0.0.1", "{}", ended[1]);
}

/// What still goes on when the time to drain is up has its line as well.
#[test]
fn cut_off_by_the_end_of_the_server() {
    let silent = Upstream::new(|talk| while talk.request().is_some() {});
    let options = ["--drain-timeout", "0.3", "--threads", "2"];
    for (proxy, status) in [(None, 200), (Some(&*silent.url), 499)] {
        let mut args = options.to_vec();
        args.extend(proxy.iter().flat_map(|url| ["--proxy", url]));
        let mut server = json(&args);
        let mut conns: Vec<Conn> = (0..5).map(|_| Dialer::plain(server.port).open()).collect();
        for conn in &mut conns {
            // The built-in app answers while it reads.
            conn.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc").unwrap();
        }
        thread::sleep(Duration::from_millis(100));
        server.signal("TERM");
        assert_eq!(server.wait().code(), Some(0));
        for line in objects(&server, conns.len()) {
            assert_ended(&line, "cut_off", status);
            assert_eq!(line["target"], "/echo", "{line}");
        }
    }
}

/// Neither when nothing else comes, nor behind a body (RFC 9112 §2.2).
#[test]
fn an_empty_line_is_no_request() {
    let server = json(&[]);
    let dialer = Dialer::plain(server.port);
    let post = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\n";
    let answer = talk(&dialer, post);
    assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert_eq!(talk(&dialer, b"\r\n"), "");
    talk(&dialer, GET);
    // The lines come in the order in which the requests have ended.
    for (line, target) in objects(&server, 2).iter().zip(["/echo", "/"]) {
        assert_ended(line, "complete", 200);
        assert_eq!(line["target"], target, "{line}");
    }
}

/// Clients that connect and leave, and those of TLS whose handshake fails, have asked for nothing.
#[test]
fn no_request_no_line() {
    let pki = Pki::new();
    let server = json(&pki.mutual_args());
    drop(Dialer::plain(server.port).tcp());
    assert_ne!(Client::new(&["--cacert", &pki.ca_file]).fetch(&server.url).exit, 0);
    Client::new(&["--cacert", &pki.ca_file, "-E", &pki.client.both]).fetch(&server.url).assert_ok();
    assert_eq!(object(&server)["client_cn"], "client.localhost");
    let plain = Server::with(&["--log-format", "json"]);
    assert_ne!(Client::new(&["-k"]).fetch(&plain.url.replace("http:", "https:")).exit, 0);
    thread::sleep(PATIENCE / 50);
    assert!(lines(&plain, 0).is_empty());
}
