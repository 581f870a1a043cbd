//! The files that say whose clients are let in.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use turnkey_backend::{AllowRules, ClientPolicy, ClientTrust, RevocationList, TrustAnchors};

use crate::causes::with_causes;
use crate::config_error::ConfigError;
use crate::files::{self, FileError};

/// Where a client policy comes from.
#[derive(Debug)]
pub(crate) struct ClientFiles {
    /// The files of `--client-ca`; none when the CA is made up for this run.
    pub(crate) cas: Vec<PathBuf>,
    pub(crate) crls: Vec<PathBuf>,
    pub(crate) rules: AllowRules,
    pub(crate) deny_early: bool,
    /// Whether clients may do without a certificate.
    pub(crate) optional: bool,
    /// Whether those who do are let in; `None` if that was not said, and they are.
    pub(crate) anonymous: Option<bool>,
}

impl ClientFiles {
    /// Reads the CAs and the lists; `made_up` are CAs that stand in no file.
    pub(crate) fn load(
        &self,
        made_up: Option<&TrustAnchors>,
        now: SystemTime,
    ) -> Result<ClientPolicy, ConfigError> {
        let named = all_trust_anchors(&self.cas, "--client-ca", now)?;
        let anchors = made_up.cloned().into_iter().chain(named).reduce(TrustAnchors::and);
        let Some(anchors) = anchors else {
            return Err(ConfigError::Failed("there is no client CA".to_owned()));
        };
        let mut crls = Vec::new();
        for file in &self.crls {
            crls.extend(revocation_lists(file)?);
        }
        Ok(self.policy(anchors, crls))
    }

    /// The policy for what was read.
    pub(crate) fn policy(&self, anchors: TrustAnchors, crls: Vec<RevocationList>) -> ClientPolicy {
        let anonymous = self.anonymous != Some(false);
        let trust = ClientTrust::new(anchors)
            .revocation_lists(crls)
            .allow(self.rules.clone(), self.deny_early)
            .allow_anonymous(anonymous);
        // To refuse early whoever shows no certificate is to require one.
        if self.optional && (anonymous || !self.deny_early) {
            ClientPolicy::Optional(trust)
        } else {
            ClientPolicy::Required(trust)
        }
    }

    /// Whether there are rules, and a client that shows no certificate gets past them without anybody
    /// having said that it may.
    pub(crate) fn has_way_round_rules(&self) -> bool {
        self.optional && self.anonymous.is_none() && !self.rules.is_empty()
    }

    /// All its files.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.cas.iter().chain(&self.crls).map(PathBuf::as_path)
    }
}

/// The CAs in all `files`, which `option` names; `None` if there are no files.
pub(crate) fn all_trust_anchors(
    files: &[PathBuf],
    option: &'static str,
    now: SystemTime,
) -> Result<Option<TrustAnchors>, FileError> {
    let all = files.iter().map(|file| trust_anchors(file, option, now));
    Ok(all.collect::<Result<Vec<_>, _>>()?.into_iter().reduce(TrustAnchors::and))
}

/// The CAs in a file, which `option` names.
pub(crate) fn trust_anchors(
    file: &Path,
    option: &'static str,
    now: SystemTime,
) -> Result<TrustAnchors, FileError> {
    let pem = files::read(file, option)?;
    TrustAnchors::from_pem(&pem, now)
        .map_err(|error| FileError::new(file, option, with_causes(&error)))
}

/// The lists in a file of `--client-crl`.
pub(crate) fn revocation_lists(file: &Path) -> Result<Vec<RevocationList>, FileError> {
    let bytes = files::read(file, "--client-crl")?;
    RevocationList::read(&bytes)
        .map_err(|error| FileError::new(file, "--client-crl", with_causes(&error)))
}
