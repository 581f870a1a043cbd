//! The CA of a folder: the existing one, or a new one.

use std::path::Path;
use std::time::SystemTime;

use rcgen::{Issuer, KeyPair};
use turnkey::tls::Certificate;

use super::issue::{Issued, KeyType, Leaf, new_ca};
use super::report::date;
use super::x509::{self, KeyFile, UNREAD_KEY};
use super::{PkiError, files};

/// A CA that certificates can be issued with.
pub(super) struct Authority {
    pub(super) certificate: Certificate,
    /// The contents of `ca.crt` and `ca.key`, whether or not they are written yet.
    pub(super) certificate_pem: Vec<u8>,
    pub(super) key_pem: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a new CA that lasts `days` days.
    pub(super) fn create(key_type: KeyType, days: u32, now: SystemTime) -> Result<Self, PkiError> {
        let issue = |source| PkiError::Issue { name: "ca".to_owned(), source };
        let Issued { certificate, key } = new_ca(key_type, days, now).map_err(issue)?;
        let certificate_pem = x509::certificate_pem(&certificate);
        let key_pem = x509::key_pem(&key);
        let issuer = Issuer::from_ca_cert_der(certificate.der(), key).map_err(issue)?;
        Ok(Self { certificate, certificate_pem, key_pem, issuer })
    }

    /// Opens the CA in `folder`; `None` if there are no files of a CA. A CA that cannot be used is an error: its
    /// users trust it, and only they can decide to replace it.
    pub(super) fn open(folder: &Path, now: SystemTime) -> Result<Option<Self>, PkiError> {
        let [crt, key, both] = ["ca.crt", "ca.key", "ca.pem"].map(|name| folder.join(name));
        let unusable = |path: &Path, problem: &str| {
            Err(PkiError::Ca { path: path.to_owned(), problem: problem.to_owned() })
        };
        let (certificate_pem, key_pem) = match (files::read(&crt)?, files::read(&key)?) {
            (Some(certificate), Some(key)) => (certificate, key),
            (Some(_), None) => return unusable(&crt, "stands there without its ca.key"),
            (None, Some(_)) => return unusable(&key, "stands there without its ca.crt"),
            (None, None) if files::read(&both)?.is_some() => {
                return unusable(&both, "stands there without ca.crt and ca.key, which it holds");
            }
            (None, None) => return Ok(None),
        };
        let Some(certificate) = x509::first_certificate(&certificate_pem) else {
            return unusable(&crt, "is damaged: it holds no certificate in PEM");
        };
        let private = match KeyFile::read(&key_pem) {
            KeyFile::Key(private) => *private,
            KeyFile::Encrypted => {
                return unusable(&key, "is encrypted, and only a plain key can be used here");
            }
            KeyFile::Unread => return unusable(&key, UNREAD_KEY),
            KeyFile::Damaged => {
                return unusable(&key, "is damaged: it holds no private key in PEM");
            }
        };
        if !x509::is_for_key(&certificate, &private) {
            return unusable(&key, "is not the key of ca.crt");
        }
        if !x509::may_issue(&certificate) {
            return unusable(&crt, "is not the certificate of a CA");
        }
        if now > certificate.not_after() {
            return unusable(&crt, &format!("expired on {}", date(certificate.not_after())));
        }
        if now < certificate.not_before() {
            let from = date(certificate.not_before());
            return unusable(&crt, &format!("is valid only from {from}, by this machine's clock"));
        }
        let issuer = Issuer::from_ca_cert_der(certificate.der(), private)
            .map_err(|_| PkiError::CaUnsupported)?;
        Ok(Some(Self { certificate, certificate_pem, key_pem, issuer }))
    }

    /// Whether this CA signed `certificate`.
    pub(super) fn issued(&self, certificate: &Certificate) -> bool {
        x509::is_issued_by(certificate, &self.certificate)
    }

    /// Issues a certificate that ends with the CA at the latest.
    pub(super) fn issue(
        &self,
        name: &str,
        leaf: &Leaf,
        now: SystemTime,
    ) -> Result<Issued, PkiError> {
        let issued = leaf
            .issue(&self.issuer, self.certificate.not_after(), now)
            .map_err(|source| PkiError::Issue { name: name.to_owned(), source })?;
        // If rcgen writes a subject differently from how it read it (for example, one with an attribute twice),
        // nobody can trace the certificate to the CA.
        if self.issued(&issued.certificate) { Ok(issued) } else { Err(PkiError::CaUnsupported) }
    }
}
