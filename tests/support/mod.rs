//! What the black-box tests share: the program as a child process, clients that are not ours, and
//! certificates made at run time. Everything binds port 0 and keeps its files in a directory of
//! its own, so tests run in parallel.

#![allow(dead_code, unused_imports, unused_macros, reason = "each test binary uses a part of it")]

mod client;
mod complaint;
mod conn;
mod library;
mod pki;
mod process;
mod server;
mod site;

pub(crate) use client::{Client, TlsVersion, s_client};
pub(crate) use complaint::{FAILURE, USAGE, assert_complaint, assert_complaint_naming_one_of};
pub(crate) use conn::{Conn, Dialer, GET, Response, is_time_out, reset};
pub(crate) use library::Library;
pub(crate) use pki::{Authority, Files, Leaf, Pki, Profile, export_pkcs12, openssl};
pub(crate) use process::{Output, run, tool};
pub(crate) use server::{DEADLINE, Program, Server};
pub(crate) use site::{Site, Stack, on, report};

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
