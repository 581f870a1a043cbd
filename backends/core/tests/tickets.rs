//! The keys that session tickets are encrypted with.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "how a test fails")]

mod support;

use std::fmt::Write as _;

use support::{Holder, now};
use turnkey_backend::{ClientPolicy, TicketKey, TrustAnchors};

fn key(byte: u8) -> TicketKey {
    TicketKey::new(&[byte; 32]).unwrap()
}

#[test]
fn a_secret_is_neither_short_nor_endless() {
    let takes = |length| TicketKey::new(&vec![1; length]).is_some();
    assert!(!takes(0));
    assert!(!takes(31));
    assert!(takes(32));
    assert!(takes(80));
    assert!(takes(4096));
    assert!(!takes(4097));
}

#[test]
fn keys_differ_by_secret_stack_and_policy() {
    let policy = ClientPolicy::None;
    let ca = TrustAnchors::from_pem(Holder::ca("ca").self_signed().as_bytes(), now()).unwrap();
    let optional = ClientPolicy::Optional(ca.clone().into());
    let required = ClientPolicy::Required(ca.into());
    let derived = [
        key(1).derive("rustls", &policy),
        key(2).derive("rustls", &policy),
        key(1).derive("openssl", &policy),
        key(1).derive("rustls", &optional),
        key(1).derive("rustls", &required),
        // No part of one secret is a secret of its own.
        TicketKey::new(&[1; 33]).unwrap().derive("rustls", &policy),
    ];
    for (i, one) in derived.iter().enumerate() {
        for other in derived.iter().skip(i + 1) {
            // Also in part: a name of 16 bytes, then two keys of 32.
            assert_ne!(one[..16], other[..16]);
            assert_ne!(one[16..48], other[16..48]);
            assert_ne!(one[48..], other[48..]);
        }
    }
    assert_eq!(derived[0], key(1).derive("rustls", &policy));
    assert_eq!(derived[0], key(1).clone().derive("rustls", &policy));
}

#[test]
fn keys_are_the_same_on_every_machine_and_in_every_version() {
    // HKDF-SHA-256 (RFC 5869) of the secret, worked out with another program.
    let mut hex = String::new();
    for byte in *key(1).derive("rustls", &ClientPolicy::None) {
        write!(hex, "{byte:02x}").unwrap();
    }
    assert_eq!(
        hex,
        "754d6fa8af35b26aeeb35b914e192ecb48cfcdd3dd02808fbcabe7082cc916f0\
         e2b4809f8c419fb5c58ce8ccf4f740fdbc133e4099251f2adbf3e7a702634c31\
         022e3ebe56756418ff8e2e3b0b5cea40"
    );
}

#[test]
fn a_secret_is_not_shown() {
    assert_eq!(format!("{:?}", key(0xab)), "TicketKey { .. }");
}
