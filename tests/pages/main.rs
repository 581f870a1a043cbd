//! The pages that the server makes itself, looked at in Chromium: as light and dark, as narrow and wide
//! as people have them.
//!
//! Pictures of what it saw are in `target/tmp/pages`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![cfg(unix)]
#![allow(dead_code, reason = "the browser can do more than is asked of it yet")]

mod browser;
mod errors;
mod listing;
mod whoami;

use browser::{Seen, Visit, browse, in_every_look};
use turnkey_test_support as support;
