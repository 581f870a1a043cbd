//! What OpenSSL finds out about a client's certificate, kept for the connection.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslContextBuilder, SslRef, SslVerifyMode};
use openssl::x509::{X509StoreContext, X509StoreContextRef, X509VerifyResult};
use turnkey_backend::{Certificate, ClientTrust, HandshakeError, Refused};

use crate::refusal::{self, Refusal};

/// What was seen of a client's certificate in the course of a handshake.
///
/// Certificates are kept in DER and read when they are wanted, out of OpenSSL's call to us: a panic
/// there ends the process.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    leaf: Option<Vec<u8>>,
    refusal: Option<Refusal>,
}

impl Seen {
    /// Gives a connection a place to keep it.
    pub(crate) fn attach(ssl: &mut Ssl) -> Result<(), ErrorStack> {
        ssl.set_ex_data(index()?, Mutex::default());
        Ok(())
    }

    /// What a connection has kept; it keeps nothing after that.
    pub(crate) fn take(ssl: &SslRef) -> Self {
        Self::of(ssl).map(|mut seen| std::mem::take(&mut *seen)).unwrap_or_default()
    }

    /// The client's own certificate, if it got as far as that and can be read.
    pub(crate) fn leaf(&self) -> Option<Certificate> {
        Certificate::from_der(self.leaf.as_deref()?).ok()
    }

    /// Why the client's certificate was refused, if it was.
    pub(crate) fn refused(&self, trust: &ClientTrust) -> Option<Refused> {
        Some(self.refusal.as_ref()?.of(self.leaf()?, trust))
    }

    fn of(ssl: &SslRef) -> Option<MutexGuard<'_, Self>> {
        let seen = ssl.ex_data(index().ok()?)?;
        Some(seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Has the chain that a client presents checked as `mode` says, by OpenSSL and then by us.
pub(crate) fn set(builder: &mut SslContextBuilder, mode: SslVerifyMode, trust: &ClientTrust) {
    let trust = trust.clone();
    builder.set_verify_callback(mode, move |good, context| verify(good, context, &trust));
}

/// Says again what OpenSSL says of a certificate at the end of a handshake: good, or nothing.
pub(crate) fn confirm(ssl: &SslRef) -> Result<(), HandshakeError> {
    match ssl.verify_result() {
        X509VerifyResult::OK => Ok(()),
        result => Err(HandshakeError::Tls(result.error_string().into())),
    }
}

/// Called for each fault, and for each certificate of a chain that has none, the leaf's last.
fn verify(good: bool, context: &mut X509StoreContextRef, trust: &ClientTrust) -> bool {
    if !good && is_anchor_without_list(context) {
        // Or the fault would stay the result of all.
        context.set_error(X509VerifyResult::OK);
        return true;
    }
    let is_leaf = context.error_depth() == 0;
    if good && !is_leaf {
        return true;
    }
    let leaf = der(context, 0);
    let denied = good && !is_allowed(leaf.as_deref(), trust);
    if denied {
        context.set_error(X509VerifyResult::APPLICATION_VERIFICATION);
    }
    let good = good && !denied;
    note(context, leaf, good);
    good
}

/// The CA itself, at the end of a chain that OpenSSL found complete before it turned to lists: an
/// intermediate, whose own CA nobody gave and nobody can be asked for a list of.
fn is_anchor_without_list(context: &X509StoreContextRef) -> bool {
    let depth = context.error_depth() as usize;
    context.error().as_raw() == refusal::UNABLE_TO_GET_CRL
        && context.chain().is_some_and(|chain| depth + 1 == chain.len())
}

/// Whether the rules let the client in, where they are kept in the handshake; and whether it is a
/// client at all: the certificate of a CA is for signing others (webpki says so too).
fn is_allowed(leaf: Option<&[u8]>, trust: &ClientTrust) -> bool {
    let read = || Certificate::from_der(leaf?).ok();
    let allows =
        |leaf: &Certificate| !leaf.is_ca() && (!trust.denies_early() || trust.allows(leaf));
    // A panic that got as far as OpenSSL would end the process.
    let allowed = catch_unwind(AssertUnwindSafe(|| read().is_some_and(|leaf| allows(&leaf))));
    allowed.unwrap_or(false)
}

/// Keeps what there is to know for when the handshake has failed.
fn note(context: &X509StoreContextRef, leaf: Option<Vec<u8>>, good: bool) {
    let ssl = X509StoreContext::ssl_idx().ok().and_then(|index| context.ex_data(index));
    let Some(mut seen) = ssl.and_then(Seen::of) else { return };
    seen.leaf = leaf;
    seen.refusal = (!good).then(|| {
        let culprit = der(context, context.error_depth() as usize);
        Refusal::new(context.error(), culprit)
    });
}

/// The certificate at a place in the chain, the leaf's being 0.
fn der(context: &X509StoreContextRef, depth: usize) -> Option<Vec<u8>> {
    context.chain()?.get(depth)?.to_der().ok()
}

/// Where connections keep what was seen. There is one index for all listeners, because OpenSSL does
/// not take any back.
fn index() -> Result<Index<Ssl, Mutex<Seen>>, ErrorStack> {
    static INDEX: OnceLock<Index<Ssl, Mutex<Seen>>> = OnceLock::new();
    if let Some(index) = INDEX.get() {
        return Ok(*index);
    }
    let index = Ssl::new_ex_index()?;
    Ok(*INDEX.get_or_init(|| index))
}
