//! A backend in one version of TLS: a column of the tables.

use std::thread;

use super::{Client, Pki, Server, TlsVersion};

/// A backend, held to one version of TLS by the server, by the client or by its own limits.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    pub backend: &'static str,
    /// What is to be negotiated.
    pub version: TlsVersion,
    pub held_by: HeldBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBy {
    /// `--tls-min` and `--tls-max`.
    Server,
    /// The client's own options.
    Client,
    /// The backend offers no other.
    Backend,
}

impl Setup {
    pub const NATIVE_TLS: Self = Self::new("native-tls", TlsVersion::Tls12, HeldBy::Backend);
    pub const RUSTLS_SERVER_12: Self = Self::new("rustls", TlsVersion::Tls12, HeldBy::Server);
    pub const RUSTLS_SERVER_13: Self = Self::new("rustls", TlsVersion::Tls13, HeldBy::Server);
    pub const RUSTLS_CLIENT_12: Self = Self::new("rustls", TlsVersion::Tls12, HeldBy::Client);
    pub const RUSTLS_CLIENT_13: Self = Self::new("rustls", TlsVersion::Tls13, HeldBy::Client);
    pub const OPENSSL_SERVER_12: Self = Self::new("openssl", TlsVersion::Tls12, HeldBy::Server);
    pub const OPENSSL_SERVER_13: Self = Self::new("openssl", TlsVersion::Tls13, HeldBy::Server);
    pub const OPENSSL_CLIENT_12: Self = Self::new("openssl", TlsVersion::Tls12, HeldBy::Client);
    pub const OPENSSL_CLIENT_13: Self = Self::new("openssl", TlsVersion::Tls13, HeldBy::Client);

    /// The columns of `on_every_verifying_backend`.
    pub const VERIFYING: [Self; 4] = [
        Self::RUSTLS_SERVER_12,
        Self::RUSTLS_SERVER_13,
        Self::OPENSSL_SERVER_12,
        Self::OPENSSL_SERVER_13,
    ];

    const fn new(backend: &'static str, version: TlsVersion, held_by: HeldBy) -> Self {
        Self { backend, version, held_by }
    }

    /// Serves with `args` on this set-up.
    pub fn serve(self, args: &[&str]) -> Server {
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
    pub fn client(self, pki: &Pki) -> Client {
        self.client_trusting(&pki.ca_file)
    }

    pub fn client_trusting(self, ca_file: &str) -> Client {
        let client = Client::new(&["--cacert", ca_file]);
        match self.held_by {
            HeldBy::Client => client.and(&self.version.curl()),
            HeldBy::Server | HeldBy::Backend => client,
        }
    }

    /// The options of `openssl s_client` that belong to this set-up.
    pub fn s_client_args(self) -> &'static [&'static str] {
        match (self.held_by, self.version) {
            (HeldBy::Server | HeldBy::Backend, _) => &[],
            (HeldBy::Client, TlsVersion::Tls12) => &["-tls1_2"],
            (HeldBy::Client, TlsVersion::Tls13) => &["-tls1_3"],
        }
    }
}

/// Runs `test` on all of `setups` at once, because most of the time it waits; each in a thread that is
/// named for it.
pub fn at_once(setups: &[Setup], test: impl Fn(Setup) + Sync) {
    let test = &test;
    thread::scope(|scope| {
        for &setup in setups {
            let name = format!("{} TLS {}", setup.backend, setup.version.number());
            let thread = thread::Builder::new().name(name);
            thread.spawn_scoped(scope, move || test(setup)).expect("a thread");
        }
    });
}
