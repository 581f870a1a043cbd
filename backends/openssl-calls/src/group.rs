use std::ffi::c_int;
use std::ptr;

use foreign_types::ForeignTypeRef as _;
use openssl::ssl::SslRef;

/// `SSL_CTRL_GET_NEGOTIATED_GROUP` of `openssl/ssl.h`, which `openssl-sys` leaves out.
const GET_NEGOTIATED_GROUP: c_int = 134;

/// Tells which group the keys were exchanged in (`SSL_get_negotiated_group`): its number in OpenSSL (NID),
/// or `TLSEXT_nid_unknown` and its number in TLS. It is 0 where there is none, and on OpenSSL before 3.0,
/// which does not know the command.
#[must_use]
pub fn negotiated_group(ssl: &SslRef) -> c_int {
    #[expect(unsafe_code, reason = "the `openssl` crate has no safe call for it")]
    // SAFETY: the connection is alive, as the reference says. This command takes no argument, and reads
    // two numbers of the connection; it changes nothing, so that a shared reference is enough.
    let number =
        unsafe { openssl_sys::SSL_ctrl(ssl.as_ptr(), GET_NEGOTIATED_GROUP, 0, ptr::null_mut()) };
    c_int::try_from(number).unwrap_or_default()
}
