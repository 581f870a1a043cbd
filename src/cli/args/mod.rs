//! Turns the words of a command line, and the environment, into options.
//!
//! argh accepts only the form `--port 8443`, and does not read the environment. So this module splits the
//! words first. Each variable becomes the option with its name. argh parses these options too, in a separate layer
//! below the command line.

mod advice;
mod complaint;
mod habits;
mod line;
mod meant;

use argh::{EarlyExit, FromArgs};

use self::complaint::{complaint, misplaced, no_command, one_line, problem, shown};
use self::line::{Line, Part, Typed};
use super::help;
use super::options::{self, Opt};
use super::unknown_variables::is_of_kubernetes;
use crate::cli::units::boolean;
use crate::cli::{Check, Command, Serve};

/// The options in layers. If several layers contain the same option, the first one wins.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) command_line: Serve,
    pub(crate) environment: Serve,
}

/// Why there is nothing to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The user asked for this text.
    Help(String),
    /// The user typed something that is not understood; one line.
    Usage(String),
}

/// Reads the words after the program's name, and the environment through `variable`.
pub(crate) fn parse(
    words: &[String],
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Asked, Stop> {
    let line = Line::read(words);
    if let Some(help) = asked_for_help(&line) {
        return Err(help);
    }
    if let Some(advice) = advice::advice(&line) {
        return Err(Stop::Usage(advice));
    }
    let (command_line, off) = understood(&line)?;
    let serves = matches!(command_line.command, None | Some(Command::Check(_)));
    let environment = if serves && !command_line.version {
        environment(&|name| variable(name).filter(|_| !off.iter().any(|off| off == name)))?
    } else {
        Serve::default()
    };
    Ok(Asked { command_line, environment })
}

/// The help, if a word asks for it: `--help` and `help` for the full one, `-h` for the short one.
fn asked_for_help(line: &Line) -> Option<Stop> {
    let plain: Vec<_> = line.plain_words().collect();
    let in_full = line.has(&["--help"]) || plain.contains(&"help");
    if !in_full && !line.has(&["-h"]) {
        return None;
    }
    let commands = options::commands();
    let command = plain.iter().find(|word| **word != "help");
    let command = command.filter(|word| !habits::serves(word));
    let known = command.and_then(|word| commands.iter().find(|known| known.name == *word));
    Some(match (command, known) {
        (Some(unknown), None) if plain.first() == Some(&"help") => {
            Stop::Usage(no_command(unknown, &commands))
        }
        (_, Some(known)) => Stop::Help(help::of_command(known)),
        _ if in_full => Stop::Help(help::in_full()),
        _ => Stop::Help(help::in_short()),
    })
}

/// What argh parses from the words, and the variables of the switches that are turned off: argh has no syntax for
/// that.
fn understood(line: &Line) -> Result<(Serve, Vec<String>), Stop> {
    let checks = line.command() == Some("check");
    let (mut words, mut of_check, mut off) = (Vec::new(), Vec::new(), Vec::new());
    for part in line.0.iter().skip(usize::from(checks)) {
        match part {
            Part::Word(word) => words.push(word.clone()),
            Part::End => words.push("--".to_owned()),
            // argh cannot have the options of serving in two places.
            Part::Option(typed) if checks && typed.name == "--json" => {
                of_check.extend(for_argh(typed, &mut off)?);
            }
            Part::Option(typed) => words.extend(for_argh(typed, &mut off)?),
        }
    }
    let stop = |exit: EarlyExit| Stop::Usage(complaint(&exit.output, line.command(), &words));
    let mut serve = from_args(&words).map_err(stop)?;
    if let Some(command) = &serve.command
        && words.first().is_some_and(|word| word.starts_with('-'))
    {
        return Err(Stop::Usage(misplaced(command.name(), &words)));
    }
    if checks {
        if serve.command.is_some() {
            return Err(Stop::Usage("one command at a time; see turnkey --help".to_owned()));
        }
        let of_check: Vec<&str> = of_check.iter().map(String::as_str).collect();
        let check = Check::from_args(&["turnkey", "check"], &of_check).map_err(stop)?;
        serve.command = Some(Command::Check(check));
    }
    Ok((serve, off))
}

fn from_args(words: &[String]) -> Result<Serve, EarlyExit> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Serve::from_args(&["turnkey"], &words)
}

