use std::sync::Arc;
use std::time::SystemTime;

use rustls::InconsistentKeys;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use turnkey_backend::{BuildError, Identities, Identity};

use crate::slot;
use crate::words::Worded;

/// Chooses the identity for the name that a client asks for.
#[derive(Debug)]
pub(crate) struct Resolver {
    identities: Identities,
    /// In the order of the identities.
    keys: Vec<Keys>,
}

/// An identity in the types of rustls.
#[derive(Debug)]
struct Keys {
    bare: Arc<CertifiedKey>,
    /// With the response of the OCSP responder, while it is valid.
    stapled: Option<Arc<CertifiedKey>>,
}

impl Resolver {
    /// Rejects keys that do not match their certificate, or that rustls does not support.
    pub(crate) fn new(
        identities: &Identities,
        provider: &CryptoProvider,
    ) -> Result<Self, BuildError> {
        let keys = identities.all().iter().map(|identity| Keys::new(identity, provider));
        Ok(Self { keys: keys.collect::<Result<_, _>>()?, identities: identities.clone() })
    }

    fn choose(&self, server_name: Option<&str>, now: SystemTime) -> Option<Arc<CertifiedKey>> {
        let index = self.identities.choose(server_name);
        let (identity, keys) = (self.identities.all().get(index)?, self.keys.get(index)?);
        slot::show(identity.leaf().clone());
        let stapled = keys.stapled.as_ref().filter(|_| identity.ocsp(now).is_some());
        Some(stapled.unwrap_or(&keys.bare).clone())
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name(), SystemTime::now())
    }
}

impl Keys {
    fn new(identity: &Identity, provider: &CryptoProvider) -> Result<Self, BuildError> {
        let chain = identity.chain().iter().map(|certificate| certificate.der().clone()).collect();
        let key = identity.key().clone_key().into();
        let bare = CertifiedKey::from_der(chain, key, provider).map_err(identity_error)?;
        let stapled = identity.ocsp_response().map(|response| {
            Arc::new(CertifiedKey { ocsp: Some(response.der().to_vec()), ..bare.clone() })
        });
        Ok(Self { bare: Arc::new(bare), stapled })
    }
}

fn identity_error(error: rustls::Error) -> BuildError {
    match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => BuildError::KeyMismatch,
        other => BuildError::Identity(Worded::from(&other).into()),
    }
}
