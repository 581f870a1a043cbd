//! The files that identities are read from.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use turnkey::tls::{Certificate, CertificateError, Identity, IdentityError, Part};
use zeroize::Zeroizing;

use super::{Finding, Reader, Subject, read};
use crate::cli::{ModeName, Serve, variables};
use crate::config::error::{ConfigError, usage};
use crate::console::causes::with_causes;

/// How many certificates of a chain can each be out of date.
const MAX_LINKS: usize = 16;

/// The source of an identity: one of the server's, or the one that upstreams get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IdentityFile {
    /// Certificates and key, in PEM, possibly both in one file.
    Pem { cert: PathBuf, key: PathBuf, options: PemOptions },
    /// Both in PKCS#12.
    Pkcs12(PathBuf),
}

/// The options that name a certificate and its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PemOptions {
    pub(crate) cert: &'static str,
    pub(crate) key: &'static str,
}

impl PemOptions {
    const SERVER: Self = Self { cert: "--cert", key: "--key" };
    pub(crate) const UPSTREAM: Self = Self { cert: "--upstream-cert", key: "--upstream-key" };
}

/// An identity that was read, possibly one that is out of date; or one that was generated for this run.
#[derive(Debug)]
pub(crate) struct Served<'f> {
    /// `None` if it was generated.
    pub(crate) file: Option<&'f IdentityFile>,
    /// The certificates of a PEM file, in file order.
    pub(crate) in_file: Vec<Certificate>,
    pub(crate) identity: Identity,
}

/// Files that were read and contain no identity.
#[derive(Debug)]
pub(crate) struct Unusable<'f> {
    pub(crate) file: &'f IdentityFile,
    /// The certificates of a PEM file, in file order.
    pub(crate) in_file: Vec<Certificate>,
    /// Whether there may be a private key.
    pub(crate) holds_key: bool,
}

impl Served<'_> {
    pub(crate) fn adhoc(identity: Identity) -> Self {
        Self { file: None, in_file: Vec::new(), identity }
    }

    /// The file with the certificate; `None` if there is none.
    pub(crate) fn certificate_file(&self) -> Option<&Path> {
        self.file.map(IdentityFile::certificate_file)
    }

    pub(crate) fn subject(&self) -> Subject {
        self.file.map_or_else(Subject::adhoc, IdentityFile::subject)
    }
}

/// Finds the identities that the options name, in the first layer that names any. An empty result means one
/// that is generated for this run.
pub(crate) fn choose(layers: &[Serve], mode: ModeName) -> Result<Vec<IdentityFile>, ConfigError> {
    let pem = |s: &Serve| !s.cert.is_empty() || !s.key.is_empty();
    let Some(layer) = layers.iter().find(|s| pem(s) || !s.identity.is_empty() || s.adhoc) else {
        return Err(usage(format!(
            "{} mode needs an identity: --cert and --key (CA_CHAIN_CRT and API_KEY in the \
             recipe), --identity, or --adhoc; turnkey certs makes one, certs/server.p12",
            mode.name()
        )));
    };
    let kinds = [pem(layer), !layer.identity.is_empty(), layer.adhoc];
    if kinds.into_iter().filter(|&kind| kind).count() > 1 {
        return Err(usage(
            "--cert and --key, --identity and --adhoc are three ways to name an identity: use one \
             of them",
        ));
    }
    if layer.adhoc {
        return Ok(Vec::new());
    }
    if !layer.identity.is_empty() {
        return Ok(layer.identity.iter().cloned().map(IdentityFile::Pkcs12).collect());
    }
    // Certificate and key of one identity may be in two layers.
    let first = |of: fn(&Serve) -> &Vec<PathBuf>| {
        layers.iter().map(of).find(|files| !files.is_empty()).cloned().unwrap_or_default()
    };
    let (certs, keys) = (first(|s| &s.cert), first(|s| &s.key));
    match (certs.len(), keys.len()) {
        (0, _) => Err(usage("--key needs --cert: the certificate that the key belongs to")),
        (_, 0) => {
            Ok(certs.into_iter().map(|cert| IdentityFile::server(cert.clone(), cert)).collect())
        }
        (certificates, keys) if certificates != keys => Err(usage(format!(
            "--cert was given {certificates} times and --key {keys} times: give one --key for each \
             --cert, in the same order"
        ))),
        _ => {
            let pairs = certs.into_iter().zip(keys);
            Ok(pairs.map(|(cert, key)| IdentityFile::server(cert, key)).collect())
        }
    }
}

