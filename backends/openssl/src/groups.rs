//! The groups for key exchange.

use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::Id;
use openssl::ssl::{SslContextBuilder, SslRef, SslVersion};
use turnkey_openssl_calls::negotiated_group;

/// The groups that usual peers support.
const GROUPS: &str = "X25519:P-256:P-384";

/// The same after a group that resists quantum computers, from OpenSSL 3.5 on.
const GROUPS_AND_HYBRID: &str = "X25519MLKEM768:X25519:P-256:P-384";

/// `TLSEXT_nid_unknown` of `openssl/tls1.h`: what follows is the group's number in TLS.
const UNKNOWN: i32 = 0x0100_0000;

/// Sets the groups, the preferred one first, on a server or a client. In TLS 1.3 a server uses the first one that
/// the client sends a key for.
pub(crate) fn offer(builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    builder.set_groups_list(GROUPS_AND_HYBRID).or_else(|_| builder.set_groups_list(GROUPS))
}

/// The agreed group, by its name in IANA's registry.
pub(crate) fn agreed(ssl: &SslRef) -> Option<String> {
    // OpenSSL returns the group of the resumed session, although no keys were exchanged.
    if ssl.session_reused() && ssl.version2() == Some(SslVersion::TLS1_2) {
        return None;
    }
    let agreed = negotiated_group(ssl);
    let names = [
        // OpenSSL has no NID for it.
        (UNKNOWN | 0x11ec, "X25519MLKEM768"),
        (Id::X25519.as_raw(), "x25519"),
        (Nid::X9_62_PRIME256V1.as_raw(), "secp256r1"),
        (Nid::SECP384R1.as_raw(), "secp384r1"),
    ];
    names.into_iter().find(|(number, _)| *number == agreed).map(|(_, name)| name.to_owned())
}
