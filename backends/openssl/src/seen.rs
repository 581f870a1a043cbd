//! What is known of a connection in the progress of its handshake.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslRef};
use turnkey_backend::{Certificate, Refused, Vouched};

use crate::refusal::Refusal;
use crate::sessions::Bound;

/// What was seen in the progress of a handshake, kept with the connection.
///
/// OpenSSL's calls to us leave it here, and it is read when the handshake is over: a panic in such a call ends
/// the process.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The name that the client asks for (SNI), in lower case.
    pub(crate) server_name: Option<Vec<u8>>,
    /// What became of the client's certificate.
    pub(crate) client: Option<Client>,
    /// What the ticket is bound to that has been accepted.
    pub(crate) resumed: Option<Bound>,
}

/// What became of a client's certificate.
#[derive(Debug)]
pub(crate) enum Client {
    Verified(Vouched),
    /// By us.
    Refused(Refused),
    /// By OpenSSL. The client's own certificate is in DER.
    RefusedByOpenSsl(Vec<u8>, Refusal),
}

impl Client {
    /// Why it was refused, if it was.
    pub(crate) fn refused(self) -> Option<Refused> {
        match self {
            Self::Verified(_) => None,
            Self::Refused(refused) => Some(refused),
            Self::RefusedByOpenSsl(leaf, refusal) => {
                Some(refusal.of(Certificate::from_der(&leaf).ok()?))
            }
        }
    }
}

impl Seen {
    /// Gives a connection a place to keep it.
    pub(crate) fn attach(ssl: &mut Ssl) -> Result<(), ErrorStack> {
        ssl.set_ex_data(index()?, Mutex::new(Some(Self::default())));
        Ok(())
    }

    /// What a connection has kept; it keeps nothing after that.
    pub(crate) fn take(ssl: &SslRef) -> Self {
        place(ssl).and_then(|mut seen| seen.take()).unwrap_or_default()
    }

    /// Reads or changes what is kept; `None` once it has been taken.
    pub(crate) fn with<T>(ssl: &SslRef, then: impl FnOnce(&mut Self) -> T) -> Option<T> {
        place(ssl)?.as_mut().map(then)
    }

    /// Why the client's certificate was refused, if it was.
    pub(crate) fn refused(self) -> Option<Refused> {
        self.client?.refused()
    }

    /// The client's own certificate, if it was verified.
    pub(crate) fn verified_leaf(&self) -> Option<&Certificate> {
        match &self.client {
            Some(Client::Verified(verified)) => verified.chain.first(),
            _ => None,
        }
    }
}

type Place = Mutex<Option<Seen>>;

fn place(ssl: &SslRef) -> Option<MutexGuard<'_, Option<Seen>>> {
    let place: &Place = ssl.ex_data(index().ok()?)?;
    Some(place.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Where connections keep it. There is one index for all listeners, because OpenSSL does not take any back.
fn index() -> Result<Index<Ssl, Place>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Place>> = OnceLock::new();
    if let Some(index) = INDEX.get() {
        return Ok(*index);
    }
    let index = Ssl::new_ex_index()?;
    Ok(*INDEX.get_or_init(|| index))
}
