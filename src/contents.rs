//! The files that a configuration names, and what they hold.

use std::path::Path;
use std::time::SystemTime;

use turnkey_backend::ConnectConfig;

use crate::config::Config;
use crate::config_error::ConfigError;
use crate::sources::{Material, Sources};
use crate::upstream_files::UpstreamFiles;

/// What the files held when they were read.
#[derive(Debug)]
pub(crate) struct Contents {
    /// What the server's TLS is built from; `None` in http mode.
    pub(crate) own: Option<Material>,
    /// What TLS with upstreams is set up from; `None` if none of them speaks it.
    pub(crate) upstream: Option<ConnectConfig>,
}

impl Config {
    /// Reads all files, and checks each for itself.
    pub(crate) fn load(&self, now: SystemTime) -> Result<Contents, ConfigError> {
        let own = self.sources.as_ref().map(|sources| sources.load(now));
        let own = own.transpose()?;
        let upstream = self.upstream_files().map(|files| files.load(&self.passwords, now));
        Ok(Contents { own, upstream: upstream.transpose()? })
    }

    /// All files that a change of is worth reading them again for.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        let own = self.sources.iter().flat_map(Sources::paths);
        let upstream = self.upstream_files().into_iter().flat_map(UpstreamFiles::paths);
        own.chain(upstream).chain(self.passwords.file()).collect()
    }

    /// Whether there is TLS whose files can be read again, or the system's CAs in their place.
    pub(crate) fn is_reloadable(&self) -> bool {
        self.sources.is_some() || self.upstream_files().is_some()
    }

    /// What TLS with upstreams is set up from, if one of them speaks it.
    pub(crate) fn upstream_files(&self) -> Option<&UpstreamFiles> {
        self.upstreams.as_ref()?.tls.as_ref()
    }
}
