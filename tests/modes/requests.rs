//! Requests and answers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::Service;
use crate::support::{Client, Pki, Server};

in_every_mode! {
    whoami_tells_the_connection
    whoami_is_a_page_for_a_browser
    head_wherever_get
    unknown_paths_are_404
    wrong_methods_are_405
    a_body_comes_back
    a_body_after_100_continue_comes_back
    one_connection_for_two_requests
    two_hundred_in_a_row
    twenty_at_once
}

fn whoami_tells_the_connection(service: Service) {
    let pki = Pki::new();
    let server = service.start(&pki);
    let whoami = service.client(&pki).fetch(&format!("{}whoami", server.url)).json();
    let mut keys: Vec<_> = whoami.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "backend",
            "client",
            "client_certificate",
            "host",
            "ignored_headers",
            "mode",
            "peer",
            "removed",
            "scheme",
            "tls",
            "trust",
        ]
    );
    assert_eq!(whoami["mode"], service.mode);
    assert_eq!(whoami["backend"], service.backend);
    assert_eq!(whoami["scheme"], service.scheme());
    assert_eq!(whoami["host"], format!("127.0.0.1:{}", server.port));
    assert!(whoami["client"].as_str().unwrap().starts_with("127.0.0.1"), "{whoami}");
    assert!(whoami["peer"].as_str().unwrap().starts_with("127.0.0.1"), "{whoami}");
    assert_eq!(whoami["tls"].is_null(), service.mode == "http", "{whoami}");
    assert_eq!(whoami["client_certificate"].is_null(), service.mode != "mutual", "{whoami}");
    if service.mode != "http" {
        let keys = ["version", "cipher_suite", "key_exchange", "alpn", "server_name", "resumed"];
        for key in keys {
            assert!(whoami["tls"].as_object().unwrap().contains_key(key), "no {key}: {whoami}");
        }
    }
}

fn whoami_is_a_page_for_a_browser(service: Service) {
    let pki = Pki::new();
    let server = service.start(&pki);
    let browser = service.client(&pki).and(&["-H", "Accept: text/html,*/*;q=0.8", "-i"]);
    let page = browser.fetch(&format!("{}whoami", server.url));
    page.assert_ok();
    let text = page.text().to_ascii_lowercase();
    assert!(text.contains("content-type: text/html"), "{text}");
    assert!(text.contains("<html") && text.contains(service.mode), "{text}");
}

fn head_wherever_get(service: Service) {
    let pki = Pki::new();
    let server = service.start(&pki);
    let client = service.client(&pki);
    for path in ["", "whoami"] {
        let url = format!("{}{path}", server.url);
        let head = client.and(&["-I"]).fetch(&url);
        head.assert_ok();
        let get = client.and(&["-i"]).fetch(&url).text();
        let (get_head, body) = get.split_once("\r\n\r\n").unwrap();
        let length = field(&head.text(), "content-length");
        assert_eq!(length, field(get_head, "content-length"), "{url}");
        // `peer` has the port of the connection, of which the length may differ by a digit.
        assert!(path == "whoami" || length == Some(body.len().to_string()), "{length:?}: {get}");
    }
    // A body after HEAD would spoil the connection for the next request.
    let connects = connects_of_two_requests(&client.and(&["-I"]), &server.url);
    assert_eq!(connects, "1\n0\n");
}

