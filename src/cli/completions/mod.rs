//! Scripts for shells that complete the commands, options and files of turnkey: one for each shell, all generated
//! from the same options.

mod bash;
mod fish;
mod zsh;

use super::options::{self, Described, Opt};
use crate::console::shell::Shell;

/// The script for `shell`.
pub(crate) fn script(shell: Shell) -> String {
    let (program, commands) = (options::program(), options::commands());
    match shell {
        Shell::Bash => bash::script(&program, &commands),
        Shell::Zsh => zsh::script(&program, &commands),
        Shell::Fish => fish::script(&program, &commands),
    }
}

/// The names of all commands, separated by spaces.
fn names(commands: &[Described]) -> String {
    commands.iter().map(|command| command.name).collect::<Vec<_>>().join(" ")
}

/// The option's names: the long one, and the short one if it has one.
fn both_names(option: &Opt) -> Vec<String> {
    let short = option.short.map(|short| format!("-{short}"));
    [Some(option.name.to_owned()), short].into_iter().flatten().collect()
}

/// Text quoted as one word for a shell. (Not for fish, where a backslash has a meaning inside quotes.)
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
