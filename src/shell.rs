//! Shells: those that complete what is typed, and what they make of a word.

use std::str::FromStr;

/// A shell that completes what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl FromStr for Shell {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "bash" => Ok(Self::Bash),
            "zsh" => Ok(Self::Zsh),
            "fish" => Ok(Self::Fish),
            _ => Err("expected bash, zsh or fish".to_owned()),
        }
    }
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
