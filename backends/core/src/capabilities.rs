//! What each backend can do. `backends/README.md` shows the same table to people.

/// What a backend can do, so that asking for what it lacks is an error at start-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a table of yes and no is what this is")]
pub struct Capabilities {
    /// The name that `--backend` takes, and the cargo feature that brings it.
    pub name: &'static str,
    /// Encrypts at all.
    pub tls: bool,
    /// Can ask clients for a certificate and verify it.
    pub client_certificates: bool,
    /// Speaks TLS 1.3.
    pub tls13: bool,
    /// Chooses among several identities by the name that the client asks for.
    pub sni: bool,
    /// Checks certificate revocation lists.
    pub crl: bool,
    /// Agrees on the application protocol.
    pub alpn: bool,
    /// Session resumption can be switched on and off, and its keys shared.
    pub resumption_control: bool,
    /// Staples responses of an OCSP responder to its certificate.
    pub ocsp: bool,
    /// Takes a CA that others have issued for a trust anchor of upstreams, without the CA above it.
    pub partial_chain: bool,
}

impl Capabilities {
    /// TCP as it comes.
    pub const PLAIN: Self = Self {
        name: "plain",
        tls: false,
        client_certificates: false,
        tls13: false,
        sni: false,
        crl: false,
        alpn: false,
        resumption_control: false,
        ocsp: false,
        partial_chain: false,
    };

    /// The TLS stack of the operating system. That a server can ask for client certificates is
    /// open upstream (rust-native-tls#161). On Linux its acceptor forbids TLS 1.3, macOS has none.
    pub const NATIVE_TLS: Self = Self { name: "native-tls", tls: true, ..Self::PLAIN };

    /// rustls on the aws-lc-rs provider.
    pub const RUSTLS: Self = Self {
        name: "rustls",
        tls: true,
        client_certificates: true,
        tls13: true,
        sni: true,
        crl: true,
        alpn: true,
        resumption_control: true,
        ocsp: true,
        partial_chain: true,
    };

    /// OpenSSL, called directly.
    pub const OPENSSL: Self = Self { name: "openssl", ..Self::RUSTLS };

    /// Every TLS backend there is, compiled in or not, in the order in which they are tried.
    pub const ALL_TLS: [Self; 3] = [Self::NATIVE_TLS, Self::RUSTLS, Self::OPENSSL];
}

#[cfg(test)]
mod tests {
    use super::*;

    type Can = fn(&Capabilities) -> bool;

    /// The cells of one row of the table in `backends/README.md`.
    fn row(name: &str) -> Vec<&'static str> {
        let line = include_str!("../../README.md")
            .lines()
            .find(|line| line.starts_with(&format!("| {name} |")))
            .unwrap_or_else(|| panic!("no row for {name}"));
        line.trim_matches('|').split('|').skip(1).map(str::trim).collect()
    }

    #[test]
    fn the_page_for_people_says_the_same() {
        let backends = [
            Capabilities::PLAIN,
            Capabilities::NATIVE_TLS,
            Capabilities::RUSTLS,
            Capabilities::OPENSSL,
        ];
        let rows: [(&str, Can); 9] = [
            ("TLS", |c| c.tls),
            ("client certificates", |c| c.client_certificates),
            ("TLS 1.3", |c| c.tls13),
            ("SNI certificate selection", |c| c.sni),
            ("CRL", |c| c.crl),
            ("ALPN", |c| c.alpn),
            ("resumption control", |c| c.resumption_control),
            ("OCSP stapling", |c| c.ocsp),
            ("upstreams below an intermediate CA", |c| c.partial_chain),
        ];
        for (name, can) in rows {
            for (cell, backend) in row(name).iter().zip(&backends) {
                assert_eq!(cell.starts_with("yes"), can(backend), "{name}: {}", backend.name);
            }
        }
    }

    #[test]
    fn each_has_its_name() {
        let names = Capabilities::ALL_TLS.map(|capabilities| capabilities.name);
        assert_eq!(names, ["native-tls", "rustls", "openssl"]);
        assert_eq!(Capabilities::PLAIN.name, "plain");
    }
}
