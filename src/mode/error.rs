use turnkey_backend::{BuildError, DuplicateName, KeyKind};

use super::needs::listed;

/// Why no backend can be built for what was requested.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModeError {
    /// A TLS backend was requested in http mode.
    #[error("backend {0}: http mode has no TLS; leave the backend out, or choose https or mutual")]
    TlsBackendForHttp(&'static str),
    /// The requested backend does not support what was requested.
    #[error("backend {backend}: cannot do {what}; {}", otherwise(.instead, .absent))]
    Lacks {
        /// The requested backend.
        backend: &'static str,
        /// What it lacks.
        what: &'static str,
        /// The backends of this build that support it.
        instead: Vec<&'static str>,
        /// The cargo features of the backends that this build lacks. One of them may support it.
        absent: Vec<&'static str>,
    },
    /// The requested backend is not part of this build.
    #[error("backend {0}: not compiled in; build with the cargo feature {0}")]
    NotCompiled(&'static str),
    /// No backend of this build supports what was requested.
    #[error("no TLS backend of this build can do {what}; {}", to_build_with(.absent))]
    NoBackend {
        /// What the build lacks.
        what: &'static str,
        /// The cargo features of the backends that this build lacks. One of them may support it.
        absent: Vec<&'static str>,
    },
    /// No TLS client accepts such a key, so no backend serves it.
    #[error(
        "the certificate \"{subject}\" has a key that no TLS backend takes ({key}): have it issued \
         for a P-256 key, or for RSA with 2048 bits or more"
    )]
    Key {
        /// The certificate's subject.
        subject: String,
        /// The kind of key.
        key: KeyKind,
    },
    /// Mutual mode with a policy that does not ask for certificates.
    #[error("mutual mode needs a client policy: one that asks nobody is https mode")]
    NoClientPolicy,
    /// Two identities have the same name.
    #[error(transparent)]
    DuplicateName(#[from] DuplicateName),
    /// The program's own backend does not support what was requested, by its capabilities.
    #[error("the backend {backend}, which the program brings, cannot do {what}")]
    OwnBackend {
        /// Its name in its capabilities.
        backend: &'static str,
        /// What it lacks.
        what: &'static str,
    },
    /// `Tls` names one backend, and the program brings another.
    #[error(
        "Tls names the backend {named}, and Server::backend brings {own}; leave one of them out"
    )]
    TwoBackends {
        /// The named backend.
        named: &'static str,
        /// The program's own backend.
        own: &'static str,
    },
    /// The TLS with upstreams cannot be replaced, because the server has none.
    #[error("there is no upstream: the server hands nothing on")]
    NoUpstream,
    /// A running server cannot change between http mode and a mode with TLS.
    #[error("http mode cannot be taken up or left while the server runs")]
    OtherScheme,
    /// The oldest version is newer than the newest.
    #[error("the oldest TLS version is newer than the newest")]
    NoVersion,
    /// The TLS stack rejects the configuration.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// What to use instead of a backend that lacks something.
fn otherwise(instead: &[&str], absent: &[&str]) -> String {
    match (instead, absent) {
        ([], []) => "no other can".to_owned(),
        ([], absent) => format!("no other of this build can; {}", to_build_with(absent)),
        (instead, _) => format!("use {}", listed(instead)),
    }
}

/// Does not say what these backends support: only their crates know.
fn to_build_with(absent: &[&str]) -> String {
    if absent.is_empty() {
        return "no other comes with turnkey".to_owned();
    }
    let features = listed(absent);
    format!("build with the cargo feature {features} (backends/README.md says what each can do)")
}
