//! What bash, zsh and fish make of what is typed, with the scripts that the program prints for them.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use shell::Shell;
use turnkey_test_support::{self as support, USAGE, run, table, tool};

mod shell;

table! {
    columns {
        bash = Shell::Bash;
        zsh = Shell::Zsh;
        fish = Shell::Fish;
    } rows {
        one_word_that_fits_is_filled_in
        files_and_folders_are_where_they_are_asked_for
        nothing_is_offered_where_nothing_fits
        all_options_are_offered
        all_choices_are_offered
        commands_have_their_own_options
    }
}

fn one_word_that_fits_is_filled_in(shell: Shell) {
    shell.assert_fills_in(&[
        ("turnkey cer", "certs"),
        ("turnkey --mode mut", "mutual"),
        ("turnkey --mode=mut", "--mode=mutual"),
        ("turnkey --backend op", "openssl"),
        ("turnkey --client-verify o", "optional"),
        ("turnkey --tls-max=1.3", "--tls-max=1.3"),
        ("turnkey --resumption of", "off"),
        ("turnkey --proxy http://127.0.0.1 --balance le", "least-connections"),
        ("turnkey --adhoc --mode mut", "mutual"),
        ("turnkey check --mode mut", "mutual"),
        ("turnkey certs --key-type rsa4", "rsa4096"),
        ("turnkey certs --host localhost --key-type p", "p256"),
        ("turnkey completions z", "zsh"),
        ("turnkey --client-v", "--client-verify"),
        ("turnkey check --js", "--json"),
        ("turnkey check --client-v", "--client-verify"),
        ("turnkey certs --fo", "--force"),
        ("turnkey -p 1 --mode mut", "mutual"),
    ]);
}

fn files_and_folders_are_where_they_are_asked_for(shell: Shell) {
    shell.assert_fills_in(&[
        ("turnkey --cert serv", "server.crt"),
        ("turnkey --cert=serv", "--cert=server.crt"),
        ("turnkey --client-ca below/c", "below/ca.crt"),
        ("turnkey --client-ca=below/c", "--client-ca=below/ca.crt"),
        ("turnkey check --key serv", "server.crt"),
        ("turnkey --cert with", r"with\ space.crt"),
        // There is a file of that beginning, too.
        ("turnkey certs --out bel", "below/"),
        ("turnkey certs --out=bel", "--out=below/"),
    ]);
}

fn nothing_is_offered_where_nothing_fits(shell: Shell) {
    let typed = [
        "turnkey --port serv",
        "turnkey -p serv",
        "turnkey --host serv",
        "turnkey --mode serv",
        "turnkey serv",
        "turnkey certs serv",
        "turnkey completions serv",
        "turnkey certs --mod",
        "turnkey --jso",
        // A command is the first word.
        "turnkey --port 1 cer",
    ];
    for (typed, completed) in typed.iter().zip(shell.complete(&typed)) {
        assert_eq!(completed.line.trim_end(), *typed, "{shell:?}: {completed:?}");
    }
}

fn all_options_are_offered(shell: Shell) {
    let cases = [
        ("turnkey --", options_of(&["--help"])),
        ("turnkey certs --", options_of(&["certs", "--help"])),
        ("turnkey check --", {
            let mut options = options_of(&["--help"]);
            options.retain(|option| option != "--version");
            options.push("--json".to_owned());
            options
        }),
    ];
    for ((typed, options), completed) in
        cases.iter().zip(shell.complete(&cases.each_ref().map(|c| c.0)))
    {
        let shown = completed.shown;
        for option in options {
            assert!(has_word(&shown, option), "{shell:?}: {typed}: no {option} in {shown}");
        }
    }
}

fn all_choices_are_offered(shell: Shell) {
    let cases = [
        ("turnkey ", &["certs", "check", "completions", "man"][..]),
        ("turnkey --mode ", &["http", "https", "mutual"]),
        ("turnkey --backend ", &["plain", "native-tls", "rustls", "openssl"]),
        ("turnkey --client-verify ", &["none", "optional", "required"]),
        ("turnkey --tls-min 1.", &["1.2", "1.3"]),
        ("turnkey --balance ", &["round-robin", "least-connections"]),
        ("turnkey certs --key-type ", &["p256", "rsa2048", "rsa4096"]),
        ("turnkey completions ", &["bash", "zsh", "fish"]),
    ];
    for ((typed, choices), completed) in cases.iter().zip(shell.complete(&cases.map(|c| c.0))) {
        let shown = completed.shown;
        for choice in *choices {
            assert!(has_word(&shown, choice), "{shell:?}: {typed}: no {choice} in {shown}");
        }
        assert!(!has_word(&shown, "server.crt"), "{shell:?}: {typed}: {shown}");
    }
}

fn commands_have_their_own_options(shell: Shell) {
    let cases = [
        ("turnkey certs --", "--mode"),
        ("turnkey --", "--force"),
        ("turnkey --", "--json"),
        ("turnkey check --", "--out"),
        ("turnkey completions --h", "--host"),
    ];
    for ((typed, not), completed) in cases.iter().zip(shell.complete(&cases.map(|c| c.0))) {
        let shown = format!("{} {}", completed.shown, completed.line);
        assert!(
            has_word(&shown, "--help") && !has_word(&shown, not),
            "{shell:?}: {typed}: {shown}"
        );
    }
}

/// Text of the options is shown beside them, up to where the default stands.
#[test]
fn zsh_and_fish_say_what_options_are_for() {
    for shell in [Shell::Zsh, Shell::Fish] {
        let shown = &shell.complete(&["turnkey --"])[0].shown;
        assert!(shown.contains("the port to listen on"), "{shell:?}: {shown}");
        assert!(!shown.contains("8000"), "{shell:?}: {shown}");
    }
}

/// A script may be read by a running shell in place of lying in its folder.
#[test]
fn zsh_can_source_its_script() {
    let completed = Shell::Zsh.complete_sourced(&["turnkey --mode mut"]);
    assert_eq!(completed[0].line.trim_end(), "turnkey --mode mutual");
}

#[test]
fn a_shell_that_there_is_not_is_refused() {
    for (args, named) in
        [(&["completions", "tcsh"][..], "tcsh"), (&["completions"], "bash|zsh|fish")]
    {
        let mut turnkey = tool(env!("CARGO_BIN_EXE_turnkey"));
        turnkey.args(args);
        let output = run(turnkey, b"", shell::DEADLINE);
        support::assert_complaint(&output, USAGE, &[named, "turnkey completions --help"]);
    }
}

/// The names of all options, as the help lists them.
fn options_of(help: &[&str]) -> Vec<String> {
    let mut turnkey = tool(env!("CARGO_BIN_EXE_turnkey"));
    turnkey.args(help);
    let text = run(turnkey, b"", shell::DEADLINE).text();
    let options: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with("  -"))
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")))
        .map(|word| word.trim_end_matches(',').to_owned())
        .collect();
    assert!(options.len() > 5, "{text}");
    options
}

/// A word among those that a shell has listed, however it marks them.
fn has_word(shown: &str, word: &str) -> bool {
    shown.split(|c: char| c.is_whitespace() || c == '=').any(|other| other == word)
}
