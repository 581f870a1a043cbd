//! The files that say which upstreams are good, and who we are to them.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use turnkey_backend::ConnectConfig;

use crate::client_files;
use crate::config_error::ConfigError;
use crate::identity_files::IdentityFile;
use crate::password::Passwords;

/// What TLS with upstreams is set up from, and may change while the server runs.
#[derive(Debug)]
pub(crate) struct UpstreamFiles {
    /// The files of `--upstream-ca`; none stands for the CAs that the system trusts.
    pub(crate) cas: Vec<PathBuf>,
    pub(crate) identity: Option<IdentityFile>,
}

impl UpstreamFiles {
    /// Reads all files, and checks each for itself.
    pub(crate) fn load(
        &self,
        passwords: &Passwords,
        now: SystemTime,
    ) -> Result<ConnectConfig, ConfigError> {
        let anchors = client_files::all_trust_anchors(&self.cas, "--upstream-ca", now)?;
        let identity = self.identity.as_ref().map(|identity| identity.load(passwords, now));
        Ok(ConnectConfig { anchors, identity: identity.transpose()? })
    }

    /// All its files.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let identity = self.identity.iter().flat_map(IdentityFile::paths);
        self.cas.iter().map(PathBuf::as_path).chain(identity)
    }
}
