//! Shells: those with completions, and how to quote a word for them.

use argh::FromArgValue;

/// A shell that turnkey has completions for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromArgValue)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// `word`, quoted for a shell if necessary.
pub(crate) fn quoted(word: &str) -> String {
    // The separator of paths is not special to the shell there.
    let separator = |c| cfg!(windows) && c == '\\';
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%".contains(c) || separator(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
