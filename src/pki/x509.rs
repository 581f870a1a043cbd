//! What certificates and keys contain, in the PEM form of files.

use rcgen::{KeyPair, PublicKeyData};
use turnkey::tls::pem::{self, Block};
use turnkey::tls::{Certificate, KeyKind};
use x509_parser::asn1_rs::{Any, Tag};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::issue::{KeyType, Role};

/// A certificate in PEM.
pub(super) fn certificate_pem(certificate: &Certificate) -> Vec<u8> {
    pem::encode("CERTIFICATE", certificate.der()).as_bytes().to_vec()
}

/// A private key in PEM (PKCS#8).
pub(super) fn key_pem(key: &KeyPair) -> Vec<u8> {
    pem::encode("PRIVATE KEY", key.serialized_der()).as_bytes().to_vec()
}

/// The first certificate in a PEM file, if there is one.
pub(super) fn first_certificate(file: &[u8]) -> Option<Certificate> {
    let blocks = pem::blocks(file).ok()?;
    let first = blocks.iter().find(|block| block.is_certificate())?;
    Certificate::from_der(&first.der).ok()
}

/// The problem with a file that is [`KeyFile::Unread`].
pub(super) const UNREAD_KEY: &str =
    "may hold a key, of a kind or in a form that turnkey certs does not read";

/// What a key file contains.
pub(super) enum KeyFile {
    Key(Box<KeyPair>),
    /// A key that needs a password.
    Encrypted,
    /// What may be a whole key, but of a kind or in a form that rcgen does not read: Ed448, or DER.
    Unread,
    /// No key, or one that is cut off.
    Damaged,
}

impl KeyFile {
    pub(super) fn read(file: &[u8]) -> Self {
        let blocks = pem::blocks(file).unwrap_or_default();
        let Some(block) = blocks.iter().find(|block| block.is_private_key()) else {
            let whole = is_der(file) || holds_whole_key(file);
            return if whole { Self::Unread } else { Self::Damaged };
        };
        if block.label == "ENCRYPTED PRIVATE KEY" || block.traditionally_encrypted {
            return Self::Encrypted;
        }
        KeyPair::try_from(block.der.as_slice()).map_or(Self::Unread, |key| Self::Key(Box::new(key)))
    }
}

/// Whether the whole file is one DER structure, as keys and PKCS#12 are.
fn is_der(file: &[u8]) -> bool {
    Any::from_der(file)
        .is_ok_and(|(rest, any)| any.tag() == Tag::Sequence && rest.trim_ascii().is_empty())
}

/// Whether a private key in PEM is whole, even if other blocks of the file are damaged.
fn holds_whole_key(file: &[u8]) -> bool {
    const BEGIN: &str = "-----BEGIN ";
    String::from_utf8_lossy(file).split(BEGIN).skip(1).any(|block| {
        pem::blocks(format!("{BEGIN}{block}").as_bytes())
            .is_ok_and(|blocks| blocks.iter().any(Block::is_private_key))
    })
}

/// Whether a file looks like a private key in PEM, whole or not.
pub(super) fn holds_key(file: &[u8]) -> bool {
    const LABEL: &[u8] = b"PRIVATE KEY";
    file.windows(LABEL.len()).any(|window| window == LABEL)
}

/// Whether `key` is the certificate's key.
pub(super) fn is_for_key(certificate: &Certificate, key: &KeyPair) -> bool {
    parse(certificate)
        .is_some_and(|cert| *cert.public_key().subject_public_key.data == *key.der_bytes())
}

/// Whether `ca` signed `certificate`.
pub(super) fn is_issued_by(certificate: &Certificate, ca: &Certificate) -> bool {
    let (Some(leaf), Some(issuer)) = (parse(certificate), parse(ca)) else { return false };
    ca.issued(certificate) && leaf.verify_signature(Some(issuer.public_key())).is_ok()
}

/// Whether a CA may sign certificates (RFC 5280 §4.2.1.3 and §4.2.1.9).
pub(super) fn may_issue(ca: &Certificate) -> bool {
    ca.is_ca() && ca.may_sign_certificates()
}

/// Whether a certificate may be used in a role; one without a stated purpose may be used in any.
pub(super) fn has_role(certificate: &Certificate, role: Role) -> bool {
    match role {
        Role::Server => certificate.allows_server_auth(),
        Role::Client => certificate.allows_client_auth(),
    }
}

/// Whether a certificate is for clients only; one without a stated purpose may be a server's.
pub(super) fn is_for_clients_alone(certificate: &Certificate) -> bool {
    !certificate.is_ca()
        && has_role(certificate, Role::Client)
        && !has_role(certificate, Role::Server)
}

/// The kind of a certificate's key; `None` for a kind that turnkey does not make.
pub(super) fn key_type(certificate: &Certificate) -> Option<KeyType> {
    match certificate.key() {
        KeyKind::Ec { curve } if curve == "P-256" => Some(KeyType::P256),
        KeyKind::Rsa { bits: 2048 } => Some(KeyType::Rsa2048),
        KeyKind::Rsa { bits: 4096 } => Some(KeyType::Rsa4096),
        _ => None,
    }
}

fn parse(certificate: &Certificate) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(certificate.der()).ok().map(|(_, certificate)| certificate)
}
