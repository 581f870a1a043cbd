//! A server that starts, says so, and stays usable.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Client, FAILURE, Pki, Program, Server, openssl, s_client};
use crate::{Service, make_certs};

in_every_mode! {
    two_lines_say_what_is_served
    the_command_to_try_works
    the_command_to_try_works_elsewhere
    silent_connections_stop_nobody
    ipv6_is_served
}

fn two_lines_say_what_is_served(service: Service) {
    let pki = Pki::new();
    let server = service.start(&pki);
    let Service { mode, backend } = service;
    let url = format!("{}://127.0.0.1:{}/", service.scheme(), server.port);
    let version = env!("CARGO_PKG_VERSION");

    let start = format!("turnkey {version}: {mode} on {url}, backend {backend}");
    let (library, versions) = match backend {
        "plain" => ("", ""),
        // The system's or, when it was built in, one of its own.
        "native-tls" => (" (OpenSSL 3.", "), TLS 1.2 only: native-tls has no 1.3 on this system"),
        "openssl" => (" (OpenSSL 3.", "), TLS 1.2 and 1.3"),
        _ => (" (rustls 0.", "), TLS 1.2 and 1.3"),
    };
    let expected = format!("{start}{library}…{versions}");
    let rest = server.banner.strip_prefix(&format!("{start}{library}"));
    let number = rest.and_then(|rest| rest.strip_suffix(versions));
    let number = number.unwrap_or_else(|| panic!("expected {expected:?}: {:?}", server.banner));
    assert_eq!(number.is_empty(), backend == "plain", "expected {expected:?}");
    let [first, second] = server.greeting.lines().collect::<Vec<_>>()[..] else {
        panic!("expected two lines: {:?}", server.greeting);
    };
    assert_eq!(first, server.banner);
    assert!(second.starts_with("try: curl ") && second.contains(&url), "{second:?}");
}

fn the_command_to_try_works(service: Service) {
    let pki = Pki::new();
    make_certs(&pki.path("certs"));
    // Relative paths, from the directory that the certificates are in.
    let server = serve_certs(service, "").dir(&pki.path("certs")).start();
    assert_try_works(&server);
}

/// Each takes room for its stack, and there is not enough for all.
#[test]
fn threads_that_cannot_be_had_are_said() {
    let few = ["sh", "-c", "ulimit -v 1500000 && exec \"$0\" \"$@\""];
    // Large stacks, so that it is they for which there is no room, and not what a thread that has begun
    // needs beside: there std gives up in its own way.
    let program = Program::behind(&few, &["--port", "0", "--threads", "3000"]);
    let output = program.env("RUST_MIN_STACK", "536870912").run();
    assert_eq!(output.code, Some(FAILURE), "{output:?}");
    assert!(output.stderr.contains("turnkey: cannot start a thread: "), "{output:?}");
}

/// From another directory, by a name that a shell takes apart.
fn the_command_to_try_works_elsewhere(service: Service) {
    let pki = Pki::new();
    make_certs(&pki.path("it's my $HOME"));
    let server = serve_certs(service, "it's my $HOME/").dir(&pki.path("")).start();
    assert_try_works(&server);
}

fn serve_certs(service: Service, prefix: &str) -> Program {
    let [chain, key, ca] =
        ["server_chain.pem", "server.key", "ca.crt"].map(|name| format!("{prefix}{name}"));
    let mut args = vec!["--backend", service.backend, "--port", "0"];
    if service.mode != "http" {
        args.extend(["--cert", &chain, "--key", &key]);
    }
    if service.mode == "mutual" {
        args.extend(["--client-ca", &ca]);
    }
    Program::new(&args)
}

#[track_caller]
fn assert_try_works(server: &Server) {
    let output = server.run_try_command();
    let command = &server.try_command;
    assert_eq!(output.code, Some(0), "{command}: {}", output.stderr);
    assert_eq!(output.text().trim_end(), "Top-level content", "{command}");
}

fn silent_connections_stop_nobody(service: Service) {
    let pki = Pki::new();
    let server = service.start(&pki);
    let silent: Vec<_> =
        (0..50).map(|_| TcpStream::connect(("127.0.0.1", server.port)).unwrap()).collect();
    let start = Instant::now();
    service.client(&pki).fetch(&server.url).assert_top_level();
    let taken = start.elapsed();
    assert!(taken < Duration::from_secs(1), "served after {taken:?}");
    drop(silent);
}

fn ipv6_is_served(service: Service) {
    let pki = Pki::new();
    let server = service.start_with(&pki, &["--host", "::1"]);
    assert_eq!(server.url, format!("{}://[::1]:{}/", service.scheme(), server.port));
    service.client(&pki).fetch(&server.url).assert_top_level();
}

#[test]
fn a_host_by_name_is_served() {
    let server = Server::with(&["--host", "localhost"]);
    let resolve = format!("localhost:{}:127.0.0.1,[::1]", server.port);
    let client = Client::new(&["--resolve", &resolve]);
    client.fetch(&format!("http://localhost:{}/", server.port)).assert_top_level();
}

#[test]
fn an_option_and_its_value_in_one_word() {
    let pki = Pki::new();
    let (cert, key) = (format!("--cert={}", pki.server.cert), format!("--key={}", pki.server.key));
    let server = Program::new(&[&cert, &key, "--backend=rustls", "--port=0"]).start();
    assert_eq!(server.backend(), "rustls");
    Client::new(&["--cacert", &pki.ca_file]).fetch(&server.url).assert_top_level();
}

#[test]
fn adhoc_says_the_fingerprint() {
    let server = Server::with(&["--adhoc"]);
    assert!(server.url.starts_with("https://"), "{:?}", server.banner);
    assert_try_works(&server);

    let pki = Pki::new();
    let shown = s_client(server.port, &["-showcerts"], b"Q\n").text();
    let cert = pki.write("shown.pem", shown);
    let fingerprint = openssl(&["x509", "-in", &cert, "-noout", "-fingerprint", "-sha256"]);
    let fingerprint = plain_hex(fingerprint.trim().rsplit('=').next().unwrap());
    assert_eq!(fingerprint.len(), 64);
    let said = plain_hex(&server.stdout());
    assert!(said.contains(&fingerprint), "{fingerprint} is not in {:?}", server.stdout());
    assert_eq!(server.greeting.lines().count(), 3, "{:?}", server.greeting);
}

fn plain_hex(text: &str) -> String {
    text.replace(':', "").to_ascii_lowercase()
}
