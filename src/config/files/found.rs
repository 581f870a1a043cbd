//! The result of checking files and options: an error, a warning, or no problem.

use std::fmt;
use std::path::{Path, PathBuf};

/// How serious a finding is, the least serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Nothing is wrong.
    Ok,
    /// Useful to know.
    Note,
    /// The server starts, but some clients will have problems.
    Warning,
    /// The server does not start.
    Error,
}

impl Severity {
    pub(crate) fn name(self) -> &'static str {
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
    /// The kind of finding, for programs. It never changes between versions.
    pub(crate) code: &'static str,
    pub(crate) subject: Subject,
    pub(crate) text: String,
    /// How to fix it: the field `fix` of the JSON output.
    pub(crate) fix: Option<String>,
    /// Whether the command line is wrong, not a file that it names.
    pub(crate) of_usage: bool,
}

impl Finding {
    pub(crate) fn ok(code: &'static str, subject: &Subject, text: impl Into<String>) -> Self {
        Self::new(Severity::Ok, code, subject, text)
    }

    pub(crate) fn note(code: &'static str, subject: &Subject, text: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, subject, text)
    }

    pub(crate) fn warning(code: &'static str, subject: &Subject, text: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, subject, text)
    }

    pub(crate) fn error(code: &'static str, subject: &Subject, text: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, subject, text)
    }

    /// An error of a file. Its text says how to fix it.
    pub(crate) fn file(file: &Path, option: &'static str, text: impl Into<String>) -> Self {
        let code = match option {
            "--cert" | "--key" | "--identity" | "--key-password-file" => "unreadable",
            "--upstream-cert" | "--upstream-key" => "upstream-identity",
            // All other codes are the names of their options.
            other => other.trim_start_matches('-'),
        };
        Self::error(code, &Subject::file(file, option), text)
    }

    pub(crate) fn with_code(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    /// Marks it as wrong usage.
    pub(crate) fn of_usage(self) -> Self {
        Self { of_usage: true, ..self }
    }

    pub(crate) fn fix(mut self, what: impl Into<String>) -> Self {
        self.fix = Some(what.into());
        self
    }

    fn new(
        severity: Severity,
        code: &'static str,
        subject: &Subject,
        text: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            code,
            subject: subject.clone(),
            text: text.into(),
            fix: None,
            of_usage: false,
        }
    }

    /// Whether both say the same to people, ignoring their codes.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        let Self { severity, code: _, subject, text, fix, of_usage: _ } = self;
        *severity == other.severity
            && (subject, text, fix) == (&other.subject, &other.text, &other.fix)
    }

    /// What it is, and how to fix it.
    pub(crate) fn sentence(&self) -> String {
        match &self.fix {
            Some(fix) => format!("{}; {fix}", self.text),
            None => self.text.clone(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject.file {
            Some(file) => {
                write!(f, "{}: {} ({})", file.display(), self.sentence(), self.subject.option)
            }
            None => write!(f, "{}: {}", self.subject.option, self.sentence()),
        }
    }
}

/// The option that generates certificates for one run.
pub(crate) const MADE_UP: &str = "--adhoc";

/// The subject of a finding: a file and the option that names it, or only an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    file: Option<PathBuf>,
    option: &'static str,
}

impl Subject {
    pub(crate) fn file(file: &Path, option: &'static str) -> Self {
        Self { file: Some(file.to_owned()), option }
    }

    pub(crate) fn option(option: &'static str) -> Self {
        Self { file: None, option }
    }

    /// What is generated for this run.
    pub(crate) fn adhoc() -> Self {
        Self::option(MADE_UP)
    }

    pub(crate) fn is_made_up(&self) -> bool {
        self.option == MADE_UP
    }

    /// The file, or else the option.
    pub(crate) fn name(&self) -> String {
        match &self.file {
            Some(file) => file.display().to_string(),
            None => self.option.to_owned(),
        }
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    pub(crate) fn option_name(&self) -> &'static str {
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
