//! Leaving: what is under way finishes, what is idle ends, nothing that was accepted is dropped
//! unanswered, and all of it in bounded time.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "draining/delay.rs"]
mod delay;
#[path = "draining/health.rs"]
mod health;
#[path = "draining/restarts.rs"]
mod restarts;
#[path = "draining/signals.rs"]
mod signals;
mod support;
