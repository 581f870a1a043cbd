//! The program where users find it: installed, in a Debian package, in an image.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod deb;
mod image;
mod install;

use turnkey_test_support as support;
