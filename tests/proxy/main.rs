//! `turnkey --proxy`, at the level of the wire: what upstreams get, byte by byte, and what becomes of
//! what they say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![cfg(unix)]

mod anchors;
mod balance;
mod bodies;
mod broken;
mod connections;
mod corpus;
mod descriptors;
mod expect;
mod fields;
mod held_back;
mod identity;
mod leaving;
mod names;
mod options;
// What becomes of clients that there is no room for in a queue, differs between systems.
#[cfg(target_os = "linux")]
mod queues;
mod read_ahead;
mod reload;
mod requests;
mod responses;
mod room;
mod sharing;
mod tls;
mod truncated;
mod upgrade;

use support::upstream::Upstream;
use support::{Conn, Dialer, Pki, Program, Server, Setup};
use turnkey_test_support as support;

/// The scheme that the proxy is reached by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Front {
    Http,
    Https,
}

impl Front {
    fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The program before upstreams, and what it takes to talk to it.
struct Proxied {
    server: Server,
    dialer: Dialer,
    _pki: Pki,
}

impl Proxied {
    /// Before one upstream.
    fn new(front: Front, upstream: &Upstream) -> Self {
        Self::with(front, &[&upstream.url], &[])
    }

    /// Before upstreams with these URLs, and with further options.
    fn with(front: Front, urls: &[&str], args: &[&str]) -> Self {
        Self::start(front, urls, args, |program| program)
    }

    fn start(
        front: Front,
        urls: &[&str],
        args: &[&str],
        adapt: impl FnOnce(Program) -> Program,
    ) -> Self {
        let pki = Pki::new();
        let identity = pki.server_args();
        let mut all = vec!["--port", "0"];
        if !args.contains(&"--threads") {
            all.extend(["--threads", "2"]);
        }
        if front == Front::Https {
            all.extend(["--backend", "rustls"]);
            all.extend(identity);
        }
        all.extend(urls.iter().flat_map(|url| ["--proxy", *url]));
        all.extend(args);
        let server = adapt(Program::new(&all)).start();
        let dialer = match front {
            Front::Http => Dialer::plain(server.port),
            Front::Https => Dialer::tls(server.port, &pki.ca_file),
        };
        Self { server, dialer, _pki: pki }
    }

    fn open(&self) -> Conn {
        self.dialer.open()
    }

    /// All that comes back for these bytes until the connection ends, as it should.
    #[track_caller]
    fn ask(&self, request: impl AsRef<[u8]>) -> String {
        let mut conn = self.open();
        conn.send(request.as_ref()).unwrap();
        String::from_utf8_lossy(&conn.rest()).into_owned()
    }

    /// The same for a `GET` after which the connection ends.
    #[track_caller]
    fn get(&self, path: &str) -> String {
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"))
    }
}

/// An answer with a body of 2 bytes.
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 2\r\n\r\nok";

/// The same as a client gets it that has asked for the connection to end.
const OK_CLOSE: &str =
    "HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// Asserts that `answer` is a refusal with this status, one line of text with all of `naming`.
#[track_caller]
fn assert_refused(answer: &str, status: u16, naming: &[&str]) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{answer:?}");
    assert!(head.to_ascii_lowercase().contains("\r\nconnection: close"), "{answer:?}");
    assert!(body.ends_with('\n') && body.matches('\n').count() == 1, "not one line: {answer:?}");
    for name in naming {
        assert!(body.contains(name), "no {name:?} in {body:?}");
    }
}
