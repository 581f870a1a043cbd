//! Sessions that clients resume, and what their tickets are bound to.
//!
//! OpenSSL resumes a session whatever has expired since it began, and in TLS 1.2 under any name that the client asks
//! for. So each ticket states, encrypted like the rest of it, until when everything that vouched for the client is
//! valid, the name under which the session began (RFC 6066 §3), and the key of the CA that signed the client's
//! certificate. If the end or the name does not fit, there is a full handshake. The key is for the rules, since a
//! resumed session has no chain.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use openssl::error::ErrorStack;
use openssl::ssl::{ClientHelloResponse, SslContextBuilder, SslRef};
use turnkey_backend::IssuerKey;
use turnkey_openssl_calls::{TicketData, client_hello_extension, set_ticket_data};

use crate::seen::{Client, Seen};

/// Records the name that each client asks for: later OpenSSL reports the name that the resumed session began with.
pub(crate) fn note_names(builder: &mut SslContextBuilder) {
    const SERVER_NAME: u16 = 0;
    builder.set_client_hello_callback(|ssl, _| {
        let name = client_hello_extension(ssl, SERVER_NAME).and_then(host_name);
        Seen::with(ssl, |seen| seen.server_name = name);
        Ok(ClientHelloResponse::SUCCESS)
    });
}

/// Binds the tickets of a server.
pub(crate) fn bind(builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    static DATA: TicketData = TicketData { sealed, accepts };
    set_ticket_data(builder, &DATA)
}

fn sealed(ssl: &SslRef) -> Vec<u8> {
    let bound = Seen::with(ssl, |seen| {
        if ssl.session_reused() {
            return seen.resumed.clone();
        }
        let (until, issuer) = match &seen.client {
            Some(Client::Verified(verified)) => {
                (Some(verified.until), IssuerKey::in_chain(&verified.chain))
            }
            None if ssl.peer_certificate().is_none() => (None, None),
            _ => return None,
        };
        Some(Bound { until, issuer, server_name: seen.server_name.clone() })
    });
    // If it is unknown what vouches for the session, its ticket is never accepted.
    bound.flatten().map(|bound| bound.to_bytes()).unwrap_or_default()
}

fn accepts(ssl: &SslRef, data: &[u8]) -> bool {
    let Some(bound) = Bound::from_bytes(data) else { return false };
    let accepted = Seen::with(ssl, |seen| {
        let fits = bound.fits(seen.server_name.as_deref(), SystemTime::now());
        seen.resumed = fits.then_some(bound);
        fits
    });
    accepted.unwrap_or(false)
}

/// Marks the format of the bindings. The format without the issuer's key has a 0 or a 1 in this place, so servers of
/// both formats that share ticket keys reject each other's tickets.
const FORMAT: u8 = 2;

/// The binding of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The last second in which everything that vouched for the client is valid; `None` for a client without a
    /// certificate.
    pub(crate) until: Option<SystemTime>,
    /// The key of the CA that issued the client's certificate directly.
    pub(crate) issuer: Option<IssuerKey>,
    /// In lower case.
    server_name: Option<Vec<u8>>,
}

impl Bound {
    /// Whether the session may be resumed at `now`, by a client that asks for `server_name`. OpenSSL treats
    /// certificates as expired in their last second already.
    fn fits(&self, server_name: Option<&[u8]>, now: SystemTime) -> bool {
        self.until.is_none_or(|until| now < until) && self.server_name.as_deref() == server_name
    }

