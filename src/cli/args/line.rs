//! Splits the words of a command line into commands, and options with their values.

use super::habits;
use crate::cli::options::{self, Opt};
use crate::console::shell::quoted;

/// The words of a command line, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line(pub(super) Vec<Part>);

/// One part of what the user typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// A command, or an argument of a command.
    Word(String),
    /// An option, which may be unknown.
    Option(Typed),
    /// Two dashes, which end the options by convention.
    End,
}

/// An option as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    /// With its dashes.
    pub(super) name: String,
    pub(super) value: Option<String>,
    /// Whether `=` joins the value to the name, so that it is not a separate word.
    pub(super) joined: bool,
}

impl Line {
    pub(super) fn read(words: &[String]) -> Self {
        let options: Vec<Opt> = super::all().collect();
        let takes_value = |name: &str| {
            let ours = options.iter().find(|option| option.is_named(name));
            ours.map_or_else(|| habits::takes_value(name), |option| !option.is_switch())
        };
        let is_ours = |word: &str| {
            let name = word.split_once('=').map_or(word, |(name, _)| name);
            word.starts_with("--") && options.iter().any(|option| option.name == name)
        };
        let mut parts = Vec::with_capacity(words.len());
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            parts.push(if word == "--" {
                Part::End
            } else if !word.starts_with('-') || word == "-" {
                Part::Word(word.clone())
            } else if let Some((name, value)) = split(word, takes_value) {
                Part::Option(Typed::new(name, Some(value.to_owned()), true))
            } else {
                // A value may begin with dashes, but one of our options in its place shows that the value is
                // missing.
                let value = words.next_if(|next| takes_value(word) && !is_ours(next));
                Part::Option(Typed::new(word, value.cloned(), false))
            });
        }
        Self(parts)
    }

    /// The command, if the first word is the name of one.
    pub(super) fn command(&self) -> Option<&'static str> {
        let Some(Part::Word(first)) = self.0.first() else { return None };
        options::commands().iter().map(|command| command.name).find(|name| name == first)
    }

    /// The words that are neither options nor their values.
    pub(super) fn plain_words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Word(word) => Some(word.as_str()),
            _ => None,
        })
    }

    /// Whether one of `names` is among the options.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Option(o) if names.contains(&&*o.name)))
    }

    /// The command line with these words, quoted for a shell.
    pub(super) fn typed(&self) -> String {
        let words = self.0.iter().flat_map(|part| match part {
            Part::Word(word) => vec![quoted(word)],
            Part::Option(option) => option.words().iter().map(|word| quoted(word)).collect(),
            Part::End => vec!["--".to_owned()],
        });
        ["turnkey".to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
    }
}

impl Typed {
    pub(super) fn new(name: &str, value: Option<String>, joined: bool) -> Self {
        Self { name: name.to_owned(), value, joined }
    }

    fn words(&self) -> Vec<String> {
        match &self.value {
            Some(value) if self.joined && self.name.starts_with("--") => {
                vec![format!("{}={value}", self.name)]
            }
            value => [Some(&self.name), value.as_ref()].into_iter().flatten().cloned().collect(),
        }
    }
}

/// The name and the value in `--port=8443`, `-p8443` or `-p=8443`.
fn split(word: &str, takes_value: impl Fn(&str) -> bool) -> Option<(&str, &str)> {
    if word.starts_with("--") {
        return word.split_once('=');
    }
    let end = word.char_indices().nth(2)?.0;
    let (name, value) = word.split_at(end);
    takes_value(name).then(|| (name, value.strip_prefix('=').unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Vec<Part> {
        Line::read(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>()).0
    }

    fn option(name: &str, value: Option<&str>, joined: bool) -> Part {
        Part::Option(Typed::new(name, value.map(str::to_owned), joined))
    }

    #[test]
    fn options_are_read_with_their_values() {
        for (words, part) in [
            (&["--port", "1"][..], option("--port", Some("1"), false)),
            (&["--port=1"], option("--port", Some("1"), true)),
            (&["-p", "1"], option("-p", Some("1"), false)),
            (&["-p1"], option("-p", Some("1"), true)),
            (&["-p=1"], option("-p", Some("1"), true)),
            (&["--cert=a=b"], option("--cert", Some("a=b"), true)),
            (&["--cert", "-"], option("--cert", Some("-"), false)),
            (&["--cert", ""], option("--cert", Some(""), false)),
            (&["--cert"], option("--cert", None, false)),
            (&["--adhoc"], option("--adhoc", None, false)),
            (&["--adhoc=no"], option("--adhoc", Some("no"), true)),
            (&["-V"], option("-V", None, false)),
            (&["-Vp"], option("-Vp", None, false)),
            (&["-ü1"], option("-ü1", None, false)),
            (&["--certfile", "a"], option("--certfile", Some("a"), false)),
            (&["-C", "a"], option("-C", Some("a"), false)),
            (&["-"], Part::Word("-".to_owned())),
            (&["--"], Part::End),
        ] {
            assert_eq!(read(words), [part], "{words:?}");
        }
        let missing = [option("--cert", None, false), option("--key", Some("k"), false)];
        assert_eq!(read(&["--cert", "--key", "k"]), missing);
        let unknown = [option("--prot", None, false), Part::Word("1".to_owned())];
        assert_eq!(read(&["--prot", "1"]), unknown);
    }

    #[test]
    fn a_line_is_typed_as_it_was_read() {
        for (words, typed) in [
            (&["--port=1", "--cert", "my cert"][..], "turnkey --port=1 --cert 'my cert'"),
            (&["check", "--allow-cn=*"], "turnkey check '--allow-cn=*'"),
            (&["-p8443", "-V"], "turnkey -p 8443 -V"),
        ] {
            assert_eq!(Line(read(words)).typed(), typed);
        }
    }
}
