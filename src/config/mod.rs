//! Turns options into a configuration: which mode, which identity, which clients.

mod choose_mode;
pub(crate) mod error;
pub(crate) mod files;
pub(crate) mod folder_options;
mod layers;
mod limit_options;
pub(crate) mod listen_options;
pub(crate) mod upstream_options;

use std::path::PathBuf;
use std::time::SystemTime;

use turnkey::log::LogFormat;
use turnkey::net::{Address, Descriptors, TrustedProxies};
use turnkey::tls::{AllowRules, BackendName};
use turnkey::{Limits, Tls};
use zeroize::Zeroizing;

use self::choose_mode::choose_mode;
use self::error::{ConfigError, usage};
use self::files::password::Passwords;
use self::files::{ClientFiles, Sources, adhoc};
use self::folder_options::FolderOptions;
use self::layers::Layers;
use self::listen_options::ListenOptions;
use self::upstream_options::UpstreamOptions;
use crate::cli::unknown_variables::UnknownVariable;
use crate::cli::{ClientVerify, ModeName, Serve};

/// All that is needed to serve, except the content of files.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: ListenOptions,
    pub(crate) mode: ModeName,
    /// The sources of TLS; `None` in http mode.
    pub(crate) sources: Option<Sources>,
    pub(crate) passwords: Passwords,
    pub(crate) limits: Limits,
    pub(crate) threads: Option<usize>,
    pub(crate) trust: TrustedProxies,
    pub(crate) proxy_protocol: bool,
    /// The upstreams that replace the built-in app.
    pub(crate) upstreams: Option<UpstreamOptions>,
    /// The folder that replaces both.
    pub(crate) folder: Option<FolderOptions>,
    pub(crate) redirect_from: Option<u16>,
    /// The folder with the responses to a CA's challenges, which that port serves.
    pub(crate) challenges: Option<PathBuf>,
    pub(crate) health: Option<String>,
    /// In seconds.
    pub(crate) hsts: Option<u64>,
    pub(crate) log_format: LogFormat,
    pub(crate) metrics: Option<Address>,
    /// Variables that look like options but have no effect.
    pub(crate) unknown_variables: Vec<UnknownVariable>,
}

impl Config {
    /// Builds the configuration. `layers` come in the order in which they count: the command line, the
    /// environment, the names of the recipe. `password` is the value of its variable.
    pub(crate) fn new(
        layers: &[Serve],
        password: Option<Zeroizing<String>>,
        now: SystemTime,
    ) -> Result<Self, ConfigError> {
        let mode = choose_mode(layers)?;
        let layers = Layers(layers);
        let mut config = Self::of_content(layers, mode, password)?;
        config.limits = limit_options::limits(layers, config.descriptors())?;
        config.check_proxies()?;
        config.check_metrics()?;
        // Check the options before any file is opened.
        let choice = choice(layers)?;
        if mode == ModeName::Http {
            refuse_tls_options(layers)?;
            // Values in the environment may be meant for other runs.
            config.redirect_from = None;
            return Ok(config);
        }
        config.check_redirect()?;
        config.sources = Some(config.sources(layers, choice, now)?);
        Ok(config)
    }

    /// The part that has nothing to do with TLS.
    fn of_content(
        layers: Layers<'_>,
        mode: ModeName,
        password: Option<Zeroizing<String>>,
    ) -> Result<Self, ConfigError> {
        let mut config = Self {
            listen: listen_options::choose(layers)?,
            mode,
            sources: None,
            passwords: Passwords::new(
                layers.of(|s| s.key_password_file.clone()),
                // Many tools set an empty variable to mean that there is none.
                password.filter(|password| !password.is_empty()),
            ),
            limits: Limits::default(),
            threads: layers.of(|s| s.threads),
            trust: layers.list(|s| &s.trust_proxy).into_iter().collect(),
            proxy_protocol: layers.any(|s| s.proxy_protocol),
            upstreams: upstream_options::choose(layers)?,
            folder: folder_options::choose(layers)?,
            redirect_from: layers.of(|s| s.redirect_from),
            challenges: layers.of(|s| s.dir.clone()),
            health: layers.of(|s| s.health.clone()),
            hsts: layers.of(|s| s.hsts),
            log_format: layers.of(|s| s.log_format).unwrap_or_default(),
            metrics: layers.of(|s| s.metrics.clone()),
            unknown_variables: Vec::new(),
        };
        if config.folder.is_some() {
            // It is in the environment, for other runs.
            config.upstreams = None;
        }
        Ok(config)
    }

