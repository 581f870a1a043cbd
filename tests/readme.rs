//! What `README.md` shows is so: its commands are run as they stand there, one after the other, in a
//! copy of this system that nobody else sees, and have to print what is shown; pieces of configuration
//! are given to the programs that they are for; lines of the log are those of a server to which what
//! they tell of is done.
//!
//! A command that the table of commands does not have fails the tests, and so does one that
//! `README.md` has no more.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![cfg(target_os = "linux")]

#[path = "readme/cargo.rs"]
mod cargo;
#[path = "readme/commands.rs"]
mod commands;
#[path = "readme/configuration.rs"]
mod configuration;
#[path = "readme/log.rs"]
mod log;
#[path = "readme/page.rs"]
mod page;
#[path = "readme/place.rs"]
mod place;
mod support;
#[path = "readme/table.rs"]
mod table;

/// A block in another language would be in none of the tests. Rust is compiled, and run, as the
/// documentation of the crate is.
#[test]
fn every_block_is_of_a_kind_that_is_tried() {
    let known = ["apache", "console", "python", "rust", "rust,no_run", "sh", "text", "yaml"];
    for block in support::readme::blocks() {
        assert!(known.contains(&block.language), "{:?}: {:?}", block.language, block.lines);
    }
}
