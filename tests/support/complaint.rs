//! How the program says at start-up that it does not serve.

use super::process::Output;

/// Wrong usage of the command line or the environment.
pub(crate) const USAGE: i32 = 2;
/// The command line is right, but what it names does not work.
pub(crate) const FAILURE: i32 = 1;

/// Asserts that the program left with `code` and exactly one line that names all of `naming`, and
/// that it served nothing.
#[track_caller]
pub(crate) fn assert_complaint(output: &Output, code: i32, naming: &[&str]) {
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
pub(crate) fn assert_complaint_naming_one_of(output: &Output, code: i32, naming: &[&str]) {
    assert_complaint(output, code, &[]);
    let stderr = &output.stderr;
    assert!(naming.iter().any(|n| stderr.contains(n)), "expected one of {naming:?} in {stderr:?}");
}
