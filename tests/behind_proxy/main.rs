//! The program behind a proxy: what it believes of whom, over HTTP and HTTPS.
//!
//! curl and raw sockets are the proxy here: at 127.0.0.1, or at another address of the loopback.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod fields;
mod options;
mod proxy_protocol;

use serde_json::Value;
use turnkey_test_support::{self as support, Client, Dialer, Pki, Server};

/// A server in http or https mode, and what it takes to talk to it.
struct Service {
    server: Server,
    pki: Pki,
    scheme: &'static str,
}

impl Service {
    fn start(scheme: &'static str, args: &[&str]) -> Self {
        let pki = Pki::new();
        let identity = pki.server_args();
        let args = if scheme == "https" { &[&identity, args].concat() } else { args };
        Self { server: Server::with(args), pki, scheme }
    }

    fn client(&self) -> Client {
        let ca = ["--cacert", &self.pki.ca_file];
        Client::new(if self.scheme == "https" { &ca } else { &[] })
    }

    fn dialer(&self) -> Dialer {
        match self.scheme {
            "https" => Dialer::tls(self.server.port, &self.pki.ca_file),
            _ => Dialer::plain(self.server.port),
        }
    }

    fn whoami(&self, options: &[&str]) -> Value {
        self.client().and(options).fetch(&format!("{}whoami", self.server.url)).json()
    }

    #[track_caller]
    fn assert_logs(&self, parts: &[&str]) {
        self.server.assert_logs(parts);
    }
}

/// Each field as curl takes it.
fn with(fields: &[&'static str]) -> Vec<&'static str> {
    fields.iter().flat_map(|field| ["-H", field]).collect()
}

#[track_caller]
fn assert_said(whoami: &Value, client: &str, scheme: &str, host: &str) {
    let said = [&whoami["client"], &whoami["scheme"], &whoami["host"]];
    assert_eq!(said, [client, scheme, host], "{whoami}");
}

#[track_caller]
fn ignored(whoami: &Value) -> Vec<&str> {
    whoami["ignored_headers"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect()
}
