//! From the words of a command line, and the environment, to options.
//!
//! argh takes `--port 8443` and nothing else, and knows no environment. So the `=` form is split
//! before it parses, and each variable becomes the option that it is named for, parsed by argh
//! too, in a layer of its own below the command line.

mod complaint;

use argh::{EarlyExit, FromArgs};

use self::complaint::{complaint, misplaced, one_line};
use crate::cli::{Check, Command, Serve};
use crate::options::{self, Opt};
use crate::units::boolean;
use crate::unknown_variables::is_of_kubernetes;

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
    let Split { words, off } = split_values(words)?;
    let (check, words) = match words.split_first() {
        Some((first, rest)) if first == "check" => {
            let (check, rest) = take_check(rest)?;
            (Some(check), rest)
        }
        _ => (None, words),
    };
    let behind = check.as_ref().map(|_| "check");
    let mut command_line = from_args(&words).map_err(|exit| stop(exit, behind, &words))?;
    if let Some(command) = &command_line.command
        && words.first().is_some_and(|word| word.starts_with('-'))
    {
        return Err(Stop::Usage(misplaced(command.name(), &words)));
    }
    if let Some(check) = check {
        if command_line.command.is_some() {
            return Err(Stop::Usage("one command at a time; see turnkey --help".to_owned()));
        }
        command_line.command = Some(Command::Check(check));
    }
    let serves = matches!(command_line.command, None | Some(Command::Check(_)));
    let environment = if serves && !command_line.version {
        environment(&|name| variable(name).filter(|_| !off.iter().any(|off| off == name)))?
    } else {
        Serve::default()
    };
    Ok(Asked { command_line, environment })
}

/// Why argh read no further in the words, which stood behind that command, or behind the program.
fn stop(exit: EarlyExit, command: Option<&str>, words: &[String]) -> Stop {
    match exit.status {
        Ok(()) => Stop::Help(exit.output),
        Err(()) => Stop::Usage(complaint(&exit.output, command, words)),
    }
}

/// Takes the options of `check` itself out of `words`; the rest are those of serving, which argh
/// cannot have in two places.
fn take_check(words: &[String]) -> Result<(Check, Vec<String>), Stop> {
    let (mut own, mut rest) = (Vec::new(), Vec::new());
    let mut left = words.iter();
    while let Some(word) = left.next() {
        if ["--json", "--help", "-h", "help"].contains(&word.as_str()) {
            own.push(word.as_str());
            continue;
        }
        rest.push(word.clone());
        if takes_value(word) {
            rest.extend(left.next().cloned());
        }
    }
    let check = Check::from_args(&["turnkey", "check"], &own)
        .map_err(|exit| stop(exit, Some("check"), words))?;
    Ok((check, rest))
}

fn from_args(words: &[String]) -> Result<Serve, EarlyExit> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Serve::from_args(&["turnkey"], &words)
}

/// Words as argh takes them.
#[derive(Debug)]
struct Split {
    words: Vec<String>,
    /// The variables of the switches that were turned off: argh knows no word for that.
    off: Vec<String>,
}

