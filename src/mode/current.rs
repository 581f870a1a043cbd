use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use event_listener::Event;
use turnkey_backend::{
    Accepted, Backend, BackendFactory, Certificate, ClientPolicy, Fault, HandshakeError,
    Identities, Identity, Socket, TlsInfo, VersionRange, Vouched,
};

use super::{Mode, ModeError, Tls};

/// What new connections are served with: all of it, or all of what replaces it.
#[derive(Debug)]
pub(crate) struct Current {
    serving: RwLock<Arc<Serving>>,
    /// Builds the backends, if the program brings its own.
    own: Option<Arc<dyn BackendFactory>>,
    /// That of what is served with.
    generation: AtomicU64,
    /// Notified when the generation is another.
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
    /// Which client policy this is, counted from 0: what is replaced by the same keeps its number. [`Current`]
    /// sets it.
    pub(crate) generation: u64,
}

/// Why a client is answered with 403.
#[derive(Debug)]
pub(crate) enum Denied<'c> {
    /// It showed no certificate, and clients without one are not let in.
    WithoutCertificate,
    /// It is who it says, and a rule does not let it in.
    ByRule { certificate: &'c Certificate, fault: Fault },
}

impl Denied<'_> {
    /// What the client is told: who it is, and not what the rules are.
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
    /// `own` is what has built `serving`, if the program brings its own backend.
    pub(crate) fn new(serving: Serving, own: Option<Arc<dyn BackendFactory>>) -> Self {
        let generation = AtomicU64::new(serving.generation);
        Self { serving: RwLock::new(Arc::new(serving)), own, generation, replaced: Event::new() }
    }

    /// What may [replace](Self::replace) that, for `mode` and `choice`.
    pub(crate) fn build(&self, mode: Mode, choice: &Tls) -> Result<Serving, ModeError> {
        let serving = mode.build_with(choice, self.own.as_deref())?.serving;
        if serving.tls == self.get().tls { Ok(serving) } else { Err(ModeError::OtherScheme) }
    }

    /// What a handshake is served with that begins now.
    pub(crate) fn get(&self) -> Arc<Serving> {
        Arc::clone(&self.serving.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves with `serving` from the next handshake on. Connections that stand ask its client policy before
    /// they go on, unless it is the one that let them in.
    pub(crate) fn replace(&self, mut serving: Serving) {
        let mut current = self.serving.write().unwrap_or_else(PoisonError::into_inner);
        let stays = serving.has_policy_of(&current);
        serving.generation = current.generation + u64::from(!stays);
        self.generation.store(serving.generation, Ordering::Release);
        *current = Arc::new(serving);
        drop(current);
        self.replaced.notify(usize::MAX);
    }

    /// Which client policy is in force.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Notified when the generation is another.
    pub(crate) fn replaced(&self) -> &Event {
        &self.replaced
    }
}

impl Serving {
    /// Whether it lets in the same clients as `other`. Of a backend in the clear it is not known whom it lets in.
    fn has_policy_of(&self, other: &Self) -> bool {
        let is_known = self.name == other.name && self.identities.is_some();
        is_known && self.clients.digest() == other.clients.digest()
    }

    /// A handshake, with the client policy's last word.
    pub(crate) fn accept(
        &self,
        socket: Socket,
    ) -> impl Future<Output = Result<Accepted, HandshakeError>> {
        self.clients.accept(&*self.backend, socket)
    }

    /// Verifies the client of a connection again, of which `tls` is known. The result is its chain; `None` for a
    /// client without a certificate, or if none is asked for.
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

    /// Why the client of a connection, of which `tls` is known, is answered with 403, if it is.
    pub(crate) fn denied<'c>(&self, tls: Option<&'c TlsInfo>) -> Option<Denied<'c>> {
        let trust = self.clients.trust()?;
        let known = tls.and_then(|tls| Some((tls.client_certificate.as_ref()?, tls)));
        let Some((certificate, tls)) = known else {
            return (!trust.allows_anonymous()).then_some(Denied::WithoutCertificate);
        };
        let fault = trust.denies(certificate, tls.client_issuer_key)?;
        Some(Denied::ByRule { certificate, fault })
    }

    /// Whether an identity is for `host`.
    pub(crate) fn is_for_host(&self, host: &str) -> bool {
        let identities = self.identities.iter().flat_map(Identities::all);
        identities.map(Identity::leaf).any(|leaf| leaf.is_for_host(host))
    }
}
