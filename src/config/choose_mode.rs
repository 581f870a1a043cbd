//! Which mode the options ask for.

use super::error::{ConfigError, usage};
use crate::cli::{ClientVerify, ModeName, Serve};

/// The named mode, or else the one that the other options imply. An option overrides a mode named in a lower
/// layer, and gives way to one named in a higher layer.
pub(crate) fn choose_mode(layers: &[Serve]) -> Result<ModeName, ConfigError> {
    let mut implied = None;
    let mut verify = None;
    for layer in layers {
        verify = verify.or(layer.client_verify);
        let no_clients = verify == Some(ClientVerify::None);
        let here = implied_by(layer, no_clients)?;
        if let Some(named) = layer.mode {
            return match (implied, here) {
                (Some((above, _)), _) if above > named => Ok(above),
                (_, Some((wanted, option))) if wanted > named => Err(contradiction(named, option)),
                _ if named == ModeName::Mutual && no_clients => Err(usage(
                    "--mode mutual and --client-verify none contradict each other: choose \
                     optional or required, or --mode https",
                )),
                _ => Ok(named),
            };
        }
        implied = implied.max(here);
    }
    Ok(implied.map_or(ModeName::Http, |(mode, _)| mode))
}

/// The mode that the options of one layer imply without naming it, and the option that does.
fn implied_by(
    layer: &Serve,
    no_clients: bool,
) -> Result<Option<(ModeName, &'static str)>, ConfigError> {
    let verifies =
        matches!(layer.client_verify, Some(ClientVerify::Optional | ClientVerify::Required));
    let clients = [
        (!layer.client_ca.is_empty(), "--client-ca"),
        (!layer.client_crl.is_empty(), "--client-crl"),
        (!layer.allow_cn.is_empty(), "--allow-cn"),
        (!layer.allow_san.is_empty(), "--allow-san"),
        (!layer.allow_issuer.is_empty(), "--allow-issuer"),
    ];
    let identity = [
        (!layer.cert.is_empty(), "--cert"),
        (!layer.key.is_empty(), "--key"),
        (!layer.identity.is_empty(), "--identity"),
        (layer.adhoc, "--adhoc"),
    ];
    let given = |options: &[(bool, &'static str)]| {
        options.iter().find(|(given, _)| *given).map(|(_, option)| *option)
    };
    if let Some(option) = given(&clients)
        && layer.client_verify == Some(ClientVerify::None)
        && no_clients
    {
        return Err(usage(format!(
            "{option} and --client-verify none contradict each other: leave one out, or choose \
             optional or required"
        )));
    }
    let mutual = given(&clients)
        .or_else(|| verifies.then_some("--client-verify"))
        .filter(|_| !no_clients)
        .map(|option| (ModeName::Mutual, option));
    Ok(mutual.or_else(|| given(&identity).map(|option| (ModeName::Https, option))))
}

fn contradiction(named: ModeName, option: &str) -> ConfigError {
    let named = named.name();
    usage(format!(
        "--mode {named} and {option} contradict each other: {named} mode has no use for {option}; \
         leave one of them out"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(change: impl FnOnce(&mut Serve)) -> Serve {
        let mut serve = Serve::default();
        change(&mut serve);
        serve
    }

    fn mode(layers: &[Serve]) -> Result<ModeName, String> {
        choose_mode(layers).map_err(|e| e.to_string())
    }

    #[test]
    fn the_mode_follows_from_the_options() {
        assert_eq!(mode(&[Serve::default()]), Ok(ModeName::Http));
        assert_eq!(mode(&[layer(|s| s.adhoc = true)]), Ok(ModeName::Https));
        let mutual = layer(|s| s.client_ca = vec!["ca.crt".into()]);
        assert_eq!(mode(&[mutual]), Ok(ModeName::Mutual));
        let spread = [layer(|s| s.adhoc = true), layer(|s| s.client_ca = vec!["ca.crt".into()])];
        assert_eq!(mode(&spread), Ok(ModeName::Mutual), "options of two layers add up");
    }

    #[test]
    fn contradictions_are_errors() {
        for contradiction in [
            layer(|s| (s.mode, s.cert) = (Some(ModeName::Http), vec!["a".into()])),
            layer(|s| (s.mode, s.client_ca) = (Some(ModeName::Https), vec!["a".into()])),
            layer(|s| {
                (s.mode, s.client_verify) = (Some(ModeName::Mutual), Some(ClientVerify::None));
            }),
            layer(|s| {
                (s.client_ca, s.client_verify) = (vec!["a".into()], Some(ClientVerify::None));
            }),
        ] {
            assert!(mode(&[contradiction]).is_err());
        }
    }

    #[test]
    fn the_command_line_wins() {
        let certificate = || layer(|s| s.cert = vec!["a".into()]);
        let http = || layer(|s| s.mode = Some(ModeName::Http));
        assert_eq!(mode(&[http(), certificate()]), Ok(ModeName::Http));
        assert_eq!(mode(&[certificate(), http()]), Ok(ModeName::Https));
        let verify = |verify| layer(|s| (s.adhoc, s.client_verify) = (true, Some(verify)));
        let clients = || layer(|s| s.client_ca = vec!["a".into()]);
        let (nobody, all) = (|| verify(ClientVerify::None), || verify(ClientVerify::Required));
        assert_eq!(mode(&[nobody(), clients()]), Ok(ModeName::Https));
        assert_eq!(mode(&[nobody(), all()]), Ok(ModeName::Https));
        assert_eq!(mode(&[all(), nobody()]), Ok(ModeName::Mutual));
        let both = layer(|s| {
            (s.client_ca, s.client_verify) = (vec!["a".into()], Some(ClientVerify::None));
        });
        assert_eq!(mode(&[all(), both]), Ok(ModeName::Mutual), "only what counts contradicts");
        let named = layer(|s| {
            (s.mode, s.client_verify) = (Some(ModeName::Mutual), Some(ClientVerify::None));
        });
        assert_eq!(mode(&[all(), named]), Ok(ModeName::Mutual));
    }
}
