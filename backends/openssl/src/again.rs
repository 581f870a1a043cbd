//! Verifies clients again that were let in before.

use std::fmt;
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::store::X509Store;
use openssl::x509::{X509, X509StoreContext};
use turnkey_backend::{Certificate, HandshakeError, Vouched};

use crate::seen::Client;
use crate::verify::Judge;

/// Verifies chains outside of a handshake, by the same rules.
pub(crate) struct Again {
    /// The trusted CAs. The context's own store is separate, because OpenSSL completes our own chain from it.
    pub(crate) anchors: X509Store,
    pub(crate) judge: Arc<Judge>,
}

impl Again {
    /// The chain from `leaf` to a trusted CA; `others` are the certificates that it may go through.
    pub(crate) fn verify(
        &self,
        leaf: &Certificate,
        others: &[Certificate],
    ) -> Result<Vouched, HandshakeError> {
        let client = self.client(leaf, others);
        // Errors that remain in OpenSSL's queue would be attributed to a connection.
        drop(ErrorStack::get());
        match client.map_err(|error| HandshakeError::Tls(error.into()))? {
            Some(Client::Verified(vouched)) => Ok(vouched),
            client => Err(match client.and_then(Client::refused) {
                Some(refused) => refused.into(),
                None => HandshakeError::Tls("the chain that was verified cannot be read".into()),
            }),
        }
    }

    fn client(
        &self,
        leaf: &Certificate,
        others: &[Certificate],
    ) -> Result<Option<Client>, ErrorStack> {
        let leaf = X509::from_der(leaf.der())?;
        let mut between = Stack::new()?;
        for other in others {
            between.push(X509::from_der(other.der())?)?;
        }
        X509StoreContext::new()?.init(&self.anchors, &leaf, &between, |context| {
            let good = context.verify_cert()?;
            Ok(self.judge.client(good, context))
        })
    }
}

impl fmt::Debug for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Again").finish_non_exhaustive()
    }
}
