//! What is spoken is not what is expected; or nothing is, or not all of it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::page::assert_reports;
use crate::support::{Client, Pki, Program, Server, Setup, at_once, s_client};
use crate::{EVERY, Site, on_every_backend};

on_every_backend! {
    plain_http
    neither_tls_nor_http
    left_midway
    left_without_a_word
}

fn plain_http(setup: Setup) {
    let site = Site::https(setup, &[]);
    let answer = Client::new(&[]).fetch(&site.server.url.replace("https://", "http://"));
    assert_eq!((answer.exit, answer.status), (0, 400), "{answer:?}");
    assert!(answer.text().contains(&site.server.url), "{answer:?}");
    let told = format!("the client was told to use {}", site.server.url);
    site.assert_told(
        "plain_http_on_tls_port",
        &["refused: spoke plain HTTP on the port for HTTPS", &told],
    );
}

#[test]
fn curl_speaks_tls_on_the_plain_port() {
    let server = Server::with(&[]);
    let answer = Client::new(&["-k"]).fetch(&server.url.replace("http://", "https://"));
    answer.assert_refused();
    assert_eq!(answer.exit, 35, "{answer:?}");
    assert_tells_of_tls(&server);
}

#[test]
fn openssl_speaks_tls_on_the_plain_port() {
    let server = Server::with(&[]);
    let output = s_client(server.port, &[], b"");
    assert!(output.stderr.contains("alert protocol version"), "{output:?}");
    assert_tells_of_tls(&server);
}

#[track_caller]
fn assert_tells_of_tls(server: &Server) {
    let line = server.logged(&["info: 127.0.0.1:"]);
    let told = "refused: began a TLS handshake on the port for plain HTTP; use ";
    for part in [told, &server.url, "--cert and --key, --identity or --adhoc"] {
        assert!(line.contains(part), "expected {part:?} in {line:?}");
    }
}

/// What begins with a capital letter is answered as HTTP; the rest gets no further than this.
fn neither_tls_nor_http(setup: Setup) {
    for noise in
        [&b"\0\0\0\0\0\0\0\0"[..], b"ssh-2.0-client\r\n", b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8"]
    {
        let site = Site::https(setup, &[]);
        let mut tcp = connect(&site.server);
        tcp.write_all(noise).unwrap();
        read_to_end(&mut tcp);
        site.assert_told("not_tls", &["refused: what the client sent is neither TLS nor HTTP"]);
    }
}

/// Half of a `ClientHello`.
const HALF: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

fn left_midway(setup: Setup) {
    let site = Site::https(setup, &[]);
    let mut tcp = connect(&site.server);
    tcp.write_all(HALF).unwrap();
    tcp.shutdown(Shutdown::Write).unwrap();
    read_to_end(&mut tcp);
    site.assert_told("left_midway", &["the client left in the middle of the handshake"]);
}

/// A port scan, a health check: not a line about any, but how many there were.
fn left_without_a_word(setup: Setup) {
    let mut site = Site::https(setup, &[]);
    for _ in 0..3 {
        let mut tcp = connect(&site.server);
        tcp.shutdown(Shutdown::Write).unwrap();
        read_to_end(&mut tcp);
    }
    setup.client(&site.pki).fetch(&site.server.url).assert_top_level();
    site.server.signal("TERM");
    assert!(site.server.wait().success());
    site.server.assert_logs(&["info: ", "that left without a word: 3"]);
    assert!(!site.server.log().contains("127.0.0.1"), "quiet: {}", site.server.log());
    assert_reports(setup.backend, "left_without_a_word");
}

#[test]
fn whoever_wants_to_know_who_left_is_told() {
    let pki = Pki::new();
    let program = Program::new(&[&pki.server_args()[..], &["--port", "0"]].concat());
    let server = program.env("RUST_LOG", "turnkey=debug").start();
    drop(connect(&server));
    server.assert_logs(&["debug: 127.0.0.1:", "left without a word"]);
}

#[test]
fn out_of_time() {
    at_once(&EVERY, |setup| {
        let site = Site::https(setup, &["--handshake-timeout", "1"]);
        let mut tcp = connect(&site.server);
        let begun = Instant::now();
        tcp.write_all(HALF).unwrap();
        read_to_end(&mut tcp);
        assert!(begun.elapsed() >= Duration::from_millis(900), "it had no time at all");
        let told = "closed: the handshake was not complete within 1 second (--handshake-timeout)";
        site.assert_told("out_of_time", &[told]);
    });
}

fn connect(server: &Server) -> TcpStream {
    let tcp = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    tcp
}

/// Until the server closes, be it with a reset.
fn read_to_end(tcp: &mut TcpStream) {
    let mut sink = [0; 4096];
    while matches!(tcp.read(&mut sink), Ok(1..)) {}
}
