//! Serves: from the configuration to a server that has drained.

use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::{env, io};

use turnkey::log::{AccessLog, LogFormat};
use turnkey::net::{ReloadSignal, StopSignals};
use turnkey::tls::ConnectConfig;
use turnkey::{App, Bound, Listener, Server, builtin};

use super::background::Background;
use super::failure::{Failure, print};
use super::reload::{self, Watch};
use super::setting_names::setting_names;
use super::startup::Greeting;
use super::systemd::activation::{self, Activated};
use super::systemd::notify;
use crate::check;
use crate::config::{Config, listen_options};
use crate::console::causes::with_causes;
use crate::console::colour::Colours;

/// Serves as `config` says, until the process is told to stop.
pub(crate) fn run(config: Config, now: SystemTime) -> Result<(), Failure> {
    // This changes the environment, which the thread of the log may read. So it comes first.
    let activated = Activated::take(&|name| env::var(name).ok())
        .map_err(|error| Failure::start(error.to_string()))?;
    super::log::init();
    // Records the files before they are read, so that later changes are noticed.
    let watch = Watch::new(&config);
    let (loaded, warnings) = check::at_start(&config, now)?;
    let greeting = Greeting::new(&config, loaded.own.as_ref());
    let (mode, choice) = loaded.mode()?;
    let upstream = loaded.upstream.as_ref().map(|upstream| &upstream.config);
    let server = with_content(&config, upstream)?.mode(mode).tls(choice);
    let bound = bind(observed(as_asked(server, &config), &config)?, &config, activated)?;
    // After the greeting, somebody may send a signal at once: it must drain the server or reload its files.
    let no_signals = |e: io::Error| Failure::start(format!("no signals: {e}"));
    let signals = StopSignals::new().map_err(no_signals)?;
    let hangup = ReloadSignal::new().map_err(no_signals)?;
    // An error is only one line, so warnings wait until no error can follow.
    for warning in warnings {
        log::warn!("{warning}");
    }
    greet(&greeting.text(&bound), &config)?;

    let drain = config.limits.drain_delay + config.limits.drain_timeout;
    let reloader = bound.reloader();
    let bound = if config.is_reloadable() {
        let thread = Background::new("reload")
            .map_err(|e| Failure::start(format!("no thread to read files again: {e}")))?;
        bound.with_task(|_| reload::run(Arc::new(config), watch, reloader, thread, hangup))
    } else {
        bound.with_task(|_| reload::ignore(hangup))
    };
    let bound = bound.with_task(notify::watchdog);
    bound
        .run_until_signal(signals, || notify::stopping(drain))
        .map_err(|error| Failure::start(with_causes(&error)))
}

/// A server for the configured content: a folder, upstreams, or the built-in app.
fn with_content(config: &Config, upstream: Option<&ConnectConfig>) -> Result<Server, Failure> {
    Ok(match (&config.folder, &config.upstreams) {
        (Some(options), _) => {
            let folder = options.folder().map_err(|e| Failure::start(format!("--dir {e}")))?;
            let mut app = App::new();
            app.mount("/", folder);
            Server::new(app)
        }
        (None, Some(upstreams)) => {
            let proxy = upstreams.proxy(config.backend(), upstream);
            Server::proxy(proxy.map_err(|error| Failure::start(with_causes(&error)))?)
        }
        (None, None) => Server::new(builtin()),
    })
}

/// Sets the options that need no further input.
fn as_asked(server: Server, config: &Config) -> Server {
    let mut server = server
        .limits(config.limits.clone())
        .trust(config.trust.clone())
        .proxy_protocol(config.proxy_protocol)
        .setting_names(setting_names());
    if let Some(threads) = config.threads {
        server = server.threads(threads);
    }
    if let Some(port) = config.redirect_from {
        server = server.redirect_from(port, config.challenges.clone());
    }
    if let Some(seconds) = config.hsts {
        server = server.hsts(Duration::from_secs(seconds));
    }
    if let Some(path) = &config.health {
        server = server.health(path.clone());
    }
    server
}

/// Adds the observers: the access log and the metrics.
fn observed(mut server: Server, config: &Config) -> Result<Server, Failure> {
    // Of the access log, `RUST_LOG` decides only whether there is one.
    if log::log_enabled!(target: AccessLog::TARGET, log::Level::Info) {
        let access_log = AccessLog::stdout(config.log_format)
            .map_err(|e| Failure::start(format!("no thread for the access log: {e}")))?;
        server = server.access_log(access_log.colours(Colours::of(&io::stdout()).are_on()));
    }
    if let Some(queue) = super::log::queue() {
        server = server.log_queue(queue);
    }
    if let Some(address) = &config.metrics {
        let listener = Listener::at(address, config.listen.socket_mode);
        server = server.metrics(listener.map_err(|error| {
            Failure::start(listen_options::explain_at("--metrics", address, &error))
        })?);
    }
    Ok(server)
}

/// Binds the ports, or takes the sockets from systemd.
fn bind(
    mut server: Server,
    config: &Config,
    activated: Option<Activated>,
) -> Result<Bound, Failure> {
    let listen = &config.listen;
    let mut given = None;
    if let Some(activated) = activated {
        if config.redirect_from.is_some() && !activated.has_port() {
            return Err(Failure::start(activation::WITHOUT_PORT.to_owned()));
        }
        let Activated { listeners, redirect } = activated;
        log::info!("serving on the sockets of LISTEN_FDS; --listen, --host and --port have no say");
        given = Some(listeners);
        match (redirect, config.redirect_from) {
            (Some(redirect), Some(_)) => server = server.redirect_on(redirect),
            (Some(_), None) => return Err(Failure::start(activation::WITHOUT_REDIRECT.to_owned())),
            (None, _) => {}
        }
    }
    let bound = match given {
        Some(listeners) => server.listen(listeners),
        None => server.listen_at(&listen.addresses, listen.socket_mode),
    };
    bound.map_err(|error| Failure::start(listen.explain(config.redirect_from, &error)))
}

/// Tells people and systemd where the server listens.
fn greet(text: &str, config: &Config) -> Result<(), Failure> {
    if config.log_format == LogFormat::Text {
        print(text)?;
    } else {
        // Programs that read stdout do not expect a greeting.
        super::log::say(text);
    }
    notify::ready(text.lines().next().unwrap_or_default());
    Ok(())
}
