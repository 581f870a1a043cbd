//! Answers as clients get them.

use std::thread;
use std::time::{Duration, Instant};

use crate::bodies::{SOON, signal};
use crate::support::table;
use crate::support::upstream::Upstream;
use crate::{Front, Proxied, assert_refused};

table! {
    columns {
        http = Front::Http;
        https = Front::Https;
    } rows {
        bodies_are_framed_for_the_client
        answers_without_a_body
        interim_answers_pass_to_those_who_know_them
        interim_answers_without_end_keep_nobody_waiting
        interim_answers_do_not_put_off_the_end_for_ever
        fields_between_neighbours_go
        fields_keep_their_order_and_their_bytes
        heads_may_be_large
        an_answer_has_a_date
        an_answer_streams
    }
}

/// What comes of `answer`, after which the upstream closes, for a request of this version.
#[track_caller]
fn handed_on(front: Front, method: &str, version: &str, answer: &str) -> String {
    let upstream = Upstream::answering_once(answer.as_bytes().to_vec());
    let proxied = Proxied::new(front, &upstream);
    let keep = if version == "1.0" { "x" } else { "close" };
    proxied.ask(format!("{method} / HTTP/{version}\r\nHost: a\r\nConnection: {keep}\r\n\r\n"))
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nDate: today\r\n";

fn bodies_are_framed_for_the_client(front: Front) {
    let close = "Connection: close\r\n";
    for (fields, body, to_11, to_10) in [
        (
            "Content-Length: 5\r\n",
            "hello",
            format!("Content-Length: 5\r\n{close}\r\nhello"),
            format!("Content-Length: 5\r\n{close}\r\nhello"),
        ),
        (
            "content-LENGTH:005 \r\n",
            "hello",
            format!("Content-Length: 5\r\n{close}\r\nhello"),
            format!("Content-Length: 5\r\n{close}\r\nhello"),
        ),
        (
            "Transfer-Encoding: CHUNKED\r\n",
            "3;x=y\r\nhel\r\n002\r\nlo\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n",
            // As much as there is at a time.
            format!(
                "Transfer-Encoding: chunked\r\n{close}\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n"
            ),
            format!("{close}\r\nhello"),
        ),
        (
            "",
            "hello",
            format!("Transfer-Encoding: chunked\r\n{close}\r\n5\r\nhello\r\n0\r\n\r\n"),
            format!("{close}\r\nhello"),
        ),
        (
            "",
            "",
            format!("Transfer-Encoding: chunked\r\n{close}\r\n0\r\n\r\n"),
            format!("{close}\r\n"),
        ),
    ] {
        let answer = format!("{HEAD}{fields}\r\n{body}");
        assert_eq!(handed_on(front, "GET", "1.1", &answer), format!("{HEAD}{to_11}"), "{answer:?}");
        assert_eq!(handed_on(front, "GET", "1.0", &answer), format!("{HEAD}{to_10}"), "{answer:?}");
        // An upstream of HTTP/1.0 knows no chunks.
        if !fields.contains("CHUNKED") {
            let older = answer.replace("HTTP/1.1", "HTTP/1.0");
            assert_eq!(handed_on(front, "GET", "1.1", &older), format!("{HEAD}{to_11}"));
        }
    }
}

fn answers_without_a_body(front: Front) {
    let close = "Connection: close\r\n\r\n";
    for (method, line, fields, expected) in [
        ("GET", "204 No Content", "", ""),
        ("GET", "204 No Content", "Content-Length: 0\r\n", ""),
        ("GET", "304 Not Modified", "ETag: x\r\n", "ETag: x\r\n"),
        ("GET", "304 Not Modified", "Content-Length: 5\r\n", "Content-Length: 5\r\n"),
        ("HEAD", "200 OK", "Content-Length: 5\r\n", "Content-Length: 5\r\n"),
        ("HEAD", "200 OK", "Transfer-Encoding: chunked\r\n", ""),
        ("HEAD", "200 OK", "", ""),
        ("GET", "200 OK", "Content-Length: 0\r\n", "Content-Length: 0\r\n"),
        ("GET", "500 Oh No", "Content-Length: 0\r\n", "Content-Length: 0\r\n"),
        ("GET", "299 ", "Content-Length: 0\r\n", "Content-Length: 0\r\n"),
    ] {
        let head = format!("HTTP/1.1 {line}\r\nDate: today\r\n");
        let came = handed_on(front, method, "1.1", &format!("{head}{fields}\r\n"));
        assert_eq!(came, format!("{head}{expected}{close}"), "{method} {line} {fields}");
    }
    // The next answer is not taken for a body: it is none, nor the beginning of the next.
    for line in ["204 No Content", "304 Not Modified"] {
        let head = format!("HTTP/1.1 {line}\r\nDate: today\r\n");
        let forged = format!("{head}\r\nHTTP/1.1 200 Forged\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(handed_on(front, "GET", "1.1", &forged), format!("{head}{close}"));
    }
}

fn interim_answers_pass_to_those_who_know_them(front: Front) {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n";
    let end = format!("{HEAD}Content-Length: 2\r\n");
    let answer = format!(
        "HTTP/1.1 100 Continue\r\n\r\n{hints}Connection: x\r\nX: 1\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n{end}\r\nok"
    );
    let closed = format!("{end}Connection: close\r\n\r\nok");
    let both = format!("{hints}\r\nHTTP/1.1 102 Processing\r\n\r\n{closed}");
    assert_eq!(handed_on(front, "GET", "1.1", &answer), both);
    assert_eq!(handed_on(front, "GET", "1.0", &answer), closed);
}

fn interim_answers_do_not_put_off_the_end_for_ever(front: Front) {
    // One that comes often enough, or a head that does not end.
    for (often, once) in
        [("HTTP/1.1 102 Processing\r\n\r\n", ""), ("X: y\r\n", "HTTP/1.1 200 OK\r\n")]
    {
        let upstream = Upstream::new(move |talk| {
            talk.request();
            talk.send(once.as_bytes());
            for _ in 0..100 {
                thread::sleep(Duration::from_millis(50));
                if !talk.send(often.as_bytes()) {
                    return;
                }
            }
            talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        });
        let proxied = Proxied::with(front, &[&upstream.url], &["--proxy-timeout", "0.5"]);
        let came = proxied.get("/").replace("HTTP/1.1 102 Processing\r\n\r\n", "");
        assert_refused(&came, 504, &["did not answer within 0.5 seconds"]);
    }
}

fn interim_answers_without_end_keep_nobody_waiting(front: Front) {
    // Each would have others wait for some 30 ms: until for once there is nothing to be read.
    const CLIENTS: usize = 32;
    let (began, has_begun) = signal();
    let upstream = Upstream::new(move |talk| {
        talk.head();
        let many = "HTTP/1.1 102 Processing\r\n\r\n".repeat(1000);
        began.send(()).unwrap();
        while talk.send(many.as_bytes()) {}
    });
    let options = ["--threads", "1", "--health", "/healthz"];
    let proxied = Proxied::with(front, &[&upstream.url], &options);
    let mut conns: Vec<_> = (0..CLIENTS).map(|_| proxied.open()).collect();
    for conn in &mut conns {
        // HTTP/1.0 knows of none: there is nobody to hold them back.
        conn.send(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    }
    let has_begun = has_begun.lock().unwrap();
    for _ in 0..CLIENTS {
        has_begun.recv_timeout(SOON).unwrap();
    }
    let start = Instant::now();
    for _ in 0..5 {
        let came = proxied.get("/healthz");
        assert!(came.starts_with("HTTP/1.1 200 OK\r\n"), "{came}");
    }
    let waited = start.elapsed();
    assert!(waited < Duration::from_secs(2), "served after {waited:?}");
}

fn fields_between_neighbours_go(front: Front) {
    let answer = format!(
        "{HEAD}Connection: x-named, Keep-Alive, date\r\nX-Named: 1\r\nKeep-Alive: timeout=5\r\n\
         Proxy-Authenticate: Basic\r\nProxy-Connection: close\r\nTE: x\r\nUpgrade: h2c\r\n\
         X-Stays: 1\r\nX-NAMED: 2\r\nContent-Length: 2\r\n\r\nok"
    )
    .replace("Date: today\r\n", "");
    let came = handed_on(front, "GET", "1.1", &answer);
    let (date, rest): (Vec<_>, Vec<_>) = came.lines().partition(|line| line.starts_with("Date: "));
    assert_eq!(date.len(), 1);
    let rest = rest.join("|");
    assert_eq!(rest, "HTTP/1.1 200 OK|X-Stays: 1|Content-Length: 2|Connection: close||ok");
}

fn fields_keep_their_order_and_their_bytes(front: Front) {
    let fields =
        b"Z: 1\r\nDate: today\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Latin: caf\xe9\xff\r\n\
                   X-Empty: \r\nServer: app\r\nX-Forwarded-For: the app's own\r\nA: 2\r\n";
    let head = [b"HTTP/1.1 200 OK\r\n", &fields[..]].concat();
    let upstream = Upstream::answering_once([&head[..], b"Content-Length: 2\r\n\r\nok"].concat());
    let proxied = Proxied::new(front, &upstream);
    let mut conn = proxied.open();
    conn.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let expected = [&head[..], b"Content-Length: 2\r\nConnection: close\r\n\r\nok"].concat();
    let came = conn.rest();
    assert_eq!(came.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

fn heads_may_be_large(front: Front) {
    let cookies = format!("Set-Cookie: {}\r\n", "x".repeat(4000)).repeat(14);
    let many: String = (0..200).fold(String::new(), |many, n| many + &format!("X-{n}: {n}\r\n"));
    for fields in [cookies, many] {
        let head = format!("{HEAD}{fields}Content-Length: 2\r\n");
        let came = handed_on(front, "GET", "1.1", &format!("{head}\r\nok"));
        assert_eq!(came, format!("{head}Connection: close\r\n\r\nok"));
    }
}

/// RFC 9110 §6.6.1: whoever has a clock adds it to an answer that lacks it.
fn an_answer_has_a_date(front: Front) {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let came = handed_on(front, "GET", "1.1", answer);
    let dates: Vec<_> = came.lines().filter_map(|line| line.strip_prefix("Date: ")).collect();
    assert!(dates.len() == 1 && dates[0].ends_with(" GMT"), "{came}");
}

fn an_answer_streams(front: Front) {
    let (go, may_go) = std::sync::mpsc::channel::<()>();
    let may_go = std::sync::Mutex::new(may_go);
    let upstream = Upstream::new(move |talk| {
        talk.request();
        talk.send(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n").as_bytes());
        let may_go = may_go.lock().unwrap();
        may_go.recv().unwrap();
        talk.send(b"3\r\ntwo\r\n0\r\n\r\n");
    });
    let proxied = Proxied::new(front, &upstream);
    let mut conn = proxied.open();
    conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    while !conn.ahead().ends_with(b"3\r\none\r\n") {
        assert_ne!(conn.read_some().unwrap(), 0);
    }
    go.send(()).unwrap();
    assert_eq!(conn.response().body, b"onetwo");
}
