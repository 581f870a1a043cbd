use std::error::Error;

use turnkey::{ModeError, ServerError};

/// An error and the causes behind it, on one line. The library speaks of values; where an option has one, this
/// names the option.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mode = match error.downcast_ref() {
        Some(ServerError::Mode(mode)) => Some(mode),
        _ => error.downcast_ref(),
    };
    mode.and_then(with_options).unwrap_or_else(|| turnkey::log::with_causes(error))
}

/// The errors that options cause, which have no further causes.
fn with_options(error: &ModeError) -> Option<String> {
    Some(match error {
        ModeError::TlsBackendForHttp(name) => format!(
            "--backend {name}: http mode has no TLS; leave --backend out, or choose https or mutual"
        ),
        ModeError::Lacks { backend, what, who } => format!(
            "--backend {backend}: cannot do {what}; use --backend {who} (cargo features of the same \
             names)"
        ),
        ModeError::NotCompiled(name) => format!(
            "--backend {name}: not compiled in; build with `cargo build --release --features {name}`"
        ),
        ModeError::NoBackend { who, .. } => {
            let first = who.split(' ').next().unwrap_or_default().trim_end_matches(',');
            format!("{error}: cargo build --release --features {first}")
        }
        ModeError::NoVersion => "--tls-min is newer than --tls-max".to_owned(),
        _ => return None,
    })
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
        let (what, who) = ("client certificates", "rustls or openssl".to_owned());
        assert_eq!(
            with_causes(&ModeError::NoBackend { what, who: who.clone() }),
            "no TLS backend of this build can do client certificates; build with the cargo feature \
             rustls or openssl: cargo build --release --features rustls"
        );
        assert_eq!(
            with_causes(&ModeError::Lacks { backend: "native-tls", what, who }),
            "--backend native-tls: cannot do client certificates; use --backend rustls or openssl \
             (cargo features of the same names)"
        );
        assert_eq!(
            with_causes(&ModeError::TlsBackendForHttp("rustls")),
            "--backend rustls: http mode has no TLS; leave --backend out, or choose https or mutual"
        );
        assert_eq!(with_causes(&ServerError::NoListener), ServerError::NoListener.to_string());
    }
}
