//! The program: from its arguments to an exit code.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::access::{self, AccessLog};
use crate::activation::{self, Activated};
use crate::app::{self, App};
use crate::args::{self, Stop};
use crate::causes::with_causes;
use crate::check::{self, Severity};
use crate::cli::{Command, Serve};
#[cfg(feature = "pki")]
use crate::colour::Colours;
use crate::completions;
use crate::config::Config;
use crate::config_error::ConfigError;
use crate::limits;
use crate::listen_options;
use crate::listener::Listener;
use crate::man;
use crate::mode::{self, Mode, TlsChoice};
use crate::notify;
use crate::password;
#[cfg(feature = "pki")]
use crate::pki::{self, PkiError};
#[cfg(feature = "pki")]
use crate::progress::Progress;
use crate::recipe;
use crate::reload::{self, Watch};
use crate::server::Server;
use crate::signals::{ReloadSignal, StopSignals};
use crate::startup::Greeting;

/// Runs the program with the arguments and the environment of the process.
///
/// The exit code is 0 when it has served and drained, 1 when it could not start, 2 when it was not
/// understood; both failures are one line on stderr.
#[must_use]
pub fn main() -> ExitCode {
    let ran = run();
    crate::log::flush();
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // With stderr gone there is nobody left to tell.
            if !failure.text.is_empty() {
                _ = writeln!(io::stderr(), "turnkey: {}", failure.text);
            }
            ExitCode::from(failure.code)
        }
    }
}

