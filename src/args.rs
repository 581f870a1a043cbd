//! From the words of a command line, and the environment, to options.
//!
//! argh takes `--port 8443` and nothing else, and knows no environment. So the `=` form is split
//! before it parses, and each variable becomes the option that it is named for, parsed by argh
//! too, in a layer of its own below the command line.

use argh::{ArgsInfo, EarlyExit, FlagInfoKind, FromArgs};

use crate::cli::Serve;

/// What was asked for: where the same option stands in several layers, the earlier one holds.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) command_line: Serve,
    pub(crate) environment: Serve,
}

/// Why there is nothing to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The user wanted to read this.
    Help(String),
    /// The user typed something that is not understood; one line.
    Usage(String),
}

/// Reads the words after the program's name, and the environment through `variable`.
pub(crate) fn parse(
    words: &[String],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Asked, Stop> {
    let words = split_values(words)?;
    let command_line = from_args(&words).map_err(|exit| match exit.status {
        Ok(()) => Stop::Help(exit.output),
        Err(()) => Stop::Usage(format!("{}; see turnkey --help", one_line(&exit.output))),
    })?;
    Ok(Asked { command_line, environment: environment(variable)? })
}

fn from_args(words: &[String]) -> Result<Serve, EarlyExit> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let serve = Serve::from_args(&["turnkey"], &words)?;
    if serve.command.is_some() && words.first().is_some_and(|word| word.starts_with('-')) {
        return Err("the options before a command are those of serving; give its own after it"
            .to_owned()
            .into());
    }
    Ok(serve)
}

/// Splits `--name=value` into two words, and takes a switch's value off it.
fn split_values(words: &[String]) -> Result<Vec<String>, Stop> {
    let mut split = Vec::with_capacity(words.len());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let named = word.strip_prefix("--").and_then(|rest| rest.split_once('='));
        let Some((name, value)) = named else {
            split.push(word.clone());
            // What follows an option is its value, whatever it looks like.
            if takes_value(word) {
                split.extend(words.next().cloned());
            }
            continue;
        };
        if is_switch(name) {
            match boolean(value) {
                Some(true) => split.push(format!("--{name}")),
                Some(false) => {}
                None => {
                    return Err(Stop::Usage(format!(
                        "--{name}={value}: expected no value, or true or false"
                    )));
                }
            }
        } else {
            split.push(format!("--{name}"));
            split.push(value.to_owned());
        }
    }
    Ok(split)
}

/// The options that the environment sets: `TURNKEY_CLIENT_CA` is `--client-ca`.
fn environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Serve, Stop> {
    let mut words = Vec::new();
    for flag in flags() {
        let name = variable_name(flag.name);
        // An empty variable is how many a tool says that there is none.
        let Some(value) = variable(&name).filter(|value| !value.is_empty()) else { continue };
        match (flag.switch, boolean(&value)) {
            (false, _) => words.extend([flag.name.to_owned(), value]),
            (true, Some(true)) => words.push(flag.name.to_owned()),
            (true, Some(false)) => {}
            (true, None) => {
                return Err(Stop::Usage(format!("{name}={value}: expected true or false")));
            }
        }
    }
    from_args(&words).map_err(|exit| {
        // argh speaks of options; what the user set is a variable.
        let mut text = one_line(&exit.output);
        for flag in flags() {
            text = text.replace(&format!("'{}'", flag.name), &variable_name(flag.name));
        }
        Stop::Usage(text)
    })
}

/// `--client-ca` is `TURNKEY_CLIENT_CA` in the environment.
fn variable_name(flag: &str) -> String {
    format!("TURNKEY_{}", flag.trim_start_matches('-').replace('-', "_").to_ascii_uppercase())
}

/// What people write for yes and no.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[derive(Debug, Clone, Copy)]
struct Flag {
    /// With its dashes.
    name: &'static str,
    switch: bool,
}

/// The options of serving that the environment can set, as argh knows them.
fn flags() -> impl Iterator<Item = Flag> {
    Serve::get_args_info()
        .flags
        .iter()
        .filter(|flag| !["--help", "--version"].contains(&flag.long))
        .map(|flag| Flag { name: flag.long, switch: matches!(flag.kind, FlagInfoKind::Switch) })
}

fn is_switch(name: &str) -> bool {
    flags().chain(certs_flags()).any(|f| f.switch && f.name.trim_start_matches('-') == name)
}

fn takes_value(word: &str) -> bool {
    flags().chain(certs_flags()).any(|f| !f.switch && f.name == word)
}

fn certs_flags() -> impl Iterator<Item = Flag> {
    crate::cli::Certs::get_args_info()
        .flags
        .iter()
        .map(|flag| Flag { name: flag.long, switch: matches!(flag.kind, FlagInfoKind::Switch) })
}

/// argh's messages, which take several lines, on one and in our case.
fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.trim_end_matches('.');
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str], variables: &[(&str, &str)]) -> Result<Asked, Stop> {
        let words: Vec<String> = words.iter().map(|&w| w.to_owned()).collect();
        let variable = |name: &str| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        };
        parse(&words, &variable)
    }

    fn usage(words: &[&str], variables: &[(&str, &str)]) -> String {
        match run(words, variables).unwrap_err() {
            Stop::Usage(text) => text,
            Stop::Help(text) => panic!("help: {text}"),
        }
    }

    #[test]
    fn both_forms_of_an_option_work() {
        assert_eq!(run(&["--port=8443"], &[]).unwrap().command_line.port, Some(8443));
        assert_eq!(run(&["--port", "8443"], &[]).unwrap().command_line.port, Some(8443));
        let asked = run(&["--host", "--port=1"], &[]).unwrap();
        assert_eq!(asked.command_line.host.as_deref(), Some("--port=1"), "a value is not split");
        let asked = run(&["--cert=a=b"], &[]).unwrap();
        assert_eq!(asked.command_line.cert.unwrap().to_str(), Some("a=b"));
    }

    #[test]
    fn switches_take_true_and_false() {
        assert!(run(&["--adhoc"], &[]).unwrap().command_line.adhoc);
        assert!(run(&["--adhoc=true"], &[]).unwrap().command_line.adhoc);
        assert!(!run(&["--adhoc=false"], &[]).unwrap().command_line.adhoc);
        assert!(usage(&["--adhoc=maybe"], &[]).contains("--adhoc=maybe"));
    }

    #[test]
    fn every_option_is_a_variable_too() {
        let variables =
            [("TURNKEY_PORT", "1234"), ("TURNKEY_CLIENT_CA", "ca.crt"), ("TURNKEY_ADHOC", "yes")];
        let asked = run(&[], &variables).unwrap().environment;
        assert_eq!(asked.port, Some(1234));
        assert_eq!(asked.client_ca.unwrap().to_str(), Some("ca.crt"));
        assert!(asked.adhoc);
        assert_eq!(run(&[], &[("TURNKEY_PORT", "")]).unwrap().environment.port, None);
    }

    #[test]
    fn what_is_wrong_in_a_variable_is_said_of_the_variable() {
        let text = usage(&[], &[("TURNKEY_PORT", "many")]);
        assert!(text.contains("TURNKEY_PORT") && text.contains("many"), "{text}");
        assert!(usage(&[], &[("TURNKEY_ADHOC", "perhaps")]).contains("TURNKEY_ADHOC"));
    }

    #[test]
    fn usage_errors_are_one_line() {
        for words in [&["--prot", "1"][..], &["--port"], &["--port", "70000"], &["serve"], &["-x"]]
        {
            let text = usage(words, &[]);
            assert!(!text.contains('\n') && text.contains("turnkey --help"), "{text}");
        }
    }
}
