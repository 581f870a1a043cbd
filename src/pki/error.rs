use std::io;
use std::path::PathBuf;

use turnkey::tls::{IdentityError, PolicyError};

/// Why no certificates were made. Nothing was written, except after [`PkiError::Write`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum PkiError {
    /// A `--host` that a certificate cannot contain.
    #[error("--host {host:?}: {problem}")]
    Host {
        /// The value.
        host: String,
        /// What is wrong with it, and what would be valid.
        problem: &'static str,
    },
    /// A `--client` that cannot be a file name, or the subject of a certificate.
    #[error("--client {name:?}: {problem}")]
    Client {
        /// The value.
        name: String,
        /// What is wrong with it, and what would be valid.
        problem: &'static str,
    },
    /// A `--san` that is not a valid name.
    #[error("--san \"{}\": {problem}", san.escape_debug())]
    San {
        /// The value.
        san: String,
        /// What is wrong with it, and what would be valid.
        problem: &'static str,
    },
    /// A `--san` without a `--client`.
    #[error(
        "--san {san} is for a client's certificate: say which with --client, as in --client web \
         --san {san}; names of the server are given with --host"
    )]
    SanOfNobody {
        /// The first `--san`.
        san: String,
    },
    /// A `--san` with several clients.
    #[error(
        "--san {san} is for one client, and --client names {clients}: give each a run of its own, \
         as in turnkey certs --client {first} --san {san}"
    )]
    SanOfSeveral {
        /// The first `--san`.
        san: String,
        /// How many clients there are.
        clients: usize,
        /// The first client.
        first: String,
    },
    /// `--no-default-names` without a `--host`.
    #[error(
        "--no-default-names leaves the server's certificate without a name: give it one with --host, \
         as in --no-default-names --host example.test"
    )]
    NoNames,
    /// A lifetime that browsers and operating systems reject.
    #[error("--days {days}: give 1 to 825 days; clients refuse certificates that last longer")]
    Days {
        /// The value.
        days: u32,
    },
    /// The output path exists and is not a folder.
    #[error("{path} is not a folder: give another one with --out")]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// A file or folder could not be read.
    #[error("cannot read {path}: check its permissions, or give another folder with --out")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file or folder could not be written.
    #[error("cannot write {path}: check permissions and space, or give another folder with --out")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A temporary folder, or a file in one, could not be written.
    #[error("cannot write {path}: check permissions and space, or set TMPDIR to another folder")]
    Temporary {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The CA in the folder cannot be used, and is not overwritten without `--force`.
    #[error(
        "{path} {problem}: fix it, or replace the CA and every certificate below it with --force"
    )]
    Ca {
        /// The certificate or the key of the CA.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file that would be overwritten was not made by turnkey.
    #[error(
        "{path} {problem}: move it away and run again, or replace everything, \
         the CA included, with --force"
    )]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// How the file shows that turnkey did not make it.
        problem: &'static str,
    },
    /// The CA to be replaced issued this certificate, which is not for a client. No new one is made for it.
    #[error(
        "{path} was issued by the CA that --force replaces, and is not for clients alone: \
         move it away and run again, then issue it anew with the new CA"
    )]
    NotAClient {
        /// The certificate.
        path: PathBuf,
    },
    /// A key or a certificate could not be made. No input is known to cause this: names and lifetimes are checked
    /// before, so the cryptographic library has failed.
    #[error("cannot make the certificate for {name:?}")]
    Issue {
        /// The identity: `ca`, `server`, or a client's name.
        name: String,
        /// The cryptographic library's reason.
        source: rcgen::Error,
    },
    /// The CA in the folder has a subject that cannot be copied into certificates.
    #[error(
        "ca.crt cannot issue certificates here, its subject is of an unusual form: \
         give another folder with --out, or replace the CA with --force"
    )]
    CaUnsupported,
    /// A certificate and its key do not make an identity. No input is known to cause this: existing ones have been
    /// read already, and others have just been made.
    #[error("the certificate and key of {name:?} do not make an identity")]
    Identity {
        /// The identity: `server`, or a client's name.
        name: String,
        /// What is wrong with them.
        source: IdentityError,
    },
    /// The new CA cannot be used to check anything. No input is known to cause this.
    #[error("the certificate of the CA that was made is of no use")]
    Anchors {
        /// What is wrong with it.
        source: PolicyError,
    },
}