fn run() -> Result<(), Failure> {
    let words = env::args_os()
        .skip(1)
        .map(|word| {
            word.into_string().map_err(|word| {
                Failure::usage(format!("{}: not UTF-8", word.to_string_lossy().escape_debug()))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let variable = |name: &str| env::var(name).ok();

    let asked = match args::parse(&words, &variable) {
        Ok(asked) => asked,
        Err(Stop::Help(text)) => return print(&text),
        Err(Stop::Usage(text)) => return Err(Failure::usage(text)),
    };
    if asked.command_line.version {
        return print(&version());
    }
    let mut command_line = asked.command_line;
    let check = match command_line.command.take() {
        Some(Command::Certs(options)) => return certs(options),
        Some(Command::Check(check)) => Some(check),
        Some(Command::Completions(options)) => return print(&completions::script(options.shell)),
        Some(Command::Man(_)) => return print(&man::page(man::date(&variable))),
        None => None,
    };
    let mut layers = vec![command_line, asked.environment];
    // A mode that is named settles what the recipe's switches would, right or wrong.
    let settled = layers.iter().any(|layer: &Serve| layer.mode.is_some());
    match recipe::options(&variable) {
        Ok(recipe) => layers.extend(recipe),
        Err(_) if settled => {}
        Err(stop) => return Err(ConfigError::from(stop).into()),
    }
    let now = SystemTime::now();
    // Before anything is decided by it.
    limits::raise_descriptor_limit();
    let config = Config::new(&layers, variable(password::VARIABLE), now)?;
    match check {
        Some(options) => {
            let checked = check::run(&config, options.json, now);
            print(&checked.text)?;
            // What is wrong stands on stdout, with the rest.
            if checked.ok { Ok(()) } else { Err(Failure::start(String::new())) }
        }
        None => serve(config, now),
    }
}

fn serve(config: Config, now: SystemTime) -> Result<(), Failure> {
    crate::log::init();
    let activated = Activated::take(&|name| env::var(name).ok())
        .map_err(|error| Failure::start(error.to_string()))?;
    // How the files are before they are read: what changes later is noticed.
    let watch = Watch::new(&config);
    let contents = config.load(now)?;
    let trouble = check::at_start(&config, &contents, now);
    if let Some(error) = trouble.iter().find(|finding| finding.severity == Severity::Error) {
        return Err(Failure::start(error.to_string()));
    }
    let greeting = Greeting::new(&config, contents.own.as_ref());
    let (mode, choice) = match (&config.sources, contents.own) {
        (Some(sources), Some(material)) => sources.mode(material)?,
        _ => (Mode::Http, TlsChoice::default()),
    };
    let server = match (&config.folder, &config.upstreams) {
        (Some(options), _) => {
            let folder = options.folder().map_err(|e| Failure::start(format!("--dir {e}")))?;
            let mut app = App::new();
            app.mount("/", folder);
            Server::new(app)
        }
        (None, Some(upstreams)) => {
            let proxy = upstreams.proxy(config.backend(), contents.upstream.as_ref());
            Server::proxy(proxy.map_err(|error| Failure::start(with_causes(&error)))?)
        }
        (None, None) => Server::new(app::builtin()),
    };
    let config = Arc::new(config);
    let mut server = server
        .mode(mode)
        .tls(choice)
        .limits(config.limits.clone())
        .trust(config.trust.clone())
        .proxy_protocol(config.proxy_protocol);
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
    let drain = config.limits.drain_delay + config.limits.drain_timeout;
    let listen = &config.listen;
    let mut given = None;
    if let Some(Activated { listeners, redirect }) = activated {
        log::info!("serving on the sockets of LISTEN_FDS; --listen, --host and --port have no say");
        given = Some(listeners);
        match (redirect, config.redirect_from) {
            (Some(redirect), Some(_)) => server = server.redirect_on(redirect),
            (Some(_), None) => return Err(Failure::start(activation::WITHOUT_REDIRECT.to_owned())),
            (None, _) => {}
        }
    }
    // `RUST_LOG` says of the access log only whether there is one.
    if log::log_enabled!(target: access::TARGET, log::Level::Info) {
        let access_log = AccessLog::stdout(config.log_format);
        server = server.access_log(
            access_log.map_err(|e| Failure::start(format!("no thread for the access log: {e}")))?,
        );
    }
    if let Some(address) = &config.metrics {
        let listener = Listener::at(address, listen.socket_mode);
        server = server.metrics(listener.map_err(|error| {
            Failure::start(listen_options::explain_at("--metrics", address, &error))
        })?);
    }
    let bound = server
        .serve_on(|| match given {
            Some(listeners) => Ok(listeners),
            None => Listener::all(&listen.addresses, listen.socket_mode),
        })
        .map_err(|error| Failure::start(listen.explain(config.redirect_from, &error)))?;
    // Whoever reads the greeting may end the program at once, and it shall end well; or have it read
    // its files again.
    let no_signals = |e: io::Error| Failure::start(format!("no signals: {e}"));
    let signals = StopSignals::new().map_err(no_signals)?;
    let hangup = ReloadSignal::new().map_err(no_signals)?;
    // An error is one line, so these wait until there is none.
    for warning in trouble {
        log::warn!("{warning}");
    }
    let text = greeting.text(&bound);
    if config.log_format.is_for_people() {
        print(&text)?;
    } else {
        // Programs that read stdout know nothing of greetings.
        crate::log::say(&text);
    }
    notify::ready(text.lines().next().unwrap_or_default());
    let reloader = bound.reloader();
    let bound = if config.is_reloadable() {
        bound.with_task(reload::run(config, watch, reloader, hangup))
    } else {
        bound.with_task(reload::ignore(hangup))
    };
    let bound = bound.with_task(notify::watchdog());
    bound
        .run_until_signal(signals, || notify::stopping(drain))
        .map_err(|error| Failure::start(with_causes(&error)))
}

#[cfg(feature = "pki")]
fn certs(options: crate::cli::Certs) -> Result<(), Failure> {
    let key_type = options
        .key_type
        .map(|name| name.parse().map_err(|e| Failure::usage(format!("--key-type {name}: {e}"))))
        .transpose()?;
    let default = pki::CertsOptions::default();
    let options = pki::CertsOptions {
        out: options.out,
        hosts: options.host,
        clients: options.client,
        key_type,
        days: options.days.unwrap_or(default.days),
        force: options.force,
    };
    let progress = Progress::start("making keys and certificates");
    let report = pki::certs(&options, SystemTime::now());
    drop(progress);
    let report =
        report.map_err(|error| Failure { code: certs_code(&error), text: with_causes(&error) })?;
    print(&format!("{}\n", report.coloured(Colours::of(&io::stdout()))))
}

/// What was typed wrong is wrong usage; what stands in the folder is not.
#[cfg(feature = "pki")]
fn certs_code(error: &PkiError) -> u8 {
    match error {
        PkiError::Host { .. } | PkiError::Client { .. } | PkiError::Days { .. } => 2,
        _ => 1,
    }
}

#[cfg(not(feature = "pki"))]
fn certs(_options: crate::cli::Certs) -> Result<(), Failure> {
    Err(Failure::start("certs: not compiled in; build with the cargo feature pki".to_owned()))
}

/// The version, and what TLS can be had from.
fn version() -> String {
    let mut text = format!("turnkey {}\n", env!("CARGO_PKG_VERSION"));
    for (name, library) in mode::compiled_backends() {
        // A `String` takes all that is written to it.
        _ = writeln!(text, "{name}: {library}");
    }
    text
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever was reading has seen enough, as with `turnkey --help | head -1`.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|e| Failure::start(format!("cannot write to stdout: {e}"))),
    }
}

/// Why the program ends with another code than 0.
struct Failure {
    code: u8,
    text: String,
}

impl Failure {
    fn usage(text: String) -> Self {
        Self { code: 2, text }
    }

    fn start(text: String) -> Self {
        Self { code: 1, text }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let code = if matches!(error, ConfigError::Usage(_)) { 2 } else { 1 };
        Self { code, text: error.to_string() }
    }
}
