//! Why a connection came to nothing: one line in the log, that says whose decision it was and what
//! to do, for each reason that there is, whichever backend it comes from.
//!
//! The clients are real: curl, `openssl s_client` and Python. The table in `backends/README.md` is
//! compared with what the log says about them.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod clients;
mod folded;
mod nothing_in_common;
mod ours;
mod page;
mod protocols;

use std::time::Duration;

use turnkey_test_support::{
    self as support, Output, Pki, Server, Setup, on_every_verifying_backend, run, tool,
};

/// The columns of https mode: every backend, in each version of TLS that it speaks.
macro_rules! on_every_backend {
    ($($row:ident)+) => {
        crate::support::table! {
            columns {
                native_tls = crate::support::Setup::NATIVE_TLS;
                rustls_tls12 = crate::support::Setup::RUSTLS_SERVER_12;
                rustls_tls13 = crate::support::Setup::RUSTLS_SERVER_13;
                openssl_tls12 = crate::support::Setup::OPENSSL_SERVER_12;
                openssl_tls13 = crate::support::Setup::OPENSSL_SERVER_13;
            } rows { $($row)+ }
        }
    };
}
use on_every_backend;

const EVERY: [Setup; 5] = [
    Setup::NATIVE_TLS,
    Setup::RUSTLS_SERVER_12,
    Setup::RUSTLS_SERVER_13,
    Setup::OPENSSL_SERVER_12,
    Setup::OPENSSL_SERVER_13,
];

/// A server that is yet to refuse somebody.
struct Site {
    setup: Setup,
    pki: Pki,
    server: Server,
}

impl Site {
    fn https(setup: Setup, more: &[&str]) -> Self {
        let pki = Pki::new();
        let server = setup.serve(&[&pki.server_args()[..], more].concat());
        Self { setup, pki, server }
    }

    fn mutual(setup: Setup, pki: Pki, more: &[&str]) -> Self {
        let server = setup.serve(&[&pki.mutual_args()[..], more].concat());
        Self { setup, pki, server }
    }

    /// One connection failed, and one line says why. It begins as the page has it for `reason`, and has
    /// all of `parts`.
    #[track_caller]
    fn assert_told(&self, reason: &str, parts: &[&str]) {
        let begins = page::assert_reports(self.setup.backend, reason);
        let text = self.assert_says(parts);
        assert!(begins.iter().any(|begin| text.starts_with(begin)), "{begins:?}: {text:?}");
    }

    /// The line alone; the result is its text without the client's address.
    #[track_caller]
    fn assert_says(&self, parts: &[&str]) -> String {
        let told = self.server.logged(&[": 127.0.0.1:"]);
        let (level, rest) = told.split_once(": 127.0.0.1:").expect("a peer");
        let (port, text) = rest.split_once(": ").expect("a text");
        assert_eq!(level, "info", "{told}");
        assert!(port.parse::<u16>().is_ok(), "{told}");
        for part in parts {
            assert!(text.contains(part), "expected {part:?} in {told:?}");
        }
        let log = self.server.log();
        assert_eq!(log.matches(": 127.0.0.1:").count(), 1, "one line is enough: {log}");
        text.to_owned()
    }
}

/// Python's own TLS client, as `explained/client.py` has it. The result is what it said.
fn python(site: &Site, ca: &str, name: &str) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/explained/client.py");
    let mut python = tool("python3");
    python.args(["-I", "-B", script, &site.server.port.to_string(), ca, name]);
    run(python, b"", Duration::from_secs(20))
}
