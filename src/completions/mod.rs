//! Scripts that make shells complete the commands, options and files of turnkey: one for each shell,
//! all made from the same options.

mod bash;
mod fish;
mod zsh;

use crate::options::{self, Described, Opt};
use crate::shell::Shell;

/// The script for `shell`.
pub(crate) fn script(shell: Shell) -> String {
    let (program, commands) = (options::program(), options::commands());
    match shell {
        Shell::Bash => bash::script(&program, &commands),
        Shell::Zsh => zsh::script(&program, &commands),
        Shell::Fish => fish::script(&program, &commands),
    }
}

/// What fits beside an option: what it means, without its default.
fn brief(option: &Opt) -> &'static str {
    option.text.split_once(';').map_or(option.text, |(brief, _)| brief)
}

/// The first sentence of what a command does.
fn brief_of(command: &Described) -> &'static str {
    let text = command.text;
    let end = [text.find(';'), text.find(". ")].into_iter().flatten().min();
    text.get(..end.unwrap_or(text.len())).unwrap_or(text).trim_end_matches('.')
}

/// All commands' names, with spaces between.
fn names(commands: &[Described]) -> String {
    commands.iter().map(|command| command.name).collect::<Vec<_>>().join(" ")
}

/// The option's names: the long one, and the short one if there is one.
fn both_names(option: &Opt) -> Vec<String> {
    let short = option.short.map(|short| format!("-{short}"));
    [Some(option.name.to_owned()), short].into_iter().flatten().collect()
}

/// Text that a shell takes as one word, as it is. (Not for fish, to which a backslash means something
/// there too.)
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
