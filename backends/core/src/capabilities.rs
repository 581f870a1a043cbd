//! What each backend can do. `backends/README.md` shows the same table to people.

use crate::KeyKind;

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
    /// Takes a server's own self-signed certificate, named as its CA, from an upstream.
    pub self_signed_upstreams: bool,
    /// Takes certificates of X.509 version 1, which have no extensions: its own, and those of
    /// clients and upstreams. `openssl x509 -req` of OpenSSL 3.0 makes them.
    pub x509_v1: bool,
    /// Keeps name constraints of other kinds than DNS names and IP addresses (RFC 5280 §4.2.1.10).
    pub name_constraints: bool,
    /// Signs with Ed25519 keys (RFC 8410).
    pub ed25519: bool,
    /// Signs with Ed448 keys (RFC 8410).
    pub ed448: bool,
    /// The longest modulus of an RSA key that it signs with, in bits.
    pub max_rsa_bits: usize,
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
        self_signed_upstreams: false,
        x509_v1: false,
        name_constraints: false,
        ed25519: false,
        ed448: false,
        max_rsa_bits: 0,
    };

    /// The TLS stack of the operating system. That a server can ask for client certificates is
    /// open upstream (rust-native-tls#161). On Linux its acceptor forbids TLS 1.3, macOS has none.
    pub const NATIVE_TLS: Self = Self {
        name: "native-tls",
        tls: true,
        self_signed_upstreams: true,
        x509_v1: true,
        name_constraints: NATIVE_IS_OPENSSL,
        ed25519: NATIVE_IS_OPENSSL,
        ed448: NATIVE_IS_OPENSSL,
        max_rsa_bits: 16_384,
        ..Self::PLAIN
    };

    /// rustls on the aws-lc-rs provider. Its verifier, webpki, refuses X.509 version 1, and a CA's
    /// certificate in place of a server's.
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
        self_signed_upstreams: false,
        x509_v1: false,
        name_constraints: false,
        ed25519: true,
        ed448: false,
        max_rsa_bits: 8192,
    };

    /// OpenSSL, called directly.
    pub const OPENSSL: Self = Self {
        name: "openssl",
        self_signed_upstreams: true,
        x509_v1: true,
        name_constraints: true,
        ed448: true,
        max_rsa_bits: 16_384,
        ..Self::RUSTLS
    };

    /// Every TLS backend there is, compiled in or not, in the order in which they are tried.
    pub const ALL_TLS: [Self; 3] = [Self::RUSTLS, Self::OPENSSL, Self::NATIVE_TLS];

    /// Whether it can serve with a key of this kind. What no TLS client takes, none can: RSA keys of
    /// fewer than 2048 bits, and curves other than P-256, P-384 and P-521.
    #[must_use]
    pub fn takes_key(&self, key: &KeyKind) -> bool {
        match key {
            KeyKind::Rsa { bits } => (2048..=self.max_rsa_bits).contains(bits),
            KeyKind::Ec { curve } => {
                self.tls && ["P-256", "P-384", "P-521"].contains(&curve.as_str())
            }
            KeyKind::Ed25519 => self.ed25519,
            KeyKind::Ed448 => self.ed448,
            KeyKind::Other(_) => false,
        }
    }
}

/// Whether native-tls stands on OpenSSL here.
const NATIVE_IS_OPENSSL: bool = cfg!(not(any(target_os = "windows", target_vendor = "apple")));

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
        for (name, can) in rows {
            for (cell, backend) in row(name).iter().zip(&backends) {
                let here = NATIVE_IS_OPENSSL || !cell.ends_with("on OpenSSL");
                let told = cell.starts_with("yes") && here;
                assert_eq!(told, can(backend), "{name}: {}", backend.name);
            }
        }
    }

    #[test]
    fn each_has_its_name() {
        let names = Capabilities::ALL_TLS.map(|capabilities| capabilities.name);
        assert_eq!(names, ["rustls", "openssl", "native-tls"]);
        assert_eq!(Capabilities::PLAIN.name, "plain");
    }

    #[test]
    fn keys_that_no_client_takes_are_for_no_backend() {
        let ec = |curve: &str| KeyKind::Ec { curve: curve.to_owned() };
        for key in [ec("P-224"), ec("secp256k1"), KeyKind::Rsa { bits: 1024 }] {
            assert!(Capabilities::ALL_TLS.iter().all(|c| !c.takes_key(&key)), "{key}");
        }
        for key in [ec("P-256"), ec("P-521"), KeyKind::Rsa { bits: 2048 }] {
            assert!(Capabilities::ALL_TLS.iter().all(|c| c.takes_key(&key)), "{key}");
            assert!(!Capabilities::PLAIN.takes_key(&key), "{key}");
        }
        let takes = |key: &KeyKind| Capabilities::ALL_TLS.map(|c| c.takes_key(key));
        assert_eq!(takes(&KeyKind::Ed448), [false, true, NATIVE_IS_OPENSSL]);
        assert_eq!(takes(&KeyKind::Rsa { bits: 16_384 }), [false, true, true]);
    }
}
