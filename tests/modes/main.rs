//! What the program does the same way in every mode, on every backend; and the recipe that the
//! modes come from.
//!
//! Rows under `in_every_mode!` are functions that are tested with every column of the table here,
//! each pair a test of its own, named `file::column::row`.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

/// The columns: every mode, on every backend that offers it.
macro_rules! in_every_mode {
    ($($row:ident)+) => {
        crate::support::table! {
            columns {
                http = crate::Service::HTTP;
                https_native_tls = crate::Service::HTTPS_NATIVE_TLS;
                https_rustls = crate::Service::HTTPS_RUSTLS;
                https_openssl = crate::Service::HTTPS_OPENSSL;
                mutual_rustls = crate::Service::MUTUAL_RUSTLS;
                mutual_openssl = crate::Service::MUTUAL_OPENSSL;
            } rows { $($row)+ }
        }
    };
}

mod certs;
mod environment;
mod recipe;
mod requests;
mod running;
mod seed;
mod shutdown;
mod terminal;
mod wrong_protocol;

use turnkey_test_support::{self as support, Client, Pki, Program, Server};

/// A mode on a backend that offers it.
#[derive(Debug, Clone, Copy)]
struct Service {
    mode: &'static str,
    backend: &'static str,
}

impl Service {
    const HTTP: Self = Self { mode: "http", backend: "plain" };
    const HTTPS_NATIVE_TLS: Self = Self { mode: "https", backend: "native-tls" };
    const HTTPS_RUSTLS: Self = Self { mode: "https", backend: "rustls" };
    const HTTPS_OPENSSL: Self = Self { mode: "https", backend: "openssl" };
    const MUTUAL_RUSTLS: Self = Self { mode: "mutual", backend: "rustls" };
    const MUTUAL_OPENSSL: Self = Self { mode: "mutual", backend: "openssl" };

    fn start(self, pki: &Pki) -> Server {
        self.start_with(pki, &[])
    }

    fn start_with(self, pki: &Pki, more: &[&str]) -> Server {
        let mut args = vec!["--mode", self.mode, "--backend", self.backend];
        match self.mode {
            "http" => {}
            "https" => args.extend(pki.server_args()),
            _ => args.extend(pki.mutual_args()),
        }
        args.extend(more);
        Server::with(&args)
    }

    /// curl, with what this mode asks of it and not more.
    fn client(self, pki: &Pki) -> Client {
        match self.mode {
            "http" => Client::new(&[]),
            "https" => Client::new(&["--cacert", &pki.ca_file]),
            _ => Client::new(&["--cacert", &pki.ca_file, "-E", &pki.client.both]),
        }
    }

    fn scheme(self) -> &'static str {
        if self.mode == "http" { "http" } else { "https" }
    }
}

/// `turnkey certs --out` into a directory.
#[track_caller]
fn make_certs(dir: &str) -> String {
    let output = Program::new(&["certs", "--out", dir]).run();
    assert_eq!(output.code, Some(0), "turnkey certs: {}", output.stderr);
    output.text()
}
