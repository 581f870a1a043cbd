use std::ffi::{c_int, c_uint};
use std::ptr;

use foreign_types::ForeignTypeRef as _;
use openssl::ssl::SslRef;

/// `SSL_CTRL_GET_NEGOTIATED_GROUP` of `openssl/ssl.h`, which `openssl-sys` leaves out.
const GET_NEGOTIATED_GROUP: c_int = 134;

/// The group of the key exchange (`SSL_get_negotiated_group`): its number in OpenSSL (NID), or
/// `TLSEXT_nid_unknown` and its number in TLS. It is 0 if there is none, and on OpenSSL before 3.0, which does not
/// have this command.
#[must_use]
pub fn negotiated_group(ssl: &SslRef) -> c_int {
    #[expect(unsafe_code, reason = "the `openssl` crate has no safe call for it")]
    // SAFETY: the connection is alive, as the reference says. This command takes no argument, and reads
    // two numbers of the connection; it changes nothing, so that a shared reference is enough.
    let number =
        unsafe { openssl_sys::SSL_ctrl(ssl.as_ptr(), GET_NEGOTIATED_GROUP, 0, ptr::null_mut()) };
    c_int::try_from(number).unwrap_or_default()
}

/// The body of an extension of the client's hello, by its number in IANA's registry "TLS `ExtensionType`
/// Values" (`SSL_client_hello_get0_ext`). Outside the client hello callback it is `None`.
#[must_use]
pub fn client_hello_extension(ssl: &SslRef, number: u16) -> Option<&[u8]> {
    let (mut body, mut length) = (ptr::null(), 0);
    #[expect(unsafe_code, reason = "the `openssl` crate has no safe call for it")]
    // SAFETY: the connection is alive, as the reference says, and OpenSSL only reads it. The two places that it
    // writes to are alive for the call. It writes to both of them if it returns 1, and otherwise to none.
    let found = unsafe {
        openssl_sys::SSL_client_hello_get0_ext(
            ssl.as_ptr(),
            c_uint::from(number),
            &raw mut body,
            &raw mut length,
        )
    };
    if found != 1 || body.is_null() {
        return None;
    }
    #[expect(unsafe_code, reason = "OpenSSL gives a pointer")]
    // SAFETY: OpenSSL has said that `length` bytes are at `body`. They are part of the client's hello, which
    // it keeps for as long as the callback runs and changes only by calls that need the connection mutably;
    // the slice borrows the connection.
    let extension = unsafe { std::slice::from_raw_parts(body, length) };
    Some(extension)
}
