//! The message for a command line that is not understood: one line, with a guess at what the user meant if there is
//! a good one, and where to read more.

use std::iter;

use crate::cli::nearest::nearest;
use crate::cli::options::{self, Described, Opt};
use crate::console::shell::quoted;

/// argh's error for these words, for the command or the program.
pub(super) fn complaint(output: &str, command: Option<&str>, words: &[String]) -> String {
    let commands = options::commands();
    let command = commands.iter().find(|known| Some(known.name) == command);
    let unknown = output.trim_end_matches('\n').strip_prefix("Unrecognized argument: ");
    if let Some(typed) = unknown {
        return unrecognized(typed, command, &commands);
    }
    let wrong = words.iter().zip(words.iter().skip(1)).find_map(|(option, value)| {
        Some(format!("{option} {}: {}", shown(value), problem(output, option, value)?))
    });
    advised(&wrong.unwrap_or_else(|| one_line(output)), command)
}

/// argh's description of what is wrong with the value of this option; `None` if its error is another one.
pub(super) fn problem(output: &str, option: &str, value: &str) -> Option<String> {
    let start = format!("Error parsing option '{option}' with value '{value}': ");
    Some(match output.strip_prefix(&start)?.trim_end() {
        "duplicate values provided" => "given more than once".to_owned(),
        problem => problem.to_owned(),
    })
}

/// A value on one line, as the user types it.
pub(super) fn shown(value: &str) -> String {
    if value.contains(char::is_control) {
        return format!("'{}'", value.escape_debug());
    }
    quoted(value)
}

/// The message for an unknown command.
pub(super) fn no_command(typed: &str, commands: &[Described]) -> String {
    let names: Vec<_> = commands.iter().map(|command| command.name).collect();
    let options = options::program().options;
    let options = options.iter().map(|option| option.name);
    let shown = typed.escape_debug();
    advised(
        &match nearest(typed, names.iter().copied()).or_else(|| nearest(typed, options)) {
            None => format!("there is no command {shown}: there are {}", names.join(", ")),
            meant => format!("there is no command {shown}{}", guess(meant)),
        },
        None,
    )
}

/// The message for options before the command, which argh accepts: there they would be options of serving.
pub(super) fn misplaced(command: &str, words: &[String]) -> String {
    let (commands, program) = (options::commands(), options::program());
    let command = commands.iter().find(|known| known.name == command).unwrap_or(&program);
    let (first, rest) = words.split_first().map_or(("", words), |(first, rest)| (first, rest));
    let Some(known) = option(command, first) else { return of_another(first, command, &program) };
    let value = rest.first().filter(|_| !known.is_switch());
    let value = value.map_or_else(String::new, |value| format!(" {}", value.escape_debug()));
    let example = format!("{} {first}{value}", called(command));
    advised(&format!("options go behind the command, as in: {example}"), Some(command))
}

/// argh's message of several lines on one line, in lower case.
pub(super) fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.trim_end_matches('.');
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// The message for a word that is neither an option nor a command there.
fn unrecognized(typed: &str, command: Option<&Described>, commands: &[Described]) -> String {
    let program = options::program();
    let here = command.unwrap_or(&program);
    let mut elsewhere =
        iter::once(&program).chain(commands).filter(|other| other.name != here.name);
    if let Some(owner) = elsewhere.find(|other| option(other, typed).is_some()) {
        return of_another(typed, here, owner);
    }
    let shown = typed.escape_debug();
    let options = here.options.iter().map(|option| option.name);
    let said = if typed.starts_with("--") {
        format!("there is no option {shown}{}", guess(nearest(typed, options)))
    } else if typed.starts_with('-') {
        // A single letter is not similar to any name.
        format!("there is no option {shown}")
    } else if command.is_some() {
        format!("turnkey {} takes no word such as {shown}", here.name)
    } else {
        return no_command(typed, commands);
    };
    advised(&said, command)
}

fn guess(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |meant| format!(" (did you mean {meant}?)"))
}

fn of_another(typed: &str, here: &Described, owner: &Described) -> String {
    let said = format!("{typed} is an option of {}, not of {}", called(owner), called(here));
    advised(&said, Some(owner))
}

fn advised(said: &str, command: Option<&Described>) -> String {
    format!("{said}; see {} --help", command.map_or_else(|| "turnkey".to_owned(), called))
}

/// How the user calls it.
fn called(command: &Described) -> String {
    match command.name {
        "turnkey" => "turnkey".to_owned(),
        name => format!("turnkey {name}"),
    }
}

fn option<'d>(command: &'d Described, name: &str) -> Option<&'d Opt> {
    command.options.iter().find(|option| option.is_named(name))
}