    /// The sources of identities and of the client policy.
    fn sources(
        &self,
        layers: Layers<'_>,
        choice: Tls,
        now: SystemTime,
    ) -> Result<Sources, ConfigError> {
        let identities = files::choose(layers.0, self.mode)?;
        let clients = clients(layers, self.mode, identities.is_empty())?;
        let resumes = choice.resumption.unwrap_or(clients.is_none());
        let ticket_key = ticket_key(layers, resumes)?;
        let adhoc = identities
            .is_empty()
            .then(|| adhoc::make(&self.listen.host, clients.as_ref(), now))
            .transpose()?;
        Ok(Sources {
            identities,
            adhoc,
            ocsp: layers.list(|s| &s.ocsp),
            clients,
            ticket_key,
            choice,
        })
    }

    /// How many descriptors clients need, with everything that serves them.
    pub(crate) fn descriptors(&self) -> Descriptors {
        let own = if self.folder.is_some() { Descriptors::OF_FOLDER } else { Descriptors::OF_APP };
        let clients = self.upstreams.as_ref().map_or(own, UpstreamOptions::descriptors);
        clients.and_threads(self.threads)
    }

    /// The backend that was asked for.
    pub(crate) fn backend(&self) -> Option<BackendName> {
        self.sources.as_ref().and_then(|sources| sources.choice.backend)
    }

    fn check_proxies(&self) -> Result<(), ConfigError> {
        if self.proxy_protocol && self.trust.is_empty() {
            return Err(usage(
                "--proxy-protocol needs --trust-proxy: a PROXY header can say anything of the \
                 client, and is believed only from the proxies that are named; add --trust-proxy \
                 with the address of yours",
            ));
        }
        Ok(())
    }

    fn check_metrics(&self) -> Result<(), ConfigError> {
        match &self.metrics {
            Some(metrics) if self.listen.addresses.iter().any(|own| own.overlaps(metrics)) => {
                Err(usage(format!(
                    "--metrics {metrics}: that is where the server itself listens; choose another \
                     port for the metrics"
                )))
            }
            _ => Ok(()),
        }
    }

    fn check_redirect(&self) -> Result<(), ConfigError> {
        let is_taken = |port: u16| port != 0 && self.listen.tcp().any(|(_, own)| own == port);
        if self.redirect_from.is_some_and(is_taken) {
            return Err(usage(
                "--redirect-from and --port (or --listen) name the same port: one is for plain HTTP, the other \
                 for HTTPS",
            ));
        }
        let Some(port) = self.redirect_from else { return Ok(()) };
        let Some((host, _)) = self.listen.tcp().next() else {
            return Err(usage(
                "--redirect-from needs a port for HTTPS to send people on to, and --listen names \
                 Unix sockets only",
            ));
        };
        let from = Address::Tcp(host.to_owned(), port);
        match &self.metrics {
            Some(metrics) if from.overlaps(metrics) => Err(usage(format!(
                "--redirect-from {port} and --metrics {metrics} take the same port: choose another \
                 for the metrics"
            ))),
            _ => Ok(()),
        }
    }
}

/// The file of the ticket keys, if sessions are resumed.
fn ticket_key(layers: Layers<'_>, resumes: bool) -> Result<Option<PathBuf>, ConfigError> {
    let file = layers.of(|s| s.ticket_keys.clone());
    if resumes || file.is_none() {
        return Ok(file);
    }
    // The file is for other runs if a higher layer turns resumption off.
    let above = layers.above(|s| s.ticket_keys.is_some());
    if above.of(|s| s.resumption).is_some() || choose_mode(above.0)? == ModeName::Mutual {
        return Ok(None);
    }
    Err(usage(
        "--ticket-keys is for sessions that are resumed, and here none is: add --resumption on, or \
         leave --ticket-keys out",
    ))
}

fn choice(layers: Layers<'_>) -> Result<Tls, ConfigError> {
    let choice = Tls {
        backend: layers.of(|s| s.backend),
        min: layers.of(|s| s.tls_min),
        max: layers.of(|s| s.tls_max),
        resumption: layers.of(|s| s.resumption),
        ocsp: !layers.list(|s| &s.ocsp).is_empty(),
        ..Tls::default()
    };
    match (choice.min, choice.max) {
        (Some(min), Some(max)) if min > max => {
            Err(usage("--tls-min is newer than --tls-max: there is no version to speak"))
        }
        _ => Ok(choice),
    }
}

