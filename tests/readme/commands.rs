//! The commands, played.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::page::{self, Command, shown};
use crate::place::{Serving, folder, in_place, plain, prepare, shell};
use crate::row::{AS_SHOWN, How, Row, TRY, table};
use crate::support::console::fits;

/// What it is expected to print.
fn expected(command: &str, said: &str) -> String {
    said.strip_prefix(AS_SHOWN).map_or_else(|| said.to_owned(), |start| shown(command, start))
}

#[test]
fn the_table_has_every_command_and_no_other() {
    let written: BTreeSet<_> = page::commands().into_iter().map(|c| c.text).collect();
    let table = table();
    let tried: BTreeSet<_> = table.iter().map(|row| row.command.to_owned()).collect();
    let missing: Vec<_> = written.difference(&tried).collect();
    assert!(missing.is_empty(), "in no table of tests/readme: {missing:#?}");
    let gone: Vec<_> = tried.difference(&written).collect();
    assert!(gone.is_empty(), "in no document: {gone:#?}");
    assert_eq!(tried.len(), table.len(), "one row for each");
}

/// What is shown of an output is compared with one somewhere.
#[test]
fn every_output_that_is_shown_is_expected() {
    let table = table();
    let asks = table.iter().flat_map(|row| &row.asks);
    let asked: BTreeSet<_> =
        asks.map(|(command, said)| (command.to_string(), expected(command, said))).collect();
    for Command { text, output } in page::commands() {
        let Some(output) = output else { continue };
        let is_served = table.iter().any(|row| row.command == text && row.how == How::Serves);
        let is_asked = asked.contains(&(text.clone(), output.clone()));
        let is_failure =
            |how: How| matches!(how, How::Fails(said) if expected(&text, said) == output);
        let fails = table.iter().any(|row| row.command == text && is_failure(row.how));
        assert!(is_served || is_asked || fails, "nobody expects of {text}:\n{output}");
    }
}

/// Whatever is not played here is somewhere.
#[test]
fn what_is_tried_elsewhere_is_tried_there() {
    let table = table();
    for row in &table {
        match row.how {
            How::Asks => {
                let mut asks = table.iter().flat_map(|row| &row.asks);
                assert!(asks.any(|(command, _)| *command == row.command), "{}", row.command);
            }
            How::Tested(file, what) => {
                let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
                let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
                assert!(text.contains(what), "{}: no {what} in {file}", row.command);
            }
            How::Upstream => {
                let mut upstreams = table.iter().flat_map(|row| row.upstreams);
                assert!(upstreams.any(|command| *command == row.command), "{}", row.command);
            }
            How::Serves | How::Ends(_) | How::Fails(_) | How::Named => {}
        }
    }
}

#[test]
fn every_command_does_what_is_said() {
    in_place("commands::every_command_does_what_is_said", || {
        prepare("turnkey certs --out certs");
        let table = table();
        let fails = |row: &&Row| catch_unwind(AssertUnwindSafe(|| play(row))).is_err();
        let failed: Vec<_> = table.iter().filter(fails).map(|row| row.command).collect();
        assert!(failed.is_empty(), "{failed:#?}");
    });
}

fn play(row: &Row) {
    let words = |text: &str, (written, meant): &(&str, &str)| text.replace(written, meant);
    let line = row.meant.iter().fold(row.command.to_owned(), |text, pair| words(&text, pair));
    if !matches!(row.how, How::Asks | How::Upstream | How::Tested(..)) {
        prepare(row.before);
    }
    match row.how {
        How::Serves => serve(row, &line),
        How::Ends(said) => {
            run_to_end(row, &line, said, true);
            ask(row, None);
        }
        How::Fails(said) => run_to_end(row, &line, said, false),
        How::Named => assert_named(row.command),
        How::Asks | How::Upstream | How::Tested(..) => {}
    }
}

fn run_to_end(row: &Row, line: &str, said: &str, is_good: bool) {
    let output = shell(line, &folder(""));
    let printed = format!("{}{}", output.text(), output.stderr);
    assert_eq!(output.code == Some(0), is_good, "{line}: {printed}");
    let said = expected(row.command, said);
    // What says nothing of itself has nothing said of what it prints.
    let is_so = said.is_empty() || fits(&plain(&printed), &plain(&format!("{said}[...]")));
    assert!(is_so, "{line}: {printed}");
}

/// The program has the command and the options that are named, by what it says of itself.
fn assert_named(command: &str) {
    let words: Vec<_> = command.split(' ').collect();
    let [program, what, ..] = words[..] else { panic!("{command}: no command of a program") };
    let help = match program {
        "make" => format!("cat Makefile; grep -q '^{what}:' Makefile"),
        "curl" => "curl --help all".to_owned(),
        _ => format!("{program} {what} -help"),
    };
    let output = shell(&help, &folder(""));
    let text = format!("{}{}", output.text(), output.stderr);
    assert_eq!(output.code, Some(0), "{command}: {text}");
    let mut options: Vec<_> = words.into_iter().filter(|word| word.starts_with('-')).collect();
    if program == "make" {
        let variable = |word: &&str| word.split_once('=').map(|(name, _)| name.to_owned());
        let variables: Vec<_> = command.split(' ').filter_map(|word| variable(&word)).collect();
        for name in variables {
            assert!(text.contains(&format!("$({name})")), "{command}: no {name} in the Makefile");
        }
        options.clear();
    }
    for option in options {
        let mut known = text.split_whitespace().map(|word| word.trim_end_matches(','));
        assert!(known.any(|word| word == option), "{command}: no {option} in {text}");
    }
}

fn serve(row: &Row, line: &str) {
    let start = |line: &&str| Serving::start(line, &folder(""));
    let upstreams: Vec<_> = row.upstreams.iter().map(start).collect();
    let serving = Serving::start(line, &folder(""));
    let own = concat!("turnkey ", env!("CARGO_PKG_VERSION"), ": ");
    assert!(serving.server.banner.starts_with(own), "{line}: {}", serving.server.banner);
    assert!(!row.asks.is_empty(), "{line}: nobody asks");
    ask(row, Some(&serving));
    let shown = page::commands().into_iter().find(|c| c.text == row.command && c.output.is_some());
    if let Some(output) = shown.and_then(|command| command.output) {
        serving.assert_prints(&output);
    }
    drop(serving);
    drop(upstreams);
}

/// Asks what is to be asked, and looks at the answers.
fn ask(row: &Row, serving: Option<&Serving>) {
    for (command, said) in &row.asks {
        let output = match serving {
            Some(serving) if *command == TRY => serving.server.run_try_command(),
            _ => shell(command, &folder("")),
        };
        let said = plain(&expected(command, said));
        // curl shows on stderr how far it is, where nobody has asked it to be quiet.
        let both = format!("{}{}", output.text(), output.stderr);
        let printed = if *command == TRY { output.text() } else { both };
        let log = serving.map(|serving| serving.server.log()).unwrap_or_default();
        let is_so = fits(plain(&printed).trim_end(), &said);
        assert!(is_so, "{}\n{command}\n{printed}\nis not\n{said}\n{log}", row.command);
    }
}
