//! The help texts, generated from the options, in the groups of the manual.

use std::fmt::Write;

use super::options::{self, Described, Group, Opt};

/// The width of the help, in columns.
const WIDTH: usize = 80;

/// The column of the text beside an option.
const TEXT_AT: usize = 28;

/// The options in the short help: those that most users need.
const USUAL: [&str; 11] = [
    "--host",
    "--port",
    "--cert",
    "--key",
    "--identity",
    "--adhoc",
    "--client-ca",
    "--redirect-from",
    "--dir",
    "--proxy",
    "--trust-proxy",
];

/// The full help of the program.
pub(crate) fn in_full() -> String {
    let (program, mut page) = start(|command| command.text);
    options_of(&mut page, "Options", &questions(&program), |option| option.text);
    for Group { heading, options } in options::groups() {
        options_of(&mut page, heading, &options, |option| option.text);
    }
    end(&mut page, &program);
    page
}

/// The short help of the program.
pub(crate) fn in_short() -> String {
    let (program, mut page) = start(Described::brief);
    let named = |name: &str| program.options.iter().find(|option| option.name == name).copied();
    let usual = USUAL.into_iter().filter_map(named);
    let all: Vec<_> = usual.chain(questions(&program)).collect();
    options_of(&mut page, "Usual options", &all, Opt::brief);
    paragraph(
        &mut page,
        "turnkey --help lists all options, turnkey COMMAND --help those of a command.",
    );
    page
}

/// The help of a command.
pub(crate) fn of_command(command: &Described) -> String {
    let words = command.words.iter().map(|word| word.shown());
    let mut usage = format!("turnkey {}", command.name);
    for word in words {
        // Writing to a `String` cannot fail.
        _ = write!(usage, " {word}");
    }
    if command.options.iter().any(|option| option.name != "--help") {
        usage.push_str(" [OPTIONS]");
    }
    let mut page = format!("Usage: {usage}\n");
    paragraph(&mut page, command.text);
    let own = command.options.iter().filter(|option| !is_of_serving_alone(command, option));
    options_of(&mut page, "Options", &own.copied().collect::<Vec<_>>(), |option| option.text);
    end(&mut page, command);
    page
}

/// The help of the program describes the options of serving that `check` accepts.
fn is_of_serving_alone(command: &Described, option: &Opt) -> bool {
    command.name == "check" && options::of_serving().any(|other| other.name == option.name)
}

/// The beginning of both help texts of the program; `text` gives the description of a command.
fn start(text: fn(&Described) -> &'static str) -> (Described, String) {
    let program = options::program();
    let mut page = "Usage: turnkey [OPTIONS]\n       turnkey COMMAND [OPTIONS]\n".to_owned();
    paragraph(&mut page, program.text);
    page.push_str("\nCommands:\n");
    for command in options::commands() {
        item(&mut page, &format!("  {}", command.name), text(&command));
    }
    (program, page)
}

/// The options that only print something.
fn questions(program: &Described) -> Vec<Opt> {
    program.options.iter().filter(|option| !options::is_of_serving(option)).copied().collect()
}

fn options_of(page: &mut String, heading: &str, options: &[Opt], text: fn(&Opt) -> &'static str) {
    _ = write!(page, "\n{heading}:\n");
    for option in options {
        let short = option.short.map_or_else(String::new, |short| format!("-{short}, "));
        let value = option.value.map_or_else(String::new, |value| format!(" {}", value.shown()));
        item(page, &format!("  {short}{}{value}", option.name), text(option));
    }
}

fn end(page: &mut String, described: &Described) {
    if !described.examples.is_empty() {
        page.push_str("\nExamples:\n");
        for example in described.examples {
            _ = writeln!(page, "  {example}");
        }
    }
    for note in described.notes.iter().flat_map(|note| note.lines()) {
        paragraph(page, note);
    }
}

/// A term, with its meaning beside it.
fn item(page: &mut String, term: &str, text: &str) {
    page.push_str(term);
    let mut column = term.chars().count();
    if column + 2 > TEXT_AT {
        page.push('\n');
        column = 0;
    }
    for line in wrapped(text, WIDTH - TEXT_AT) {
        _ = writeln!(page, "{:space$}{line}", "", space = TEXT_AT - column);
        column = 0;
    }
}

fn paragraph(page: &mut String, text: &str) {
    page.push('\n');
    for line in wrapped(text, WIDTH) {
        _ = writeln!(page, "{line}");
    }
}

/// `text` in lines of at most `width` columns, except for longer words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<String> {
        let commands = options::commands();
        let mut all = vec![in_full(), in_short()];
        all.extend(commands.iter().map(of_command));
        all
    }

    #[test]
    fn it_fits_a_terminal_and_begins_with_a_short_usage() {
        for page in all() {
            for line in page.lines() {
                // Commands to copy stay on one line.
                let fits = line.chars().count() <= WIDTH || line.starts_with("  turnkey ");
                assert!(fits && line == line.trim_end(), "{line:?}");
            }
            assert!(page.starts_with("Usage: turnkey") && !page.contains("\n\n\n"), "{page}");
            let usage = page.lines().take_while(|line| !line.is_empty()).count();
            assert!(usage <= 2 && page.ends_with('\n'), "{page}");
        }
    }

    #[test]
    fn every_option_stands_under_a_heading_of_the_manual() {
        let page = in_full();
        for Group { heading, options } in options::groups() {
            let (_, group) = page.split_once(&format!("\n{heading}:\n")).unwrap();
            let (group, _) = group.split_once("\n\n").unwrap();
            let items = group.lines().filter(|line| line.starts_with("  -"));
            assert_eq!(items.count(), options.len(), "{group}");
            for option in &options {
                let stands = group.split_whitespace().any(|word| word == option.name);
                assert!(stands, "{} under {heading}: {group}", option.name);
            }
        }
    }

    #[test]
    fn the_short_help_has_the_usual_options_on_one_screen() {
        let page = in_short();
        assert!(page.lines().count() <= 40, "{page}");
        for name in USUAL.iter().chain(&["--help", "--version"]) {
            assert!(page.split_whitespace().any(|word| word == *name), "{name}: {page}");
        }
        assert!(!page.contains("--max-head"), "{page}");
    }

    #[test]
    fn names_stand_in_capitals_and_choices_as_they_are_typed() {
        let page = in_full();
        for term in ["\n  -p, --port PORT  ", "\n  --tls-min 1.2|1.3  ", "\n  -h, --help  "] {
            assert!(page.contains(term), "no {term:?} in {page}");
        }
        let commands = options::commands();
        let of = |name| of_command(commands.iter().find(|command| command.name == name).unwrap());
        assert!(of("completions").starts_with("Usage: turnkey completions bash|zsh|fish\n"));
        assert!(of("certs").starts_with("Usage: turnkey certs [OPTIONS]\n"));
        assert!(of("man").starts_with("Usage: turnkey man\n"));
        assert!(of("check").contains("--json") && !of("check").contains("--max-head"));
    }
}
