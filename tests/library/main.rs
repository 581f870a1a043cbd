//! The library over connections: what its own tests, which have none, cannot see.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod bodies;
mod errors;
mod heads;
mod own_backend;
mod peers;
mod standing;
mod stopping;
mod threads;

use turnkey_test_support as support;
