//! From options to a server that can be built: which mode, which identity, which clients.

use std::path::PathBuf;
use std::time::SystemTime;

use turnkey_backend::{ClientPolicy, Identity};

use crate::cli::{ClientVerify, ModeName, Serve};
use crate::config_error::{ConfigError, usage};
use crate::identity_files::{self, IdentityFiles};
use crate::limits::Limits;
use crate::mode::{BackendName, Mode, TlsChoice};
use crate::password::PasswordSource;
use crate::trust::TrustedProxies;
use crate::units::{Bytes, Seconds};

/// All that is needed to serve.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) mode: Mode,
    pub(crate) choice: TlsChoice,
    pub(crate) limits: Limits,
    pub(crate) threads: Option<usize>,
    pub(crate) trust: TrustedProxies,
    pub(crate) proxy_protocol: bool,
    /// Where the identity came from, to tell people what to type.
    pub(crate) identity: Option<IdentityFiles>,
    pub(crate) client_ca: Option<PathBuf>,
}

impl Config {
    /// Decides what was asked for. `layers` come in the order in which they count: the command
    /// line, the environment, the names of the recipe.
    pub(crate) fn new(
        layers: &[Serve],
        variable: Option<String>,
        now: SystemTime,
    ) -> Result<Self, ConfigError> {
        let first = First { layers };
        let mode_name = choose_mode(layers)?;
        let choice = TlsChoice {
            backend: first.of(|s| s.backend),
            min: first.of(|s| s.tls_min),
            max: first.of(|s| s.tls_max),
            ..TlsChoice::default()
        };
        if let (Some(min), Some(max)) = (choice.min, choice.max)
            && min > max
        {
            return Err(usage("--tls-min is newer than --tls-max: there is no version to speak"));
        }
        let mut config = Self {
            host: first.of(|s| s.host.clone()).unwrap_or_else(|| "127.0.0.1".to_owned()),
            port: first.of(|s| s.port).unwrap_or(8000),
            mode: Mode::Http,
            choice,
            limits: limits(&first)?,
            threads: first.of(|s| s.threads),
            trust: first
                .of(|s| (!s.trust_proxy.is_empty()).then(|| s.trust_proxy.clone()))
                .map_or_else(TrustedProxies::default, TrustedProxies::from_iter),
            proxy_protocol: layers.iter().any(|s| s.proxy_protocol),
            identity: None,
            client_ca: None,
        };
        if config.proxy_protocol && config.trust.is_empty() {
            return Err(usage(
                "--proxy-protocol needs --trust-proxy: a PROXY header can say anything of the \
                 client, and is believed only from the proxies that are named; add --trust-proxy \
                 with the address of yours",
            ));
        }
        if mode_name == ModeName::Http {
            refuse_tls_options(layers)?;
            config.choice = TlsChoice::default();
            return Ok(config);
        }

        let files = identity_files::choose(layers, mode_name)?;
        // Everything that can be told from the options alone, before any file is opened.
        let client_ca = first.of(|s| s.client_ca.clone());
        // In mutual mode `none` can only stand below what asked for the mode, and does not count.
        let policy = match first.of(|s| s.client_verify.filter(|v| *v != ClientVerify::None)) {
            Some(ClientVerify::Optional) => ClientPolicy::Optional,
            _ => ClientPolicy::Required,
        };
        if mode_name == ModeName::Mutual && client_ca.is_none() {
            let who = match first.of(|s| s.client_verify) {
                Some(_) => "--client-verify",
                None => "mutual mode",
            };
            return Err(usage(format!(
                "{who} needs --client-ca: the certificate of the CA whose clients are let in; \
                 turnkey certs makes one, certs/ca.crt"
            )));
        }
        let password = PasswordSource {
            file: first.of(|s| s.key_password_file.clone()),
            variable: variable.map(Into::into),
        };
        let identity = files.load(&password, &config.host, now)?;
        config.mode = match client_ca.as_deref().filter(|_| mode_name == ModeName::Mutual) {
            None => Mode::Https(identity),
            Some(file) => Mode::Mutual(identity, identity_files::client_policy(file, policy, now)?),
        };
        config.client_ca = client_ca.filter(|_| mode_name == ModeName::Mutual);
        config.identity = Some(files);
        Ok(config)
    }

    /// The identity to be served, if the mode has one.
    pub(crate) fn served_identity(&self) -> Option<&Identity> {
        match &self.mode {
            Mode::Http => None,
            Mode::Https(identity) | Mode::Mutual(identity, _) => Some(identity),
        }
    }

    /// The policy for clients, if the mode has one.
    pub(crate) fn client_policy(&self) -> Option<&ClientPolicy> {
        match &self.mode {
            Mode::Mutual(_, policy) => Some(policy),
            _ => None,
        }
    }
}

