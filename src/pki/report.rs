//! What a run did, for a person to read.

use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;

use time::OffsetDateTime;

use super::PKCS12_PASSWORD;
use crate::console::colour::{self, Colours};
use crate::console::shell;

/// What `turnkey certs` found and did; its `Display` is what the program prints.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct CertsReport {
    /// The folder with the files.
    pub(crate) out: PathBuf,
    /// The CA, the server, then each client.
    pub(crate) identities: Vec<IdentityReport>,
    /// What other users of this machine can do with the key of the CA, each with a command that prevents it.
    pub(crate) warnings: Vec<String>,
}

/// The result for one certificate and the files that hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct IdentityReport {
    /// The stem of the files: `ca`, `server`, `client` or a client's own name.
    pub(crate) name: String,
    /// The certificate's subject.
    pub(crate) subject: String,
    /// The certificate's alternative names: DNS names, IP addresses, email addresses, URIs.
    pub(crate) names: Vec<String>,
    /// The last moment at which the certificate is valid.
    pub(crate) not_after: SystemTime,
    /// What the run did with the certificate.
    pub(crate) outcome: Action,
    /// The files that were written.
    pub(crate) written: Vec<Written>,
}

/// What the run did with a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum Action {
    /// There was no certificate.
    Created,
    /// The existing certificate stays.
    Kept,
    /// The same CA issued a new certificate with a new key, because the old one did not fit.
    Renewed {
        /// Why, as the end of the sentence "renewed: the old one …".
        why: String,
    },
    /// `--force` was given.
    Replaced,
}

/// A file that the run wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct Written {
    /// Its name inside the folder.
    pub(crate) file: String,
    /// Why it was written.
    pub(crate) why: Why,
}

/// Why a file was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum Why {
    /// The certificate in it is new.
    New,
    /// The file did not exist.
    Missing,
    /// The file could not be read.
    Damaged,
    /// The file did not match the files that it is made from.
    OutOfDate,
}

impl CertsReport {
    /// The printed text, with these colours. `program` is the name that a shell calls us by.
    pub(crate) fn printed<'r>(&'r self, program: &'r str, colours: Colours) -> impl fmt::Display {
        Printed { report: self, program, colours }
    }
}

impl fmt::Display for CertsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.printed("turnkey", Colours::NONE).fmt(f)
    }
}

impl fmt::Display for IdentityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Coloured { what: self, colours: Colours::NONE }.fmt(f)
    }
}

struct Printed<'r> {
    report: &'r CertsReport,
    program: &'r str,
    colours: Colours,
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report: CertsReport { out, identities, warnings }, program, colours } = *self;
        for what in identities {
            writeln!(f, "{}", Coloured { what, colours })?;
        }
        if !warnings.is_empty() {
            writeln!(f)?;
        }
        for warning in warnings {
            writeln!(f, "{} {warning}", colours.paint(colour::WARNING, "warning:"))?;
        }
        let file = |name| shell::quoted(&out.join(name).display().to_string());
        let program = shell::quoted(program);
        writeln!(
            f,
            "\nThe password of the .p12 files is \"{PKCS12_PASSWORD}\". It protects nothing: it \
             is there because key stores ask for one. Keep *.key, *.pem and *.p12 to yourself."
        )?;
        writeln!(
            f,
            "How to make browsers and others trust the CA: TRUSTING THE CA in the manual, \
             {program} man | man -l -"
        )?;
        writeln!(
            f,
            "\n{} (for mutual TLS add --client-ca {})",
            colours.paint(colour::STRONG, "Serve:"),
            file("ca.crt")
        )?;
        // The user can paste the last line.
        write!(f, "  {program} --cert {} --key {}", file("server_chain.pem"), file("server.key"))
    }
}

struct Coloured<'r, T> {
    what: &'r T,
    colours: Colours,
}

impl fmt::Display for Coloured<'_, IdentityReport> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IdentityReport { name, subject, names, not_after, outcome, written } = self.what;
        writeln!(f, "{}: {subject}", self.colours.paint(colour::STRONG, name))?;
        if !names.is_empty() {
            writeln!(f, "  for {}", names.join(", "))?;
        }
        writeln!(f, "  valid until {}", date(*not_after))?;
        f.write_str("  ")?;
        match outcome {
            Action::Created => write!(f, "{}", self.colours.paint(colour::GOOD, "created"))?,
            Action::Kept => write!(f, "{}", self.colours.paint(colour::FAINT, "kept"))?,
            Action::Renewed { why } => {
                write!(f, "{}: the old one {why}", self.colours.paint(colour::NOTE, "renewed"))?;
            }
            Action::Replaced => {
                write!(f, "{}, as --force says", self.colours.paint(colour::WARNING, "replaced"))?;
            }
        }
        for (n, Written { file, why }) in written.iter().enumerate() {
            f.write_str(if n == 0 { "; wrote " } else { ", " })?;
            f.write_str(file)?;
            f.write_str(match why {
                Why::New => "",
                Why::Missing => " (it was missing)",
                Why::Damaged => " (it was damaged)",
                Why::OutOfDate => " (it was out of date)",
            })?;
        }
        Ok(())
    }
}

/// The date of `time` in UTC.
pub(super) fn date(time: SystemTime) -> String {
    OffsetDateTime::from(time).date().to_string()
}
