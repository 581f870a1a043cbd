use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use event_listener::Event;
use turnkey_backend::{
    Accepted, Backend, BackendFactory, Certificate, ClientPolicy, Fault, HandshakeError,
    Identities, Identity, Socket, TlsInfo, VersionRange, Vouched,
};

use super::{Mode, ModeError, Tls};

/// What serves new connections. It is always replaced as a whole.
#[derive(Debug)]
pub(crate) struct Current {
    serving: RwLock<Arc<Serving>>,
    /// Builds the backends, if the program brings its own.
    own: Option<Arc<dyn BackendFactory>>,
    /// The generation of `serving`.
    generation: AtomicU64,
    /// Notified when the generation changes.
    replaced: Event,
}

/// A backend, and what it was built from.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(super) backend: Arc<dyn Backend>,
    /// Whether it does TLS.
    pub(crate) tls: bool,
    /// The backend's name.
    pub(crate) name: &'static str,
    /// `None` without TLS.
    pub(crate) identities: Option<Identities>,
    pub(crate) clients: ClientPolicy,
    /// `None` without TLS.
    pub(crate) versions: Option<VersionRange>,
    /// The number of the client policy, from 0. A replacement with an equal policy keeps the number. [`Current`] sets
    /// it.
    pub(crate) generation: u64,
}

/// Why a client is answered with 403.
#[derive(Debug)]
pub(crate) enum Denied<'c> {
    /// It showed no certificate, and needs one.
    WithoutCertificate,
    /// Its identity is verified, but a rule rejects it.
    ByRule { certificate: &'c Certificate, fault: Fault },
}

impl Denied<'_> {
    /// What the client is told: its own name, but not the rules.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::WithoutCertificate => "a client certificate is needed here".to_owned(),
            Self::ByRule { certificate, .. } => {
                let subject = certificate.subject();
                format!("the client certificate \"{subject}\" is not allowed here")
            }
        }
    }
}

impl Current {
    /// `own` is what built `serving`, if the program brings its own backend.
    pub(crate) fn new(serving: Serving, own: Option<Arc<dyn BackendFactory>>) -> Self {
        let generation = AtomicU64::new(serving.generation);
        Self { serving: RwLock::new(Arc::new(serving)), own, generation, replaced: Event::new() }
    }

    /// Builds what may [replace](Self::replace) the current one, for `mode` and `choice`.
    pub(crate) fn build(&self, mode: Mode, choice: &Tls) -> Result<Serving, ModeError> {
        let serving = mode.build_with(choice, self.own.as_deref())?.serving;
        if serving.tls == self.get().tls { Ok(serving) } else { Err(ModeError::OtherScheme) }
    }

    /// What serves a handshake that begins now.
    pub(crate) fn get(&self) -> Arc<Serving> {
        Arc::clone(&self.serving.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Uses `serving` from the next handshake on. Open connections are checked against its client policy before they
    /// continue, unless the policy has not changed.
    pub(crate) fn replace(&self, mut serving: Serving) {
        let mut current = self.serving.write().unwrap_or_else(PoisonError::into_inner);
        let stays = serving.has_policy_of(&current);
        serving.generation = current.generation + u64::from(!stays);
        self.generation.store(serving.generation, Ordering::Release);
        *current = Arc::new(serving);
        drop(current);
        self.replaced.notify(usize::MAX);
    }

    /// The number of the current client policy.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Notified when the generation changes.
    pub(crate) fn replaced(&self) -> &Event {
        &self.replaced
    }
}

impl Serving {
    /// Whether it lets in the same clients as `other`. For a backend without TLS, that is unknown.
    fn has_policy_of(&self, other: &Self) -> bool {
        let is_known = self.name == other.name && self.identities.is_some();
        is_known && self.clients.digest() == other.clients.digest()
    }

    /// Does a handshake, and the final check of the client policy.
    pub(crate) fn accept(
        &self,
        socket: Socket,
    ) -> impl Future<Output = Result<Accepted, HandshakeError>> {
        self.clients.accept(&*self.backend, socket)
    }

    /// Verifies the client of a connection again, from its `tls`. Returns its chain; `None` for a client without a
    /// certificate, or if none is requested.
    pub(crate) fn verify_again(
        &self,
        tls: Option<&TlsInfo>,
    ) -> Result<Option<Vouched>, HandshakeError> {
        let leaf = tls.and_then(|tls| tls.client_certificate.as_ref());
        let Some(leaf) = leaf else {
            let missing = self.clients.is_required();
            return if missing { Err(HandshakeError::NoClientCertificate) } else { Ok(None) };
        };
        let chain = tls.and_then(|tls| tls.client_chain.as_deref());
        let others = chain.and_then(<[_]>::split_first).map(|(_, others)| others);
        self.backend.verify_again(leaf, others.unwrap_or_default())
    }

    /// Why the client of a connection with `tls` gets a 403; `None` if it does not.
    pub(crate) fn denied<'c>(&self, tls: Option<&'c TlsInfo>) -> Option<Denied<'c>> {
        let trust = self.clients.trust()?;
        let known = tls.and_then(|tls| Some((tls.client_certificate.as_ref()?, tls)));
        let Some((certificate, tls)) = known else {
            return (!trust.allows_anonymous()).then_some(Denied::WithoutCertificate);
        };
        let fault = trust.denies(certificate, tls.client_issuer_key)?;
        Some(Denied::ByRule { certificate, fault })
    }

    /// Whether an identity covers `host`.
    pub(crate) fn is_for_host(&self, host: &str) -> bool {
        let identities = self.identities.iter().flat_map(Identities::all);
        identities.map(Identity::leaf).any(|leaf| leaf.is_for_host(host))
    }
}
