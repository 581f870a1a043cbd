use turnkey_backend::{BuildError, DuplicateName, KeyKind};

use super::needs::listed;

/// Why no backend can be built for what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModeError {
    /// A TLS backend was asked for in http mode.
    #[error("backend {0}: http mode has no TLS; leave the backend out, or choose https or mutual")]
    TlsBackendForHttp(&'static str),
    /// The backend that was asked for cannot do what was asked.
    #[error("backend {backend}: cannot do {what}; {}", otherwise(.instead, .absent))]
    Lacks {
        /// The backend that was asked for.
        backend: &'static str,
        /// What it lacks.
        what: &'static str,
        /// The backends of this build that can.
        instead: Vec<&'static str>,
        /// The cargo features of the backends that this build is without. One of them may bring one that can.
        absent: Vec<&'static str>,
    },
    /// The backend that was asked for is not part of this build.
    #[error("backend {0}: not compiled in; build with the cargo feature {0}")]
    NotCompiled(&'static str),
    /// No backend of this build can do what was asked.
    #[error("no TLS backend of this build can do {what}; {}", to_build_with(.absent))]
    NoBackend {
        /// What the build lacks.
        what: &'static str,
        /// The cargo features of the backends that this build is without. One of them may bring one that can.
        absent: Vec<&'static str>,
    },
    /// No TLS client takes such a key, so no backend serves with it.
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
    /// Mutual mode with a policy that asks no client for a certificate.
    #[error("mutual mode needs a client policy: one that asks nobody is https mode")]
    NoClientPolicy,
    /// Two identities are for the same name.
    #[error(transparent)]
    DuplicateName(#[from] DuplicateName),
    /// The program's own backend cannot do what is asked, by its capabilities.
    #[error("the backend {backend}, which the program brings, cannot do {what}")]
    OwnBackend {
        /// What its capabilities call it.
        backend: &'static str,
        /// What it lacks.
        what: &'static str,
    },
    /// One backend is named, and the program brings another.
    #[error(
        "Tls names the backend {named}, and Server::backend brings {own}; leave one of them out"
    )]
    TwoBackends {
        /// The one that is named.
        named: &'static str,
        /// The one that the program brings.
        own: &'static str,
    },
    /// TLS with upstreams is to be replaced, and the server has no upstreams.
    #[error("there is no upstream: the server hands nothing on")]
    NoUpstream,
    /// What is to replace the mode of a server that runs is in the clear, or the server is.
    #[error("http mode cannot be taken up or left while the server runs")]
    OtherScheme,
    /// The oldest version is newer than the newest.
    #[error("the oldest TLS version is newer than the newest")]
    NoVersion,
    /// The TLS stack does not take the configuration.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// What to use in place of a backend that cannot do what was asked.
fn otherwise(instead: &[&str], absent: &[&str]) -> String {
    match (instead, absent) {
        ([], []) => "no other can".to_owned(),
        ([], absent) => format!("no other of this build can; {}", to_build_with(absent)),
        (instead, _) => format!("use {}", listed(instead)),
    }
}

/// What those can do that are not compiled in, only their crates know.
fn to_build_with(absent: &[&str]) -> String {
    if absent.is_empty() {
        return "no other comes with turnkey".to_owned();
    }
    let features = listed(absent);
    format!("build with the cargo feature {features} (backends/README.md says what each can do)")
}