/// The words of an option for argh; none for a switch that is turned off.
fn for_argh(typed: &Typed, off: &mut Vec<String>) -> Result<Vec<String>, Stop> {
    let Typed { name, value, .. } = typed;
    let switch = all().find(|option| option.is_switch() && option.is_named(name));
    let (Some(switch), Some(value)) = (switch, value) else {
        return Ok([Some(name), value.as_ref()].into_iter().flatten().cloned().collect());
    };
    match boolean(value) {
        Some(true) => Ok(vec![name.clone()]),
        Some(false) => {
            off.push(switch.variable());
            Ok(Vec::new())
        }
        None => Err(Stop::Usage(format!("{name}={value}: expected no value, or true or false"))),
    }
}

/// The options that the environment sets: `TURNKEY_CLIENT_CA` is `--client-ca`.
fn environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Serve, Stop> {
    let mut words = Vec::new();
    for option in options::of_serving() {
        let name = option.variable();
        // Many tools set an empty variable to mean that there is no value.
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
    from_args(&words).map_err(|exit| Stop::Usage(complaint_of_variables(&exit.output, &words)))
}

/// argh's errors name options, but the user has set a variable.
fn complaint_of_variables(output: &str, words: &[String]) -> String {
    let pairs = words.iter().zip(words.iter().skip(1));
    let wrong = pairs.filter_map(|(option, value)| {
        Some((option_of_serving(option)?, value, problem(output, option, value)?))
    });
    let Some((option, value, problem)) = wrong.take(1).next() else { return one_line(output) };
    let set = |name: String, value: &str| format!("{name}={}", shown(value));
    let wrong = format!("{}: {problem}", set(option.variable(), value));
    // If the option is repeated, the other values of the list are unknown here.
    let is_alone = words.iter().filter(|word| *word == option.name).count() == 1;
    let Some(meant) = meant::meant(option.name, value).filter(|_| is_alone) else { return wrong };
    let meant = meant.iter().filter_map(|(name, value)| {
        option_of_serving(name).map(|option| set(option.variable(), value))
    });
    format!("{wrong}; set {}", meant.collect::<Vec<_>>().join(" "))
}

fn option_of_serving(name: &str) -> Option<Opt> {
    options::of_serving().find(|option| option.name == name)
}

/// The options of all commands. Options with the same name are either all switches, or none is.
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
        for words in [&["-p8443"][..], &["-p=8443"], &["-p", "8443"]] {
            assert_eq!(run(words, &[]).unwrap().command_line.port, Some(8443), "{words:?}");
        }
        let asked = run(&["--health", "/--port=1"], &[]).unwrap();
        assert_eq!(asked.command_line.health.as_deref(), Some("/--port=1"), "a value is not split");
        let asked = run(&["--cert=a=b"], &[]).unwrap();
        assert_eq!(asked.command_line.cert, [PathBuf::from("a=b")]);
    }

    #[test]
    fn help_is_asked_for_anywhere_and_for_a_command() {
        let help = |words: &[&str]| match run(words, &[]).unwrap_err() {
            Stop::Help(text) => text,
            Stop::Usage(text) => panic!("{words:?}: {text}"),
        };
        let (full, short) = (help(&["--help"]), help(&["-h"]));
        assert!(full.starts_with("Usage: turnkey [OPTIONS]\n") && full.contains("--max-head"));
        assert!(short.starts_with("Usage: turnkey [OPTIONS]\n") && !short.contains("--max-head"));
        for words in
            [&["help"][..], &["--port", "1", "--help"], &["help", "serve"], &["-h", "--help"]]
        {
            assert_eq!(help(words), full, "{words:?}");
        }
        assert_eq!(help(&["--qqq", "-h", "runserver"]), short);
        for command in options::commands() {
            let usage = format!("Usage: turnkey {}", command.name);
            for words in [["help", command.name], [command.name, "help"], [command.name, "-h"]] {
                assert!(help(&words).starts_with(&usage), "{words:?}");
            }
        }
        assert!(usage(&["help", "cert"], &[]).contains("cert (did you mean certs?)"));
        let asked = run(&["check", "--host", "help"], &[]).unwrap().command_line;
        assert_eq!(asked.host.as_deref(), Some("help"), "a value asks for nothing");
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
            (&["--port", "70000"][..], "turnkey --help"),
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
            (&["--client_ca", "a"], "there is no option --client_ca (did you mean --client-ca?)"),
            (&["--dri", "a"], "there is no option --dri (did you mean --dir?)"),
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
            (&["-q", "8443"][..], "there is no option -q; see turnkey --help"),
            (&["--qqq"], "there is no option --qqq; see turnkey --help"),
            (
                &["enable"],
                "there is no command enable: there are certs, check, completions, man; see turnkey --help",
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
