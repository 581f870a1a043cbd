//! Verifies client certificates: OpenSSL's checks, then ours.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::time::SystemTime;

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{SslContextBuilder, SslRef, SslVerifyMode};
use openssl::x509::{X509Crl, X509Ref, X509StoreContext, X509StoreContextRef, X509VerifyResult};
use turnkey_backend::{
    BuildError, Certificate, ClientTrust, Fault, HandshakeError, IssuerKey, Refused,
    RevocationList, Vouched,
};
use turnkey_openssl_calls::{of_unknown_status, revoked};

use crate::refusal::Refusal;
use crate::seen::{Client, Seen};

/// Decides which client certificates are accepted.
pub(crate) struct Judge {
    trust: ClientTrust,
    /// The revocation lists of `trust` in the same order, for their signatures. OpenSSL itself does not use them: it
    /// rejects everybody on a list whose distribution point is not that of the CA's own certificate.
    lists: Vec<X509Crl>,
}

impl Judge {
    pub(crate) fn new(trust: &ClientTrust) -> Result<Self, BuildError> {
        let list = |list: &RevocationList| {
            X509Crl::from_der(list.der()).map_err(|error| {
                let (issuer, source) = (list.issuer().to_owned(), error.into());
                BuildError::RevocationList { issuer, source }
            })
        };
        let lists = trust.crls().iter().map(list).collect::<Result<_, _>>()?;
        Ok(Self { trust: trust.clone(), lists })
    }

    /// Makes OpenSSL check the chain that a client presents, as `mode` says.
    pub(crate) fn set(self: Arc<Self>, builder: &mut SslContextBuilder, mode: SslVerifyMode) {
        builder.set_verify_callback(mode, move |good, context| self.verify(good, context));
    }

    /// OpenSSL calls it for each fault, and for each certificate of a chain without faults, the leaf's last.
    fn verify(&self, good: bool, context: &mut X509StoreContextRef) -> bool {
        if good && context.error_depth() != 0 {
            return true;
        }
        // A panic that reached OpenSSL would end the process.
        let client = catch_unwind(AssertUnwindSafe(|| self.client(good, context)));
        // Errors from checking the signatures of lists.
        drop(ErrorStack::get());
        let client = client.unwrap_or_default();
        match &client {
            Some(Client::Refused(refused)) => context.set_error(result(refused.fault())),
            // The chain cannot be read.
            None if good => context.set_error(X509VerifyResult::APPLICATION_VERIFICATION),
            _ => {}
        }
        let good = matches!(client, Some(Client::Verified(_)));
        if let Some(ssl) = X509StoreContext::ssl_idx().ok().and_then(|at| context.ex_data(at)) {
            Seen::with(ssl, |seen| seen.client = client);
        }
        good
    }

    /// The result for a client whose chain is `good` for OpenSSL, or not; `None` if it cannot be read.
    pub(crate) fn client(&self, good: bool, context: &X509StoreContextRef) -> Option<Client> {
        if good {
            return self.verdict(context);
        }
        let culprit = context.error_depth() as usize;
        let refusal = Refusal::new(context.error(), der(context, culprit));
        der(context, 0).map(|leaf| Client::RefusedByOpenSsl(leaf, refusal))
    }

    /// Our checks of a chain that is good for OpenSSL; `None` if it cannot be read.
    fn verdict(&self, context: &X509StoreContextRef) -> Option<Client> {
        let chain = context.chain()?.iter().map(|x509| self.read(x509));
        let chain = chain.collect::<Option<Vec<_>>>()?;
        let (leaf, issuers) = chain.split_first()?;
        // A CA's certificate is for signing others; webpki rejects it too.
        let fault = if leaf.is_ca() {
            Some(Fault::IsCa)
        } else if self.trust.denies_early() {
            self.trust.denies(leaf, IssuerKey::in_chain(&chain))
        } else {
            None
        };
        if let Some(fault) = fault {
            return Some(Client::Refused(Refused::new(leaf.clone(), fault)));
        }
        let signed = |list: &RevocationList, ca: &Certificate| self.is_signed(list, ca);
        match self.trust.vouched_until(leaf, issuers, SystemTime::now(), &signed) {
            Ok(until) => Some(Client::Verified(Vouched { chain, until })),
            Err(refused) => Some(Client::Refused(refused)),
        }
    }

    /// Shares the trusted CAs' certificates, so that they are not in memory once more for each connection.
    fn read(&self, x509: &X509Ref) -> Option<Certificate> {
        let der = x509.to_der().ok()?;
        let mut known = self.trust.anchors().certificates().iter();
        let known = known.find(|known| known.der()[..] == der[..]).cloned();
        known.or_else(|| Certificate::from_der(&der).ok())
    }

    fn is_signed(&self, list: &RevocationList, ca: &Certificate) -> Result<(), &'static str> {
        let place = self.trust.crls().iter().position(|one| ptr::eq(one.der(), list.der()));
        let parsed = place.and_then(|place| self.lists.get(place)).ok_or("it is not known")?;
        let key = PKey::public_key_from_der(ca.spki_der())
            .map_err(|_| "the key of the CA cannot be read")?;
        match parsed.verify(&key) {
            Ok(true) => Ok(()),
            _ => Err("its signature is wrong"),
        }
    }
}

/// Checks OpenSSL's result for a certificate again at the end of a handshake: good, or no certificate.
pub(crate) fn confirm(ssl: &SslRef) -> Result<(), HandshakeError> {
    match ssl.verify_result() {
        X509VerifyResult::OK => Ok(()),
        result => Err(HandshakeError::Tls(result.error_string().into())),
    }
}

/// The result from which OpenSSL derives the alert.
fn result(fault: &Fault) -> X509VerifyResult {
    match fault {
        Fault::Revoked => revoked(),
        Fault::IsCa | Fault::NotAllowed | Fault::IssuerNotAllowed => {
            X509VerifyResult::APPLICATION_VERIFICATION
        }
        _ => of_unknown_status(),
    }
}

/// The certificate at a place in the chain; the leaf's is 0.
fn der(context: &X509StoreContextRef, depth: usize) -> Option<Vec<u8>> {
    context.chain()?.get(depth)?.to_der().ok()
}
