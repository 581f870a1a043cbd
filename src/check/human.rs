use std::env;
use std::io::{self, IsTerminal};

use super::finding::{Finding, Severity};
use super::report::Report;

/// The report as lines of text, by what they are about.
pub(super) fn text(report: &Report) -> String {
    let colours = colours();
    let mut lines = Vec::new();
    let mut told: Vec<&Finding> = Vec::new();
    for finding in &report.findings {
        if told.iter().any(|other| other.subject == finding.subject) {
            continue;
        }
        lines.push(one_line(&finding.subject.to_string()));
        let group: Vec<_> =
            report.findings.iter().filter(|f| f.subject == finding.subject).collect();
        lines.extend(group.iter().map(|finding| line(finding, colours)));
        told.push(finding);
    }
    lines.push(String::new());
    lines.push(report.verdict());
    lines.push(String::new());
    lines.join("\n")
}

fn line(finding: &Finding, colours: bool) -> String {
    let mark = format!("{:8}", finding.severity.name());
    let mark = match (colours, finding.severity) {
        (false, _) => mark,
        (true, Severity::Ok) => format!("\x1b[32m{mark}\x1b[0m"),
        (true, Severity::Note) => format!("\x1b[36m{mark}\x1b[0m"),
        (true, Severity::Warning) => format!("\x1b[33m{mark}\x1b[0m"),
        (true, Severity::Error) => format!("\x1b[1;31m{mark}\x1b[0m"),
    };
    format!("  {mark} {}", one_line(&finding.sentence()))
}

/// Names of files can hold anything; a line stays one.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// On a terminal, unless somebody does not want them (<https://no-color.org>).
fn colours() -> bool {
    let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    wanted && env::var_os("TERM").is_none_or(|term| term != "dumb") && io::stdout().is_terminal()
}
