//! The commands and their options, as argh knows them: for the code that reads words and variables, and for the
//! code that describes them (the help, the manual page, the completions of shells).

mod groups;

use argh::{ArgsInfo, CommandInfoWithArgs, FlagInfo, FlagInfoKind, Optionality};

pub(crate) use self::groups::{Group, groups};
use crate::cli::Serve;

/// An option of a command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opt {
    /// With its dashes.
    pub(crate) name: &'static str,
    /// Without its dash.
    pub(crate) short: Option<char>,
    /// The value that it takes; `None` for a switch.
    pub(crate) value: Option<Value>,
    /// Whether it may be given more than once; a variable separates the values by commas.
    pub(crate) repeats: bool,
    /// Its meaning and its default.
    pub(crate) text: &'static str,
}

/// What an option takes, from its `arg_name` in `cli/mod.rs`: the possible values separated by bars, or else a word
/// for the kind of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value(pub(crate) &'static str);

impl Opt {
    pub(crate) fn is_switch(&self) -> bool {
        self.value.is_none()
    }

    /// Whether `word` is its long or its short name.
    pub(crate) fn is_named(&self, word: &str) -> bool {
        let short = || word.strip_prefix('-').zip(self.short);
        word == self.name || short().is_some_and(|(rest, short)| rest.chars().eq([short]))
    }

    /// Its meaning, without the default.
    pub(crate) fn brief(&self) -> &'static str {
        self.text.split_once(';').map_or(self.text, |(brief, _)| brief)
    }

    /// Its variable: `--client-ca` is `TURNKEY_CLIENT_CA` in the environment.
    pub(crate) fn variable(&self) -> String {
        let name = self.name.trim_start_matches('-').replace('-', "_");
        format!("TURNKEY_{}", name.to_ascii_uppercase())
    }
}

impl Value {
    /// All possible values, if they can be listed.
    pub(crate) fn choices(self) -> Option<impl Iterator<Item = &'static str>> {
        self.0.contains('|').then(|| self.0.split('|'))
    }

    /// How it is shown after an option: `FILE`, or the values themselves.
    pub(crate) fn shown(self) -> String {
        if self.choices().is_some() { self.0.to_owned() } else { self.0.to_uppercase() }
    }

    pub(crate) fn is_file(self) -> bool {
        self.0 == "file"
    }

    pub(crate) fn is_folder(self) -> bool {
        self.0 == "dir"
    }
}

/// A command, with its options and arguments.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    pub(crate) options: Vec<Opt>,
    /// Its arguments that are not options.
    pub(crate) words: Vec<Value>,
    pub(crate) examples: &'static [&'static str],
    pub(crate) notes: &'static [&'static str],
}

/// The program without a command, which serves.
pub(crate) fn program() -> Described {
    Described::new("turnkey", &Serve::get_args_info())
}

/// The options of serving, which the environment can set and `check` accepts.
pub(crate) fn of_serving() -> impl Iterator<Item = Opt> {
    program().options.into_iter().filter(is_of_serving)
}

/// Whether this is an option of serving. The other options print something, and the program ends.
pub(crate) fn is_of_serving(option: &Opt) -> bool {
    !["--help", "--version"].contains(&option.name)
}

/// All commands, with their options and arguments.
pub(crate) fn commands() -> Vec<Described> {
    let described = Serve::get_args_info().commands.into_iter().map(|command| {
        let mut described = Described::new(command.name, &command.command);
        if command.name == "check" {
            described.options.extend(of_serving());
        }
        described
    });
    described.collect()
}

impl Described {
    fn new(name: &'static str, info: &CommandInfoWithArgs) -> Self {
        Self {
            name,
            text: info.description,
            options: info.flags.iter().map(Opt::from).collect(),
            words: info.positionals.iter().map(|word| Value(word.name)).collect(),
            examples: info.examples,
            notes: info.notes,
        }
    }

    /// The first sentence of its description.
    pub(crate) fn brief(&self) -> &'static str {
        let end = [self.text.find(';'), self.text.find(". ")].into_iter().flatten().min();
        self.text.get(..end.unwrap_or(self.text.len())).unwrap_or(self.text).trim_end_matches('.')
    }
}

impl From<&FlagInfo<'static>> for Opt {
    fn from(flag: &FlagInfo<'static>) -> Self {
        Self {
            name: flag.long,
            // For argh, `-h` is a word that triggers the help, and not the option's short name.
            short: if flag.long == "--help" { Some('h') } else { flag.short },
            value: match flag.kind {
                FlagInfoKind::Switch => None,
                FlagInfoKind::Option { arg_name } => Some(Value(arg_name)),
            },
            repeats: matches!(flag.optionality, Optionality::Repeating),
            text: flag.description,
        }
    }
}

#[cfg(test)]
mod tests {
    use turnkey::tls::BackendName;

    use super::*;

    /// The words that completions and the manual page use for a value.
    const WORDS: [&str; 14] = [
        "address", "bytes", "dir", "file", "host", "mode", "name", "network", "number", "path",
        "pattern", "port", "seconds", "url",
    ];

    #[test]
    fn every_value_is_a_choice_or_has_a_word_for_what_it_is() {
        let commands = commands();
        for option in commands.iter().flat_map(|c| &c.options).chain(&program().options) {
            let Some(value) = option.value else { continue };
            let known = value.choices().is_some() || WORDS.contains(&value.0);
            assert!(known, "{}: give it an arg_name, now {:?}", option.name, value.0);
        }
    }

    #[test]
    fn every_choice_is_one_that_is_taken() {
        let words = |option: &Opt, value: &str| [option.name.to_owned(), value.to_owned()];
        for option in of_serving() {
            for choice in option.value.into_iter().filter_map(Value::choices).flatten() {
                crate::cli::args::parse(&words(&option, choice), &|_| None).unwrap();
            }
            if option.value.is_some_and(|value| value.choices().is_some()) {
                crate::cli::args::parse(&words(&option, "other"), &|_| None).unwrap_err();
            }
        }
    }

    /// An `arg_name` can only be a literal.
    #[test]
    fn every_backend_is_a_choice() {
        let backend = of_serving().find(|option| option.name == "--backend").unwrap();
        let mut choices: Vec<_> = backend.value.unwrap().choices().unwrap().collect();
        let tls = BackendName::TLS.iter().map(|backend| backend.name());
        let mut names: Vec<_> = tls.chain([BackendName::Plain.name()]).collect();
        choices.sort_unstable();
        names.sort_unstable();
        assert_eq!(choices, names);
    }

    #[test]
    fn check_takes_the_options_of_serving() {
        let commands = commands();
        let check = commands.iter().find(|command| command.name == "check").unwrap();
        let names: Vec<_> = check.options.iter().map(|option| option.name).collect();
        assert!(names.contains(&"--json") && names.contains(&"--client-ca"), "{names:?}");
        assert!(!names.contains(&"--version"), "{names:?}");
        assert_eq!(names.iter().filter(|name| **name == "--help").count(), 1, "{names:?}");
    }

    #[test]
    fn variables_are_named_for_options() {
        let variable = |name| of_serving().find(|option| option.name == name).unwrap().variable();
        assert_eq!(variable("--client-ca"), "TURNKEY_CLIENT_CA");
    }
}
