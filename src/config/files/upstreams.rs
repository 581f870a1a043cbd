//! The files that say which upstreams are trusted, and how turnkey identifies itself to them.

use std::path::{Path, PathBuf};

use turnkey::tls::{Certificate, ConnectConfig};

use super::clients::{Cas, Sourced};
use super::identity::IdentityFile;
use super::{Finding, Reader};

/// The sources of TLS with upstreams, which may change while the server runs.
#[derive(Debug)]
pub(crate) struct UpstreamFiles {
    /// The files of `--upstream-ca`. If empty, the CAs that the system trusts.
    pub(crate) cas: Vec<PathBuf>,
    pub(crate) identity: Option<IdentityFile>,
}

/// What these files contained.
#[derive(Debug)]
pub(crate) struct UpstreamTls<'c> {
    pub(crate) config: ConnectConfig,
    pub(crate) cas: Vec<Sourced<Certificate>>,
    /// The source of the identity, if there is one.
    pub(crate) identity_file: Option<&'c IdentityFile>,
    /// Whether everything could be read.
    pub(crate) complete: bool,
}

impl UpstreamFiles {
    pub(super) fn read(&self, reader: &mut Reader<'_>) -> Result<UpstreamTls<'_>, Finding> {
        let errors = reader.errors;
        let Cas { anchors, each: cas } = reader.cas(&self.cas, "--upstream-ca", None)?;
        let identity = match &self.identity {
            Some(file) => reader.identity(file, &mut Vec::new())?,
            None => None,
        };
        Ok(UpstreamTls {
            config: ConnectConfig { anchors, identity: identity.map(|served| served.identity) },
            cas,
            identity_file: self.identity.as_ref(),
            complete: reader.errors == errors,
        })
    }

    /// All its files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        let identity = self.identity.iter().flat_map(IdentityFile::paths);
        self.cas.iter().map(PathBuf::as_path).chain(identity)
    }
}
