use crate::KeyKind;

/// What a backend can do, so that asking for what it lacks is an error at start-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a table of yes and no is what this is")]
pub struct Capabilities {
    /// The backend's name. For those that come with turnkey it is the value of `--backend`, and the cargo feature.
    pub name: &'static str,
    /// Encrypts connections.
    pub tls: bool,
    /// Can ask clients for a certificate and verify it.
    pub client_certificates: bool,
    /// Speaks TLS 1.3.
    pub tls13: bool,
    /// Selects one of several identities by the name that the client asks for.
    pub sni: bool,
    /// Checks certificate revocation lists.
    pub crl: bool,
    /// Negotiates the application protocol.
    pub alpn: bool,
    /// Session resumption can be switched on and off, and its keys shared.
    pub resumption_control: bool,
    /// Staples OCSP responses to its certificate.
    pub ocsp: bool,
    /// Accepts an intermediate CA as a trust anchor of upstreams, without the CA above it.
    pub partial_chain: bool,
    /// Accepts an upstream's self-signed certificate that is given as its CA.
    pub self_signed_upstreams: bool,
    /// Accepts certificates of X.509 version 1, which have no extensions: its own, and those of clients and
    /// upstreams. `openssl x509 -req` of OpenSSL 3.0 makes them.
    pub x509_v1: bool,
    /// Checks name constraints of other kinds than DNS names and IP addresses (RFC 5280 §4.2.1.10).
    pub name_constraints: bool,
    /// Signs with Ed25519 keys (RFC 8410).
    pub ed25519: bool,
    /// Signs with Ed448 keys (RFC 8410).
    pub ed448: bool,
    /// The maximum modulus of an RSA key that it signs with, in bits.
    pub max_rsa_bits: usize,
}

impl Capabilities {
    /// Nothing at all: a backend's own table has this and what it can do.
    ///
    /// ```
    /// # use turnkey_backend::Capabilities;
    /// let mine = Capabilities { name: "mine", tls: true, tls13: true, ..Capabilities::NONE };
    /// assert!(!mine.client_certificates);
    /// ```
    pub const NONE: Self = Self {
        name: "none",
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

    /// Whether it can serve with a key of this kind. No backend can if [no TLS client takes it](KeyKind::is_for_tls).
    #[must_use]
    pub fn takes_key(&self, key: &KeyKind) -> bool {
        let takes = match key {
            KeyKind::Rsa { bits } => *bits <= self.max_rsa_bits,
            KeyKind::Ed25519 => self.ed25519,
            KeyKind::Ed448 => self.ed448,
            KeyKind::Ec { .. } | KeyKind::Other(_) => true,
        };
        self.tls && takes && key.is_for_tls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_no_client_takes_are_for_no_backend() {
        let able = Capabilities {
            tls: true,
            ed25519: true,
            ed448: true,
            max_rsa_bits: usize::MAX,
            ..Capabilities::NONE
        };
        let ec = |curve: &str| KeyKind::Ec { curve: curve.to_owned() };
        let rsa = |bits| KeyKind::Rsa { bits };
        let other = KeyKind::Other("1.2.3".to_owned());
        for key in [ec("P-224"), ec("secp256k1"), rsa(1024), rsa(2047), rsa(16_385), other] {
            assert!(!able.takes_key(&key), "{key}");
        }
        let usual = [ec("P-256"), ec("P-384"), ec("P-521"), rsa(2048), rsa(16_384)];
        for key in usual.into_iter().chain([KeyKind::Ed25519, KeyKind::Ed448]) {
            assert!(able.takes_key(&key), "{key}");
            assert!(!Capabilities { tls: false, ..able }.takes_key(&key), "{key}");
        }
    }

    #[test]
    fn keys_are_for_those_that_can_do_them() {
        let ours = Capabilities { tls: true, max_rsa_bits: 8192, ..Capabilities::NONE };
        assert!(ours.takes_key(&KeyKind::Rsa { bits: 8192 }));
        for key in [KeyKind::Rsa { bits: 8193 }, KeyKind::Ed25519, KeyKind::Ed448] {
            assert!(!ours.takes_key(&key), "{key}");
        }
    }
}
