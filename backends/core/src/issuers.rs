//! The CAs that a client's certificate may come from directly.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{Certificate, PolicyError, policy};

/// The CAs one of which must have issued a client's certificate directly; at least one.
///
/// They are compared by their public keys, never by their names: a CA without `pathlen:0` can make another
/// CA of any name (RFC 5280 §4.2.1.9). A CA whose certificate was renewed or cross-signed with the same key is
/// still the same CA. The dates of these certificates decide nothing, because the chain is verified apart
/// from this rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedIssuers(Vec<Certificate>);

impl AllowedIssuers {
    /// Reads one or more PEM certificates, or one in DER. What else a PEM file holds, a private key for
    /// example, is ignored, and duplicates are dropped. Each certificate must be that of a CA, because no
    /// other certificate can issue one.
    pub fn read(bytes: &[u8]) -> Result<Self, PolicyError> {
        Ok(Self(policy::cas(bytes, |_| Ok(()))?))
    }

    /// Those of both, without duplicates.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        policy::add(&mut self.0, other.0);
        self
    }

    /// The certificates, in the order of the files.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }

    /// Whether one of the CAs has this key.
    #[must_use]
    pub fn allow(&self, key: IssuerKey) -> bool {
        self.0.iter().any(|ca| IssuerKey::of(ca) == key)
    }

    /// The keys, sorted and without duplicates.
    pub(crate) fn keys(&self) -> Vec<IssuerKey> {
        let mut keys: Vec<_> = self.0.iter().map(IssuerKey::of).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// Which public key signed a certificate: the SHA-256 of the signer's `SubjectPublicKeyInfo` in DER (RFC 5280
/// §4.1.2.7).
///
/// The same key with another encoding counts as another key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerKey([u8; 32]);

impl IssuerKey {
    /// The key of `ca`.
    #[must_use]
    pub fn of(ca: &Certificate) -> Self {
        Self(Sha256::digest(ca.spki_der()).into())
    }

    /// The key that signed the first certificate of a verified chain: that of the second. `None` if there is
    /// no second certificate, as for a client's certificate that is a trust anchor itself: then no CA
    /// has issued it. Nor is a certificate its own issuer.
    #[must_use]
    pub fn in_chain(chain: &[Certificate]) -> Option<Self> {
        match chain {
            [leaf, issuer, ..] if leaf != issuer => Some(Self::of(issuer)),
            _ => None,
        }
    }

    /// The hash.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// The key with this hash.
    #[must_use]
    pub fn from_bytes(hash: [u8; 32]) -> Self {
        Self(hash)
    }
}

impl fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuerKey(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}
