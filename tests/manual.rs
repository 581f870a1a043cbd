//! The manual page: two formatters take it without a word, and it tells of all that the help does.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::time::Duration;

use turnkey_test_support::{Output, run, tool};

const DEADLINE: Duration = Duration::from_secs(20);

fn turnkey(args: &[&str], environment: &[(&str, &str)]) -> String {
    let mut turnkey = tool(env!("CARGO_BIN_EXE_turnkey"));
    turnkey.args(args).envs(environment.iter().copied());
    let output = run(turnkey, b"", DEADLINE);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    output.text()
}

fn with_page(program: &str, args: &[&str]) -> Output {
    let mut command = tool(program);
    command.args(args);
    run(command, turnkey(&["man"], &[]).as_bytes(), DEADLINE)
}

#[test]
fn formatters_have_nothing_to_say_of_it() {
    for (program, args) in
        [("mandoc", &["-Tlint", "-Wall"][..]), ("groff", &["-man", "-ww", "-z", "-Tutf8"])]
    {
        let output = with_page(program, args);
        assert_eq!(output.code, Some(0), "{program}: {output:?}");
        assert_eq!((output.text().as_str(), output.stderr.as_str()), ("", ""), "{program}");
    }
}

/// Each option with all that is said of it, and the variable that stands for it.
#[test]
fn it_tells_of_every_option() {
    let page = formatted();
    for command in [&[][..], &["certs"], &["check"], &["completions"], &["man"]] {
        let help = turnkey(&[command, &["--help"]].concat(), &[]);
        let mut told = 0;
        for (name, text) in options(&help) {
            if name == "help" {
                continue;
            }
            assert!(page.contains(&format!("--{name} ")), "no --{name} in {page}");
            assert!(page.contains(&text), "{name}: no {text:?} in {page}");
            if command.is_empty() && name != "version" {
                let variable = format!("TURNKEY_{}", name.to_uppercase().replace('-', "_"));
                let together = format!("{text} Environment: {variable}");
                assert!(page.contains(&together), "no {together:?} in {page}");
            }
            told += 1;
        }
        assert!(told > 0 || matches!(command, ["completions" | "man"]), "{command:?}: {help}");
    }
}

/// The options that the help shows: the long name without its dashes, and what is said of it.
fn options(help: &str) -> Vec<(String, String)> {
    let mut options: Vec<(String, String)> = Vec::new();
    for line in help.lines().skip_while(|line| *line != "Options:") {
        if let Some(item) = line.strip_prefix("  -") {
            let (term, text) = item.split_once("  ").unwrap_or((item, ""));
            let mut words = term.split(' ').map(|word| word.trim_start_matches('-'));
            let name = words.find(|word| word.len() > 2 && !word.ends_with(',')).unwrap();
            options.push((name.to_owned(), text.trim().to_owned()));
        } else if line.starts_with("    ") {
            let text = &mut options.last_mut().unwrap().1;
            let space = if text.is_empty() { "" } else { " " };
            *text = format!("{text}{space}{}", line.trim());
        }
    }
    options
}

/// The headings of the help are those of the manual, in the same order.
#[test]
fn its_groups_are_those_of_the_help() {
    let help = turnkey(&["--help"], &[]);
    let headings = help.lines().filter_map(|line| line.strip_suffix(':'));
    let headings: Vec<_> = headings.filter(|line| !line.starts_with(' ')).collect();
    let page = turnkey(&["man"], &[]);
    let (_, options) = page.split_once(".SH OPTIONS").unwrap();
    let (options, _) = options.split_once(".SH ").unwrap();
    let groups: Vec<_> = options.lines().filter_map(|line| line.strip_prefix(".SS ")).collect();
    let groups: Vec<_> = groups.iter().map(|heading| heading.trim_matches('"')).collect();
    assert!(groups.len() > 5, "{options}");
    assert_eq!(headings, [&["Commands", "Options"], &groups[..], &["Examples"]].concat());
}

#[test]
fn it_tells_of_commands_signals_and_exit_codes() {
    let page = formatted();
    for text in [
        "turnkey - put an app on HTTP, HTTPS or mutual TLS by one switch",
        "turnkey certs [options]",
        "turnkey check [options]",
        "turnkey completions bash|zsh|fish",
        "TRUSTING THE CA",
        "curl --cacert certs/ca.crt https://localhost:8000/",
        "sudo update-ca-certificates",
        "/usr/share/doc/turnkey",
        "SIGHUP",
        "EXIT STATUS",
        "TURNKEY_KEY_PASSWORD ",
        "NO_COLOR",
        "turnkey --cert server.crt --key server.key",
    ] {
        assert!(page.contains(text), "no {text:?} in {page}");
    }
}

/// So that a package that is built twice is the same.
#[test]
fn the_same_day_makes_the_same_page() {
    let day = [("SOURCE_DATE_EPOCH", "1700000000")];
    let page = turnkey(&["man"], &day);
    assert!(page.contains(".TH TURNKEY 1 2023-11-14 \"turnkey "), "{page}");
    assert_eq!(page, turnkey(&["man"], &day));
}

/// The page as a person reads it, but on one line.
fn formatted() -> String {
    let output = with_page("mandoc", &["-Tascii", "-Owidth=1000"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let mut text = String::new();
    // Bold is a letter, a backspace, and the letter again.
    for c in output.text().chars() {
        if c == '\u{8}' {
            text.pop();
        } else {
            text.push(c);
        }
    }
    one_line(&text)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
