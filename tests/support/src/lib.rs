//! What the tests share. For black-box tests that is the program as a child process, clients that are
//! not ours, and certificates made at run time; for those of the wire, [`wire`]. Everything binds port 0
//! and keeps its files in a directory of its own, so tests run in parallel.

#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::new_without_default,
    clippy::panic,
    clippy::return_self_not_must_use,
    clippy::unwrap_used,
    reason = "only tests use it"
)]

#[cfg(unix)]
mod black_box;
pub mod wire;

#[cfg(unix)]
pub use self::black_box::*;

/// The root of the repository.
pub fn root() -> &'static str {
    env!("CARGO_MANIFEST_DIR").strip_suffix("/tests/support").expect("the path of this package")
}

/// Turns rows and columns into one `#[test]` each, named `column::row`, so that a failing
/// combination is visible by name. A row is a function, a column is the value it is called with.
#[macro_export]
macro_rules! table {
    (columns { $($column:ident = $value:expr;)+ } rows $rows:tt) => {
        $($crate::table! { @column $column, $value, $rows })+
    };
    (@column $column:ident, $value:expr, { $($row:ident)+ }) => {
        mod $column {
            #[allow(unused_imports, reason = "the column's value may name nothing around it")]
            use super::*;
            $(#[test]
            fn $row() {
                super::$row($value);
            })+
        }
    };
}

/// The columns of mutual mode: every backend that verifies clients, in each version of TLS.
#[macro_export]
macro_rules! on_every_verifying_backend {
    ($($row:ident)+) => {
        $crate::table! {
            columns {
                rustls_tls12 = $crate::Setup::RUSTLS_SERVER_12;
                rustls_tls13 = $crate::Setup::RUSTLS_SERVER_13;
                openssl_tls12 = $crate::Setup::OPENSSL_SERVER_12;
                openssl_tls13 = $crate::Setup::OPENSSL_SERVER_13;
            } rows { $($row)+ }
        }
    };
}
