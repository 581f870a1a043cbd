use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use rustls::server::ProducesTickets;
use turnkey_backend::{BuildError, ClientPolicy, TicketKey};

/// How long a session can be resumed, as with the keys that rustls makes itself.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The maximum length of a ticket: it must fit into a client hello.
const MAX: usize = 1 << 14;

const KEY_NAME: usize = 16;
const KEY: usize = 32;
const ISSUED: usize = 8;

/// Session tickets that every server with the same secret and the same client policy can open.
///
/// A ticket is the name of the key, a nonce, and, encrypted with AES-256-GCM, the time of issue and the session.
/// rustls expects that keys are rotated, and stores no time. Only the operator rotates a shared key, so the time
/// limits how long a ticket is valid.
pub(crate) struct SharedTickets {
    key_name: [u8; KEY_NAME],
    /// Nonces are random, so that servers need not coordinate them. The cipher allows 2^32 tickets (NIST SP 800-38D
    /// §8.3).
    key: RandomizedNonceKey,
}

impl SharedTickets {
    /// With the key derived from `secret` and `clients`.
    pub(crate) fn new(secret: &TicketKey, clients: &ClientPolicy) -> Result<Self, BuildError> {
        let derived = secret.derive("rustls", clients);
        let key = derived.split_first_chunk().and_then(|(name, rest)| {
            let key = RandomizedNonceKey::new(&AES_256_GCM, rest.get(..KEY)?).ok()?;
            Some(Self { key_name: *name, key })
        });
        key.ok_or_else(|| BuildError::Setup("the cipher does not take the ticket key".into()))
    }

    fn seal(&self, session: &[u8], now: u64) -> Option<Vec<u8>> {
        let mut sealed = [&now.to_be_bytes(), session].concat();
        let nonce =
            self.key.seal_in_place_append_tag(Aad::from(self.key_name), &mut sealed).ok()?;
        let ticket = [&self.key_name[..], nonce.as_ref(), &sealed].concat();
        (ticket.len() <= MAX).then_some(ticket)
    }

    fn open(&self, ticket: &[u8], now: u64) -> Option<Vec<u8>> {
        if ticket.len() > MAX {
            return None;
        }
        // The name is not secret, so this comparison need not take constant time.
        let sealed = ticket.strip_prefix(&self.key_name)?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(self.key_name), &mut sealed).ok()?;
        let (issued, session) = opened.split_first_chunk::<ISSUED>()?;
        // Another server's clock may be ahead of ours.
        let age = now.saturating_sub(u64::from_be_bytes(*issued));
        (age <= LIFETIME.as_secs()).then(|| session.to_vec())
    }
}

impl ProducesTickets for SharedTickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        u32::try_from(LIFETIME.as_secs()).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.seal(plain, unix_seconds(SystemTime::now())?)
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        self.open(cipher, unix_seconds(SystemTime::now())?)
    }
}

impl fmt::Debug for SharedTickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedTickets").finish_non_exhaustive()
    }
}

fn unix_seconds(time: SystemTime) -> Option<u64> {
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const SESSION: &[u8] = b"what rustls remembers";

    fn tickets(secret: u8) -> SharedTickets {
        let secret = TicketKey::new(&[secret; TicketKey::MIN]).unwrap();
        SharedTickets::new(&secret, &ClientPolicy::None).unwrap()
    }

    #[test]
    fn another_server_with_the_same_secret_opens_them() {
        let ticket = tickets(1).seal(SESSION, NOW).unwrap();
        assert_eq!(tickets(1).open(&ticket, NOW).unwrap(), SESSION);
        assert!(tickets(2).open(&ticket, NOW).is_none());
        // The content is not visible.
        assert!(!ticket.windows(4).any(|bytes| SESSION.starts_with(bytes)));
    }

    #[test]
    fn two_for_one_session_differ() {
        let tickets = tickets(1);
        assert_ne!(tickets.seal(SESSION, NOW), tickets.seal(SESSION, NOW));
    }

    #[test]
    fn another_key_under_the_same_name_does_not_open_them() {
        let (one, mut other) = (tickets(1), tickets(2));
        other.key_name = one.key_name;
        assert!(other.open(&one.seal(SESSION, NOW).unwrap(), NOW).is_none());
    }

    #[test]
    fn no_bit_of_them_can_be_changed() {
        let tickets = tickets(1);
        let ticket = tickets.seal(SESSION, NOW).unwrap();
        for bit in 0..ticket.len() * 8 {
            let mut changed = ticket.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(tickets.open(&changed, NOW).is_none(), "bit {bit}");
        }
    }

    #[test]
    fn none_of_another_length_is_opened() {
        let tickets = tickets(1);
        let ticket = tickets.seal(SESSION, NOW).unwrap();
        for length in 0..ticket.len() {
            assert!(tickets.open(&ticket[..length], NOW).is_none(), "{length} bytes");
        }
        assert!(tickets.open(&[&ticket[..], &[0]].concat(), NOW).is_none());
        assert!(tickets.open(&vec![0; 1 << 17], NOW).is_none());
        let long = [&tickets.key_name[..], &vec![0; 1 << 17]].concat();
        assert!(tickets.open(&long, NOW).is_none());
        // rustls does not accept an empty session; it must not cause a panic here.
        assert_eq!(tickets.open(&tickets.seal(&[], NOW).unwrap(), NOW).unwrap(), []);
    }

    #[test]
    fn none_is_made_that_no_client_could_send() {
        let tickets = tickets(1);
        let overhead = tickets.seal(&[], NOW).unwrap().len();
        assert!(tickets.seal(&vec![0; MAX - overhead], NOW).is_some());
        assert!(tickets.seal(&vec![0; MAX - overhead + 1], NOW).is_none());
        assert!(tickets.seal(&vec![0; 1 << 20], NOW).is_none());
    }

    #[test]
    fn they_do_not_last_for_ever() {
        let tickets = tickets(1);
        let ticket = tickets.seal(SESSION, NOW).unwrap();
        assert!(tickets.open(&ticket, NOW + LIFETIME.as_secs()).is_some());
        assert!(tickets.open(&ticket, NOW + LIFETIME.as_secs() + 1).is_none());
        assert!(tickets.open(&ticket, NOW - 60).is_some(), "made by a clock ahead of ours");
    }

    #[test]
    fn nothing_of_the_key_is_printed() {
        assert_eq!(format!("{:?}", tickets(1)), "SharedTickets { .. }");
    }
}
