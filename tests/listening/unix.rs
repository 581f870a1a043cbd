//! Unix sockets: all that is served over TCP is served over them too, but nobody there has an address.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::Service;
use crate::support::{Pki, Program, table};

table! {
    columns {
        http = "http";
        https = "https";
        mutual = "mutual";
    } rows {
        it_serves
        others_words_about_clients_are_removed
        a_trusted_proxy_is_believed
        proxy_headers
        it_drains_and_takes_its_file_with_it
    }
}

fn it_serves(mode: &'static str) {
    let service = Service::start(mode, &[]);
    let banner = &service.server.banner;
    assert!(banner.contains(&format!(": {mode} on unix:{}, backend", service.path)), "{banner}");
    let whoami = service.whoami(&[]);
    assert_eq!(whoami["mode"], mode);
    assert_eq!(whoami["scheme"], service.scheme());
    assert_eq!([&whoami["client"], &whoami["peer"]], ["unix", "unix"], "{whoami}");
    assert_eq!(whoami["host"], "localhost");
    assert_eq!(whoami["client_certificate"].is_null(), mode != "mutual", "{whoami}");
    let echoed = service.client().and(&["--data-binary", "@Cargo.lock", "-H", "Expect:"]);
    let echoed = echoed.fetch(&format!("{}://localhost/echo", service.scheme()));
    assert_eq!(echoed.body, std::fs::read("Cargo.lock").unwrap());
    // What it says to try, tries it.
    if mode != "mutual" {
        let tried = service.server.run_try_command();
        assert_eq!(tried.text(), "Top-level content", "{}", tried.stderr);
    }
}

fn others_words_about_clients_are_removed(mode: &'static str) {
    let service = Service::start(mode, &["--trust-proxy", "0.0.0.0/0,::/0"]);
    let forged = ["-H", "X-Forwarded-For: 6.6.6.6", "-H", "X-Forwarded-Proto: gopher"];
    for _ in 0..2 {
        let whoami = service.whoami(&forged);
        assert_eq!(whoami["client"], "unix", "{whoami}");
        assert_eq!(whoami["scheme"], service.scheme(), "{whoami}");
        assert_eq!(whoami["ignored_headers"].as_array().unwrap().len(), 2, "{whoami}");
    }
    let line = "ignored X-Forwarded-For from unix: not in --trust-proxy; add --trust-proxy unix";
    service.server.assert_logs(&[line]);
    assert_eq!(service.server.log().matches(line).count(), 1, "once");
}

fn a_trusted_proxy_is_believed(mode: &'static str) {
    let service = Service::start(mode, &["--trust-proxy", "unix,10.0.0.0/8"]);
    let other = if mode == "http" { "https" } else { "http" };
    let proto = format!("X-Forwarded-Proto: {other}");
    let list = "X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.0.0.7";
    let whoami = service.whoami(&["-H", list, "-H", &proto]);
    assert_eq!([&whoami["client"], &whoami["scheme"]], ["192.0.2.1", other], "{whoami}");
    assert_eq!(whoami["peer"], "unix");
    // nginx says so of clients that came to it over a Unix socket.
    let whoami = service.whoami(&["-H", "X-Forwarded-For: unix:"]);
    assert_eq!(whoami["client"], "unix", "{whoami}");
}

fn proxy_headers(mode: &'static str) {
    let header = ["--haproxy-protocol"];
    let trusting = Service::start(mode, &["--trust-proxy", "unix", "--proxy-protocol"]);
    if mode == "http" {
        // curl's own header says UNKNOWN here: somebody, of whom there is no address.
        let whoami = trusting.whoami(&header);
        assert_eq!(whoami["client"], "unix", "{whoami}");
        let mut stream = UnixStream::connect(&trusting.path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
            .write_all(
                b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n\
                  GET /whoami HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            )
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("\"client\": \"192.0.2.1\""), "{answer}");
    }
    let without = trusting.client().fetch(&format!("{}://localhost/", trusting.scheme()));
    assert_eq!(without.status, 0, "a header is due");
    trusting.server.assert_logs(&["unix: closed: no PROXY header came first"]);

    let wary = Service::start(mode, &["--trust-proxy", "127.0.0.1", "--proxy-protocol"]);
    let refused = wary.client().and(&header).fetch(&format!("{}://localhost/", wary.scheme()));
    assert_eq!(refused.status, 0);
    wary.server.assert_logs(&["a PROXY header came from unix, which is not in --trust-proxy"]);
}

