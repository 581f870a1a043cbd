//! Clients that mean harm, or behave as if they did: what they get, and that the others notice
//! nothing of it.
//!
//! Each test drives the program with short limits, in plain and over TLS at once; the thread that
//! fails is named for the stack. Where an app is needed that the program does not have, the library
//! serves it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod close;
mod crowds;
mod descriptors;
mod greedy;
mod max_age;
mod panics;
mod places;
mod resets;
mod slow;
mod time_outs;

use turnkey_test_support as support;
