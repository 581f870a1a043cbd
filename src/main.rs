//! The program is written with the library and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    turnkey::program::main()
}
