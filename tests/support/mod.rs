//! What the black-box tests share: the program as a child process, clients that are not ours, and
//! certificates made at run time. Everything binds port 0 and keeps its files in a directory of
//! its own, so tests run in parallel.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test binary uses a part of it")]

mod apart;
mod client;
mod complaint;
mod conn;
pub(crate) mod console;
mod crl;
pub(crate) mod documents;
pub(crate) mod identity;
mod library;
mod log;
pub(crate) mod ocsp;
mod odd;
mod pki;
mod process;
pub(crate) mod programs;
mod server;
mod setup;
mod site;
mod streams;
pub(crate) mod upstream;
mod words;

pub(crate) use apart::apart;
pub(crate) use client::{Client, TlsVersion, s_client};
pub(crate) use complaint::{
    FAILURE, USAGE, assert_agreement, assert_complaint, assert_complaint_naming_one_of,
};
pub(crate) use conn::{Conn, Dialer, GET, Response, is_time_out, reset};
pub(crate) use crl::Crl;
pub(crate) use library::Library;
pub(crate) use pki::{
    Authority, Files, Leaf, Pki, Profile, export_pkcs12, openssl, secret, shared_keys,
};
pub(crate) use process::{Output, python, run, tool};
pub(crate) use server::{DEADLINE, Program, Server};
pub(crate) use setup::{HeldBy, Setup, at_once};
pub(crate) use site::{Raise, Site, Stack, on, report};
pub(crate) use streams::{Streams, UPGRADE};
pub(crate) use words::{assert_in_words, name_of_rust};

/// Turns rows and columns into one `#[test]` each, named `column::row`, so that a failing
/// combination is visible by name. A row is a function, a column is the value it is called with.
macro_rules! table {
    (columns { $($column:ident = $value:expr;)+ } rows $rows:tt) => {
        $($crate::support::table! { @column $column, $value, $rows })+
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
pub(crate) use table;

/// The columns of mutual mode: every backend that verifies clients, in each version of TLS.
macro_rules! on_every_verifying_backend {
    ($($row:ident)+) => {
        crate::support::table! {
            columns {
                rustls_tls12 = crate::support::Setup::RUSTLS_SERVER_12;
                rustls_tls13 = crate::support::Setup::RUSTLS_SERVER_13;
                openssl_tls12 = crate::support::Setup::OPENSSL_SERVER_12;
                openssl_tls13 = crate::support::Setup::OPENSSL_SERVER_13;
            } rows { $($row)+ }
        }
    };
}
pub(crate) use on_every_verifying_backend;
