use std::fmt;
use std::path::{Path, PathBuf};

use crate::files::FileError;
use crate::identity_files::IdentityFile;

/// How serious a finding is, the least serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Nothing is wrong.
    Ok,
    /// Good to know.
    Note,
    /// The server starts, but some clients will have problems.
    Warning,
    /// The server does not start.
    Error,
}

impl Severity {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that was checked, and the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// The kind of finding, for programs: it never changes between versions.
    pub(super) code: &'static str,
    pub(super) subject: Subject,
    pub(super) text: String,
    /// What to do about it: the field `fix` of the JSON output.
    pub(super) fix: Option<String>,
}

impl Finding {
    pub(super) fn ok(code: &'static str, subject: &Subject, text: impl Into<String>) -> Self {
        Self::new(Severity::Ok, code, subject, text)
    }

    pub(super) fn note(code: &'static str, subject: &Subject, text: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, subject, text)
    }

    pub(super) fn warning(code: &'static str, subject: &Subject, text: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, subject, text)
    }

    pub(super) fn error(code: &'static str, subject: &Subject, text: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, subject, text)
    }

    /// An error in a file. Its text already contains the fix.
    pub(super) fn file(code: &'static str, error: &FileError) -> Self {
        Self::error(code, &Subject::file(error.path(), error.option()), error.what())
    }

    pub(super) fn fix(mut self, what: impl Into<String>) -> Self {
        self.fix = Some(what.into());
        self
    }

    fn new(
        severity: Severity,
        code: &'static str,
        subject: &Subject,
        text: impl Into<String>,
    ) -> Self {
        Self { severity, code, subject: subject.clone(), text: text.into(), fix: None }
    }

    /// The finding and its fix, as one line.
    pub(super) fn sentence(&self) -> String {
        match &self.fix {
            Some(fix) => format!("{}; {fix}", self.text),
            None => self.text.clone(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The same form as `FileError`.
        match &self.subject.file {
            Some(file) => {
                write!(f, "{}: {} ({})", file.display(), self.sentence(), self.subject.option)
            }
            None => write!(f, "{}: {}", self.subject.option, self.sentence()),
        }
    }
}

/// The option that makes certificates for one run.
pub(super) const MADE_UP: &str = "--adhoc";

/// What a finding is about: a file and the option that names it, or only an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    file: Option<PathBuf>,
    option: &'static str,
}

impl Subject {
    pub(super) fn file(file: &Path, option: &'static str) -> Self {
        Self { file: Some(file.to_owned()), option }
    }

    /// The certificates of an identity.
    pub(super) fn certificate_of(identity: &IdentityFile) -> Self {
        Self::file(identity.certificate_file(), identity.certificate_option())
    }

    pub(super) fn option(option: &'static str) -> Self {
        Self { file: None, option }
    }

    /// The certificates that were made for this run.
    pub(super) fn made_up() -> Self {
        Self::option(MADE_UP)
    }

    pub(super) fn is_made_up(&self) -> bool {
        self.option == MADE_UP
    }

    /// The file, or the option if there is no file.
    pub(super) fn name(&self) -> String {
        match &self.file {
            Some(file) => file.display().to_string(),
            None => self.option.to_owned(),
        }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    pub(super) fn option_name(&self) -> &'static str {
        self.option
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{} ({})", file.display(), self.option),
            None => f.write_str(self.option),
        }
    }
}
