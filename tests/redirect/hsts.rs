//! Browsers that have come by HTTPS are told to come no other way (RFC 6797).

use std::thread;
use std::time::Duration;

use turnkey::{App, Response};

use crate::support::{Client, Conn, Dialer, Pki, Server, table};
use crate::{Said, Site};

const FIELD: &str = "strict-transport-security: max-age=31536000";

table! {
    columns {
        native_tls = "native-tls";
        rustls = "rustls";
        openssl = "openssl";
    } rows {
        every_answer_over_tls_says_it
    }
}

/// Answers, errors and refusals: each of these is one.
const REQUESTS: [&str; 6] = [
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET /missing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "DELETE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
];

fn every_answer_over_tls_says_it(backend: &str) {
    let pki = Pki::new();
    let tls = [&pki.server_args()[..], &["--backend", backend]].concat();
    let server = Server::with(&[&tls[..], &["--hsts", "31536000"]].concat());
    let dialer = Dialer::tls(server.port, &pki.ca_file);
    for request in REQUESTS {
        assert_eq!(hsts(dialer.open(), request), [FIELD], "{request}");
    }
    // A client that speaks in the clear where TLS is spoken has not come by HTTPS.
    assert_eq!(hsts(Dialer::plain(server.port).open(), REQUESTS[0]), [""; 0]);

    let quiet = Server::with(&tls);
    let dialer = Dialer::tls(quiet.port, &pki.ca_file);
    assert_eq!(hsts(dialer.open(), REQUESTS[0]), [""; 0], "nobody asked for it");
}

#[test]
fn what_is_sent_on_has_not_come_by_https_yet() {
    let site = Site::start(&["--hsts", "31536000"]);
    for host in ["localhost", "evil.test"] {
        let said = site.get(host, "/");
        assert!(!said.head.contains("strict-transport-security"), "{said:?}");
    }
    // RFC 6797 §8.1: browsers do not look at it there; where they end up they do.
    let url = format!("http://localhost:{}/", site.plain);
    let answer = site.curl().and(&["-L", "-i"]).fetch(&url);
    assert_eq!(answer.text().to_ascii_lowercase().matches(FIELD).count(), 1, "{answer:?}");
}

#[test]
fn a_trusted_proxy_says_what_has_come_by_https() {
    let server = Server::with(&["--hsts", "31536000", "--trust-proxy", "127.0.0.1"]);
    let ask = |options: &[&str]| {
        let answer = Client::new(&["-i"]).and(options).fetch(&server.url);
        answer.assert_ok();
        answer.text().to_ascii_lowercase().matches(FIELD).count()
    };
    assert_eq!(ask(&["-H", "X-Forwarded-Proto: https"]), 1);
    assert_eq!(ask(&["-H", "Forwarded: for=192.0.2.1;proto=https"]), 1);
    assert_eq!(ask(&["-H", "X-Forwarded-Proto: http"]), 0);
    assert_eq!(ask(&[]), 0);
    let forged = ["--interface", "127.0.0.2", "-H", "X-Forwarded-Proto: https"];
    assert_eq!(ask(&forged), 0, "anybody can write that");
}

#[test]
fn an_app_that_says_it_itself_is_not_overruled() {
    let mut app = App::new();
    app.at("/").get(async |_| {
        let mut response = Response::from("own");
        response.insert_header("Strict-Transport-Security", "max-age=0; includeSubDomains");
        Ok(response)
    });
    app.at("/other").get(async |_| Ok("other"));
    let bound = turnkey::Server::new(app)
        .trust("127.0.0.1".parse().unwrap())
        .hsts(Duration::from_secs(60))
        .bind("127.0.0.1:0")
        .unwrap();
    let port = bound.local_addr().unwrap().port();
    let (stop, stopped) = smol::channel::bounded::<()>(1);
    let server = thread::spawn(move || bound.run_until(async move { _ = stopped.recv().await }));
    let ask = |path: &str| {
        let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
        let request = format!("{head}X-Forwarded-Proto: https\r\n\r\n");
        hsts(Dialer::plain(port).open(), &request)
    };
    assert_eq!(ask("/"), ["strict-transport-security: max-age=0; includesubdomains"]);
    assert_eq!(ask("/other"), ["strict-transport-security: max-age=60"]);
    drop(stop);
    server.join().unwrap().unwrap();
}

/// The fields of the kind in the answer to `request`, in lower case.
#[track_caller]
fn hsts(mut conn: Conn, request: &str) -> Vec<String> {
    conn.send(request.as_bytes()).unwrap();
    let said = Said::read(&conn.rest());
    let lines = said.head.lines().filter(|line| line.starts_with("strict-transport-security:"));
    lines.map(str::to_owned).collect()
}
