//! Where the program listens: on Unix sockets, on several places at once, on IPv4 and IPv6.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod mistakes;
mod places;
mod unix;

use std::net::TcpListener;

use serde_json::Value;
use tempfile::TempDir;
use turnkey_test_support::{self as support, Client, Pki, Program, Server};

/// A server with a Unix socket, and what it takes to talk to it.
struct Service {
    server: Server,
    path: String,
    pki: Pki,
    mode: &'static str,
    _dir: TempDir,
}

impl Service {
    fn start(mode: &'static str, args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = format!("{}/socket", dir.path().display());
        let pki = Pki::new();
        let identity = match mode {
            "http" => Vec::new(),
            "https" => pki.server_args().to_vec(),
            _ => [&pki.server_args()[..], &["--client-ca", &pki.ca_file]].concat(),
        };
        let listen = format!("unix:{path}");
        let server = Program::new(&[&identity[..], &["--listen", &listen], args].concat()).start();
        Self { server, path, pki, mode, _dir: dir }
    }

    fn client(&self) -> Client {
        let mut options = vec!["--unix-socket", &self.path];
        if self.mode != "http" {
            options.extend(["--cacert", &self.pki.ca_file]);
        }
        if self.mode == "mutual" {
            options.extend(["--cert", &self.pki.client.cert, "--key", &self.pki.client.key]);
        }
        Client::new(&options)
    }

    fn scheme(&self) -> &'static str {
        if self.mode == "http" { "http" } else { "https" }
    }

    fn whoami(&self, options: &[&str]) -> Value {
        self.client().and(options).fetch(&format!("{}://localhost/whoami", self.scheme())).json()
    }
}

/// A port that nobody listens on, for those that have to name one.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
