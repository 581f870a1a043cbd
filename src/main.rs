//! The program, which is written with the public API of the library and nothing else.

mod check;
mod cli;
mod config;
mod console;
#[cfg(feature = "pki")]
mod pki;
mod program;

use std::process::ExitCode;

#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    program::main()
}
