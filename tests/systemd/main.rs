//! Under systemd, as far as that goes without one: what the program tells it, and the units.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod activation;
mod notify;
mod unit;

use turnkey_test_support as support;
