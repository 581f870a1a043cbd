//! Clients that mean harm, or behave as if they did: what they get, and that the others notice
//! nothing of it.
//!
//! Each test drives the program with short limits, in plain and over TLS at once; the thread that
//! fails is named for the stack. Where an app is needed that the program does not have, the library
//! serves it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "adversaries/close.rs"]
mod close;
#[path = "adversaries/crowds.rs"]
mod crowds;
#[path = "adversaries/descriptors.rs"]
mod descriptors;
#[path = "adversaries/greedy.rs"]
mod greedy;
#[path = "adversaries/max_age.rs"]
mod max_age;
#[path = "adversaries/panics.rs"]
mod panics;
#[path = "adversaries/places.rs"]
mod places;
#[path = "adversaries/resets.rs"]
mod resets;
#[path = "adversaries/slow.rs"]
mod slow;
mod support;
#[path = "adversaries/time_outs.rs"]
mod time_outs;
