//! Leaving: what is under way finishes, what is idle ends, nothing that was accepted is dropped
//! unanswered, and all of it in bounded time.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod delay;
mod health;
mod restarts;
mod signals;

use turnkey_test_support as support;
