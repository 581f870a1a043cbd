//! One suite for every backend, in every mode and version of TLS that it offers.
//!
//! Each file of `conformance/` opens with a table: a row is a function, a column is a set-up, and
//! each pair is a test of its own, named `file::column::row`. A new backend is a new column.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "conformance/chains.rs"]
mod chains;
#[path = "conformance/choice.rs"]
mod choice;
#[path = "conformance/crl.rs"]
mod crl;
#[path = "conformance/identity.rs"]
mod identity;
#[path = "conformance/lacks.rs"]
mod lacks;
#[path = "conformance/mutual.rs"]
mod mutual;
#[path = "conformance/ocsp.rs"]
mod ocsp;
#[path = "conformance/optional.rs"]
mod optional;
#[path = "conformance/reload.rs"]
mod reload;
#[path = "conformance/resumption.rs"]
mod resumption;
#[path = "conformance/rules.rs"]
mod rules;
#[path = "conformance/server.rs"]
mod server;
#[path = "conformance/sni.rs"]
mod sni;
#[path = "conformance/standing.rs"]
mod standing;
mod support;

use support::{HeldBy, Setup, at_once, on_every_verifying_backend};
