//! One suite for every backend, in every mode and version of TLS that it offers.
//!
//! Each file of `conformance/` opens with a table: a row is a function, a column is a set-up, and
//! each pair is a test of its own, named `file::column::row`. A new backend is a new column.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod chains;
mod choice;
mod crl;
mod identity;
mod issuers;
mod lacks;
mod mutual;
mod ocsp;
mod optional;
mod reload;
mod resumption;
mod rules;
mod server;
mod sni;
mod standing;

use turnkey_test_support::{self as support, HeldBy, Setup, at_once, on_every_verifying_backend};
