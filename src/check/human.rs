use anstyle::Style;

use super::report::Report;
use crate::config::files::{Finding, Severity};
use crate::console::colour::{self, Colours};

/// The report as lines of text, grouped by subject.
pub(super) fn text(report: &Report, colours: Colours) -> String {
    let mut lines = Vec::new();
    let mut told: Vec<&Finding> = Vec::new();
    for finding in &report.findings {
        if told.iter().any(|other| other.subject == finding.subject) {
            continue;
        }
        let heading = one_line(&finding.subject.to_string());
        lines.push(colours.paint(colour::STRONG, heading).to_string());
        let group: Vec<_> =
            report.findings.iter().filter(|f| f.subject == finding.subject).collect();
        lines.extend(group.iter().map(|finding| line(finding, colours)));
        told.push(finding);
    }
    lines.push(String::new());
    lines.push(colours.paint(style(report.worst()), report.verdict()).to_string());
    lines.push(String::new());
    lines.join("\n")
}

fn line(finding: &Finding, colours: Colours) -> String {
    let mark = format!("{:8}", finding.severity.name());
    let mark = colours.paint(style(finding.severity), mark);
    format!("  {mark} {}", one_line(&finding.sentence()))
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Ok => colour::GOOD,
        Severity::Note => colour::NOTE,
        Severity::Warning => colour::WARNING,
        Severity::Error => colour::BAD,
    }
}

/// File names can contain anything, but a line must stay one line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