impl IdentityFile {
    fn server(cert: PathBuf, key: PathBuf) -> Self {
        Self::Pem { cert, key, options: PemOptions::SERVER }
    }

    /// Its certificates.
    pub(crate) fn subject(&self) -> Subject {
        Subject::file(self.certificate_file(), self.certificate_option())
    }

    /// The file with the certificate.
    pub(crate) fn certificate_file(&self) -> &Path {
        match self {
            Self::Pem { cert, .. } => cert,
            Self::Pkcs12(file) => file,
        }
    }

    /// The option that names it.
    fn certificate_option(&self) -> &'static str {
        match self {
            Self::Pem { options, .. } => options.cert,
            Self::Pkcs12(_) => "--identity",
        }
    }

    /// The file with the key, and the option that names it.
    pub(crate) fn key_file(&self) -> (&Path, &'static str) {
        match self {
            Self::Pem { key, options, .. } if self.is_apart() => (key, options.key),
            _ => (self.certificate_file(), self.certificate_option()),
        }
    }

    /// Whether certificate and key are in two files.
    fn is_apart(&self) -> bool {
        matches!(self, Self::Pem { cert, key, .. } if cert != key)
    }

    /// All its files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        let key = self.is_apart().then(|| self.key_file().0);
        [self.certificate_file()].into_iter().chain(key)
    }

    /// Reads the file of the certificate, and that of the key if it is another.
    fn bytes(&self) -> Result<(Secret, Option<Secret>), Finding> {
        let read = |file, option| read::read(file, option).map(Zeroizing::new);
        let certificate = read(self.certificate_file(), self.certificate_option())?;
        let (key, option) = self.key_file();
        Ok((certificate, self.is_apart().then(|| read(key, option)).transpose()?))
    }

    /// Says which file an error is about, and how to fix it.
    fn explain(&self, error: &IdentityError) -> Finding {
        let (key, key_option) = self.key_file();
        let finding = match (error.part(), self) {
            (_, Self::Pem { options, .. })
                if !self.is_apart() && matches!(error, IdentityError::NoPrivateKey) =>
            {
                let text = format!(
                    "holds no private key: name the file that does, another one, with {}",
                    options.key
                );
                Finding::file(key, key_option, text).of_usage()
            }
            (Part::Chain, _) => {
                Finding::file(self.certificate_file(), self.certificate_option(), hint(error))
            }
            (Part::Both, Self::Pem { cert, .. }) if self.is_apart() => {
                let text = format!("{} (certificate: {})", hint(error), cert.display());
                Finding::file(key, key_option, text)
            }
            _ => Finding::file(key, key_option, hint(error)),
        };
        match self {
            Self::Pem { options: PemOptions::UPSTREAM, .. } => finding,
            _ => finding.with_code(code(error)),
        }
    }
}

/// The content of a file that may contain a private key.
type Secret = Zeroizing<Vec<u8>>;