/// The source of the client policy, in mutual mode. With an `adhoc` identity, the clients' CA can be generated
/// too.
fn clients(
    layers: Layers<'_>,
    mode: ModeName,
    adhoc: bool,
) -> Result<Option<ClientFiles>, ConfigError> {
    if mode != ModeName::Mutual {
        return match layers.typed() {
            Some(typed) if typed.deny_early => Err(usage(
                "--deny-early is for mutual mode: add --client-ca and a rule, --allow-cn, \
                 --allow-san or --allow-issuer",
            )),
            Some(typed) if typed.allow_anonymous.is_some() => Err(usage(
                "--allow-anonymous is for mutual mode: add --client-ca and --client-verify optional",
            )),
            _ => Ok(None),
        };
    }
    // In mutual mode, a `none` must come from a lower layer than the mode, and does not count.
    let verify = layers.of(|s| s.client_verify.filter(|v| *v != ClientVerify::None));
    let rules = AllowRules::new(layers.list(|s| &s.allow_cn), layers.list(|s| &s.allow_san));
    let clients = ClientFiles {
        cas: layers.list(|s| &s.client_ca),
        crls: layers.list(|s| &s.client_crl),
        rules,
        issuers: layers.list(|s| &s.allow_issuer),
        deny_early: layers.any(|s| s.deny_early),
        optional: verify == Some(ClientVerify::Optional),
        anonymous: layers.of(|s| s.allow_anonymous),
    };
    if clients.cas.is_empty() && !adhoc {
        let who = if layers.of(|s| s.client_verify).is_some() {
            "--client-verify"
        } else if !clients.crls.is_empty() {
            "--client-crl"
        } else if clients.has_rules() {
            "a rule for clients"
        } else {
            "mutual mode"
        };
        return Err(usage(format!(
            "{who} needs --client-ca (API_CA_T in the recipe): the certificate of the CA whose \
             clients are let in; turnkey certs makes one, certs/ca.crt"
        )));
    }
    check_clients(&clients, layers)?;
    Ok(Some(clients))
}

/// Checks that the options about clients make sense together.
fn check_clients(clients: &ClientFiles, layers: Layers<'_>) -> Result<(), ConfigError> {
    if clients.deny_early && !clients.has_rules() && clients.anonymous != Some(false) {
        return Err(usage(
            "--deny-early is for those whom no rule lets in, and there is no rule: add --allow-cn, \
             --allow-san or --allow-issuer, or --allow-anonymous off, or leave it out",
        ));
    }
    let wants_anonymous = layers.typed().and_then(|typed| typed.allow_anonymous) == Some(true);
    if wants_anonymous && !clients.optional {
        return Err(usage(
            "--allow-anonymous on needs --client-verify optional: without it clients must show a \
             certificate",
        ));
    }
    Ok(())
}

/// In http mode, rejects options about TLS on the command line. Those in the environment may be meant for other
/// runs, and are ignored.
fn refuse_tls_options(layers: Layers<'_>) -> Result<(), ConfigError> {
    let Some(typed) = layers.typed() else { return Ok(()) };
    let wishes = [
        (typed.tls_min.is_some() || typed.tls_max.is_some(), "--tls-min and --tls-max are"),
        (typed.resumption.is_some(), "--resumption is"),
        (typed.ticket_keys.is_some(), "--ticket-keys is"),
        (!typed.ocsp.is_empty(), "--ocsp is"),
        (
            typed.key_password_file.is_some() && layers.of(|s| s.upstream_cert.clone()).is_none(),
            "--key-password-file goes with --upstream-cert, or is",
        ),
        (typed.deny_early, "--deny-early is"),
        (typed.allow_anonymous.is_some(), "--allow-anonymous is"),
        (typed.redirect_from.is_some(), "--redirect-from is"),
        (typed.hsts.is_some() && layers.list(|s| &s.trust_proxy).is_empty(), "--hsts is"),
    ];
    if let Some((_, what)) = wishes.iter().find(|(asked, _)| *asked) {
        return Err(usage(format!(
            "{what} for https and mutual mode; add an identity (--cert and --key, --identity or \
             --adhoc)"
        )));
    }
    match typed.backend {
        None | Some(BackendName::Plain) => Ok(()),
        Some(_) => Err(usage(
            "--backend: http mode has no TLS, and no backend but plain; leave it out, or add an \
             identity (--cert and --key, --identity or --adhoc)",
        )),
    }
}
