use std::io;
use std::path::PathBuf;

use turnkey::tls::{IdentityError, PolicyError};

/// Why certificates were not made. Nothing was written, except after [`PkiError::Write`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum PkiError {
    /// A `--host` that no certificate can be for.
    #[error("--host {host:?}: {problem}")]
    Host {
        /// What was given.
        host: String,
        /// What is wrong with it, and what would be right.
        problem: &'static str,
    },
    /// A `--client` that cannot be the name of a file, or of a certificate's subject.
    #[error("--client {name:?}: {problem}")]
    Client {
        /// What was given.
        name: String,
        /// What is wrong with it, and what would be right.
        problem: &'static str,
    },
    /// A `--san` that is no name.
    #[error("--san \"{}\": {problem}", san.escape_debug())]
    San {
        /// What was given.
        san: String,
        /// What is wrong with it, and what would be right.
        problem: &'static str,
    },
    /// A `--san` without the client that it is for.
    #[error(
        "--san {san} is for a client's certificate: say which with --client, as in --client web \
         --san {san}; names of the server are given with --host"
    )]
    SanOfNobody {
        /// What was given first.
        san: String,
    },
    /// A `--san` beside several clients.
    #[error(
        "--san {san} is for one client, and --client names {clients}: give each a run of its own, \
         as in turnkey certs --client {first} --san {san}"
    )]
    SanOfSeveral {
        /// What was given first.
        san: String,
        /// How many clients there are.
        clients: usize,
        /// The first of them.
        first: String,
    },
    /// `--no-default-names` without a `--host`.
    #[error(
        "--no-default-names leaves the server's certificate without a name: give it one with --host, \
         as in --no-default-names --host example.test"
    )]
    NoNames,
    /// A lifetime that browsers and operating systems refuse.
    #[error("--days {days}: give 1 to 825 days; clients refuse certificates that last longer")]
    Days {
        /// What was given.
        days: u32,
    },
    /// The output folder is something else.
    #[error("{path} is not a folder: give another one with --out")]
    NotAFolder {
        /// The path that was given.
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
    /// The CA in the folder is of no use, and is not overwritten unasked.
    #[error(
        "{path} {problem}: fix it, or replace the CA and every certificate below it with --force"
    )]
    Ca {
        /// The certificate or the key of the CA.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file stands where one would be written, and it is somebody's own.
    #[error(
        "{path} {problem}: move it away and run again, or replace everything, \
         the CA included, with --force"
    )]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// How it shows that it is not a file that may be overwritten.
        problem: &'static str,
    },
    /// What the CA that is to be replaced issued for something else than a client: a new one is not made for it.
    #[error(
        "{path} was issued by the CA that --force replaces, and is not for clients alone: \
         move it away and run again, then issue it anew with the new CA"
    )]
    NotAClient {
        /// The certificate.
        path: PathBuf,
    },
    /// A key or a certificate could not be made. No input is known to lead there: names and lifetimes have
    /// been vetted, so the cryptographic library has failed.
    #[error("cannot make the certificate for {name:?}")]
    Issue {
        /// The identity: `ca`, `server`, or a client's name.
        name: String,
        /// The cryptographic library's reason.
        source: rcgen::Error,
    },
    /// The subject of the CA in the folder cannot be written into what it issues.
    #[error(
        "ca.crt cannot issue certificates here, its subject is of an unusual form: \
         give another folder with --out, or replace the CA with --force"
    )]
    CaUnsupported,
    /// A certificate and its key do not make an identity. No input is known to lead there: those that stand
    /// have been read already, and others have just been made.
    #[error("the certificate and key of {name:?} do not make an identity")]
    Identity {
        /// The identity: `server`, or a client's name.
        name: String,
        /// What is wrong with them.
        source: IdentityError,
    },
    /// Nothing can be checked against a CA that was made. No input is known to lead there.
    #[error("the certificate of the CA that was made is of no use")]
    Anchors {
        /// What is wrong with it.
        source: PolicyError,
    },
}
