//! HTTPS by redirect (`--redirect-from`), the challenges of a CA beside it (`--dir`), and browsers
//! that are told to stay with HTTPS (`--hsts`).

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod challenges;
mod hosts;
mod hsts;

use tempfile::TempDir;
use turnkey_test_support::{self as support, Client, Dialer, Program, Server};

/// A server for HTTPS with a port from which it sends on.
struct Site {
    server: Server,
    /// The port for plain HTTP.
    plain: u16,
    folder: TempDir,
}

impl Site {
    /// With a certificate for the names that `turnkey certs` takes, and those under `example.test`.
    fn start(args: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("turnkey-test-").tempdir().unwrap();
        let certs = folder.path().join("certs");
        let certs = certs.to_str().unwrap();
        let made = Program::new(&["certs", "--out", certs, "--host", "*.example.test"]).run();
        assert_eq!(made.code, Some(0), "turnkey certs: {}", made.stderr);
        let [cert, key] = ["server_chain.pem", "server.key"].map(|file| format!("{certs}/{file}"));
        let identity = ["--cert", &cert, "--key", &key, "--redirect-from", "0"];
        let server = Server::with(&[&identity[..], args].concat());
        let plain = server.greeting.lines().find_map(|line| line.strip_prefix("http://"));
        let plain = plain.and_then(|rest| rest.split_once('/')?.0.rsplit(':').next()?.parse().ok());
        let plain = plain.unwrap_or_else(|| panic!("no plain port in {}", server.greeting));
        Self { server, plain, folder }
    }

    /// Sends a request in the clear, after which the connection closes.
    #[track_caller]
    fn ask(&self, request: impl AsRef<[u8]>) -> Said {
        let mut conn = Dialer::plain(self.plain).open();
        conn.send(request.as_ref()).unwrap();
        conn.finish().unwrap();
        Said::read(&conn.rest())
    }

    #[track_caller]
    fn get(&self, host: &str, target: &str) -> Said {
        self.ask(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
    }

    /// The beginning of what is sent on to `host`.
    fn at(&self, host: &str) -> String {
        format!("https://{host}:{}", self.server.port)
    }

    fn curl(&self) -> Client {
        let ca = self.folder.path().join("certs/ca.crt");
        Client::new(&["--cacert", ca.to_str().unwrap()])
    }
}

/// An answer, and that there is but one.
#[derive(Debug)]
struct Said {
    status: u16,
    location: Option<String>,
    head: String,
    body: String,
}

impl Said {
    #[track_caller]
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
        let head = head.to_ascii_lowercase();
        let status = head.get(9..12).and_then(|code| code.parse().ok());
        let locations: Vec<_> =
            head.lines().filter_map(|line| line.strip_prefix("location: ")).collect();
        assert!(locations.len() <= 1, "{text}");
        Self {
            status: status.unwrap_or_else(|| panic!("no status line: {text}")),
            location: locations.first().map(|&location| {
                // As it was written.
                let at = head.find(location).unwrap();
                text[at..at + location.len()].to_owned()
            }),
            body: body.to_owned(),
            head,
        }
    }

    #[track_caller]
    fn assert_sent_to(&self, location: &str) {
        assert_eq!((self.status, self.location.as_deref()), (308, Some(location)), "{self:?}");
    }

    /// Nobody is sent anywhere, and is told why.
    #[track_caller]
    fn assert_misdirected(&self) {
        assert_eq!((self.status, &self.location), (421, &None), "{self:?}");
        assert!(self.body.ends_with('\n') && self.body.lines().count() == 1, "{self:?}");
    }

    fn has(&self, field: &str) -> bool {
        self.head.lines().any(|line| line == field)
    }
}
