mod apart;
mod client;
mod complaint;
mod conn;
pub mod console;
mod crl;
pub mod documents;
pub mod identity;
mod library;
mod log;
pub mod ocsp;
mod odd;
mod pki;
mod process;
pub mod programs;
mod server;
mod setup;
mod site;
mod streams;
pub mod upstream;
mod words;

pub use apart::apart;
pub use client::{Client, TlsVersion, s_client};
pub use complaint::{
    FAILURE, USAGE, assert_agreement, assert_complaint, assert_complaint_naming_one_of,
};
pub use conn::{Conn, Dialer, GET, Response, is_time_out, reset};
pub use crl::Crl;
pub use library::Library;
pub use pki::{Authority, Files, Leaf, Pki, Profile, export_pkcs12, openssl, secret, shared_keys};
pub use process::{Output, python, run, tool};
pub use server::{DEADLINE, Program, Server};
pub use setup::{HeldBy, Setup, at_once};
pub use site::{Raise, Site, Stack, on, report};
pub use streams::{Streams, UPGRADE};
pub use words::{assert_in_words, name_of_rust};
