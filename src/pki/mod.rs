//! Certificates for development and for private networks: a private CA, and
//! certificates for a server and clients. `turnkey certs` is [`certs`]; `--adhoc` is [`adhoc`].
//!
//! [`certs`] works in two steps. First it reads the whole folder, decides what may stay, and makes
//! all that is missing in memory; anything that would lose a file of somebody's own is an error
//! here. Only then does it write. `certs/README.md` explains each file.

pub(crate) mod adhoc;
mod authority;
mod bundle;
mod error;
mod files;
mod issue;
mod names;
mod report;
mod run;
mod standing;
mod wanted;
mod x509;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::SystemTime;

pub(crate) use self::adhoc::adhoc;
pub(crate) use self::adhoc::adhoc_mutual;
pub(crate) use self::error::PkiError;
pub(crate) use self::issue::KeyType;
pub(crate) use self::report::CertsReport;

/// The password of the PKCS#12 files that [`certs`] writes.
///
/// It is no secret and protects nothing: the files are for transport between key stores, and
/// those of macOS and Windows take none without a password.
pub(crate) const PKCS12_PASSWORD: &str = "turnkey";

/// The common name of the server's certificate, as in the recipe.
const SERVER_COMMON_NAME: &str = "server.localhost";

/// What [`certs`] is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertsOptions {
    /// The folder to write to, which is created (mode 0700) when it is not there.
    /// Default: `certs`.
    pub(crate) out: PathBuf,
    /// Further names of the server: DNS names, wildcards, IP addresses. Default: none.
    pub(crate) hosts: Vec<String>,
    /// Makes the server's certificate for `hosts` alone, without `localhost`, the machine's name and
    /// the like; `hosts` must not be empty then. Default: `false`.
    ///
    /// Several servers' certificates for one port must not have a name in common. A certificate that
    /// was made so has no default names after later runs either.
    pub(crate) no_default_names: bool,
    /// Further clients beside `client`: common names, and the stems of their files. Default: none.
    pub(crate) clients: Vec<String>,
    /// Further alternative names of the one client in `clients`: `DNS:web.example.test`,
    /// `email:alice@example.test`, `URI:spiffe://example.test/ns/a/sa/web`, `IP:10.0.0.1`. Without the
    /// prefix the form decides, as for [`SanRule`](turnkey::tls::SanRule). Default: none.
    pub(crate) sans: Vec<String>,
    /// The kind of keys. `None`, the default, stays with the kind of what is there, also where that
    /// is renewed or replaced, and makes [`KeyType::P256`] where there is nothing, or a kind that is
    /// not made here; a kind renews leaf certificates of another kind. The CA is never renewed for it.
    pub(crate) key_type: Option<KeyType>,
    /// The lifetime of new leaf certificates in days, 1 to 825. Default: 365.
    pub(crate) days: u32,
    /// Replaces the CA, the server's certificate, and those of all clients below that CA; anything
    /// else that it issued is an error. Default: `false`.
    pub(crate) force: bool,
}

impl Default for CertsOptions {
    fn default() -> Self {
        Self {
            out: PathBuf::from("certs"),
            hosts: Vec::new(),
            no_default_names: false,
            clients: Vec::new(),
            sans: Vec::new(),
            key_type: None,
            days: 365,
            force: false,
        }
    }
}

/// Makes what is missing in a folder of certificates, renews what will not do any longer, and
/// keeps the rest as it is.
///
/// A leaf certificate is kept while the CA in the folder signed it, its key is there, it has all
/// the names asked for, and more than 30 days of its life are left (more than a third, when it was
/// made for fewer than 60 days). A CA is kept always; one that can't be used is an error.
///
/// On an error nothing was written, unless it is [`PkiError::Write`].
pub(crate) fn certs(options: &CertsOptions, now: SystemTime) -> Result<CertsReport, PkiError> {
    run::run(options, now)
}
