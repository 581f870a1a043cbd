use std::error::Error;

use turnkey::{ModeError, ServerError};

/// An error and its causes, on one line. The library speaks of values; this names the option instead, if there is
/// one.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mode = match error.downcast_ref() {
        Some(ServerError::Mode(mode)) => Some(mode),
        _ => error.downcast_ref(),
    };
    mode.and_then(with_options).unwrap_or_else(|| turnkey::log::with_causes(error))
}

/// Errors that options cause, which have no further causes.
fn with_options(error: &ModeError) -> Option<String> {
    Some(match error {
        ModeError::TlsBackendForHttp(name) => format!(
            "--backend {name}: http mode has no TLS; leave --backend out, or choose https or mutual"
        ),
        ModeError::Lacks { backend, what, instead: able, .. } if !able.is_empty() => {
            format!("--backend {backend}: cannot do {what}; use --backend {}", listed(able))
        }
        // The text begins with `backend`.
        ModeError::Lacks { .. } => format!("--{error}"),
        ModeError::NotCompiled(name) => format!(
            "--backend {name}: not compiled in; build with `cargo build --release --features {name}`"
        ),
        ModeError::NoVersion => "--tls-min is newer than --tls-max".to_owned(),
        _ => return None,
    })
}

/// `a, b or c`.
fn listed(names: &[&str]) -> String {
    match names {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        names => names.join(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_library_names_the_option() {
        let error = ServerError::Mode(ModeError::NoVersion);
        assert_eq!(error.to_string(), "the oldest TLS version is newer than the newest");
        assert_eq!(with_causes(&error), "--tls-min is newer than --tls-max");
        assert_eq!(
            with_causes(&ModeError::NotCompiled("openssl")),
            "--backend openssl: not compiled in; build with `cargo build --release --features openssl`"
        );
        let (what, others) = ("client certificates", vec!["rustls", "openssl"]);
        assert_eq!(
            with_causes(&ModeError::NoBackend { what, absent: others.clone() }),
            "no TLS backend of this build can do client certificates; build with the cargo feature \
             rustls or openssl (backends/README.md says what each can do)"
        );
        let lacks = |instead, absent| {
            with_causes(&ModeError::Lacks { backend: "native-tls", what, instead, absent })
        };
        assert_eq!(
            lacks(others.clone(), Vec::new()),
            "--backend native-tls: cannot do client certificates; use --backend rustls or openssl"
        );
        assert_eq!(
            lacks(Vec::new(), others),
            "--backend native-tls: cannot do client certificates; no other of this build can; build \
             with the cargo feature rustls or openssl (backends/README.md says what each can do)"
        );
        assert_eq!(
            with_causes(&ModeError::TlsBackendForHttp("rustls")),
            "--backend rustls: http mode has no TLS; leave --backend out, or choose https or mutual"
        );
        assert_eq!(with_causes(&ServerError::NoListener), ServerError::NoListener.to_string());
    }
}
