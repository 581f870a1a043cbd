//! Calls of OpenSSL that its crate does not wrap: they set the keys and the application data of session tickets,
//! read the client hello, get the group of the key exchange, and make results of verification.
//!
//! This is the only crate of the project with `unsafe`; all others forbid it. Each call can be removed when the
//! `openssl` crate has it (ticket keys: rust-openssl#1828).

mod handshake;
mod ticket_data;
mod ticket_keys;
mod verdict;

pub use self::handshake::{client_hello_extension, negotiated_group};
pub use self::ticket_data::{TicketData, set_ticket_data};
pub use self::ticket_keys::{TICKET_KEYS_LENGTH, set_ticket_keys};
pub use self::verdict::{of_unknown_status, revoked};
