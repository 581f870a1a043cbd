//! The listener for metrics: its own, there when the other is full, and until the end.

use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::support::{
    Client, Conn, Dialer, FAILURE, Pki, Program, USAGE, assert_complaint, run, tool,
};
use crate::{PATIENCE, assert_counts, counted, text, url};

/// Prometheus' own tool takes it. Of what it has to say, one thing is meant so: that days are no base
/// unit.
#[test]
fn promtool_takes_it() {
    let pki = Pki::new();
    let server = counted(&[&pki.mutual_args()[..], &["--proxy", "http://127.0.0.1:1"]].concat());
    let curl = Client::new(&["--cacert", &pki.ca_file, "-E", &pki.client.both]);
    assert_eq!(curl.fetch(&server.url).status, 502);
    assert_counts(&server, &[(r#"turnkey_requests_total{code="502",method="GET"}"#, 1.0)]);
    let mut promtool = tool("promtool");
    promtool.args(["check", "metrics"]);
    let checked = run(promtool, text(&server).as_bytes(), PATIENCE);
    let days = "turnkey_certificate_days_left use base unit \"seconds\" instead of \"days\"";
    assert_eq!((checked.code, checked.stderr.trim()), (Some(3), days));
    let answer = Client::new(&["-i"]).fetch(&url(&server)).text();
    assert!(
        answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"),
        "{answer}"
    );
}

#[test]
fn it_answers_to_one_path_only() {
    let server = counted(&[]);
    let at = |path: &str| url(&server).replace("/metrics", path);
    assert_eq!(Client::new(&[]).fetch(&at("/")).status, 404);
    assert_eq!(Client::new(&["-d", "x"]).fetch(&url(&server)).status, 405);
    assert_eq!(Client::new(&["-I"]).fetch(&url(&server)).status, 200);
    // And the server itself does not answer to it.
    assert_eq!(Client::new(&[]).fetch(&format!("{}metrics", server.url)).status, 404);
}

#[test]
fn nobody_is_told_of_who_asks() {
    let server = counted(&["--log-format", "json"]);
    text(&server);
    assert_counts(&server, &[("turnkey_connections_accepted_total", 0.0)]);
    assert_eq!(server.stdout(), "", "{}", server.stdout());
}

#[test]
fn it_answers_while_the_server_is_full() {
    let server = counted(&["--max-connections", "1", "--threads", "1"]);
    let mut conn = Dialer::plain(server.port).open();
    conn.get().assert_top_level();
    assert_eq!(Dialer::plain(server.port).open().response().status, 503);
    assert_counts(&server, &[("turnkey_connections_open", 1.0)]);
}

/// Those who ask for metrics, and say nothing, take no place from anybody else.
#[test]
fn it_is_full_by_itself() {
    let server = counted(&["--max-connections", "2"]);
    let port: u16 = url(&server).split([':', '/']).nth(4).unwrap().parse().unwrap();
    let held: Vec<Conn> = (0..8).map(|_| Dialer::plain(port).open()).collect();
    let mut ninth = Dialer::plain(port).open();
    assert_eq!(ninth.response().status, 503);
    Client::new(&[]).fetch(&server.url).assert_top_level();
    drop(held);
}

#[test]
fn it_answers_while_the_server_drains() {
    let mut server = counted(&["--drain-timeout", "5"]);
    let mut conn = Dialer::plain(server.port).open();
    conn.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na").unwrap();
    thread::sleep(Duration::from_millis(100));
    // A scraper that keeps its connection holds nothing up.
    let metrics = url(&server);
    let port: u16 = metrics.split([':', '/']).nth(4).unwrap().parse().unwrap();
    let mut scraper = Dialer::plain(port).open();
    scraper.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    assert_eq!(scraper.response().status, 200);
    server.signal("TERM");
    let end = std::time::Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", server.port)).is_ok() {
        assert!(std::time::Instant::now() < end, "the port is still open");
        thread::sleep(Duration::from_millis(10));
    }
    assert_counts(&server, &[("turnkey_connections_open", 1.0)]);
    conn.send(b"b").unwrap();
    assert_eq!(conn.response().body, b"ab");
    drop(conn);
    let start = std::time::Instant::now();
    assert_eq!(server.wait().code(), Some(0));
    assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
    assert!(!server.log().contains("still open"), "{}", server.log());
}

#[test]
fn over_a_unix_socket() {
    let pki = Pki::new();
    let path = pki.path("metrics.sock");
    let server = crate::Server::with(&["--metrics", &format!("unix:{path}")]);
    assert!(server.greeting.contains(&format!("metrics on unix:{path}")), "{}", server.greeting);
    let answer = Client::new(&["--unix-socket", &path]).fetch("http://localhost/metrics");
    answer.assert_ok();
    assert!(answer.text().contains("turnkey_connections_open 0\n"), "{}", answer.text());
}

#[test]
fn addresses_that_will_not_do() {
    for bad in ["9100", ":9100", "127.0.0.1", "127.0.0.1:70000", "a b:1"] {
        let output = Program::new(&["--port", "0", "--metrics", bad]).run();
        assert_complaint(&output, USAGE, &["--metrics"]);
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Program::new(&["--port", "0", "--metrics", &address]).run();
    assert_complaint(&output, FAILURE, &[&address, "in use", "--metrics"]);
    let output = Program::new(&["--port", "0", "--metrics", "192.0.2.1:9100"]).run();
    assert_complaint(
        &output,
        FAILURE,
        &["--metrics 192.0.2.1:9100: not an address of this machine"],
    );
    let output = Program::new(&["--port", "0", "--metrics", "nowhere.invalid:9100"]).run();
    assert_complaint(&output, FAILURE, &["--metrics nowhere.invalid:9100: no such host"]);
    let output = Program::new(&["--port", "9100", "--metrics", "127.0.0.1:9100"]).run();
    assert_complaint(&output, USAGE, &["--metrics 127.0.0.1:9100", "another port"]);
}
