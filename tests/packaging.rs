//! The program where users find it: installed, in a Debian package, in an image.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[path = "packaging/deb.rs"]
mod deb;
#[path = "packaging/image.rs"]
mod image;
#[path = "packaging/install.rs"]
mod install;
mod support;
