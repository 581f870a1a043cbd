//! Upstreams that speak TLS, by each backend: who we are to them, and how connections go and end.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ::rustls::crypto::{CryptoProvider, aws_lc_rs};
use ::rustls::pki_types::pem::PemObject;
use ::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ::rustls::server::WebPkiClientVerifier;
use ::rustls::{RootCertStore, ServerConfig};

use crate::bodies::{POST, signal};
use crate::held_back::{chunked, content};
use crate::support::upstream::{DeadPort, Talk, Upstream};
use crate::support::{Dialer, Files, Pki, Profile, Program, Server, table};
use crate::{OK, OK_CLOSE, assert_refused};

table! {
    columns {
        native_tls = "native-tls";
        rustls = "rustls";
        openssl = "openssl";
    } rows {
        ours_is_shown_to_who_asks
        what_was_agreed_on_is_logged
        connections_are_used_again_and_stale_ones_are_not
        large_bodies_go_both_ways
        the_end_of_a_body_is_not_kept_back
        an_end_without_goodbye_is_none
        one_that_says_nothing_is_given_up
        one_that_speaks_no_tls_is_told_from_one_that_is_not_there
        a_tunnel_goes_through
        a_client_that_ends_without_goodbye_has_left
    }
}

/// Reads PEM: a chain and its key.
pub(crate) fn server_config(files: &Files, clients: Option<&str>) -> ServerConfig {
    server_config_of(aws_lc_rs::default_provider(), files, clients)
}

fn server_config_of(
    provider: CryptoProvider,
    files: &Files,
    clients: Option<&str>,
) -> ServerConfig {
    let provider = Arc::new(provider);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(ca_file) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(ca_file).unwrap()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        }
    };
    let chain = CertificateDer::pem_file_iter(&files.cert).unwrap();
    let chain = chain.collect::<Result<_, _>>().unwrap();
    builder.with_single_cert(chain, PrivateKeyDer::from_pem_file(&files.key).unwrap()).unwrap()
}

/// The program on `backend`, in https mode, before upstreams of `pki`'s CA.
pub(crate) struct Before {
    pub(crate) server: Server,
    dialer: Dialer,
}

impl Before {
    pub(crate) fn new(backend: &str, pki: &Pki, url: &str, args: &[&str]) -> Self {
        let proxy = ["--backend", backend, "--proxy", url, "--upstream-ca", &pki.ca_file];
        Self::of(Server::with(&[&pki.server_args()[..], &proxy, args].concat()), pki)
    }

    /// One that was started otherwise.
    pub(crate) fn of(server: Server, pki: &Pki) -> Self {
        let dialer = Dialer::tls(server.port, &pki.ca_file);
        Self { server, dialer }
    }

    fn ask(&self, request: impl AsRef<[u8]>) -> String {
        let mut conn = self.dialer.open();
        conn.send(request.as_ref()).unwrap();
        String::from_utf8_lossy(&conn.rest()).into_owned()
    }

    pub(crate) fn get(&self) -> String {
        self.ask("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
    }
}

pub(crate) fn serving(pki: &Pki, serve: impl Fn(&mut Talk) + Send + Sync + 'static) -> Upstream {
    Upstream::tls(server_config(&pki.server, None), serve)
}

fn ours_is_shown_to_who_asks(backend: &'static str) {
    let pki = Pki::new();
    let config = server_config(&pki.server, Some(&pki.ca_file));
    let upstream = Upstream::tls(config, |talk| talk.answer_all(OK));
    let (cert, key) = (&*pki.client.cert, &*pki.client.key);
    let shown = ["--upstream-cert", cert, "--upstream-key", key];
    let proxied = Before::new(backend, &pki, &upstream.url, &shown);
    assert_eq!(proxied.get(), OK_CLOSE, "{}", proxied.server.log());
    let both = ["--upstream-cert", &*pki.client.both];
    assert_eq!(Before::new(backend, &pki, &upstream.url, &both).get(), OK_CLOSE);
    assert_eq!(upstream.requests().len(), 2);
    let proxied = Before::new(backend, &pki, &upstream.url, &[]);
    let came = proxied.get();
    assert_refused(&came, 502, &["upstream"]);
    proxied.server.assert_logs(&["error", &upstream.url]);
    assert_eq!(upstream.requests().len(), 2);
    // With its chain, for whoever knows only the root.
    let intermediate = pki.ca.subordinate("Clients");
    let leaf = intermediate.issue(&Profile::client("us")).with_chain(&[&intermediate]);
    let files = pki.save("us", &leaf);
    let shown = ["--upstream-cert", &*files.cert, "--upstream-key", &*files.key];
    let proxied = Before::new(backend, &pki, &upstream.url, &shown);
    assert_eq!(proxied.get(), OK_CLOSE, "{}", proxied.server.log());
}

/// At the level debug, when a connection is opened.
fn what_was_agreed_on_is_logged(backend: &'static str) {
    let pki = Pki::new();
    let kx_groups = vec![aws_lc_rs::kx_group::SECP256R1];
    let provider = CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() };
    let config = server_config_of(provider, &pki.server, None);
    let upstream = Upstream::tls(config, |talk| talk.answer_all(OK));
    let proxy = ["--backend", backend, "--proxy", &upstream.url, "--upstream-ca", &pki.ca_file];
    let program = Program::new(&[&["--port", "0"], &pki.server_args()[..], &proxy].concat());
    let proxied = Before::of(program.env("RUST_LOG", "turnkey=debug").start(), &pki);
    assert_eq!(proxied.get(), OK_CLOSE, "{}", proxied.server.log());
    let said = match backend {
        // It tells nothing of what was negotiated.
        "native-tls" => "connected over TLS",
        _ => "connected over TLS 1.3, key exchange secp256r1",
    };
    let said = format!("{}: {said}", upstream.url);
    proxied.server.assert_logs(&[&said]);
    let log = proxied.server.log();
    assert!(log.lines().any(|line| line.ends_with(&said)), "more than {said:?}: {log}");
}

