//! A certificate chain and its private key, read from the usual formats and checked once.

mod chain;
mod error;
mod key;
mod pkcs12;
mod staple;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

pub use self::error::{IdentityError, Part};
use self::key::{Candidate, PrivateKey};
use crate::{Certificate, Found, OcspResponse, pem};

/// A certificate chain and the private key of its leaf, valid once it exists.
///
/// - The key belongs to the leaf, if the key contains its public half. EC keys may omit it and Ed25519 keys mostly
///   do. It cannot be computed without a cryptographic library, so each TLS stack checks such keys when it is built
///   ([`BuildError::KeyMismatch`](crate::BuildError::KeyMismatch)).
/// - The chain is in order: the leaf first, each certificate followed by its issuer. It may end with a root or
///   not.
/// - Every certificate of the chain was valid at the time that was given.
///
/// Signatures are not checked: clients do that. Clones are cheap.
#[derive(Clone)]
pub struct Identity {
    parts: Arc<Parts>,
    staple: Option<OcspResponse>,
}

struct Parts {
    chain: Vec<Certificate>,
    leaf: Certificate,
    key: PrivateKey,
}

impl Identity {
    /// Reads the certificates from `chain` and the private key from `key`, both PEM; they may be
    /// the same bytes. The key is PKCS#8, encrypted or not, PKCS#1 or SEC1. `password` is used only if the key is
    /// encrypted.
    ///
    /// The chain is sorted, and duplicates are dropped. A certificate that does not belong to the chain is an error:
    /// most often it is the wrong intermediate.
    pub fn from_pem(
        chain: &[u8],
        key: &[u8],
        password: Option<&str>,
        now: SystemTime,
    ) -> Result<Self, IdentityError> {
        let blocks = read_pem(chain, Part::Chain)?;
        let certificates = blocks
            .iter()
            .filter(|block| block.is_certificate())
            .map(|block| Certificate::from_der(&block.der))
            .collect::<Result<Vec<_>, _>>()?;
        if certificates.is_empty() {
            return Err(match Found::in_bytes(chain) {
                Found::PemPrivateKey => IdentityError::NoCertificate,
                found => IdentityError::WrongKind { part: Part::Chain, found },
            });
        }
        let blocks = read_pem(key, Part::Key)?;
        let keys = key::from_blocks(&blocks, password)?;
        if keys.is_empty() {
            return Err(match Found::in_bytes(key) {
                Found::PemCertificate => IdentityError::NoPrivateKey,
                found => IdentityError::WrongKind { part: Part::Key, found },
            });
        }
        Self::assemble(certificates, keys, Strays::Refuse, now)
    }

    /// Reads PKCS#12 (`.p12`, `.pfx`). Certificates beside the chain are ignored: such files contain other CAs too.
    ///
    /// Without a password the empty one is tried. If that is wrong, the error is
    /// [`IdentityError::PasswordRequired`].
    pub fn from_pkcs12(
        der: &[u8],
        password: Option<&str>,
        now: SystemTime,
    ) -> Result<Self, IdentityError> {
        let (certificates, keys) = pkcs12::read(der, password)?;
        Self::assemble(certificates, keys, Strays::LeaveOut, now)
    }

    /// Reads certificates and key as DER, with the same rules as for PEM.
    pub fn from_der(
        chain: Vec<CertificateDer<'static>>,
        key: PrivatePkcs8KeyDer<'static>,
        now: SystemTime,
    ) -> Result<Self, IdentityError> {
        let certificates = chain
            .into_iter()
            .map(|der| Certificate::from_der(&der))
            .collect::<Result<Vec<_>, _>>()?;
        let keys = vec![Candidate::from(PrivateKey::from_pkcs8(key)?)];
        Self::assemble(certificates, keys, Strays::Refuse, now)
    }

    /// The certificate that the key belongs to.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        &self.parts.leaf
    }

    /// The leaf, then each certificate's issuer as far as they were given.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.parts.chain
    }

    /// The private key in PKCS#8, version 1 (OpenSSL reads no other), not encrypted.
    #[must_use]
    pub fn key(&self) -> &PrivatePkcs8KeyDer<'static> {
        self.parts.key.der()
    }

    /// The chain in PEM, the leaf first.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        let blocks =
            self.chain().iter().map(|certificate| pem::encode("CERTIFICATE", certificate.der()));
        blocks.map(|block| block.to_string()).collect()
    }

    /// The private key in PEM, as unencrypted PKCS#8 (`-----BEGIN PRIVATE KEY-----`). The text is wiped on
    /// drop.
    #[must_use]
    pub fn key_pem(&self) -> Zeroizing<String> {
        pem::encode("PRIVATE KEY", self.key().secret_pkcs8_der())
    }

    /// Chain and key in PKCS#12, with PBE-SHA1-3DES and a SHA-1 MAC, the only combination that OpenSSL 3, macOS,
    /// Windows and Java all load. It does not protect against an attacker; it is for transport between stores.
    /// `password` must be ASCII and not empty, since programs differ about the empty one (macOS rejects it).
    pub fn to_pkcs12(&self, password: &str) -> Result<Vec<u8>, IdentityError> {
        pkcs12::write(self, password)
    }

    fn assemble(
        certificates: Vec<Certificate>,
        keys: Vec<Candidate>,
        strays: Strays,
        now: SystemTime,
    ) -> Result<Self, IdentityError> {
        let certificates = chain::without_duplicates(certificates);
        let (key, leaf) = key::pair(keys, &certificates)?;
        let chain = chain::order(&leaf, certificates, strays)?;
        for certificate in &chain {
            certificate.check_validity(now)?;
        }
        Ok(Self { parts: Arc::new(Parts { chain, leaf, key }), staple: None })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("chain", &self.parts.chain).finish_non_exhaustive()
    }
}

/// How certificates that do not belong to the chain are handled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strays {
    Refuse,
    LeaveOut,
}

fn read_pem(bytes: &[u8], part: Part) -> Result<Vec<pem::Block>, IdentityError> {
    if bytes.trim_ascii().is_empty() {
        return Err(IdentityError::Empty { part });
    }
    let blocks = pem::blocks(bytes).map_err(|pem::BrokenBlock { label, fault }| {
        IdentityError::BrokenPem { part, label, fault }
    })?;
    if blocks.is_empty() {
        return Err(IdentityError::NotPem { part, found: Found::in_bytes(bytes) });
    }
    Ok(blocks)
}
