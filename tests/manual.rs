//! The manual page: two formatters take it without a word, and it tells of all that the help does.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::time::Duration;

use support::{Output, run, tool};

mod support;

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
        let options = help.split_once("Options:\n").unwrap().1;
        let options = options.split_once("\n\n").map_or(options, |(options, _)| options);
        let mut told = 0;
        for option in options.split("\n  -").filter(|option| !option.trim().is_empty()) {
            let words = one_line(option);
            let (name, text) = words.split_once(' ').unwrap();
            let (name, text) = match text.strip_prefix("--version ") {
                Some(text) => ("version", text),
                None => (name.trim_start_matches('-').trim_end_matches(','), text),
            };
            if name == "h" || name == "help" {
                continue;
            }
            assert!(page.contains(&format!("--{name} ")), "no --{name} in {page}");
            assert!(page.contains(text), "{name}: no {text:?} in {page}");
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
    assert!(page.starts_with(".TH TURNKEY 1 \"2023-11-14\" \"turnkey "), "{page}");
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
