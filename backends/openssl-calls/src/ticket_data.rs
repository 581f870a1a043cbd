use std::ffi::{c_int, c_uchar, c_void};
use std::ptr;
use std::slice;

use foreign_types::ForeignTypeRef as _;
use openssl::error::ErrorStack;
use openssl::ssl::{SslContextBuilder, SslRef};
use openssl_sys::{SSL, SSL_CTX, SSL_SESSION};

/// Application data in a server's session tickets, encrypted like the session.
///
/// OpenSSL calls both functions during a handshake: a panic in them ends the process.
#[derive(Debug)]
pub struct TicketData {
    /// The data for a ticket of this connection; empty if the ticket must not be accepted.
    pub sealed: fn(&SslRef) -> Vec<u8>,
    /// Whether the session of a ticket with this data may be resumed on this connection. If not, there is a full
    /// handshake and a new ticket. A ticket without data is never accepted.
    pub accepts: fn(&SslRef, &[u8]) -> bool,
}

type Generate = unsafe extern "C" fn(*mut SSL, *mut c_void) -> c_int;
type Decrypt = unsafe extern "C" fn(
    *mut SSL,
    *mut SSL_SESSION,
    *const c_uchar,
    usize,
    c_int,
    *mut c_void,
) -> c_int;

// Of `openssl/ssl.h`, which `openssl-sys` leaves out.
#[expect(unsafe_code, reason = "the `openssl` crate has no safe call for it")]
unsafe extern "C" {
    fn SSL_CTX_set_session_ticket_cb(
        context: *mut SSL_CTX,
        generate: Option<Generate>,
        decrypt: Option<Decrypt>,
        argument: *mut c_void,
    ) -> c_int;
    fn SSL_SESSION_set1_ticket_appdata(
        session: *mut SSL_SESSION,
        data: *const c_void,
        length: usize,
    ) -> c_int;
    fn SSL_SESSION_get0_ticket_appdata(
        session: *mut SSL_SESSION,
        data: *mut *mut c_void,
        length: *mut usize,
    ) -> c_int;
}

/// The statuses `SSL_TICKET_…` and the answers `SSL_TICKET_RETURN_…`.
const SUCCESS: c_int = 5;
const SUCCESS_RENEW: c_int = 6;
const IGNORE_RENEW: c_int = 2;
const USE: c_int = 3;
const USE_RENEW: c_int = 4;

/// Makes `data` write the application data of a server's session tickets, and check it when a client returns one
/// (`SSL_CTX_set_session_ticket_cb`).
pub fn set_ticket_data(
    builder: &mut SslContextBuilder,
    data: &'static TicketData,
) -> Result<(), ErrorStack> {
    let argument = ptr::from_ref(data).cast_mut().cast::<c_void>();
    #[expect(unsafe_code, reason = "the `openssl` crate has no safe call for it")]
    // SAFETY: the context is alive and ours alone, as `&mut` says. OpenSSL keeps the two functions, whose
    // types are those of its header, and the argument, which points to what lives as long as the process.
    let result = unsafe {
        SSL_CTX_set_session_ticket_cb(builder.as_ptr(), Some(generate), Some(decrypt), argument)
    };
    if result == 1 { Ok(()) } else { Err(ErrorStack::get()) }
}

/// Called before a ticket is made of the connection's session. The result 0 ends the handshake.
#[expect(unsafe_code, reason = "OpenSSL calls it")]
unsafe extern "C" fn generate(ssl: *mut SSL, argument: *mut c_void) -> c_int {
    // SAFETY: it is the argument that `set_ticket_data` gave: a `&'static TicketData`.
    let data = unsafe { &*argument.cast::<TicketData>() };
    // SAFETY: OpenSSL passes the current connection, which is alive for the call; nothing else uses it meanwhile.
    let connection = unsafe { SslRef::from_ptr(ssl) };
    let sealed = (data.sealed)(connection);
    // SAFETY: the connection is alive, see above.
    let session = unsafe { openssl_sys::SSL_get_session(ssl) };
    if session.is_null() {
        return 0;
    }
    // SAFETY: the session is that of the connection, which holds it. OpenSSL copies `sealed.len()` bytes from
    // `sealed`, which outlives the call.
    unsafe { SSL_SESSION_set1_ticket_appdata(session, sealed.as_ptr().cast(), sealed.len()) }
}

/// Called when a client has sent a ticket, or could have. `session` is its content, if it was decrypted.
#[expect(unsafe_code, reason = "OpenSSL calls it")]
unsafe extern "C" fn decrypt(
    ssl: *mut SSL,
    session: *mut SSL_SESSION,
    _key_name: *const c_uchar,
    _key_name_length: usize,
    status: c_int,
    argument: *mut c_void,
) -> c_int {
    if !matches!(status, SUCCESS | SUCCESS_RENEW) || session.is_null() {
        return IGNORE_RENEW;
    }
    // SAFETY: it is the argument that `set_ticket_data` gave: a `&'static TicketData`.
    let data = unsafe { &*argument.cast::<TicketData>() };
    // SAFETY: OpenSSL passes the current connection, which is alive for the call; nothing else uses it meanwhile.
    let connection = unsafe { SslRef::from_ptr(ssl) };
    let (mut bytes, mut length) = (ptr::null_mut(), 0);
    // SAFETY: the session is alive: it is not null, and OpenSSL frees it after the call at the earliest. The two
    // places that are written to are alive for the call.
    let result =
        unsafe { SSL_SESSION_get0_ticket_appdata(session, &raw mut bytes, &raw mut length) };
    if result != 1 || bytes.is_null() || length == 0 {
        return IGNORE_RENEW;
    }
    // SAFETY: OpenSSL has said that `length` bytes are at `bytes`. They belong to the session, see above, and
    // nobody changes them during this call.
    let sealed = unsafe { slice::from_raw_parts(bytes.cast::<u8>(), length) };
    match (data.accepts)(connection, sealed) {
        true if status == SUCCESS_RENEW => USE_RENEW,
        true => USE,
        false => IGNORE_RENEW,
    }
}
