//! The table of the backends that come with turnkey. A backend is one row here, a cargo feature, and its crate.

use std::fmt;
use std::str::FromStr;

use turnkey_backend::{BackendFactory, BuildError, Capabilities, ConnectConfig, Connector};

use super::needs::listed;

/// Each row: the variant, its name (also the cargo feature), when it is compiled in, and what accepts and opens
/// connections in its crate. They are tried in this order.
macro_rules! tls_backends {
    ($($(#[$doc:meta])* $variant:ident $name:literal if $compiled:meta, $from:ident::$factory:ident, $connector:ident;)+) => {
        /// The name of a backend that comes with turnkey, compiled in or not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum BackendName {
            /// No TLS.
            Plain,
            $($(#[$doc])* $variant,)+
        }

        impl BackendName {
            /// The backends that do TLS, in the order in which they are tried.
            pub const TLS: &[Self] = &[$(Self::$variant),+];

            /// The name, which is also that of the cargo feature.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    Self::Plain => "plain",
                    $(Self::$variant => $name,)+
                }
            }
        }

        /// The TLS backends that were compiled in, in the order in which they are tried.
        pub(super) fn compiled() -> Vec<Compiled> {
            vec![$(
                #[cfg($compiled)]
                Compiled {
                    capabilities: $from::$factory.capabilities(),
                    factory: &$from::$factory,
                    connector: |config| Ok(Box::new($from::$connector::new(config)?)),
                }
            ),+]
        }
    };
}

tls_backends! {
    /// rustls.
    Rustls "rustls" if feature = "rustls", turnkey_rustls::RustlsFactory, RustlsConnector;
    /// OpenSSL. The default build includes it only where native-tls links OpenSSL anyway.
    OpenSsl "openssl" if any(
        feature = "openssl",
        all(feature = "system-openssl", not(any(target_os = "windows", target_vendor = "apple")))
    ), turnkey_openssl::OpenSslFactory, OpenSslConnector;
    /// The operating system's TLS stack.
    NativeTls "native-tls" if feature = "native-tls", turnkey_native_tls::NativeTlsFactory, NativeTlsConnector;
}

/// A TLS backend that was compiled in.
#[derive(Clone, Copy)]
pub(super) struct Compiled {
    pub(super) capabilities: Capabilities,
    pub(super) factory: &'static dyn BackendFactory,
    pub(super) connector: fn(&ConnectConfig) -> Result<Box<dyn Connector>, BuildError>,
}

impl BackendName {
    /// What the backend supports; `None` if it is not compiled in.
    #[must_use]
    pub fn capabilities(self) -> Option<Capabilities> {
        match self {
            Self::Plain => Some(turnkey_plain::Plain::CAPABILITIES),
            tls => compiled().iter().map(|c| c.capabilities).find(|c| c.name == tls.name()),
        }
    }
}

impl fmt::Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BackendName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let all = || [Self::Plain].into_iter().chain(Self::TLS.iter().copied());
        all().find(|backend| backend.name() == name).ok_or_else(|| {
            let names: Vec<_> = all().map(Self::name).collect();
            format!("expected {}", listed(&names))
        })
    }
}

/// The TLS backends that were compiled in, each with its library's version, in the order in which
/// they are tried.
#[must_use]
pub fn compiled_backends() -> Vec<(&'static str, String)> {
    compiled().iter().map(|c| (c.capabilities.name, c.factory.library())).collect()
}

/// The names of the TLS backends that were not compiled in. They are also the cargo features.
pub(super) fn absent_backends() -> Vec<&'static str> {
    let compiled: Vec<_> = compiled().iter().map(|c| c.capabilities.name).collect();
    let names = BackendName::TLS.iter().map(|backend| backend.name());
    names.filter(|name| !compiled.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Can = fn(&Capabilities) -> bool;

    /// The cells of one row of the table in `backends/README.md`.
    fn row(name: &str) -> Vec<&'static str> {
        let line = include_str!("../../backends/README.md")
            .lines()
            .find(|line| line.starts_with(&format!("| {name} |")))
            .unwrap_or_else(|| panic!("no row for {name}"));
        line.trim_matches('|').split('|').skip(1).map(str::trim).collect()
    }

    /// The compiled backends: all of them in the default build, at least on Linux.
    fn backends() -> Vec<Capabilities> {
        let compiled: Vec<_> = compiled().iter().map(|c| c.capabilities).collect();
        [&[turnkey_plain::Plain::CAPABILITIES], &compiled[..]].concat()
    }

    #[test]
    fn the_page_for_people_says_the_same() {
        let header =
            include_str!("../../backends/README.md").lines().find(|l| l.starts_with("| |"));
        let columns: Vec<_> = header.unwrap().trim_matches('|').split('|').map(str::trim).collect();
        let rows: [(&str, Can); 14] = [
            ("TLS", |c| c.tls),
            ("client certificates", |c| c.client_certificates),
            ("TLS 1.3", |c| c.tls13),
            ("SNI certificate selection", |c| c.sni),
            ("CRL", |c| c.crl),
            ("ALPN", |c| c.alpn),
            ("resumption control", |c| c.resumption_control),
            ("OCSP stapling", |c| c.ocsp),
            ("upstreams below an intermediate CA", |c| c.partial_chain),
            ("self-signed upstreams", |c| c.self_signed_upstreams),
            ("X.509 version 1", |c| c.x509_v1),
            ("name constraints of every kind", |c| c.name_constraints),
            ("Ed25519 keys", |c| c.ed25519),
            ("Ed448 keys", |c| c.ed448),
        ];
        let native_is_openssl = cfg!(not(any(target_os = "windows", target_vendor = "apple")));
        for backend in backends() {
            let column = columns.iter().position(|name| *name == backend.name);
            let column = column.unwrap_or_else(|| panic!("no column for {}", backend.name)) - 1;
            for (name, can) in rows {
                let cell = row(name)[column];
                let here = native_is_openssl || !cell.ends_with("on OpenSSL");
                let told = cell.starts_with("yes") && here;
                assert_eq!(told, can(&backend), "{name}: {}", backend.name);
            }
        }
    }

    /// The page names no other backend, and the rest of the table is consistent.
    #[test]
    fn each_has_its_name() {
        let named: Vec<_> = BackendName::TLS.iter().map(|backend| backend.name()).collect();
        let known: Vec<_> = backends().iter().map(|backend| backend.name).collect();
        let compiled: Vec<_> = named.iter().filter(|name| known.contains(name)).collect();
        assert_eq!(known.len(), 1 + compiled.len(), "{known:?} of {named:?}");
        assert!(known[1..].iter().eq(compiled), "in their order: {known:?}");
        let absent = absent_backends();
        assert!(named.iter().all(|name| known.contains(name) != absent.contains(name)));
        assert_eq!(row("cargo feature").len(), 1 + named.len());
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for backend in BackendName::TLS.iter().chain(&[BackendName::Plain]) {
            assert_eq!(backend.to_string().parse(), Ok(*backend));
        }
        let error = "nginx".parse::<BackendName>().unwrap_err();
        assert_eq!(error, "expected plain, rustls, openssl or native-tls");
    }
}
