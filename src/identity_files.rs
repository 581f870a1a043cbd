//! The files that an identity and a client policy are read from.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use turnkey_backend::{ClientPolicy, ClientTrust, Identity, IdentityError, Part, TrustAnchors};

use crate::causes::with_causes;
use crate::cli::{ModeName, Serve};
use crate::config_error::{ConfigError, usage};
use crate::files::{self, FileError};
use crate::password::{self, PasswordSource};

/// Where the server's identity comes from.
#[derive(Debug, Clone)]
pub(crate) enum IdentityFiles {
    /// Certificates and key, in PEM; both in one file, possibly.
    Pem { cert: PathBuf, key: PathBuf },
    /// Both in PKCS#12.
    Pkcs12(PathBuf),
    /// Made up for this run.
    Adhoc,
}

/// Finds which identity the options mean: the one of the first layer that has any.
pub(crate) fn choose(layers: &[Serve], mode: ModeName) -> Result<IdentityFiles, ConfigError> {
    let pem = |s: &Serve| s.cert.is_some() || s.key.is_some();
    let Some(layer) = layers.iter().find(|s| pem(s) || s.identity.is_some() || s.adhoc) else {
        return Err(usage(format!(
            "{} mode needs an identity: --cert and --key (CA_CHAIN_CRT and API_KEY in the \
             recipe), --identity, or --adhoc; turnkey certs makes one, certs/server.p12",
            mode.name()
        )));
    };
    let kinds = [pem(layer), layer.identity.is_some(), layer.adhoc];
    if kinds.into_iter().filter(|&kind| kind).count() > 1 {
        return Err(usage(
            "--cert and --key, --identity and --adhoc are three ways to name one identity: use \
             one of them",
        ));
    }
    if layer.adhoc {
        return Ok(IdentityFiles::Adhoc);
    }
    if let Some(identity) = &layer.identity {
        return Ok(IdentityFiles::Pkcs12(identity.clone()));
    }
    let cert = layers.iter().find_map(|s| s.cert.clone());
    let key = layers.iter().find_map(|s| s.key.clone());
    match (cert, key) {
        (Some(cert), key) => {
            let key = key.unwrap_or_else(|| cert.clone());
            Ok(IdentityFiles::Pem { cert, key })
        }
        (None, _) => Err(usage("--key needs --cert: the certificate that the key belongs to")),
    }
}

impl IdentityFiles {
    /// Reads and checks the identity. `host` is the name it is made for, if it is made up.
    pub(crate) fn load(
        &self,
        password: &PasswordSource,
        host: &str,
        now: SystemTime,
    ) -> Result<Identity, ConfigError> {
        match self {
            Self::Pem { cert, key } => {
                let one = cert == key;
                let chain = files::read(cert, "--cert")?;
                let key_bytes = if one { chain.clone() } else { files::read(key, "--key")? };
                let parse =
                    |password: Option<&str>| Identity::from_pem(&chain, &key_bytes, password, now);
                with_password(key, password, parse).map_err(|error| match error {
                    Failure::File(error) => error.into(),
                    Failure::Identity(IdentityError::NoPrivateKey) if one => usage(format!(
                        "--cert {} holds no private key: name the file that does, another one, \
                         with --key",
                        cert.display()
                    )),
                    Failure::Identity(error) => pem_error(cert, key, &error).into(),
                })
            }
            Self::Pkcs12(file) => {
                let bytes = files::read(file, "--identity")?;
                let parse = |password: Option<&str>| Identity::from_pkcs12(&bytes, password, now);
                with_password(file, password, parse).map_err(|error| match error {
                    Failure::File(error) => error.into(),
                    Failure::Identity(error) => {
                        FileError::new(file, "--identity", hint(&error)).into()
                    }
                })
            }
            Self::Adhoc => adhoc(host, now),
        }
    }

    /// The file that holds the certificate, if it is one.
    pub(crate) fn certificate_file(&self) -> Option<&Path> {
        match self {
            Self::Pem { cert, .. } => Some(cert),
            Self::Pkcs12(file) => Some(file),
            Self::Adhoc => None,
        }
    }
}

/// Reads the CAs whose clients are let in, for a policy that takes them.
pub(crate) fn client_policy(
    file: &Path,
    policy: fn(ClientTrust) -> ClientPolicy,
    now: SystemTime,
) -> Result<ClientPolicy, ConfigError> {
    let pem = files::read(file, "--client-ca")?;
    let anchors = TrustAnchors::from_pem(&pem, now)
        .map_err(|error| FileError::new(file, "--client-ca", with_causes(&error)))?;
    Ok(policy(anchors.into()))
}

#[derive(Debug)]
enum Failure {
    File(FileError),
    Identity(IdentityError),
}

/// Parses with the password that was given, or asks for one when it turns out that one is needed.
fn with_password(
    file: &Path,
    source: &PasswordSource,
    parse: impl Fn(Option<&str>) -> Result<Identity, IdentityError>,
) -> Result<Identity, Failure> {
    let given = source.given().map_err(Failure::File)?;
    let error = match parse(given.as_deref().map(String::as_str)) {
        Ok(identity) => return Ok(identity),
        Err(error) => error,
    };
    if !error.password_needed() {
        return Err(Failure::Identity(error));
    }
    match password::prompt(file) {
        Some(typed) => parse(Some(&typed)).map_err(Failure::Identity),
        None => Err(Failure::Identity(error)),
    }
}

/// Names the file that an error of the pair is about.
fn pem_error(cert: &Path, key: &Path, error: &IdentityError) -> FileError {
    match error.part() {
        Part::Chain => FileError::new(cert, "--cert", hint(error)),
        Part::Key => FileError::new(key, "--key", hint(error)),
        Part::Both => {
            let what = format!("{} (certificate: {})", hint(error), cert.display());
            FileError::new(key, "--key", what)
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

#[cfg(feature = "pki")]
fn adhoc(host: &str, now: SystemTime) -> Result<Identity, ConfigError> {
    crate::pki::adhoc(&[host.to_owned()], now)
        .map_err(|e| ConfigError::Failed(format!("--adhoc: {e}")))
}

#[cfg(not(feature = "pki"))]
fn adhoc(_host: &str, _now: SystemTime) -> Result<Identity, ConfigError> {
    Err(ConfigError::Failed(
        "--adhoc: not compiled in; build with the cargo feature pki, or use --cert and --key"
            .to_owned(),
    ))
}
