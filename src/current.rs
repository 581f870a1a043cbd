use std::sync::{Arc, PoisonError, RwLock};

use turnkey_backend::{Backend, Certificate, ClientPolicy, Identities, Identity, VersionRange};

/// What new connections are served with: all of it, or all of what replaces it.
#[derive(Debug)]
pub(crate) struct Current {
    serving: RwLock<Arc<Serving>>,
}

/// A backend, and what it was built from.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) backend: Arc<dyn Backend>,
    /// Whether it does TLS.
    pub(crate) tls: bool,
    /// The backend's name.
    pub(crate) name: &'static str,
    /// `None` without TLS.
    pub(crate) identities: Option<Identities>,
    pub(crate) clients: ClientPolicy,
    /// `None` without TLS.
    pub(crate) versions: Option<VersionRange>,
}

impl Current {
    pub(crate) fn new(serving: Serving) -> Self {
        Self { serving: RwLock::new(Arc::new(serving)) }
    }

    /// What a connection is served with that begins now. It keeps it to its end.
    pub(crate) fn get(&self) -> Arc<Serving> {
        Arc::clone(&self.serving.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves with `serving` from the next connection on.
    pub(crate) fn replace(&self, serving: Serving) {
        *self.serving.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(serving);
    }
}

impl Serving {
    /// What to tell a client that is not let in: one that no rule allows is told who it is, and not what the
    /// rules are.
    pub(crate) fn denied(&self, certificate: Option<&Certificate>) -> Option<String> {
        let trust = self.clients.trust()?;
        let Some(certificate) = certificate else {
            let needed = || "a client certificate is needed here".to_owned();
            return (!trust.allows_anonymous()).then(needed);
        };
        let subject = certificate.subject();
        (!trust.allows(certificate))
            .then(|| format!("the client certificate \"{subject}\" is not allowed here"))
    }

    /// Whether an identity is for `host`.
    pub(crate) fn is_for_host(&self, host: &str) -> bool {
        let identities = self.identities.iter().flat_map(Identities::all);
        identities.map(Identity::leaf).any(|leaf| leaf.is_for_host(host))
    }
}
