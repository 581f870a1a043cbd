use std::ffi::{c_int, c_long, c_void};

use openssl::error::ErrorStack;
use openssl::ssl::SslContextBuilder;

/// The length of OpenSSL's keys since 1.1.0, in bytes: a name of 16, and 32 for each of HMAC and AES-256.
pub const TICKET_KEYS_LENGTH: usize = 80;

/// `SSL_CTRL_SET_TLSEXT_TICKET_KEYS` of `openssl/ssl.h`, which `openssl-sys` leaves out.
const SET_TICKET_KEYS: c_int = 59;

/// Sets the keys that encrypt a server's session tickets, in place of the random keys of its context
/// (`SSL_CTX_set_tlsext_ticket_keys`).
///
/// The first 16 bytes go over the wire in each ticket, to tell keys apart; the others are secret.
/// OpenSSL keeps a copy.
pub fn set_ticket_keys(
    builder: &mut SslContextBuilder,
    keys: &[u8; TICKET_KEYS_LENGTH],
) -> Result<(), ErrorStack> {
    set_slice(builder, keys)
}

/// OpenSSL rejects keys of another length than it was built for.
fn set_slice(builder: &mut SslContextBuilder, keys: &[u8]) -> Result<(), ErrorStack> {
    let length = c_long::try_from(keys.len()).unwrap_or(c_long::MAX);
    let from = keys.as_ptr().cast_mut().cast::<c_void>();
    #[expect(unsafe_code, reason = "the `openssl` crate has no safe call for it")]
    // SAFETY: the context is alive and ours alone, as `&mut` says. With this command OpenSSL compares `length` with
    // the length that it expects and then copies that many bytes from `from`, which points to `length` bytes that
    // live until the call returns; it does not write to them.
    let result =
        unsafe { openssl_sys::SSL_CTX_ctrl(builder.as_ptr(), SET_TICKET_KEYS, length, from) };
    if result == 1 { Ok(()) } else { Err(ErrorStack::get()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "these are tests")]

    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::sync::{Arc, Mutex};
    use std::thread;

    use openssl::asn1::Asn1Time;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::pkey::PKey;
    use openssl::ssl::{Ssl, SslContext, SslMethod, SslOptions, SslSessionCacheMode, SslVersion};
    use openssl::x509::X509Builder;

    use super::*;

    #[test]
    fn the_length_is_what_openssl_takes() {
        set_ticket_keys(&mut server(), &[7; TICKET_KEYS_LENGTH]).unwrap();
    }

    #[test]
    fn what_openssl_refuses_is_an_error() {
        for length in [0, 48, TICKET_KEYS_LENGTH - 1, TICKET_KEYS_LENGTH + 1] {
            let error = set_slice(&mut server(), &vec![7; length]).unwrap_err();
            let reason = error.errors().first().and_then(openssl::error::Error::reason);
            assert_eq!(reason, Some("invalid ticket keys length"), "{length} bytes: {error}");
        }
    }

    /// The backend tests that the same keys open a ticket, with a client that resumes its session.
    #[test]
    fn tickets_bear_the_name_of_the_key() {
        const NAME: &[u8; 16] = b"this is its name";
        let mut keys = [7; TICKET_KEYS_LENGTH];
        keys[..16].copy_from_slice(NAME);
        let bears_it = |server: SslContextBuilder| {
            let session = session(&server.build());
            session.windows(NAME.len()).any(|bytes| bytes == NAME)
        };
        let mut with_keys = server();
        set_ticket_keys(&mut with_keys, &keys).unwrap();
        assert!(bears_it(with_keys));
        assert!(!bears_it(server()));
    }

    /// A server with a certificate that is not verified.
    fn server() -> SslContextBuilder {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut certificate = X509Builder::new().unwrap();
        certificate.set_pubkey(&key).unwrap();
        certificate.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        certificate.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        certificate.sign(&key, MessageDigest::sha256()).unwrap();
        let mut builder = SslContextBuilder::new(SslMethod::tls_server()).unwrap();
        builder.set_certificate(&certificate.build()).unwrap();
        builder.set_private_key(&key).unwrap();
        builder.clear_options(SslOptions::NO_TICKET);
        builder
    }

    /// The session that a client keeps after a connection to `server`, with its ticket.
    fn session(server: &SslContext) -> Vec<u8> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let kept = Arc::new(Mutex::new(Vec::new()));
        let mut client = SslContextBuilder::new(SslMethod::tls_client()).unwrap();
        client.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
        client.set_session_cache_mode(SslSessionCacheMode::CLIENT);
        let keep = Arc::clone(&kept);
        client.set_new_session_callback(move |_, session| {
            *keep.lock().unwrap() = session.to_der().unwrap();
        });
        let client = client.build();
        thread::scope(|scope| {
            let accept = || Ssl::new(server).unwrap().accept(listener.accept().unwrap().0);
            let accepted = scope.spawn(move || accept().unwrap());
            let stream = Ssl::new(&client).unwrap().connect(tcp).unwrap();
            drop(accepted.join().unwrap());
            drop(stream);
        });
        std::mem::take(&mut *kept.lock().unwrap())
    }
}
