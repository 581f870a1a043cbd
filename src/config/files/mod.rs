//! The only reader of certificates, keys, CAs and lists: what the files of a configuration contain, and what is
//! wrong with them.
//!
//! Start-up and reloads stop at the first error ([`Config::load`]). `turnkey check` reads on and shows all
//! ([`Config::load_all`]).

pub(crate) mod adhoc;
pub(crate) mod beside;
mod clients;
mod found;
mod identity;
pub(crate) mod password;
pub(crate) mod read;
pub(crate) mod signed;
mod sources;
pub(crate) mod system_cas;
mod upstreams;

use std::error::Error;
use std::path::Path;
use std::time::SystemTime;

use turnkey::{Mode, Tls};

pub(crate) use self::clients::{ClientFiles, Clients, Sourced};
pub(crate) use self::found::{Finding, Severity, Subject};
pub(crate) use self::identity::{IdentityFile, PemOptions, Served, Unusable, choose};
use self::password::Passwords;
#[cfg(feature = "pki")]
pub(crate) use self::sources::AdhocClients;
pub(crate) use self::sources::{Adhoc, Material, Sources};
pub(crate) use self::upstreams::{UpstreamFiles, UpstreamTls};
use crate::config::Config;
use crate::console::causes::with_causes;

/// What the files contained when they were read.
#[derive(Debug)]
pub(crate) struct LoadedFiles<'c> {
    /// The material of the server's TLS; `None` in http mode.
    pub(crate) own: Option<Material<'c>>,
    /// The material of TLS with upstreams; `None` if no upstream speaks TLS.
    pub(crate) upstream: Option<UpstreamTls<'c>>,
    /// What is wrong with the files, in the order in which they were read.
    pub(crate) found: Vec<Finding>,
}

impl LoadedFiles<'_> {
    /// The mode and the options for the TLS stack.
    pub(crate) fn mode(&self) -> Result<(Mode, Tls), Finding> {
        match &self.own {
            Some(material) => material.mode(),
            None => Ok((Mode::Http, Tls::default())),
        }
    }
}

impl Config {
    /// Reads all files, and checks each by itself; stops at the first error.
    pub(crate) fn load(&self, now: SystemTime) -> Result<LoadedFiles<'_>, Finding> {
        self.read(now, false)
    }

    /// Reads everything that can be read. Errors are among the findings, and their files are missing.
    pub(crate) fn load_all(&self, now: SystemTime) -> LoadedFiles<'_> {
        let read = self.read(now, true);
        read.unwrap_or_else(|error| LoadedFiles { own: None, upstream: None, found: vec![error] })
    }

    fn read(&self, now: SystemTime, reads_on: bool) -> Result<LoadedFiles<'_>, Finding> {
        let passwords = &self.passwords;
        let mut reader = Reader { now, passwords, reads_on, errors: 0, found: Vec::new() };
        let own = self.sources.as_ref().map(|sources| sources.read(&mut reader)).transpose()?;
        let upstream = self.upstream_files().map(|files| files.read(&mut reader)).transpose()?;
        Ok(LoadedFiles { own, upstream, found: reader.found })
    }

    /// The files to read again when they change.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        let own = self.sources.iter().flat_map(Sources::paths);
        let upstream = self.upstream_files().into_iter().flat_map(UpstreamFiles::paths);
        own.chain(upstream).chain(self.passwords.file()).collect()
    }

    /// Whether there is TLS, whose files or system CAs can be read again.
    pub(crate) fn is_reloadable(&self) -> bool {
        self.sources.is_some() || self.upstream_files().is_some()
    }

    /// The files for TLS with upstreams, if one of them speaks it.
    fn upstream_files(&self) -> Option<&UpstreamFiles> {
        self.upstreams.as_ref()?.tls.as_ref()
    }
}

/// Reads files one after the other.
struct Reader<'c> {
    now: SystemTime,
    passwords: &'c Passwords,
    /// Whether to go on after an error.
    reads_on: bool,
    /// How many errors there were.
    errors: usize,
    found: Vec<Finding>,
}

impl Reader<'_> {
    /// Returns what was read; `None` if there was an error, which is noted.
    fn take<T>(&mut self, read: Result<T, Finding>) -> Result<Option<T>, Finding> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.error(error).map(|()| None),
        }
    }

    /// Parses the whole of a file, which `option` names.
    fn parse<T, E: Error + 'static>(
        &mut self,
        file: &Path,
        option: &'static str,
        parse: impl Fn(&[u8]) -> Result<T, E>,
    ) -> Result<Option<T>, Finding> {
        let explain = |error: E| Finding::file(file, option, with_causes(&error));
        self.take(read::read(file, option).and_then(|bytes| parse(&bytes).map_err(explain)))
    }

    /// Notes an error, or returns it, which stops the reading.
    fn error(&mut self, error: Finding) -> Result<(), Finding> {
        if !self.reads_on {
            return Err(error);
        }
        self.errors += 1;
        self.note(error);
        Ok(())
    }

    /// Notes a finding once: several identities may share a password file.
    fn note(&mut self, finding: Finding) {
        if !self.found.iter().any(|other| other.says_the_same_as(&finding)) {
            self.found.push(finding);
        }
    }
}
