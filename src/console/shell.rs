//! Shells: those that complete what is typed, and what they make of a word.

use argh::FromArgValue;

/// A shell that completes what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromArgValue)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// `word` as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    // What separates the parts of a path is nothing special to the shell there.
    let separator = |c| cfg!(windows) && c == '\\';
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%".contains(c) || separator(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
