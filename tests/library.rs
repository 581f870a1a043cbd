//! The library over connections: what its own tests, which have none, cannot see.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "library/bodies.rs"]
mod bodies;
#[path = "library/errors.rs"]
mod errors;
#[path = "library/own_backend.rs"]
mod own_backend;
#[path = "library/peers.rs"]
mod peers;
#[path = "library/standing.rs"]
mod standing;
#[path = "library/stopping.rs"]
mod stopping;
mod support;
#[path = "library/threads.rs"]
mod threads;