fn connections_are_used_again_and_stale_ones_are_not(backend: &'static str) {
    let pki = Pki::new();
    let upstream = serving(&pki, |talk| {
        for _ in 0..3 {
            if talk.request().is_some() {
                talk.send(OK);
            }
        }
        talk.finish();
    });
    let proxied = Before::new(backend, &pki, &upstream.url, &[]);
    let post = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";
    for n in 0..7 {
        assert_eq!(proxied.ask(post), OK_CLOSE, "{n}");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!((upstream.accepted(), upstream.requests().len()), (3, 7));
}

fn large_bodies_go_both_ways(backend: &'static str) {
    const LENGTH: usize = 4 << 20;
    let pki = Pki::new();
    // It sends back what it gets, as it gets it.
    let upstream = serving(&pki, |talk| {
        talk.head().unwrap();
        talk.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n").as_bytes());
        for _ in 0..LENGTH >> 16 {
            let Some(piece) = talk.exactly(1 << 16) else { return };
            talk.send(&piece);
        }
    });
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {LENGTH}\r\n\r\n");
    let body: Vec<u8> = (0..251).cycle().take(LENGTH).collect();
    for streaming in [&[][..], &["--proxy-streaming"]] {
        let proxied = Before::new(backend, &pki, &upstream.url, streaming);
        let mut conn = proxied.dialer.open();
        conn.send(head.as_bytes()).unwrap();
        for piece in body.chunks(1 << 16) {
            conn.send(piece).unwrap();
            // It comes back as it goes, or when all of it is there.
            if !streaming.is_empty() {
                conn.read_some().unwrap();
            }
        }
        assert!(conn.response().body == body, "other bytes came back");
    }
}

/// The TLS stack may take what the socket does not: rustls up to 64 KiB, if it is woken meanwhile.
fn the_end_of_a_body_is_not_kept_back(backend: &'static str) {
    let (pki, room) = (Pki::new(), room());
    // Some of these end where only the TLS stack has room.
    let lengths: Vec<usize> = (1..=8).map(|n| room + n * (24 << 10)).collect();
    let body: Vec<u8> = (0..251).cycle().take(room + (192 << 10)).collect();
    for streams in [false, true] {
        let all_sent = Arc::new(AtomicBool::new(false));
        let may_read = Arc::clone(&all_sent);
        let upstream = serving(&pki, move |talk| {
            while !may_read.load(Ordering::SeqCst) && talk.send(b"HTTP/1.1 100 Continue\r\n\r\n") {
                thread::sleep(Duration::from_millis(10));
            }
            talk.answer_all(OK);
        });
        let options = ["--max-body", "0", "--proxy-streaming", "--proxy-timeout", "10"];
        let proxied = Before::new(backend, &pki, &upstream.url, &options);
        let upload = |&length: &usize| {
            let (framing, body) = if streams {
                ("Transfer-Encoding: chunked".to_owned(), chunked(&body[..length]))
            } else {
                (format!("Content-Length: {length}"), body[..length].to_vec())
            };
            let mut conn = proxied.dialer.open();
            conn.send(format!("{POST}{framing}\r\n\r\n").as_bytes()).unwrap();
            conn.send(&body).unwrap();
            conn
        };
        let mut conns: Vec<_> = lengths.iter().map(upload).collect();
        // All of it gets as far as it does.
        thread::sleep(Duration::from_millis(300));
        all_sent.store(true, Ordering::SeqCst);
        for conn in &mut conns {
            assert_eq!(String::from_utf8_lossy(&conn.rest()), OK_CLOSE, "{}", proxied.server.log());
        }
        let bodies = upstream.requests().into_iter();
        let mut bodies: Vec<_> =
            bodies.map(|got| if streams { content(&got) } else { got.body }).collect();
        bodies.sort_by_key(Vec::len);
        assert!(bodies.iter().map(Vec::len).eq(lengths.iter().copied()), "not all came");
        assert!(bodies.iter().all(|came| body.starts_with(came)), "other bytes came");
    }
}

/// How much the system takes for somebody who reads nothing, in bytes.
fn room() -> usize {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    tcp.set_nonblocking(true).unwrap();
    let mut taken = 0;
    while let Ok(n) = tcp.write(&[0; 16 << 10]) {
        taken += n;
    }
    taken
}

fn an_end_without_goodbye_is_none(backend: &'static str) {
    let pki = Pki::new();
    for says_goodbye in [true, false] {
        let upstream = serving(&pki, move |talk| {
            talk.request();
            talk.send(b"HTTP/1.1 200 OK\r\nDate: today\r\n\r\nhello");
            thread::sleep(Duration::from_millis(100));
            if says_goodbye {
                talk.finish();
            }
        });
        let proxied = Before::new(backend, &pki, &upstream.url, &[]);
        let mut conn = proxied.dialer.open();
        conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        if says_goodbye {
            assert_eq!(conn.response().body, b"hello");
            continue;
        }
        while matches!(conn.read_some(), Ok(1..)) {}
        let came = String::from_utf8_lossy(conn.ahead()).into_owned();
        assert!(came.contains("\r\n5\r\nhello\r\n") && !came.contains("\r\n0\r\n"), "{came:?}");
        proxied.server.assert_logs(&["error", &upstream.url, "broke off"]);
    }
}

fn one_that_says_nothing_is_given_up(backend: &'static str) {
    let pki = Pki::new();
    let upstream = Upstream::new(|talk| drop(talk.rest()));
    let url = upstream.url.replace("http:", "https:");
    let proxied = Before::new(backend, &pki, &url, &["--proxy-timeout", "0.6"]);
    assert_refused(&proxied.get(), 504, &["the upstream took no connection within 0.6 seconds"]);
    proxied.server.assert_logs(&["error", &url, "within 0.6 seconds"]);
}

fn one_that_speaks_no_tls_is_told_from_one_that_is_not_there(backend: &'static str) {
    let pki = Pki::new();
    let upstream = Upstream::answering_once("HTTP/1.1 400 Bad Request\r\n\r\n");
    let shouting = Upstream::new(|talk| {
        talk.send(b"220 smtp.test ESMTP\r\n");
        talk.rest();
    });
    let url = upstream.url.replace("http:", "https:");
    let came = Before::new(backend, &pki, &url, &["--proxy-timeout", "3"]).get();
    assert!(came.starts_with("HTTP/1.1 50"), "{came}");
    let url = shouting.url.replace("http:", "https:");
    let proxied = Before::new(backend, &pki, &url, &[]);
    assert_refused(&proxied.get(), 502, &["TLS handshake"]);
    proxied.server.assert_logs(&["error", &url, "TLS handshake"]);
    let dead = DeadPort::new();
    let url = dead.url.replace("http:", "https:");
    let proxied = Before::new(backend, &pki, &url, &[]);
    assert_refused(&proxied.get(), 502, &["refused the connection"]);
}

fn a_tunnel_goes_through(backend: &'static str) {
    let pki = Pki::new();
    let upstream = serving(&pki, |talk| {
        talk.request();
        talk.send(b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhi ");
        let said = talk.rest();
        talk.send(&said);
        talk.finish();
    });
    let proxied = Before::new(backend, &pki, &upstream.url, &[]);
    let mut conn = proxied.dialer.open();
    conn.send(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello",
    )
    .unwrap();
    while !conn.ahead().ends_with(b"hi ") {
        assert_ne!(conn.read_some().unwrap(), 0);
    }
    conn.send(&b"x".repeat(200_000)).unwrap();
    // The upstream hears of it, and may answer still.
    conn.finish().unwrap();
    let came = conn.rest();
    assert!(came.ends_with(b"xx") && came.len() > 200_000, "{} bytes came", came.len());
}

/// As one does that is ended while it waits. One that says goodbye may wait for the answer still.
fn a_client_that_ends_without_goodbye_has_left(backend: &'static str) {
    let pki = Pki::new();
    let (gone, knows) = signal();
    let upstream = serving(&pki, move |talk| {
        if talk.request().is_some_and(|request| request.target() == "/slow") {
            gone.send(talk.rest().len()).unwrap();
        }
        thread::sleep(Duration::from_millis(200));
        talk.send(OK);
    });
    let proxied = Before::new(backend, &pki, &upstream.url, &[]);
    let mut conn = proxied.dialer.open();
    conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    conn.finish().unwrap();
    assert_eq!(conn.response().body, b"ok");
    let mut conn = proxied.dialer.open();
    conn.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    upstream.nth(1);
    conn.tcp().shutdown(std::net::Shutdown::Write).unwrap();
    let knows = knows.into_inner().unwrap();
    assert_eq!(knows.recv_timeout(Duration::from_secs(4)), Ok(0), "{}", proxied.server.log());
    assert!(!proxied.server.log().contains("error: "), "{}", proxied.server.log());
}
