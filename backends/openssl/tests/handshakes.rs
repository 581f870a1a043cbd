//! Handshakes with a client of another TLS stack, over loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "handshakes/failures.rs"]
mod failures;
#[path = "handshakes/policy.rs"]
mod policy;
#[path = "handshakes/protocol.rs"]
mod protocol;
#[path = "handshakes/resumption.rs"]
mod resumption;
#[path = "handshakes/revocation.rs"]
mod revocation;
#[path = "handshakes/shared_keys.rs"]
mod shared_keys;
#[path = "handshakes/sni.rs"]
mod sni;
#[path = "handshakes/stapling.rs"]
mod stapling;
mod support;
