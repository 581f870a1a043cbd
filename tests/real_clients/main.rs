//! Clients that people use, each with what it is apt to do: not one error, by their own count.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

/// The columns: what bytes go through.
macro_rules! on_every_stack {
    ($($row:ident)+) => {
        crate::support::table! {
            columns {
                http = crate::support::Stack::Plain;
                https_native_tls = crate::support::Stack::NativeTls;
                https_rustls = crate::support::Stack::Rustls;
                https_openssl = crate::support::Stack::OpenSsl;
            } rows { $($row)+ }
        }
    };
}

mod curl;
mod load;
mod node;
mod python;

use turnkey_test_support::{self as support, Site, Stack};

/// The program, with time-outs that no client on a busy machine runs into.
fn site(stack: Stack) -> Site {
    let patient = ["--handshake-timeout", "--head-timeout", "--body-timeout", "--write-timeout"];
    let mut limits: Vec<_> = patient.iter().map(|&name| (name, "10")).collect();
    limits.extend([("--idle-timeout", "20"), ("--max-body", "10M")]);
    Site::new(stack, &limits)
}
