use std::fmt;
use std::sync::Arc;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::ClientPolicy;

/// Whether clients may resume sessions, which skips most of the handshake (RFC 8446 §2.2, RFC 5077).
///
/// A resumed session skips the check of the client's certificate too. So a backend has to end the session as soon as
/// anything that vouched for the client ends ([`ClientTrust::vouched_until`](crate::ClientTrust::vouched_until)), or
/// verify the chain again. It must not resume a session under another server name than the one that the session began
/// with (RFC 6066 §3). [`ClientPolicy::admit`] checks the rest.
#[derive(Debug, Clone, Default)]
pub enum Resumption {
    /// Every handshake is a full one.
    #[default]
    Off,
    /// Sessions are resumed, with random keys of this backend.
    On,
    /// With keys that several servers share: a session that began at one can be resumed at another.
    Shared(TicketKey),
}

/// The secret that session tickets are encrypted with.
///
/// The keys are derived from it and from the client policy: a ticket of one policy is invalid under another, also
/// on servers that share the secret.
#[derive(Clone)]
pub struct TicketKey(Arc<Zeroizing<Vec<u8>>>);

impl TicketKey {
    /// The minimum length of a secret, in bytes: that of the cipher's key.
    pub const MIN: usize = 32;
    /// The maximum length, in bytes.
    pub const MAX: usize = 4096;

    /// A secret from random bytes, for example of `openssl rand 80`; `None` if they are too few or too many.
    #[must_use]
    pub fn new(secret: &[u8]) -> Option<Self> {
        let fits = (Self::MIN..=Self::MAX).contains(&secret.len());
        fits.then(|| Self(Arc::new(Zeroizing::new(secret.to_vec()))))
    }

    /// 80 bytes for the tickets of `clients`: the first 16 identify the key and are not secret, the others are.
    /// `stack` makes the keys differ between TLS stacks, like their tickets.
    #[must_use]
    pub fn derive(&self, stack: &str, clients: &ClientPolicy) -> Zeroizing<[u8; 80]> {
        let mut key = Zeroizing::new([0; 80]);
        let info = [b"turnkey ticket key\0", stack.as_bytes(), b"\0", &clients.digest()].concat();
        let expanded = Hkdf::<Sha256>::new(None, &self.0).expand(&info, &mut *key);
        // RFC 5869 §2.3 allows 255 times the 32 bytes of the hash.
        debug_assert!(expanded.is_ok());
        key
    }
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketKey").finish_non_exhaustive()
    }
}