impl Reader<'_> {
    /// Reads an identity. One that is out of date is an error, but is returned if the reading goes on. Files
    /// that contain no identity are added to `unusable`.
    pub(super) fn identity<'f>(
        &mut self,
        file: &'f IdentityFile,
        unusable: &mut Vec<Unusable<'f>>,
    ) -> Result<Option<Served<'f>>, Finding> {
        // Read once only: one of them may be a pipe.
        let Some((certificate, key)) = self.take(file.bytes())? else { return Ok(None) };
        let key = key.as_ref().unwrap_or(&certificate);
        let parsed = self.passwords.with(file.key_file().0, |password| {
            at_its_time(self.now, MAX_LINKS, &|at| match file {
                IdentityFile::Pem { .. } => Identity::from_pem(&certificate, key, password, at),
                IdentityFile::Pkcs12(_) => Identity::from_pkcs12(&certificate, password, at),
            })
        });
        let Some(parsed) = self.take(parsed)? else { return Ok(None) };
        let in_file = match file {
            IdentityFile::Pem { .. } => read::certificates_in(&certificate),
            IdentityFile::Pkcs12(_) => Vec::new(),
        };
        match parsed {
            Ok((identity, out_of_date)) => {
                if let Some(error) = out_of_date {
                    self.error(file.explain(&error))?;
                }
                Ok(Some(Served { file: Some(file), in_file, identity }))
            }
            Err(error) => {
                self.error(file.explain(&error))?;
                unusable.push(Unusable { file, in_file, holds_key: may_hold_key(&error) });
                Ok(None)
            }
        }
    }
}

/// Parses an identity at `now`, or else at a time when it is valid, and returns the error that it has now as
/// well. At most `links` certificates may be out of date.
fn at_its_time(
    now: SystemTime,
    links: usize,
    parse: &impl Fn(SystemTime) -> Result<Identity, IdentityError>,
) -> Result<(Identity, Option<IdentityError>), IdentityError> {
    let error = match parse(now) {
        Ok(identity) => return Ok((identity, None)),
        Err(error) => error,
    };
    let valid = match &error {
        IdentityError::Certificate(CertificateError::Expired { not_after, .. }) => *not_after,
        IdentityError::Certificate(CertificateError::NotYetValid { not_before, .. }) => *not_before,
        _ => return Err(error),
    };
    match links.checked_sub(1).map(|links| at_its_time(valid, links, parse)) {
        Some(Ok((identity, _))) => Ok((identity, Some(error))),
        _ => Err(error),
    }
}

/// Whether files that give this error may contain a key.
fn may_hold_key(error: &IdentityError) -> bool {
    !matches!(
        error,
        IdentityError::NoPrivateKey
            | IdentityError::Empty { .. }
            | IdentityError::NotPem { .. }
            | IdentityError::WrongKind { .. }
    )
}

/// The code of the finding for an error of an identity.
fn code(error: &IdentityError) -> &'static str {
    match error {
        IdentityError::NoCertificate => "no-certificate",
        IdentityError::NoPrivateKey => "no-key",
        IdentityError::PasswordRequired => "password-missing",
        IdentityError::WrongPassword => "password-wrong",
        IdentityError::UnsupportedEncryption { .. } | IdentityError::LegacyEncryption => {
            "encryption-unsupported"
        }
        IdentityError::UnsupportedKey(_) => "key-unsupported",
        IdentityError::SeveralKeys { .. } => "several-keys",
        IdentityError::KeyMismatch { .. } => "key-mismatch",
        IdentityError::StrayCertificate { .. } => "stray-certificate",
        IdentityError::Certificate(CertificateError::Expired { .. }) => "expired",
        IdentityError::Certificate(CertificateError::NotYetValid { .. }) => "not-yet-valid",
        _ => "malformed",
    }
}

/// How to fix an error, if options can.
fn hint(error: &IdentityError) -> String {
    if error.password_needed() {
        let error = with_causes(error);
        return format!("{error}; give it with --key-password-file or {}", variables::KEY_PASSWORD);
    }
    match error {
        IdentityError::WrongPassword => {
            format!(
                "{error}; check what was typed, or what --key-password-file or {} holds",
                variables::KEY_PASSWORD
            )
        }
        _ => with_causes(error),
    }
}
