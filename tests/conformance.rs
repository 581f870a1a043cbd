//! One suite for every backend, in every mode and version of TLS that it offers.
//!
//! Each file of `conformance/` opens with a table: a row is a function, a column is a set-up, and
//! each pair is a test of its own, named `file::column::row`. A new backend is a new column.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

/// The columns of mutual mode: every backend that verifies clients, in each version of TLS.
macro_rules! on_every_verifying_backend {
    ($($row:ident)+) => {
        crate::support::table! {
            columns {
                rustls_tls12 = crate::Setup::RUSTLS_SERVER_12;
                rustls_tls13 = crate::Setup::RUSTLS_SERVER_13;
                openssl_tls12 = crate::Setup::OPENSSL_SERVER_12;
                openssl_tls13 = crate::Setup::OPENSSL_SERVER_13;
            } rows { $($row)+ }
        }
    };
}

#[path = "conformance/choice.rs"]
mod choice;
#[path = "conformance/identity.rs"]
mod identity;
#[path = "conformance/mutual.rs"]
mod mutual;
#[path = "conformance/optional.rs"]
mod optional;
#[path = "conformance/server.rs"]
mod server;
mod support;

use support::{Client, Pki, Server, TlsVersion};

/// A backend, held to one version of TLS by the server, by the client or by its own limits.
#[derive(Debug, Clone, Copy)]
struct Setup {
    backend: &'static str,
    /// What is to be negotiated.
    version: TlsVersion,
    held_by: HeldBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeldBy {
    /// `--tls-min` and `--tls-max`.
    Server,
    /// The client's own options.
    Client,
    /// The backend offers no other.
    Backend,
}

impl Setup {
    const NATIVE_TLS: Self = Self::new("native-tls", TlsVersion::Tls12, HeldBy::Backend);
    const RUSTLS_SERVER_12: Self = Self::new("rustls", TlsVersion::Tls12, HeldBy::Server);
    const RUSTLS_SERVER_13: Self = Self::new("rustls", TlsVersion::Tls13, HeldBy::Server);
    const RUSTLS_CLIENT_12: Self = Self::new("rustls", TlsVersion::Tls12, HeldBy::Client);
    const RUSTLS_CLIENT_13: Self = Self::new("rustls", TlsVersion::Tls13, HeldBy::Client);
    const OPENSSL_SERVER_12: Self = Self::new("openssl", TlsVersion::Tls12, HeldBy::Server);
    const OPENSSL_SERVER_13: Self = Self::new("openssl", TlsVersion::Tls13, HeldBy::Server);
    const OPENSSL_CLIENT_12: Self = Self::new("openssl", TlsVersion::Tls12, HeldBy::Client);
    const OPENSSL_CLIENT_13: Self = Self::new("openssl", TlsVersion::Tls13, HeldBy::Client);

    const fn new(backend: &'static str, version: TlsVersion, held_by: HeldBy) -> Self {
        Self { backend, version, held_by }
    }

    /// Serves with `args` on this set-up.
    fn serve(self, args: &[&str]) -> Server {
        let mut all = vec!["--backend", self.backend];
        if self.held_by == HeldBy::Server {
            let version = self.version.number();
            all.extend(["--tls-min", version, "--tls-max", version]);
        }
        all.extend(args);
        let server = Server::with(&all);
        assert_eq!(server.backend(), self.backend, "in {:?}", server.banner);
        server
    }

    /// curl, which trusts the CA and nobody else.
    fn client(self, pki: &Pki) -> Client {
        self.client_trusting(&pki.ca_file)
    }

    fn client_trusting(self, ca_file: &str) -> Client {
        let client = Client::new(&["--cacert", ca_file]);
        match self.held_by {
            HeldBy::Client => client.and(&self.version.curl()),
            HeldBy::Server | HeldBy::Backend => client,
        }
    }

    /// The options of `openssl s_client` that belong to this set-up.
    fn s_client_args(self) -> &'static [&'static str] {
        match (self.held_by, self.version) {
            (HeldBy::Server | HeldBy::Backend, _) => &[],
            (HeldBy::Client, TlsVersion::Tls12) => &["-tls1_2"],
            (HeldBy::Client, TlsVersion::Tls13) => &["-tls1_3"],
        }
    }
}