/// What curl would pass over: the bytes themselves.
#[test]
fn no_body_follows_head_on_the_wire() {
    let server = Service::HTTP.start(&Pki::new());
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let head = "HEAD / HTTP/1.1\r\nHost: localhost\r\n";
    stream.write_all(format!("{head}\r\n{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 2, "{answers}");
    assert!(!answers.contains("Top-level") && answers.ends_with("\r\n\r\n"), "{answers}");
}

fn unknown_paths_are_404(service: Service) {
    let pki = Pki::new();
    let server = service.start(&pki);
    let client = service.client(&pki);
    for path in ["nothing", "whoami/", "Echo", "%2e%2e/etc/passwd", "?/whoami"] {
        let answer = client.fetch(&format!("{}{path}", server.url));
        let expected = if path.starts_with('?') { 200 } else { 404 };
        assert_eq!((answer.exit, answer.status), (0, expected), "{path}: {answer:?}");
        assert_eq!(client.and(&["-I"]).fetch(&format!("{}{path}", server.url)).status, expected);
    }
}

fn wrong_methods_are_405(service: Service) {
    let pki = Pki::new();
    let server = service.start(&pki);
    let client = service.client(&pki);
    let cases: [(&str, &str, &[&str]); 4] = [
        ("", "DELETE", &["GET", "HEAD"]),
        ("", "POST", &["GET", "HEAD"]),
        ("whoami", "PUT", &["GET", "HEAD"]),
        ("echo", "GET", &["POST", "PUT"]),
    ];
    for (path, method, allowed) in cases {
        let answer = client.and(&["-i", "-X", method]).fetch(&format!("{}{path}", server.url));
        assert_eq!((answer.exit, answer.status), (0, 405), "{method} /{path}: {answer:?}");
        let allow = field(&answer.text(), "allow").unwrap_or_default();
        let mut listed: Vec<_> = allow.split(", ").filter(|m| *m != "OPTIONS").collect();
        listed.sort_unstable();
        assert_eq!(listed, allowed, "{method} /{path}");
    }
}

fn a_body_comes_back(service: Service) {
    let pki = Pki::new();
    let server = service.start(&pki);
    let client = service.client(&pki);
    let url = format!("{}echo", server.url);
    for length in [0, 1, 1 << 20] {
        let body = noise(length);
        let file = format!("@{}", pki.write("body", &body));
        for method in ["POST", "PUT"] {
            for framing in ["X-Framing: fixed", "Transfer-Encoding: chunked"] {
                let answer =
                    client.and(&["-X", method, "-H", framing, "--data-binary", &file]).fetch(&url);
                answer.assert_ok();
                assert!(answer.body == body, "{method} of {length} bytes, {framing}: differs");
            }
        }
    }
}

fn a_body_after_100_continue_comes_back(service: Service) {
    let pki = Pki::new();
    let server = service.start(&pki);
    let body = noise(1 << 20);
    let file = format!("@{}", pki.write("body", &body));
    let client = service.client(&pki).and(&["-v", "-H", "Expect: 100-continue"]);
    for framing in ["X-Framing: fixed", "Transfer-Encoding: chunked"] {
        let answer = client
            .and(&["-H", framing, "--data-binary", &file])
            .fetch(&format!("{}echo", server.url));
        answer.assert_ok();
        assert!(answer.stderr.contains("< HTTP/1.1 100 "), "no 100: {}", answer.stderr);
        assert!(answer.body == body, "{framing}: differs");
    }
}

fn one_connection_for_two_requests(service: Service) {
    let pki = Pki::new();
    let server = service.start(&pki);
    let client = service.client(&pki);
    assert_eq!(connects_of_two_requests(&client, &server.url), "1\n0\n");
    // And a client that says it is the last one is believed.
    let closing = client.and(&["-H", "Connection: close"]);
    assert_eq!(connects_of_two_requests(&closing, &server.url), "1\n1\n");
}

/// How many connections curl opens for each of two requests, a line each.
fn connects_of_two_requests(client: &Client, url: &str) -> String {
    let discard = ["-o", "/dev/null", url, "-o", "/dev/null", url, "-w", "%{num_connects}\n"];
    let output = client.run(&discard);
    assert_eq!(output.code, Some(0), "{output:?}");
    output.text()
}

fn two_hundred_in_a_row(service: Service) {
    let pki = Pki::new();
    let mut server = service.start(&pki);
    let client = service.client(&pki);
    for _ in 0..200 {
        client.fetch(&server.url).assert_top_level();
    }
    server.assert_alive();
    // A line for each may be on its way still, and nothing else is.
    let stdout = server.stdout();
    let lines = stdout.strip_prefix(&server.greeting).expect("the start-up lines come first");
    assert!(lines.lines().all(|line| line.contains(" 200 \"GET / HTTP/1.1\" ")), "{lines}");
}

fn twenty_at_once(service: Service) {
    let pki = Pki::new();
    let mut server = service.start(&pki);
    let client = service.client(&pki);
    fetch_at_once(&client, &server, 20);
    server.assert_alive();
}

fn fetch_at_once(client: &Client, server: &Server, count: usize) {
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(|| client.fetch(&server.url).assert_top_level());
        }
    });
}

/// The value of a header field in what `curl -i` or `curl -I` prints.
fn field(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines().take_while(|line| !line.is_empty());
    lines.find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// Bytes without a pattern that a wrong copy would keep.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}
