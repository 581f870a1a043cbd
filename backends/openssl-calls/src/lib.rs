//! The calls of OpenSSL that its crate does not wrap: they set the keys of session tickets, and tell
//! which group a key exchange used.
//!
//! This is the only crate of the project with `unsafe` in it; all others forbid it. Each call can go when
//! the `openssl` crate has it (ticket keys: rust-openssl#1828).

mod group;
mod ticket_keys;

pub use self::group::negotiated_group;
pub use self::ticket_keys::{TICKET_KEYS_LENGTH, set_ticket_keys};
