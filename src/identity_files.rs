//! The files that identities are read from.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use turnkey_backend::{Identity, IdentityError, OcspError, OcspResponse, Part};
use zeroize::Zeroizing;

use crate::causes::with_causes;
use crate::cli::{ModeName, Serve};
use crate::config_error::{ConfigError, usage};
use crate::files::{self, FileError};
use crate::password::{self, Passwords};

/// Where an identity comes from: one of the server's, or the one that upstreams are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IdentityFile {
    /// Certificates and key, in PEM; both in one file, possibly.
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

/// Finds which identities the options mean, those of the first layer that has any: none stands for
/// one that is made up for this run.
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
    // Certificate and key of one identity may stand in two layers.
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

    /// Reads and checks the identity.
    pub(crate) fn load(
        &self,
        passwords: &Passwords,
        now: SystemTime,
    ) -> Result<Identity, ConfigError> {
        self.parse(passwords, now)?.map_err(|error| self.explain(&error))
    }

    /// Reads the identity; the outer error is one of reading files, the inner one of what they hold.
    pub(crate) fn parse(
        &self,
        passwords: &Passwords,
        now: SystemTime,
    ) -> Result<Result<Identity, IdentityError>, FileError> {
        match self {
            Self::Pem { cert, key, options } => {
                let chain = Zeroizing::new(files::read(cert, options.cert)?);
                let key_file = (cert != key).then(|| files::read(key, options.key)).transpose()?;
                let key_file = key_file.map(Zeroizing::new);
                let key_bytes = key_file.as_ref().unwrap_or(&chain);
                passwords.with(key, |password| Identity::from_pem(&chain, key_bytes, password, now))
            }
            Self::Pkcs12(file) => {
                let bytes = Zeroizing::new(files::read(file, "--identity")?);
                passwords.with(file, |password| Identity::from_pkcs12(&bytes, password, now))
            }
        }
    }

    /// Says which file an error of [`parse`](Self::parse) is about, and what to do.
    pub(crate) fn explain(&self, error: &IdentityError) -> ConfigError {
        match self {
            Self::Pem { cert, key, options }
                if cert == key && matches!(error, IdentityError::NoPrivateKey) =>
            {
                usage(format!(
                    "{} {} holds no private key: name the file that does, another one, with {}",
                    options.cert,
                    cert.display(),
                    options.key
                ))
            }
            Self::Pem { cert, key, options } => pem_error(cert, key, *options, error).into(),
            Self::Pkcs12(file) => FileError::new(file, "--identity", hint(error)).into(),
        }
    }

    /// The file that holds the certificate.
    pub(crate) fn certificate_file(&self) -> &Path {
        match self {
            Self::Pem { cert, .. } => cert,
            Self::Pkcs12(file) => file,
        }
    }

    /// The option that names it.
    pub(crate) fn certificate_option(&self) -> &'static str {
        match self {
            Self::Pem { options, .. } => options.cert,
            Self::Pkcs12(_) => "--identity",
        }
    }

    /// The file that holds the key, and the option that names it.
    pub(crate) fn key_file(&self) -> (&Path, &'static str) {
        match self {
            Self::Pem { cert, key, options } if cert == key => (cert, options.cert),
            Self::Pem { key, options, .. } => (key, options.key),
            Self::Pkcs12(file) => (file, "--identity"),
        }
    }

    /// All its files.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let (key, _) = self.key_file();
        [self.certificate_file()].into_iter().chain((key != self.certificate_file()).then_some(key))
    }
}

/// An OCSP response that clients are not sent.
#[derive(Debug, Clone)]
pub(crate) struct Unstapled {
    pub(crate) file: PathBuf,
    pub(crate) why: String,
}

/// Gives the response of an OCSP responder to the identity that it is about. If it was good once, and its
/// time is over or the certificate renewed, clients do without: neither a restart nor the next
/// certificate, nor a new revocation list, may wait for it.
pub(crate) fn staple(
    identities: &mut [Identity],
    file: &Path,
    now: SystemTime,
) -> Result<Option<Unstapled>, ConfigError> {
    let wrong = |what: String| FileError::new(file, "--ocsp", what);
    let response = OcspResponse::from_der(&files::read(file, "--ocsp")?)
        .map_err(|error| wrong(with_causes(&error)))?;
    let mut why = None;
    for identity in identities {
        match identity.with_ocsp(&response, now) {
            Ok(stapled) => {
                *identity = stapled;
                return Ok(None);
            }
            Err(error) if why.is_none() || !error.is_about_another() => why = Some(error),
            Err(_) => {}
        }
    }
    // There is an identity, so there was an error.
    let text = why.as_ref().map_or_else(String::new, |error| with_causes(error));
    match why {
        Some(OcspError::Expired { .. } | OcspError::OtherCertificate { .. }) => {
            Ok(Some(Unstapled { file: file.to_owned(), why: text }))
        }
        _ => Err(wrong(text).into()),
    }
}

/// Names the file that an error of the pair is about.
fn pem_error(cert: &Path, key: &Path, options: PemOptions, error: &IdentityError) -> FileError {
    match error.part() {
        Part::Chain => FileError::new(cert, options.cert, hint(error)),
        Part::Key | Part::Both if cert == key => FileError::new(cert, options.cert, hint(error)),
        Part::Key => FileError::new(key, options.key, hint(error)),
        Part::Both => {
            let what = format!("{} (certificate: {})", hint(error), cert.display());
            FileError::new(key, options.key, what)
        }
    }
}

/// What to do about an error, where that is a matter of options.
fn hint(error: &IdentityError) -> String {
    if error.password_needed() {
        let error = with_causes(error);
        return format!("{error}; give it with --key-password-file or {}", password::VARIABLE);
    }
    match error {
        IdentityError::WrongPassword => {
            format!(
                "{error}; check what was typed, or what --key-password-file or {} holds",
                password::VARIABLE
            )
        }
        _ => with_causes(error),
    }
}
