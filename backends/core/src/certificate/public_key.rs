use std::fmt;

use der::Decode as _;
use pkcs1::RsaPublicKeyRef;
use x509_parser::asn1_rs::{Oid, Tag};
use x509_parser::x509::SubjectPublicKeyInfo;

/// What kind of key a certificate was issued for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// RSA (RFC 8017), for PSS only or not.
    Rsa {
        /// The length of the modulus.
        bits: usize,
    },
    /// A key on an elliptic curve (RFC 5480).
    Ec {
        /// The curve by OpenSSL's name: `P-256`, `secp256k1`; otherwise its object identifier.
        curve: String,
    },
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// Ed448 (RFC 8410).
    Ed448,
    /// Another kind, by its object identifier; or one of these kinds that cannot be read.
    Other(String),
}

impl KeyKind {
    pub(super) fn of(spki: &SubjectPublicKeyInfo<'_>) -> Self {
        let oid = spki.algorithm.algorithm.to_id_string();
        let kind = match oid.as_str() {
            // rsaEncryption, id-RSASSA-PSS
            "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => rsa(spki),
            "1.2.840.10045.2.1" => ec(spki),
            "1.3.101.112" => Some(Self::Ed25519),
            "1.3.101.113" => Some(Self::Ed448),
            _ => None,
        };
        kind.unwrap_or(Self::Other(oid))
    }

    /// Whether TLS clients take certificates with such a key: RSA of 2048 to 16 384 bits, EC on P-256, P-384 or P-521,
    /// Ed25519 and Ed448. Fewer take the last two, and some not every length of RSA.
    #[must_use]
    pub fn is_for_tls(&self) -> bool {
        match self {
            Self::Rsa { bits } => (2048..=16_384).contains(bits),
            Self::Ec { curve } => ["P-256", "P-384", "P-521"].contains(&curve.as_str()),
            Self::Ed25519 | Self::Ed448 => true,
            Self::Other(_) => false,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA with {bits} bits"),
            Self::Ec { curve } => write!(f, "EC on {curve}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Ed448 => f.write_str("Ed448"),
            Self::Other(oid) => write!(f, "of kind {oid}"),
        }
    }
}

fn rsa(spki: &SubjectPublicKeyInfo<'_>) -> Option<KeyKind> {
    let key = RsaPublicKeyRef::from_der(&spki.subject_public_key.data).ok()?;
    // The DER decoder has removed leading zero bytes.
    let modulus = key.modulus.as_bytes();
    let zeros = modulus.first().map_or(0, |byte| byte.leading_zeros());
    Some(KeyKind::Rsa { bits: (8 * modulus.len()).saturating_sub(zeros.try_into().ok()?) })
}

fn ec(spki: &SubjectPublicKeyInfo<'_>) -> Option<KeyKind> {
    // A curve with explicit parameters (RFC 3279 §2.3.5) cannot be used in TLS (RFC 8422 §5.1.1).
    let parameters = spki.algorithm.parameters().filter(|any| any.tag() == Tag::Oid)?;
    let curve = Oid::try_from(parameters.clone()).ok()?.to_id_string();
    let name = match curve.as_str() {
        "1.2.840.10045.3.1.1" => "P-192",
        "1.3.132.0.33" => "P-224",
        "1.2.840.10045.3.1.7" => "P-256",
        "1.3.132.0.34" => "P-384",
        "1.3.132.0.35" => "P-521",
        "1.3.132.0.10" => "secp256k1",
        other => other,
    };
    Some(KeyKind::Ec { curve: name.to_owned() })
}
