//! Values recorded during the handshake of a connection.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslRef};
use turnkey_backend::{Certificate, Refused, Vouched};

use crate::refusal::Refusal;
use crate::sessions::Bound;

/// Values recorded during a handshake, kept with the connection.
///
/// OpenSSL's callbacks store them here. They are evaluated after the handshake, since a panic in a callback ends
/// the process.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The name that the client asks for (SNI), in lower case.
    pub(crate) server_name: Option<Vec<u8>>,
    /// The result for the client's certificate.
    pub(crate) client: Option<Client>,
    /// The binding of the accepted ticket.
    pub(crate) resumed: Option<Bound>,
}

/// The result of verifying a client's certificate.
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
    /// Attaches it to a connection.
    pub(crate) fn attach(ssl: &mut Ssl) -> Result<(), ErrorStack> {
        ssl.set_ex_data(index()?, Mutex::new(Some(Self::default())));
        Ok(())
    }

    /// Takes it from a connection.
    pub(crate) fn take(ssl: &SslRef) -> Self {
        place(ssl).and_then(|mut seen| seen.take()).unwrap_or_default()
    }

    /// Reads or changes it; `None` if it was taken.
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

/// The index of it in connections. All listeners share one, because OpenSSL never frees an index.
fn index() -> Result<Index<Ssl, Place>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Place>> = OnceLock::new();
    if let Some(index) = INDEX.get() {
        return Ok(*index);
    }
    let index = Ssl::new_ex_index()?;
    Ok(*INDEX.get_or_init(|| index))
}
