//! Handshakes with a client of another TLS stack, over loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod failures;
mod policy;
mod protocol;
mod resumption;
mod revocation;
mod shared_keys;
mod sni;
mod stapling;
mod support;
