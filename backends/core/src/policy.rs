use std::time::SystemTime;

use crate::{Certificate, CertificateError, Found, pem};

/// Whether clients are asked for a certificate, and whose are good.
#[derive(Debug, Clone, Default)]
pub enum ClientPolicy {
    /// Clients are not asked.
    #[default]
    None,
    /// Clients are asked and may decline; a certificate that is presented must be valid.
    Optional(TrustAnchors),
    /// Clients must present a valid certificate.
    Required(TrustAnchors),
}

impl ClientPolicy {
    /// The CAs whose certificates are good; `None` when clients are not asked.
    #[must_use]
    pub fn anchors(&self) -> Option<&TrustAnchors> {
        match self {
            Self::None => None,
            Self::Optional(anchors) | Self::Required(anchors) => Some(anchors),
        }
    }

    /// Whether clients are not asked.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// The certificates of the CAs that clients' certificates are checked against; at least one.
#[derive(Debug, Clone)]
pub struct TrustAnchors(Vec<Certificate>);

impl TrustAnchors {
    /// Reads one or more PEM certificates, or one in DER. What else a PEM file holds, a private key
    /// for example, is left alone, and duplicates are dropped.
    ///
    /// Each must be the certificate of a CA and valid at `now`: not every TLS stack looks at the
    /// dates of a trust anchor, so they are looked at here.
    pub fn from_pem(pem: &[u8], now: SystemTime) -> Result<Self, PolicyError> {
        let mut certificates = Vec::new();
        for certificate in parse(pem)? {
            if !certificate.is_ca() {
                return Err(PolicyError::NotACa { subject: certificate.subject().to_owned() });
            }
            certificate.check_validity(now)?;
            if !certificates.contains(&certificate) {
                certificates.push(certificate);
            }
        }
        if certificates.is_empty() {
            return Err(PolicyError::NoCertificate(Found::in_bytes(pem)));
        }
        Ok(Self(certificates))
    }

    /// The certificates, in the order of the file.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }
}

/// Why a file is not one of client CAs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// There is nothing in it.
    #[error("the file of client CAs is empty")]
    Empty,
    /// It is neither PEM nor a certificate in DER.
    #[error("expected PEM certificates of the clients' CAs, but {0}")]
    NotPem(Found),
    /// It is PEM without a certificate.
    #[error("there is no certificate among the client CAs: {0}")]
    NoCertificate(Found),
    /// A block of PEM is damaged.
    #[error("the PEM block \"{label}\" cannot be read: {fault}")]
    BrokenPem {
        /// What stands behind `BEGIN`.
        label: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A certificate is not one of a CA.
    #[error(
        "\"{subject}\" is not a CA certificate; \
         give the certificate of the CA that issued the clients' certificates"
    )]
    NotACa {
        /// Whose certificate it is.
        subject: String,
    },
    /// A certificate is malformed, expired or not yet valid.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

fn parse(bytes: &[u8]) -> Result<Vec<Certificate>, PolicyError> {
    if bytes.trim_ascii().is_empty() {
        return Err(PolicyError::Empty);
    }
    let blocks = pem::blocks(bytes)
        .map_err(|pem::BrokenBlock { label, fault }| PolicyError::BrokenPem { label, fault })?;
    if blocks.is_empty() {
        return match Found::in_bytes(bytes) {
            Found::DerCertificate => Ok(vec![Certificate::from_der(bytes)?]),
            found => Err(PolicyError::NotPem(found)),
        };
    }
    let certificates = blocks.iter().filter(|block| block.is_certificate());
    Ok(certificates.map(|block| Certificate::from_der(&block.der)).collect::<Result<_, _>>()?)
}