    /// Seconds since 1970, all ones for no end; the [mark](FORMAT) of the format; 0, or 1 and the issuer's key;
    /// 0, or 1 and the name.
    fn to_bytes(&self) -> Vec<u8> {
        let seconds = self.until.map_or(u64::MAX, |until| {
            until.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
        });
        let mut bytes = [&seconds.to_be_bytes()[..], &[FORMAT]].concat();
        let issuer = self.issuer.map(IssuerKey::to_bytes);
        for part in [issuer.as_ref().map(|key| &key[..]), self.server_name.as_deref()] {
            bytes.push(u8::from(part.is_some()));
            bytes.extend_from_slice(part.unwrap_or_default());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (seconds, rest) = bytes.split_first_chunk()?;
        let until = match u64::from_be_bytes(*seconds) {
            u64::MAX => None,
            seconds => Some(UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?),
        };
        let (issuer, rest) = match rest {
            [FORMAT, 0, rest @ ..] => (None, rest),
            [FORMAT, 1, rest @ ..] => {
                let (key, rest) = rest.split_first_chunk()?;
                (Some(IssuerKey::from_bytes(*key)), rest)
            }
            _ => return None,
        };
        let server_name = match rest {
            [0] => None,
            [1, name @ ..] => Some(name.to_vec()),
            _ => return None,
        };
        Some(Self { until, issuer, server_name })
    }
}

/// The first host name of a list of names (RFC 6066 §3), in lower case, since case does not matter (RFC 4343).
/// OpenSSL rejects a malformed list later.
fn host_name(list: &[u8]) -> Option<Vec<u8>> {
    let (_, entry) = list.split_first_chunk::<2>()?;
    let (&[0], entry) = entry.split_first_chunk::<1>()? else { return None };
    let (length, rest) = entry.split_first_chunk()?;
    Some(rest.get(..usize::from(u16::from_be_bytes(*length)))?.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(until: Option<u64>, server_name: Option<&str>) -> Bound {
        let until = until.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        let issuer = until.is_some().then(|| IssuerKey::from_bytes([7; 32]));
        Bound { until, issuer, server_name: server_name.map(Into::into) }
    }

    #[test]
    fn what_a_ticket_is_bound_to_is_read_as_it_was_written() {
        for until in [None, Some(0), Some(1_800_000_000)] {
            for name in [None, Some(""), Some("localhost")] {
                let bound = bound(until, name);
                let bytes = bound.to_bytes();
                assert_eq!(Bound::from_bytes(&bytes), Some(bound));
                // Only the name may be shorter.
                for length in 0..bytes.len() - name.map_or(0, str::len) {
                    assert_eq!(Bound::from_bytes(&bytes[..length]), None, "{length}");
                }
            }
        }
        for (mark, issuer, name) in [(0, 0, 0), (1, 0, 0), (3, 0, 0), (2, 2, 0), (2, 0, 2)] {
            let bytes = [&[0; 8][..], &[mark, issuer, name]].concat();
            assert_eq!(Bound::from_bytes(&bytes), None, "{bytes:?}");
        }
        assert_eq!(Bound::from_bytes(&[0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]), None);
    }

    /// The format before the issuer's key: seconds, then 0, or 1 and the name.
    #[test]
    fn tickets_of_the_older_format_are_refused() {
        let long = [1; 64];
        for end in [&[0][..], &[1], b"\x01localhost", &long] {
            let bytes = [&1_800_000_000_u64.to_be_bytes()[..], end].concat();
            assert_eq!(Bound::from_bytes(&bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_session_goes_on_until_its_end_and_under_its_name() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let session = bound(Some(100), Some("localhost"));
        assert!(session.fits(Some(b"localhost"), at(99)));
        assert!(!session.fits(Some(b"localhost"), at(100)));
        assert!(!session.fits(Some(b"other"), at(99)));
        assert!(!session.fits(None, at(99)));
        assert!(!bound(None, None).fits(Some(b"localhost"), at(99)));
        assert!(bound(None, None).fits(None, at(u64::from(u32::MAX))));
    }

    #[test]
    fn the_name_is_the_first_host_name() {
        assert_eq!(host_name(b"\0\x0c\0\0\x09LocalHost").unwrap(), b"localhost");
        for bad in
            [&b""[..], b"\0\x0c", b"\0\x0c\x01\0\x01a", b"\0\x0c\0\0\x09local", b"\0\x0c\0\0"]
        {
            assert_eq!(host_name(bad), None);
        }
    }
}
