//! Certificates for development and for private networks: a private CA, and certificates for a server and clients.
//! `turnkey certs` is [`certs`]; `--adhoc` is [`adhoc`].
//!
//! [`certs`] works in two steps. First it reads the whole folder, decides what to keep, and makes all that is
//! missing in memory. If this would destroy a file that turnkey did not make, it is an error. Only then does it
//! write. `certs/README.md` explains each file.

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
/// It is not a secret and protects nothing: the files are for transport between key stores, and those of macOS and
/// Windows reject files without a password.
pub(crate) const PKCS12_PASSWORD: &str = "turnkey";

/// The common name of the server's certificate, as in the recipe.
const SERVER_COMMON_NAME: &str = "server.localhost";

/// The options of [`certs`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertsOptions {
    /// The folder to write to. It is created (mode 0700) if it does not exist. Default: `certs`.
    pub(crate) out: PathBuf,
    /// Further names of the server: DNS names, wildcards, IP addresses. Default: none.
    pub(crate) hosts: Vec<String>,
    /// Makes the server's certificate for `hosts` only, without `localhost`, the machine's name and the like.
    /// `hosts` must not be empty then. Default: `false`.
    ///
    /// The certificates of several servers on one port must not share a name. Later runs do not add default names
    /// to a certificate that was made this way.
    pub(crate) no_default_names: bool,
    /// Further clients besides `client`: common names, and the stems of their files. Default: none.
    pub(crate) clients: Vec<String>,
    /// Further alternative names of the only client in `clients`: `DNS:web.example.test`,
    /// `email:alice@example.test`, `URI:spiffe://example.test/ns/a/sa/web`, `IP:10.0.0.1`. Without the prefix, the
    /// form decides, as for [`SanRule`](turnkey::tls::SanRule). Default: none.
    pub(crate) sans: Vec<String>,
    /// The kind of keys. `None`, the default, keeps the kind of an existing certificate, also when that is renewed
    /// or replaced. It makes [`KeyType::P256`] if there is no certificate, or one of a kind that turnkey does not
    /// make. A kind given here renews leaf certificates of another kind, but never the CA.
    pub(crate) key_type: Option<KeyType>,
    /// The lifetime of new leaf certificates in days, 1 to 825. Default: 365.
    pub(crate) days: u32,
    /// Replaces the CA, the server's certificate, and those of all clients below that CA. If the CA issued anything
    /// else, that is an error. Default: `false`.
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

/// Makes the missing files in a folder of certificates, renews certificates that no longer fit, and keeps the rest
/// unchanged.
///
/// A leaf certificate is kept if the CA in the folder signed it, its key exists, it has all the requested names,
/// and more than 30 days of its life are left (more than a third, if it was made for fewer than 60 days). A CA is
/// always kept; one that cannot be used is an error.
///
/// On an error nothing was written, unless it is [`PkiError::Write`].
pub(crate) fn certs(options: &CertsOptions, now: SystemTime) -> Result<CertsReport, PkiError> {
    run::run(options, now)
}