/// The mode that was named, or else the one that the other options imply. An option counts over a
/// mode named in a layer below it, and goes with the mode named in a layer above it.
fn choose_mode(layers: &[Serve]) -> Result<ModeName, ConfigError> {
    let mut implied = None;
    let mut no_clients = false;
    for layer in layers {
        no_clients |= layer.client_verify == Some(ClientVerify::None);
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

/// The mode that the options of one layer ask for without naming it, and the option that does.
fn implied_by(
    layer: &Serve,
    no_clients: bool,
) -> Result<Option<(ModeName, &'static str)>, ConfigError> {
    let verifies =
        matches!(layer.client_verify, Some(ClientVerify::Optional | ClientVerify::Required));
    if layer.client_ca.is_some() && layer.client_verify == Some(ClientVerify::None) {
        return Err(usage(
            "--client-ca and --client-verify none contradict each other: leave one out, or choose \
             optional or required",
        ));
    }
    Ok(if layer.client_ca.is_some() && !no_clients {
        Some((ModeName::Mutual, "--client-ca"))
    } else if verifies {
        Some((ModeName::Mutual, "--client-verify"))
    } else if layer.cert.is_some() {
        Some((ModeName::Https, "--cert"))
    } else if layer.key.is_some() {
        Some((ModeName::Https, "--key"))
    } else if layer.identity.is_some() {
        Some((ModeName::Https, "--identity"))
    } else if layer.adhoc {
        Some((ModeName::Https, "--adhoc"))
    } else {
        None
    })
}

fn contradiction(named: ModeName, option: &str) -> ConfigError {
    let named = named.name();
    usage(format!(
        "--mode {named} and {option} contradict each other: {named} mode has no use for {option}; \
         leave one of them out"
    ))
}

/// In http mode a wish about TLS on the command line cannot be met, and must not be passed over;
/// one in the environment, which stands there for other runs too, can.
fn refuse_tls_options(layers: &[Serve]) -> Result<(), ConfigError> {
    let typed = layers.first();
    if typed.is_some_and(|s| s.tls_min.is_some() || s.tls_max.is_some()) {
        return Err(usage(
            "--tls-min and --tls-max are for https and mutual mode; add an identity (--cert and \
             --key, --identity or --adhoc)",
        ));
    }
    match typed.and_then(|s| s.backend) {
        None | Some(BackendName::Plain) => Ok(()),
        Some(_) => Err(usage(
            "--backend: http mode has no TLS, and no backend but plain; leave it out, or add an \
             identity (--cert and --key, --identity or --adhoc)",
        )),
    }
}

fn limits(first: &First<'_>) -> Result<Limits, ConfigError> {
    let default = Limits::default();
    let seconds = |option: fn(&Serve) -> Option<Seconds>, default| {
        first.of(option).map_or(default, |Seconds(duration)| duration)
    };
    let at_least_one = |name: &str, value: Option<usize>| match value {
        Some(0) => Err(usage(format!("{name} 0 lets nobody in: give 1 or more"))),
        value => Ok(value),
    };
    at_least_one("--threads", first.of(|s| s.threads))?;
    let max_connections = at_least_one("--max-connections", first.of(|s| s.max_connections))?
        .unwrap_or(default.max_connections);
    let max_handshakes = at_least_one("--max-handshakes", first.of(|s| s.max_handshakes))?
        .unwrap_or((max_connections / 2).max(1));
    Ok(Limits {
        handshake_timeout: seconds(|s| s.handshake_timeout, default.handshake_timeout),
        head_timeout: seconds(|s| s.head_timeout, default.head_timeout),
        body_timeout: seconds(|s| s.body_timeout, default.body_timeout),
        write_timeout: seconds(|s| s.write_timeout, default.write_timeout),
        idle_timeout: seconds(|s| s.idle_timeout, default.idle_timeout),
        drain_timeout: seconds(|s| s.drain_timeout, default.drain_timeout),
        max_head: match first.of(|s| s.max_head) {
            None => default.max_head,
            // Less than a request line of any use; more than anybody means.
            Some(Bytes(size)) => usize::try_from(size)
                .ok()
                .filter(|size| (256..=16 * 1024 * 1024).contains(size))
                .ok_or_else(|| usage(format!("--max-head {size}: give 256 bytes to 16M")))?,
        },
        max_body: match first.of(|s| s.max_body) {
            None => default.max_body,
            Some(Bytes(0)) => None,
            Some(Bytes(size)) => Some(size),
        },
        max_connections,
        max_handshakes,
    })
}

/// The same option in several layers: the first one counts.
struct First<'l> {
    layers: &'l [Serve],
}

impl First<'_> {
    fn of<T>(&self, option: impl Fn(&Serve) -> Option<T>) -> Option<T> {
        self.layers.iter().find_map(option)
    }
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
        let mutual = layer(|s| s.client_ca = Some("ca.crt".into()));
        assert_eq!(mode(&[mutual]), Ok(ModeName::Mutual));
        let spread = [layer(|s| s.adhoc = true), layer(|s| s.client_ca = Some("ca.crt".into()))];
        assert_eq!(mode(&spread), Ok(ModeName::Mutual), "options of two layers add up");
    }

    #[test]
    fn contradictions_are_errors() {
        for contradiction in [
            layer(|s| (s.mode, s.cert) = (Some(ModeName::Http), Some("a".into()))),
            layer(|s| (s.mode, s.client_ca) = (Some(ModeName::Https), Some("a".into()))),
            layer(|s| {
                (s.mode, s.client_verify) = (Some(ModeName::Mutual), Some(ClientVerify::None));
            }),
            layer(|s| {
                (s.client_ca, s.client_verify) = (Some("a".into()), Some(ClientVerify::None));
            }),
        ] {
            assert!(mode(&[contradiction]).is_err());
        }
    }

    #[test]
    fn the_command_line_wins() {
        let certificate = || layer(|s| s.cert = Some("a".into()));
        let http = || layer(|s| s.mode = Some(ModeName::Http));
        assert_eq!(mode(&[http(), certificate()]), Ok(ModeName::Http));
        assert_eq!(mode(&[certificate(), http()]), Ok(ModeName::Https));
        let nobody = layer(|s| (s.adhoc, s.client_verify) = (true, Some(ClientVerify::None)));
        let clients = layer(|s| s.client_ca = Some("a".into()));
        assert_eq!(mode(&[nobody, clients]), Ok(ModeName::Https));
    }
}
