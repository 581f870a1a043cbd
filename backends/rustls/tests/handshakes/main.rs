//! The rustls backend against a client on a loopback socket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod client;
mod configuration;
mod disagreement;
mod groups;
mod hello;
mod identities;
mod pki;
mod refusals;
mod resumption;
mod revocation;
mod stapling;
