//! Selects the identity for a client.

use std::sync::Arc;
use std::time::SystemTime;

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{NameType, SniError, Ssl, SslAlert, SslContextBuilder, SslContextRef, SslRef};
use openssl::x509::X509;
use turnkey_backend::{BuildError, Identities, Identity};

use crate::setup;

/// The identities of a listener, in OpenSSL's types.
pub(crate) struct Shown {
    identities: Identities,
    /// In the same order.
    parsed: Vec<Parsed>,
}

impl Shown {
    pub(crate) fn new(identities: &Identities) -> Result<Self, BuildError> {
        let parsed = identities.all().iter().map(Parsed::new).collect::<Result<_, _>>()?;
        Ok(Self { identities: identities.clone(), parsed })
    }

    /// Sends each client the identity for the name that it asks for.
    pub(crate) fn set(self: &Arc<Self>, builder: &mut SslContextBuilder) -> Result<(), BuildError> {
        if let [only] = &self.parsed[..] {
            // Independent of the name: setting and checking it for each connection takes time.
            only.set_for_all(builder).map_err(|e| BuildError::Identity(e.into()))?;
            // Without a callback, the server does not acknowledge the client's name, and does not record it.
            builder.set_servername_callback(|_, _| Ok(()));
        } else {
            let this = Arc::clone(self);
            // It is also called for clients that send no name.
            builder.set_servername_callback(move |ssl, alert| this.show(ssl, alert));
        }
        if self.identities.all().iter().any(Identity::is_stapled) {
            let this = Arc::clone(self);
            builder.set_status_callback(move |ssl| this.staple(ssl)).map_err(setup)?;
        }
        Ok(())
    }

    /// Tries each on a connection that is never used, so that one that OpenSSL rejects is an error at the start.
    pub(crate) fn try_on(&self, context: &SslContextRef) -> Result<(), BuildError> {
        for parsed in &self.parsed {
            let mut ssl = Ssl::new(context).map_err(setup)?;
            parsed.set(&mut ssl).map_err(|e| BuildError::Identity(e.into()))?;
        }
        Ok(())
    }

    fn show(&self, ssl: &mut SslRef, alert: &mut SslAlert) -> Result<(), SniError> {
        // It is called again after a HelloRetryRequest, and would add the chain a second time.
        if ssl.certificate().is_some() {
            return Ok(());
        }
        let set = self.parsed.get(self.choose(ssl)).map(|parsed| parsed.set(ssl));
        if let Some(Ok(())) = set {
            return Ok(());
        }
        *alert = SslAlert::INTERNAL_ERROR;
        Err(SniError::ALERT_FATAL)
    }

    fn staple(&self, ssl: &mut SslRef) -> Result<bool, ErrorStack> {
        let identity = self.identities.all().get(self.choose(ssl));
        match identity.and_then(|identity| identity.ocsp(SystemTime::now())) {
            Some(response) => ssl.set_ocsp_status(response).map(|()| true),
            None => Ok(false),
        }
    }

    fn choose(&self, ssl: &SslRef) -> usize {
        self.identities.choose(ssl.servername(NameType::HOST_NAME))
    }
}

struct Parsed {
    leaf: X509,
    key: PKey<Private>,
    issuers: Vec<X509>,
}

impl Parsed {
    fn new(identity: &Identity) -> Result<Self, BuildError> {
        let failed = |e: ErrorStack| BuildError::Identity(e.into());
        let key =
            PKey::private_key_from_pkcs8(identity.key().secret_pkcs8_der()).map_err(failed)?;
        let leaf = X509::from_der(identity.leaf().der()).map_err(failed)?;
        // An explicit check: OpenSSL would silently drop a certificate that does not match.
        if !leaf.public_key().map_err(failed)?.public_eq(&key) {
            return Err(BuildError::KeyMismatch);
        }
        let issuers = identity.chain().iter().skip(1).map(|c| X509::from_der(c.der()));
        let issuers = issuers.collect::<Result<_, _>>().map_err(failed)?;
        Ok(Self { leaf, key, issuers })
    }

    /// Sets it on all connections.
    fn set_for_all(&self, builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        builder.set_certificate(&self.leaf)?;
        builder.set_private_key(&self.key)?;
        for issuer in &self.issuers {
            builder.add_extra_chain_cert(issuer.clone())?;
        }
        Ok(())
    }

    /// Sets it on one connection, which has none yet.
    fn set(&self, ssl: &mut SslRef) -> Result<(), ErrorStack> {
        ssl.set_certificate(&self.leaf)?;
        ssl.set_private_key(&self.key)?;
        for issuer in &self.issuers {
            ssl.add_chain_cert(issuer.clone())?;
        }
        Ok(())
    }
}
