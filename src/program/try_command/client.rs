//! The client's certificate for the command in mutual mode.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use turnkey::tls::{
    AllowedIssuers, BackendName, Certificate, ClientTrust, Identity, IdentityError,
};
use zeroize::Zeroizing;

use crate::config::files::beside::{beside, rules_let_in};
use crate::config::files::{Material, read};

/// What curl shows to the server.
#[derive(Debug)]
pub(super) enum Client {
    /// None: the server does not ask for a certificate, or it is optional.
    Unasked,
    /// Options with a certificate that the server accepts.
    Known(Vec<String>),
    /// The server requires a certificate, and none is known. Options with a file that does not exist, and what it
    /// must contain.
    Unknown { options: [String; 2], missing: String },
}

impl Client {
    pub(super) fn options(&self) -> &[String] {
        match self {
            Self::Unasked => &[],
            Self::Known(options) => options,
            Self::Unknown { options, .. } => options,
        }
    }

    /// What the user must do before the command works.
    pub(super) fn missing(&self) -> Option<String> {
        match self {
            Self::Unknown { missing, .. } => Some(missing.clone()),
            _ => None,
        }
    }
}

/// Looks for a client's certificate where `turnkey certs` and users of `openssl` put it: beside the CA.
pub(super) fn find(material: &Material<'_>, now: SystemTime) -> Client {
    let (sources, policy) = (material.sources, material.policy());
    let Some(trust) = policy.trust() else { return Client::Unasked };
    if let Some(adhoc) = sources.adhoc_clients() {
        return Client::Known(cert(&adhoc.client).into());
    }
    let old_too = takes_x509_v1_clients(sources.choice.backend);
    let lets_in = |own: &Path, key: &Path| lets_in(trust, own, key, now, old_too);
    if let Some(options) = sources.client_ca().and_then(|ca| known(ca, lets_in)) {
        return Client::Known(options);
    }
    if !policy.is_required() && trust.allows_anonymous() {
        return Client::Unasked;
    }
    let cas = trust.issuers().map_or(trust.anchors().certificates(), AllowedIssuers::certificates);
    let issuers: Vec<_> = cas.iter().map(Certificate::subject).collect();
    let missing = format!(
        "clients need a certificate issued by \"{}\": put one, and its key, into client.pem",
        issuers.join("\" or \"")
    );
    Client::Unknown { options: cert(Path::new("client.pem")), missing }
}

/// Whether the backend that was asked for, or else any TLS backend, accepts clients with certificates of X.509
/// version 1.
fn takes_x509_v1_clients(asked: Option<BackendName>) -> bool {
    let takes = |backend: &BackendName| {
        backend.capabilities().is_some_and(|c| c.client_certificates && c.x509_v1)
    };
    asked.as_ref().map_or_else(|| BackendName::TLS.iter().any(takes), takes)
}

/// Options with a client's files beside the file of its CA.
fn known(ca: &Path, lets_in: impl Fn(&Path, &Path) -> bool) -> Option<Vec<String>> {
    if let Some(both) = beside(ca, "client.pem")
        && lets_in(&both, &both)
    {
        return Some(cert(&both).into());
    }
    let (own, key): (PathBuf, PathBuf) = (beside(ca, "client.crt")?, beside(ca, "client.key")?);
    lets_in(&own, &key).then(|| {
        let key = ["--key".to_owned(), key.display().to_string()];
        cert(&own).into_iter().chain(key).collect()
    })
}

/// Whether the server accepts a client with these files; with `old_too`, also if they are of X.509 version 1. curl
/// itself asks for the password of a key.
fn lets_in(
    trust: &ClientTrust,
    certificate: &Path,
    key: &Path,
    now: SystemTime,
    old_too: bool,
) -> bool {
    let read = |path: &Path| fs::read(path).map(Zeroizing::new).unwrap_or_default();
    let chain = match Identity::from_pem(&read(certificate), &read(key), None, now) {
        Ok(identity) => identity.chain().to_vec(),
        Err(IdentityError::PasswordRequired) => read::certificates(certificate),
        Err(_) => return false,
    };
    let Some(leaf) = chain.first() else { return false };
    let cas = trust.anchors().certificates();
    let is_revoked = |link: &Certificate| trust.crls().iter().any(|list| list.revokes(link));
    leaf.check_validity(now).is_ok()
        && leaf.allows_client_auth()
        && (old_too || !leaf.lacks_extensions())
        && chain.iter().any(|link| cas.iter().any(|ca| ca.issued(link)))
        && !chain.iter().any(is_revoked)
        && rules_let_in(trust, &chain)
}

/// The option for a certificate. curl would read the text after a colon as a password.
fn cert(file: &Path) -> [String; 2] {
    let mut file = file.display().to_string();
    if cfg!(unix) {
        file = file.replace('\\', r"\\").replace(':', r"\:");
    }
    ["--cert".to_owned(), file]
}
