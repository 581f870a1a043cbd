//! The manual page, generated from the options, so that it always matches them.

mod prose;
mod roff;
mod trusting;

use std::time::{Duration, SystemTime};

use time::{Date, OffsetDateTime};

use self::roff::{Page, Term};
use super::options::{self, Described, Opt};

/// The date on the page: that of `SOURCE_DATE_EPOCH`, so that two builds of a package are identical
/// (<https://reproducible-builds.org/specs/source-date-epoch/>), or else today.
pub(crate) fn date(variable: &dyn Fn(&str) -> Option<String>) -> Date {
    let seconds = variable("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
    let given = seconds.and_then(|s| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(s)));
    OffsetDateTime::from(given.unwrap_or_else(SystemTime::now)).date()
}

/// The page, for `man -l`.
pub(crate) fn page(date: Date) -> String {
    let (program, commands) = (options::program(), options::commands());
    let version = concat!("turnkey ", env!("CARGO_PKG_VERSION"));
    let mut page = Page::new("TURNKEY", &date.to_string(), version);
    page.section("NAME");
    page.text("turnkey - put an app on HTTP, HTTPS or mutual TLS by one switch");
    synopsis(&mut page, &commands);
    page.section("DESCRIPTION");
    prose::description(&mut page);
    page.section("OPTIONS");
    prose::before_options(&mut page);
    for option in program.options.iter().filter(|option| !options::is_of_serving(option)) {
        item(&mut page, option, false);
    }
    for group in options::groups() {
        page.subsection(group.heading);
        for option in &group.options {
            item(&mut page, option, true);
        }
    }
    page.section("COMMANDS");
    for command in &commands {
        describe(&mut page, command, &program);
    }
    trusting::section(&mut page);
    prose::after_commands(&mut page);
    page.section("EXAMPLES");
    for example in program.examples {
        page.example([*example]);
    }
    prose::see_also(&mut page);
    page.finish()
}

fn synopsis(page: &mut Page, commands: &[Described]) {
    page.section("SYNOPSIS");
    page.term_line(&Term::default().literal("turnkey").plain(" [").variable("options").plain("]"));
    for command in commands {
        page.break_line();
        let mut line = Term::default().literal("turnkey ").literal(command.name);
        for word in &command.words {
            line = line.plain(" ").literal(word.0);
        }
        if command.options.iter().any(|option| option.name != "--help") {
            line = line.plain(" [").variable("options").plain("]");
        }
        page.term_line(&line);
    }
}

/// A command, and its options that are not already described as the program's.
fn describe(page: &mut Page, command: &Described, program: &Described) {
    page.subsection(&format!("turnkey {}", command.name));
    page.text(command.text);
    for note in command.notes {
        page.paragraph(note);
    }
    for option in &command.options {
        let told = |other: &Opt| other.name == option.name && other.text == option.text;
        if !program.options.iter().any(told) {
            item(page, option, false);
        }
    }
    if !command.examples.is_empty() {
        page.example(command.examples.iter().copied());
    }
}

/// An option, its meaning, and its variable, if it has one.
fn item(page: &mut Page, option: &Opt, has_variable: bool) {
    let mut term = Term::default();
    if let Some(short) = option.short {
        term = term.literal(&format!("-{short}")).plain(", ");
    }
    term = term.literal(option.name);
    if let Some(value) = option.value {
        term = term.plain(" ");
        term = match value.choices() {
            Some(_) => term.literal(value.0),
            None => term.variable(value.0),
        };
    }
    page.item(&term, option.text);
    if has_variable {
        page.break_line();
        page.term_line(&Term::default().plain("Environment: ").literal(&option.variable()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_can_be_given() {
        let day = |text: &str| date(&|_| Some(text.to_owned())).to_string();
        assert_eq!(day("1700000000"), "2023-11-14");
        // An invalid date must not prevent the manual.
        assert_eq!(day("yesterday"), date(&|_| None).to_string());
    }
}