/// Splits `--name=value` into two words, and takes a switch's value off it.
fn split_values(words: &[String]) -> Result<Split, Stop> {
    let (mut split, mut off) = (Vec::with_capacity(words.len()), Vec::new());
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
        if let Some(switch) = switch(name) {
            match boolean(value) {
                Some(true) => split.push(switch.name.to_owned()),
                Some(false) => off.push(switch.variable()),
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
    Ok(Split { words: split, off })
}

/// The options that the environment sets: `TURNKEY_CLIENT_CA` is `--client-ca`.
fn environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Serve, Stop> {
    let mut words = Vec::new();
    for option in options::of_serving() {
        let name = option.variable();
        // An empty variable is how many a tool says that there is none.
        let says = |value: &String| !value.is_empty() && !is_of_kubernetes(&name, value);
        let Some(value) = variable(&name).filter(says) else { continue };
        match (option.is_switch(), boolean(&value)) {
            (false, _) if option.repeats => {
                let values = value.split(',').map(str::trim).filter(|value| !value.is_empty());
                words.extend(values.flat_map(|value| [option.name.to_owned(), value.to_owned()]));
            }
            (false, _) => words.extend([option.name.to_owned(), value]),
            (true, Some(true)) => words.push(option.name.to_owned()),
            (true, Some(false)) => {}
            (true, None) => {
                return Err(Stop::Usage(format!("{name}={value}: expected true or false")));
            }
        }
    }
    from_args(&words).map_err(|exit| {
        // argh speaks of options; what the user set is a variable.
        let mut text = one_line(&exit.output);
        for option in options::of_serving() {
            text = text.replace(&format!("'{}'", option.name), &option.variable());
        }
        Stop::Usage(text)
    })
}

/// The switch that is called `name`, without its dashes.
fn switch(name: &str) -> Option<Opt> {
    all().find(|option| option.is_switch() && option.name.trim_start_matches('-') == name)
}

fn takes_value(word: &str) -> bool {
    all().any(|option| !option.is_switch() && option.name == word)
}

/// The options of all commands; where two have the same name, both are switches, or both are not.
fn all() -> impl Iterator<Item = Opt> {
    options::of_serving().chain(options::commands().into_iter().flat_map(|command| command.options))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

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
        assert_eq!(asked.command_line.cert, [PathBuf::from("a=b")]);
    }

    #[test]
    fn switches_take_true_and_false() {
        assert!(run(&["--adhoc"], &[]).unwrap().command_line.adhoc);
        assert!(run(&["--adhoc=true"], &[]).unwrap().command_line.adhoc);
        let off = run(&["--adhoc=false"], &[("TURNKEY_ADHOC", "yes")]).unwrap();
        assert!(!off.command_line.adhoc && !off.environment.adhoc, "the command line wins");
        assert!(run(&["--spa=false"], &[("TURNKEY_ADHOC", "yes")]).unwrap().environment.adhoc);
        assert!(usage(&["--adhoc=maybe"], &[]).contains("--adhoc=maybe"));
    }

    #[test]
    fn every_option_is_a_variable_too() {
        let variables =
            [("TURNKEY_PORT", "1234"), ("TURNKEY_CLIENT_CA", "ca.crt"), ("TURNKEY_ADHOC", "yes")];
        let asked = run(&[], &variables).unwrap().environment;
        assert_eq!(asked.port, Some(1234));
        assert_eq!(asked.client_ca, [PathBuf::from("ca.crt")]);
        assert!(asked.adhoc);
        assert_eq!(run(&[], &[("TURNKEY_PORT", "")]).unwrap().environment.port, None);
    }

    #[test]
    fn what_kubernetes_says_of_a_service_called_turnkey_is_no_option() {
        let asked = run(&[], &[("TURNKEY_PORT", "tcp://10.96.0.7:443")]).unwrap();
        assert_eq!(asked.environment.port, None);
    }

    #[test]
    fn commands_that_serve_nothing_do_not_mind_the_environment() {
        let wrong = [("TURNKEY_PORT", "many")];
        for words in [&["certs"][..], &["man"], &["completions", "bash"], &["--version"]] {
            assert!(run(words, &wrong).is_ok(), "{words:?}");
        }
        assert!(usage(&["check"], &wrong).contains("TURNKEY_PORT"));
    }

    #[test]
    fn what_may_be_repeated_is_a_list_in_a_variable() {
        let asked = run(&[], &[("TURNKEY_CLIENT_CA", "a.crt, b.crt,")]).unwrap().environment;
        assert_eq!(asked.client_ca, [PathBuf::from("a.crt"), PathBuf::from("b.crt")]);
    }

    #[test]
    fn check_takes_the_options_of_serving() {
        let asked = run(&["check", "--port=1", "--json"], &[]).unwrap().command_line;
        assert_eq!(asked.port, Some(1));
        assert!(matches!(asked.command, Some(Command::Check(Check { json: true }))));
        for (json, on) in [("--json=true", true), ("--json=false", false)] {
            let command = run(&["check", json], &[]).unwrap().command_line.command;
            assert!(matches!(command, Some(Command::Check(Check { json })) if json == on));
        }
        let asked = run(&["check", "--host", "help"], &[]).unwrap().command_line;
        assert_eq!(asked.host.as_deref(), Some("help"), "a value is no word of check");
        assert!(matches!(run(&["check", "--help"], &[]), Err(Stop::Help(_))));
        assert!(usage(&["check", "certs"], &[]).contains("one command"));
    }

    #[test]
    fn what_is_wrong_in_a_variable_is_said_of_the_variable() {
        let text = usage(&[], &[("TURNKEY_PORT", "many")]);
        assert!(text.contains("TURNKEY_PORT") && text.contains("many"), "{text}");
        assert!(usage(&[], &[("TURNKEY_ADHOC", "perhaps")]).contains("TURNKEY_ADHOC"));
    }

    #[test]
    fn usage_errors_are_one_line_that_says_where_to_read_on() {
        for (words, help) in [
            (&["--port"][..], "turnkey --help"),
            (&["--port", "70000"], "turnkey --help"),
            (&["certs", "--days", "ten"], "turnkey certs --help"),
            (&["check", "--port", "70000"], "turnkey check --help"),
            (&["completions"], "turnkey completions --help"),
            (&["a\nb"], "turnkey --help"),
        ] {
            let text = usage(words, &[]);
            assert!(!text.contains('\n') && text.ends_with(&format!("; see {help}")), "{text}");
        }
    }

    #[test]
    fn what_was_probably_meant_is_named() {
        for (words, said) in [
            (&["--prot", "1"][..], "there is no option --prot (did you mean --port?)"),
            (&["--prot=1"], "there is no option --prot (did you mean --port?)"),
            (&["--certificate", "a"], "there is no option --certificate (did you mean --cert?)"),
            (&["check", "--jsn"], "there is no option --jsn (did you mean --json?)"),
            (&["check", "--prot", "1"], "there is no option --prot (did you mean --port?)"),
            (&["certs", "--hosts", "a"], "there is no option --hosts (did you mean --host?)"),
            (&["cert"], "there is no command cert (did you mean certs?)"),
            (&["complete"], "there is no command complete (did you mean completions?)"),
            (&["version"], "there is no command version (did you mean --version?)"),
        ] {
            let text = usage(words, &[]);
            assert_eq!(text.split("; ").next(), Some(said));
        }
    }

    #[test]
    fn a_guess_that_would_be_far_off_is_not_made() {
        for (words, said) in [
            (&["-p", "8443"][..], "there is no option -p; see turnkey --help"),
            (&["--qqq"], "there is no option --qqq; see turnkey --help"),
            (
                &["serve"],
                "there is no command serve: there are certs, check, completions, man; see turnkey --help",
            ),
            (
                &["certs", "all"],
                "turnkey certs takes no word such as all; see turnkey certs --help",
            ),
        ] {
            assert_eq!(usage(words, &[]), said);
        }
    }

    #[test]
    fn options_of_another_command_are_known() {
        for (words, said) in [
            (
                &["--out", "certs", "certs"][..],
                "--out is an option of turnkey certs, not of turnkey; see turnkey certs --help",
            ),
            (
                &["certs", "--port", "1"],
                "--port is an option of turnkey, not of turnkey certs; see turnkey --help",
            ),
            (
                &["--port", "1", "certs"],
                "--port is an option of turnkey, not of turnkey certs; see turnkey --help",
            ),
            (
                &["--port=1", "--adhoc", "check"],
                "options go behind the command, as in: turnkey check --port 1; see turnkey check --help",
            ),
            (
                &["--adhoc", "check"],
                "options go behind the command, as in: turnkey check --adhoc; see turnkey check --help",
            ),
        ] {
            assert_eq!(usage(words, &[]), said);
        }
    }
}
