//! Whole runs of `turnkey certs` on folders. `openssl` checks the results.

mod adhoc;
mod kept;
mod made;
mod named;
mod refused;
mod renewed;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use tempfile::TempDir;

use super::issue::DAY;
use super::report::{Action, IdentityReport};
use super::{CertsOptions, CertsReport, PkiError, certs};

/// The files of a run without further clients.
const FILES: [&str; 11] = [
    "ca.crt",
    "ca.key",
    "ca.pem",
    "client.crt",
    "client.key",
    "client.p12",
    "client.pem",
    "server.crt",
    "server.key",
    "server.p12",
    "server_chain.pem",
];

/// A folder for one test, with the options to write to it.
struct Folder {
    // Removes the folder when the test ends.
    _temporary: TempDir,
    options: CertsOptions,
}

impl Folder {
    /// A folder that does not exist yet.
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let out = temporary.path().join("certs");
        Self { _temporary: temporary, options: CertsOptions { out, ..CertsOptions::default() } }
    }

    /// A folder that a run has just filled.
    fn made() -> Self {
        let folder = Self::new();
        folder.run().unwrap();
        folder
    }

    fn run(&self) -> Result<CertsReport, PkiError> {
        certs(&self.options, SystemTime::now())
    }

    fn run_at(&self, now: SystemTime) -> Result<CertsReport, PkiError> {
        certs(&self.options, now)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.options.out.join(file)
    }

    fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.path(file)).unwrap()
    }

    fn write(&self, file: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path(file), contents).unwrap();
    }

    fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).unwrap();
    }

    fn copy_from(&self, other: &Self, file: &str) {
        self.write(file, other.read(file));
    }

    /// Every file with its contents and the time of its last change.
    fn snapshot(&self) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
        let entries = fs::read_dir(&self.options.out).unwrap().map(|entry| entry.unwrap());
        entries
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                let modified = entry.metadata().unwrap().modified().unwrap();
                (name, (fs::read(entry.path()).unwrap(), modified))
            })
            .collect()
    }

    /// Runs, expects an error that changes no file, and returns its text.
    fn refusal(&self) -> String {
        self.refusal_at(SystemTime::now())
    }

    fn refusal_at(&self, now: SystemTime) -> String {
        let before = self.snapshot();
        let error = self.run_at(now).unwrap_err().to_string();
        assert_eq!(self.snapshot(), before, "a refusal changed the folder");
        assert!(!error.contains('\n'), "{error}");
        error
    }

    /// Lets the CA in the folder issue a certificate as people do: with a key from `openssl genpkey` and these
    /// extensions.
    fn issue_by_hand(&self, name: &str, key: &str, extensions: &str) {
        self.write("by-hand.ext", extensions);
        self.openssl(&format!("genpkey {key} -out {name}.key"));
        self.openssl(&format!("req -new -key {name}.key -subj /CN={name} -out by-hand.csr"));
        self.openssl(&format!(
            "x509 -req -in by-hand.csr -CA ca.crt -CAkey ca.key -days 365 \
             -extfile by-hand.ext -out {name}.crt"
        ));
        self.remove("by-hand.ext");
        self.remove("by-hand.csr");
    }

    /// Asserts that openssl accepts the certificate and key of both leaves.
    fn assert_verifies(&self) {
        for (name, purpose) in [("server", "sslserver"), ("client", "sslclient")] {
            self.assert_verifies_as(name, purpose);
        }
    }

    fn assert_verifies_as(&self, name: &str, purpose: &str) {
        let crt = format!("{name}.crt");
        let text = self.openssl(&format!(
            "verify -x509_strict -CAfile ca.crt -no-CApath -purpose {purpose} {crt}"
        ));
        assert_eq!(text, format!("{crt}: OK\n"));
        let public = self.openssl(&format!("x509 -in {crt} -noout -pubkey"));
        assert_eq!(self.openssl(&format!("pkey -in {name}.key -pubout")), public);
    }

    /// Runs openssl in the folder and returns its output; a failure fails the test.
    fn openssl(&self, arguments: &str) -> String {
        openssl_in(&self.options.out, arguments).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Runs openssl, which these tests need. Returns standard output, or both outputs if it fails.
fn openssl_in(folder: &Path, arguments: &str) -> Result<String, String> {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .expect("these tests need the program openssl");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!("openssl {arguments}: {}{}", text(&output.stdout), text(&output.stderr)))
    }
}

fn identity<'a>(report: &'a CertsReport, name: &str) -> &'a IdentityReport {
    report.identities.iter().find(|identity| identity.name == name).unwrap()
}

/// The result for an identity: a word and a reason.
fn outcome(report: &CertsReport, name: &str) -> String {
    match &identity(report, name).outcome {
        Action::Created => "created".to_owned(),
        Action::Kept => "kept".to_owned(),
        Action::Renewed { why } => format!("renewed: {why}"),
        Action::Replaced => "replaced".to_owned(),
    }
}

fn written(report: &CertsReport, name: &str) -> Vec<String> {
    identity(report, name).written.iter().map(|written| written.file.clone()).collect()
}

fn days_ago(days: u32) -> SystemTime {
    SystemTime::now() - DAY * days
}
