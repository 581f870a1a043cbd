//! What the documents show is so. Their commands are run as they are written, one after the other, from
//! the root of the repository, in a copy of this system that nobody else sees; they must print what is
//! shown. Pieces of configuration are given to the programs that they are for. Lines of the log are
//! compared with those of a server that is treated in that way. Links lead somewhere.
//!
//! A command that is not in the tables of commands fails the tests, and so does a row whose command
//! is in no document.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![cfg(target_os = "linux")]

mod cargo;
mod commands;
mod configuration;
mod errors;
mod guide;
mod links;
mod log;
mod page;
mod paths;
mod place;
mod row;
mod work;

use turnkey_test_support as support;

const GUIDE: &str = include_str!("../../docs/GUIDE.md");

/// Pages with a picture in a block of text.
const PICTURES: [&str; 2] = ["certs/README.md", "docs/ARCHITECTURE.md"];

/// The guide is the manual: an option that it does not name is not documented.
#[test]
fn the_guide_names_every_option() {
    let mut seen = 0;
    for command in [&["--help"][..], &["certs", "--help"], &["check", "--help"]] {
        let help = support::Program::new(command).run().text();
        let is_part = |c: char| c.is_ascii_lowercase() || c == '-';
        let words = help.split(|c: char| !is_part(c));
        for option in words.filter(|word| word.len() > 2 && word.starts_with("--")) {
            let guide = GUIDE.split(|c: char| !is_part(c));
            assert!(guide.into_iter().any(|word| word == option), "{command:?}: no {option}");
            seen += 1;
        }
    }
    assert!(seen > 60, "only {seen} options were found");
}

/// A block in another language would be in none of the tests. Rust is compiled and run as the
/// documentation of the crate.
#[test]
fn every_block_is_of_a_kind_that_is_tried() {
    let known =
        ["apache", "console", "ini", "python", "rust", "rust,no_run", "sh", "text", "toml", "yaml"];
    for block in support::documents::blocks() {
        let page = block.page;
        assert!(known.contains(&block.language), "{page}: {:?}: {:?}", block.language, block.lines);
        let is_log = || block.lines.iter().all(|line| line.starts_with("info: "));
        let is_tried = block.language != "text" || PICTURES.contains(&page) || is_log();
        assert!(is_tried, "{page}: neither a picture nor lines of the log: {:?}", block.lines);
    }
}