fn it_drains_and_takes_its_file_with_it(mode: &'static str) {
    let mut service = Service::start(mode, &[]);
    assert!(Path::new(&service.path).exists());
    service.server.signal("TERM");
    assert!(service.server.wait().success());
    assert!(!Path::new(&service.path).exists());
}

#[test]
fn a_client_in_the_clear_is_told_of_https() {
    let service = Service::start("https", &[]);
    let answer = service.client().fetch("http://localhost/");
    assert_eq!(answer.status, 400);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("use https://localhost/"), "{text}");
}

#[test]
fn without_a_host_it_is_localhost() {
    let service = Service::start("http", &[]);
    let whoami = service.whoami(&["--http1.0", "-H", "Host:"]);
    assert_eq!(whoami["host"], "localhost");
}

#[test]
fn the_file_has_the_permissions_that_were_asked_for() {
    for mode in [0o600, 0o660, 0o666] {
        let service = Service::start("http", &["--socket-mode", &format!("{mode:o}")]);
        let permissions = std::fs::metadata(&service.path).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, mode);
    }
}

#[test]
fn what_a_killed_server_has_left_behind_is_replaced() {
    let mut service = Service::start("http", &[]);
    service.server.signal("KILL");
    service.server.wait();
    assert!(Path::new(&service.path).exists(), "nobody took it away");
    let listen = format!("unix:{}", service.path);
    service.server = Program::new(&["--listen", &listen]).start();
    assert_eq!(service.whoami(&[])["client"], "unix");
}

#[test]
fn as_a_proxy_it_calls_such_a_client_unknown() {
    let app = Service::start("http", &[]);
    let front_dir = tempfile::tempdir().unwrap();
    let front = format!("{}/front", front_dir.path().display());
    let upstream = format!("unix:{}", app.path);
    let listen = format!("unix:{front}");
    let server = Program::new(&["--listen", &listen, "--proxy", &upstream]).start();
    let client = crate::Client::new(&["--unix-socket", &front]);
    let whoami = client.fetch("http://localhost/whoami").json();
    let ignored = serde_json::to_string(&whoami["ignored_headers"]).unwrap();
    assert!(ignored.contains("x-forwarded-for") && ignored.contains("forwarded"), "{whoami}");
    // The app does not trust its proxy yet; one that does finds nobody's address there.
    drop(app);
    let trusting = Service::start("http", &["--trust-proxy", "unix"]);
    let upstream = format!("unix:{}", trusting.path);
    drop(server);
    let _server = Program::new(&["--listen", &listen, "--proxy", &upstream]).start();
    let whoami = client.fetch("http://localhost/whoami").json();
    assert_eq!(whoami["client"], "unix", "{whoami}");
    assert!(whoami["ignored_headers"].as_array().unwrap().is_empty(), "{whoami}");
}

/// A backend does not care what its connections are made of.
#[test]
fn every_backend_serves_over_them() {
    let pki = Pki::new();
    for backend in ["native-tls", "rustls", "openssl"] {
        let dir = tempfile::tempdir().unwrap();
        let path = format!("{}/socket", dir.path().display());
        let listen = format!("unix:{path}");
        let args = [&pki.server_args()[..], &["--backend", backend, "--listen", &listen]].concat();
        let _server = Program::new(&args).start();
        let client = crate::Client::new(&["--unix-socket", &path, "--cacert", &pki.ca_file]);
        let answer = client.fetch("https://localhost/");
        assert_eq!(answer.body, b"Top-level content", "{backend}: {}", answer.stderr);
    }
}
