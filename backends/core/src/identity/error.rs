use std::error::Error;
use std::fmt;

use crate::{CertificateError, Found};

/// Which of the two inputs an error is about, so that a caller can name the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The certificates.
    Chain,
    /// The private key.
    Key,
    /// Both: how they go together, or a PKCS#12 file, which holds both.
    Both,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chain => "certificate chain",
            Self::Key => "private key",
            Self::Both => "PKCS#12 file",
        })
    }
}

/// Why an identity cannot be read. It never contains a part of a key or a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The file is empty.
    #[error("the {part} is empty")]
    Empty {
        /// Which input it is.
        part: Part,
    },
    /// The file is not PEM.
    #[error("the {part} is not in PEM: {found}")]
    NotPem {
        /// Which input it is.
        part: Part,
        /// What it looks like instead.
        found: Found,
    },
    /// A block of PEM is damaged.
    #[error("the {part}'s PEM block \"{label}\" cannot be read: {fault}")]
    BrokenPem {
        /// Which input it is.
        part: Part,
        /// The label after `BEGIN`.
        label: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The file is not PKCS#12.
    #[error("not a PKCS#12 file: {0}")]
    NotPkcs12(Found),
    /// The file is PKCS#12, but a part of it cannot be read.
    #[error(
        "the PKCS#12 file is damaged, or written in BER instead of DER; to convert BER: \
         openssl pkcs12 -in FILE -nodes -out TMP && openssl pkcs12 -export -in TMP -out NEW"
    )]
    MalformedPkcs12(#[source] Box<dyn Error + Send + Sync>),
    /// PEM of another kind: a certificate signing request, for example.
    #[error("the {part} is not in this file: {found}")]
    WrongKind {
        /// Which input it is.
        part: Part,
        /// What it holds instead.
        found: Found,
    },
    /// Only a private key, in PEM or PKCS#12.
    #[error("there is no certificate in the file, only a private key")]
    NoCertificate,
    /// Only certificates, in PEM or PKCS#12: a store of trusted CAs, for example.
    #[error("there is no private key in the file, only certificates")]
    NoPrivateKey,
    /// It is encrypted, and no password was given.
    #[error("a password is required to read the private key")]
    PasswordRequired,
    /// The password is not the right one.
    #[error("the password is wrong")]
    WrongPassword,
    /// It is encrypted in an unsupported way.
    #[error("the {part} is encrypted in a way, or at a cost, that is not supported; {}", rewrite(*part))]
    UnsupportedEncryption {
        /// [`Part::Key`] for PEM, [`Part::Both`] for PKCS#12.
        part: Part,
    },
    /// The key is encrypted in OpenSSL's format from before PKCS#8.
    #[error(
        "the private key is encrypted in OpenSSL's traditional way (\"Proc-Type: 4,ENCRYPTED\"), \
         which derives its key too weakly to be supported; \
         convert it: openssl pkcs8 -topk8 -in FILE -out NEW"
    )]
    LegacyEncryption,
    /// The key is not usable for TLS, or in an unsupported format.
    #[error("the private key is not supported: {0}")]
    UnsupportedKey(&'static str),
    /// The key is damaged.
    #[error("the private key is damaged: it is not valid {0}")]
    MalformedKey(&'static str),
    /// There are several private keys, and it is not clear which one is meant.
    #[error("there are {count} private keys, and it cannot be told which one is meant; leave one")]
    SeveralKeys {
        /// How many.
        count: usize,
    },
    /// The key belongs to no certificate of the chain.
    #[error(
        "the private key does not belong to the certificate \"{subject}\"; \
         were key and certificate renewed together?"
    )]
    KeyMismatch {
        /// The subject of the first certificate.
        subject: String,
    },
    /// A certificate does not belong to the chain.
    #[error("the certificate \"{subject}\" has no place in the chain, which {}",
        chain_end(subject, end, wanted.as_deref()))]
    StrayCertificate {
        /// The subject of the certificate.
        subject: String,
        /// The subject of the certificate that the chain ends with.
        end: String,
        /// The missing issuer; `None` if the chain ends with a root.
        wanted: Option<String>,
    },
    /// A certificate is malformed, expired or not yet valid.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The password cannot be used to write PKCS#12.
    #[error("the password of a PKCS#12 file to be written must be ASCII and not empty")]
    UnusablePassword,
    /// PKCS#12 cannot be written. No known input causes this, since an identity has been parsed already.
    #[error("the identity cannot be written as PKCS#12")]
    WritePkcs12(#[source] Box<dyn Error + Send + Sync>),
}

impl IdentityError {
    /// Which of the two inputs the error is about.
    #[must_use]
    pub fn part(&self) -> Part {
        match self {
            Self::Empty { part }
            | Self::NotPem { part, .. }
            | Self::BrokenPem { part, .. }
            | Self::WrongKind { part, .. }
            | Self::UnsupportedEncryption { part } => *part,
            Self::NoCertificate | Self::StrayCertificate { .. } | Self::Certificate(_) => {
                Part::Chain
            }
            Self::NoPrivateKey
            | Self::PasswordRequired
            | Self::WrongPassword
            | Self::LegacyEncryption
            | Self::UnsupportedKey(_)
            | Self::MalformedKey(_)
            | Self::SeveralKeys { .. } => Part::Key,
            Self::NotPkcs12(_)
            | Self::MalformedPkcs12(_)
            | Self::KeyMismatch { .. }
            | Self::UnusablePassword
            | Self::WritePkcs12(_) => Part::Both,
        }
    }

    /// Whether to ask for a password and try again.
    #[must_use]
    pub fn password_needed(&self) -> bool {
        matches!(self, Self::PasswordRequired)
    }
}

fn rewrite(part: Part) -> &'static str {
    match part {
        Part::Both => {
            "write it again: openssl pkcs12 -legacy -in FILE -nodes -out TMP && \
             openssl pkcs12 -export -in TMP -out NEW"
        }
        Part::Chain | Part::Key => {
            "encrypt it again: openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW"
        }
    }
}

fn chain_end(stray: &str, end: &str, wanted: Option<&str>) -> String {
    match wanted {
        None => format!("ends with the root \"{end}\"; remove it"),
        Some(wanted) if wanted == stray => format!(
            "ends with \"{end}\": that was issued by a CA of this name, but with another key; \
             give the CA certificate that belongs to it"
        ),
        Some(wanted) => format!(
            "ends with \"{end}\", issued by \"{wanted}\"; is it the wrong intermediate? \
             give the certificate of that issuer in its place, or remove it"
        ),
    }
}
