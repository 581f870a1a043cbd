//! Finds out which backends can do what is asked, by building each.

use turnkey::backend::{BuildError, Built};
use turnkey::tls::{BackendName, compiled_backends};
use turnkey::{Mode, ModeError, Tls};

use crate::config::files::{Finding, Subject};
use crate::console::causes::with_causes;

/// A TLS backend that was compiled in.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) name: &'static str,
    pub(super) library: String,
    /// What is asked for and it does not support.
    pub(super) lacks: Option<&'static str>,
    /// Any other reason why it cannot serve this.
    pub(super) error: Option<String>,
}

impl Survey {
    pub(super) fn is_able(&self) -> bool {
        self.lacks.is_none() && self.error.is_none()
    }
}

/// Tries each compiled backend, in the order of preference.
pub(super) fn survey(mode: &Mode, choice: &Tls) -> Vec<Survey> {
    let compiled = compiled_backends();
    let survey = compiled.into_iter().map(|(name, library)| {
        let backend = name.parse::<BackendName>().ok();
        let built = mode.clone().build(&Tls { backend, ..choice.clone() });
        let (lacks, error) = match built {
            Ok(_) => (None, None),
            Err(ModeError::Lacks { what, .. }) => (Some(what), None),
            Err(error) => (None, Some(with_causes(&error))),
        };
        Survey { name, library, lacks, error }
    });
    survey.collect()
}

/// Builds the chosen backend.
pub(super) fn build(
    mode: Mode,
    choice: &Tls,
    surveys: &[Survey],
) -> Result<(Built, Finding), Finding> {
    let subject = Subject::option("--backend");
    let error = match mode.build(choice) {
        Ok(built) => {
            let text = format!("what would serve is {}", built.description());
            return Ok((built, Finding::ok("backend-chosen", &subject, text)));
        }
        Err(error) => error,
    };
    let (code, subject) = match &error {
        ModeError::Build(BuildError::KeyMismatch) => ("key-mismatch", Subject::option("--key")),
        _ => ("backend", subject),
    };
    let finding = Finding::error(code, &subject, with_causes(&error));
    let able = surveys.iter().find(|survey| survey.is_able()).map(|survey| survey.name);
    Err(match (able, &error) {
        // The other errors already name the backends that can.
        (Some(able), ModeError::Build(_)) => {
            finding.fix(format!("--backend {able} can serve this"))
        }
        _ => finding,
    })
}

/// One line for each.
pub(super) fn findings(surveys: &[Survey]) -> Vec<Finding> {
    let subject = Subject::option("--backend");
    let mut findings: Vec<_> = surveys
        .iter()
        .map(|Survey { name, library, lacks, error }| {
            let obstacle = lacks.map(|what| format!("cannot do {what}")).or_else(|| error.clone());
            match obstacle {
                None => {
                    let text = format!("{name} ({library}) can serve this");
                    Finding::ok("backend-able", &subject, text)
                }
                Some(what) => {
                    let text = format!("{name} ({library}): {what}");
                    Finding::note("backend-unable", &subject, text)
                }
            }
        })
        .collect();
    let missing = BackendName::TLS.iter().filter(|backend| backend.capabilities().is_none());
    let missing: Vec<_> = missing.map(|backend| backend.name()).collect();
    if !missing.is_empty() {
        let text = format!("not compiled in: {}", missing.join(", "));
        findings.push(Finding::ok("backend-absent", &subject, text));
    }
    findings
}
