//! The formats, as those read them who read such logs.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Client, Dialer, GET, Pki, Server, python, run, tool};
use crate::{PATIENCE, lines, object, objects};

/// A few requests of a client with a certificate.
fn served(format: &str) -> (Server, Pki) {
    let pki = Pki::new();
    let args = pki.mutual_args();
    let server = Server::with(&[&args[..], &["--log-format", format]].concat());
    let options = ["--cacert", &*pki.ca_file, "-E", &pki.client.both, "--curves", "P-256"];
    let curl = Client::new(&options);
    curl.fetch(&server.url).assert_top_level();
    let odd = curl.and(&["-A", "a \"quoted\" agent", "-e", "https://from.test/?a=b c"]);
    assert_eq!(odd.fetch(&format!("{}nowhere?q=1", server.url)).status, 404);
    let echo = curl.and(&["--data-binary", "twelve bytes", "-H", "User-Agent:"]);
    assert_eq!(echo.fetch(&format!("{}echo", server.url)).text(), "twelve bytes");
    assert_eq!(curl.and(&["-I"]).fetch(&server.url).status, 200);
    (server, pki)
}

/// What Python's `re` makes of the lines, with the usual pattern for `format`.
fn parsed(format: &str, lines: &[String]) -> Vec<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access_log/parse.py");
    let mut python = python();
    python.args([script, format]);
    let output = run(python, lines.join("\n").as_bytes(), PATIENCE);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn common_and_combined_are_apaches() {
    for format in ["common", "combined"] {
        let (server, _pki) = served(format);
        let said = parsed(format, &lines(&server, 4));
        let agent = said[0]["user_agent"].as_str().unwrap_or("curl/").to_owned();
        assert!(agent.starts_with("curl/"), "{agent}");
        let rest = |referer: &str, agent: &str| match format {
            "combined" => json!({"referer": referer, "user_agent": agent}),
            _ => json!({}),
        };
        for (line, (request, status, bytes, rest)) in said.iter().zip([
            ("GET / HTTP/1.1", "200", "17", rest("-", &agent)),
            (
                "GET /nowhere?q=1 HTTP/1.1",
                "404",
                "14",
                rest("https://from.test/?a=b c", r#"a \"quoted\" agent"#),
            ),
            ("POST /echo HTTP/1.1", "200", "12", rest("-", "-")),
            ("HEAD / HTTP/1.1", "200", "-", rest("-", &agent)),
        ]) {
            let mut expected = json!({
                "host": "127.0.0.1", "identity": "-", "user": "client.localhost",
                "request": request, "status": status, "bytes": bytes,
            });
            expected.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            let mut line = line.clone();
            let age = line.as_object_mut().unwrap().remove("age").unwrap().as_f64().unwrap();
            assert!((-1.0..60.0).contains(&age), "{age}");
            assert_eq!(line, expected, "{format}");
        }
    }
}

/// `GoAccess`, a program that people have such logs read by.
#[test]
fn goaccess_reads_every_line() {
    for (format, known) in [("common", "COMMON"), ("combined", "COMBINED")] {
        let (server, pki) = served(format);
        let log = pki.write("access.log", lines(&server, 4).join("\n") + "\n");
        let report = pki.path("report.json");
        let mut goaccess = tool("goaccess");
        goaccess.args([&log, "--no-global-config", "--no-progress", "-o", &report]);
        goaccess.arg(format!("--log-format={known}"));
        let output = run(goaccess, b"", PATIENCE);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let report = std::fs::read(report).expect("a report");
        let report: Value = serde_json::from_slice(&report).expect("JSON");
        let general = &report["general"];
        let counted = ["total_requests", "valid_requests", "failed_requests"];
        assert_eq!(counted.map(|key| general[key].as_u64()), [Some(4), Some(4), Some(0)]);
        assert_eq!(general["bandwidth"], 17 + 14 + 12, "{general}");
    }
}

#[test]
fn json_has_the_same_keys_on_every_line() {
    let (server, _pki) = served("json");
    let lines = objects(&server, 4);
    let keys = [
        "time",
        "id",
        "outcome",
        "status",
        "method",
        "target",
        "version",
        "host",
        "client",
        "tls",
        "tls_group",
        "client_cn",
        "client_subject",
        "received",
        "sent",
        "seconds",
        "upstream",
        "referer",
        "user_agent",
    ];
    for line in &lines {
        assert_eq!(line.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
    }
    let mut echo = lines[2].clone();
    let mut take = |key: &str| echo.as_object_mut().unwrap().remove(key).unwrap();
    let (time, seconds) = (take("time"), take("seconds"));
    assert!(time.as_str().is_some_and(|t| t.len() == 24 && t.ends_with('Z')), "{time}");
    assert!(seconds.as_f64().is_some_and(|s| s > 0.0 && s < 10.0), "{seconds}");
    let host = server.url.trim_start_matches("https://").trim_end_matches('/');
    let expected = json!({
        "id": "3.1", "outcome": "complete", "status": 200, "method": "POST", "target": "/echo",
        "version": "HTTP/1.1", "host": host, "client": "127.0.0.1", "tls": "1.3",
        "tls_group": "secp256r1",
        "client_cn": "client.localhost", "client_subject": "CN=client.localhost,O=Company", "received": 12,
        "sent": 12, "upstream": null, "referer": null, "user_agent": null,
    });
    assert_eq!(echo, expected);
    // The start-up lines are elsewhere, so that programs need not know of them.
    server.assert_logs(&["turnkey ", "mutual on https://"]);
}

#[test]
fn text_is_for_people() {
    let (server, _pki) = served("text");
    let lines = lines(&server, 4);
    let host = server.url.trim_start_matches("https://").trim_end_matches('/');
    let (time, rest) = lines[1].split_once(' ').unwrap();
    assert!(time.starts_with("20") && time.ends_with('Z') && time.len() == 24, "{time}");
    let (before, after) = rest.split_once(" B ").unwrap();
    assert_eq!(before, format!("404 \"GET /nowhere?q=1 HTTP/1.1\" {host} 14"));
    let (millis, after) = after.split_once(" ms ").unwrap();
    assert!(millis.parse::<f64>().unwrap() < 10_000.0, "{millis}");
    assert_eq!(after, "127.0.0.1 \"client.localhost\" TLS 1.3 #2.1");
}

/// Behind a proxy that is trusted it is the client's address, and the host that it called.
#[test]
fn the_client_is_the_one_that_is_believed() {
    let server = crate::json(&["--trust-proxy", "127.0.0.1"]);
    let fields = ["-H", "X-Forwarded-For: 192.0.2.7", "-H", "X-Forwarded-Host: outer.test"];
    Client::new(&fields).fetch(&server.url).assert_top_level();
    let line = object(&server);
    assert_eq!([&line["client"], &line["host"]], ["192.0.2.7", "outer.test"], "{line}");
}

/// The time is measured from the first byte of a request: a client that is slow to send is not fast
/// to be served.
#[test]
fn time_and_bytes_are_those_of_the_request() {
    let server = crate::json(&[]);
    let mut conn = Dialer::plain(server.port).open();
    conn.send(&GET[..10]).unwrap();
    thread::sleep(Duration::from_millis(300));
    conn.send(&GET[10..]).unwrap();
    conn.response().assert_top_level();
    // None of a request, as yet.
    conn.send(b"\r\n").unwrap();
    thread::sleep(Duration::from_millis(600));
    conn.get().assert_top_level();
    let lines = objects(&server, 2);
    let seconds = |n: usize| lines[n]["seconds"].as_f64().unwrap();
    assert!(seconds(0) >= 0.2 && seconds(0) < 5.0, "{lines:?}");
    assert!(seconds(1) < 0.5, "the next one begins with its own first byte: {lines:?}");
    assert_eq!([&lines[0]["id"], &lines[1]["id"]], ["1.1", "1.2"]);
}

/// The answer has begun when its body, which is that of the request, is asked for.
#[test]
fn the_word_to_go_on_is_no_content_of_the_answer() {
    const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let bodies =
        [("Content-Length: 5", "hello"), ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n")];
    let server = crate::json(&[]);
    let mut conn = Dialer::plain(server.port).open();
    for (framing, body) in bodies {
        let head =
            format!("POST /echo HTTP/1.1\r\nHost: a\r\n{framing}\r\nExpect: 100-continue\r\n\r\n");
        conn.send(head.as_bytes()).unwrap();
        while conn.ahead().len() < CONTINUE.len() {
            assert_ne!(conn.read_some().unwrap(), 0, "it ended after {:?}", conn.ahead());
        }
        assert!(conn.ahead().starts_with(CONTINUE), "{:?}", conn.ahead());
        conn.send(body.as_bytes()).unwrap();
        let answer = conn.response();
        assert_eq!((answer.status, &*answer.body), (200, &b"hello"[..]), "{answer:?}");
    }
    for line in objects(&server, bodies.len()) {
        crate::assert_ended(&line, "complete", 200);
        assert_eq!((&line["received"], &line["sent"]), (&5.into(), &5.into()), "{line}");
    }
}
