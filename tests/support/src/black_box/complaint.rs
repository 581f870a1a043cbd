//! How the program says at start-up that it does not serve.

use serde_json::Value;

use super::process::Output;

/// Wrong usage of the command line or the environment.
pub const USAGE: i32 = 2;
/// The command line is right, but what it names does not work.
pub const FAILURE: i32 = 1;

/// Asserts that the program left with `code` and exactly one line that names all of `naming`, and
/// that it served nothing.
#[track_caller]
pub fn assert_complaint(output: &Output, code: i32, naming: &[&str]) {
    let stderr = &output.stderr;
    assert_eq!(output.code, Some(code), "exit code; stderr: {stderr}");
    assert!(!stderr.contains("panicked"), "a panic: {stderr}");
    assert!(stderr.starts_with("turnkey: "), "expected a line of turnkey's own: {stderr:?}");
    assert!(
        stderr.ends_with('\n') && stderr.matches('\n').count() == 1,
        "expected exactly one line: {stderr:?}"
    );
    for name in naming {
        assert!(stderr.contains(name), "expected {name:?} in {stderr:?}");
    }
    // The lines that say where it listens never came.
    assert_eq!(output.text(), "", "nothing is printed to stdout by what does not start");
}

/// The same, where any one of `naming` will do.
#[track_caller]
pub fn assert_complaint_naming_one_of(output: &Output, code: i32, naming: &[&str]) {
    assert_complaint(output, code, &[]);
    let stderr = &output.stderr;
    assert!(naming.iter().any(|n| stderr.contains(n)), "expected one of {naming:?} in {stderr:?}");
}

/// Asserts that what start-up says is among what `turnkey check --json` says, in the same words.
#[track_caller]
pub fn assert_agreement(started: &Output, checked: &Output) {
    let line = started.stderr.strip_prefix("turnkey: ").unwrap_or(&started.stderr).trim_end();
    if checked.code == Some(USAGE) {
        assert_eq!(checked.stderr.replace("turnkey check ", "turnkey "), started.stderr);
        return;
    }
    assert_eq!(checked.code, Some(FAILURE), "{line:?}: {}", checked.text());
    if checked.stdout.is_empty() {
        assert_eq!(checked.stderr, started.stderr);
        return;
    }
    let said: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    let errors = said["findings"].as_array().expect("a list of findings").iter();
    let mut errors = errors.filter(|finding| finding["severity"] == "error");
    let is_said = errors.any(|error| {
        let field = |name: &str| error[name].as_str().unwrap_or_default();
        let (text, option) = (field("text"), field("option"));
        let sentence = match error["fix"].as_str() {
            Some(fix) => format!("{text}; {fix}"),
            None => text.to_owned(),
        };
        // What no file is the cause of is said without the option, too.
        let of_option = option == field("subject");
        same(line, &format!("{}: {sentence} ({option})", field("subject")))
            || of_option && (same(line, &format!("{option}: {sentence}")) || same(line, text))
    });
    assert!(is_said, "{line:?} is not among the errors of {said:#}");
}

/// Whether two lines are the same, but for the time of day that they were written at.
fn same(one: &str, other: &str) -> bool {
    let timeless = |line: &str| line.replace(|c: char| c.is_ascii_digit(), "#");
    timeless(one) == timeless(other)
}
