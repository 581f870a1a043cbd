//! Whatever is wrong at the start is said in one line, and nothing is served.
//!
//! Each case: the exit code (1: what was named does not work, 2: wrong usage), one line on stderr
//! that starts with `turnkey: ` and names the file or flag, no panic, no prompt, within 5 s.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "bad_input/addresses.rs"]
mod addresses;
#[path = "bad_input/files.rs"]
mod files;
#[path = "bad_input/habits.rs"]
mod habits;
#[path = "bad_input/identities.rs"]
mod identities;
mod support;
#[path = "bad_input/usage.rs"]
mod usage;

use support::{Output, Program};

/// What the program says when it is started like that, on a free port.
fn run(args: &[&str]) -> Output {
    program(args).run()
}

fn program(args: &[&str]) -> Program {
    Program::new(&[args, &["--port", "0"]].concat())
}
