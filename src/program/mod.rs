//! Runs the program and returns its exit code.

mod background;
mod failure;
pub(crate) mod log;
#[cfg(feature = "pki")]
mod progress;
mod reload;
mod serve;
mod setting_names;
mod startup;
mod systemd;
mod try_command;

use std::env;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::SystemTime;

use self::failure::{Failure, print};
#[cfg(feature = "pki")]
use self::progress::Progress;
use crate::check;
use crate::cli::args::{self, Stop};
use crate::cli::unknown_variables::unknown_variables;
use crate::cli::{self, Command, Serve, completions, man, variables};
use crate::config::Config;
use crate::config::error::ConfigError;
use crate::config::files::password;
#[cfg(feature = "pki")]
use crate::console::causes::with_causes;
#[cfg(feature = "pki")]
use crate::console::colour::Colours;
#[cfg(feature = "pki")]
use crate::pki::{self, PkiError};

/// Runs the program with the arguments and the environment of the process.
///
/// The exit code is 0 after it has served and drained, 1 if it could not start, 2 for wrong usage. Both failures
/// print one line to stderr.
pub(crate) fn main() -> ExitCode {
    let ran = run();
    log::flush();
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // If stderr is closed, there is nobody to tell.
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
    if let Some(name) = variables::not_text() {
        return Err(Failure::usage(format!("{name}: not UTF-8")));
    }
    if let Some(name) = variables::empty_policy(&command_line, &variable) {
        return Err(Failure::usage(format!(
            "{name} is set and empty, so it does not say which clients are let in; give it a value, \
             or unset it"
        )));
    }
    let mut layers = vec![command_line, asked.environment];
    // An explicit mode overrides the recipe's switches, even invalid ones.
    let settled = layers.iter().any(|layer: &Serve| layer.mode.is_some());
    match cli::recipe::options(&variable) {
        Ok(recipe) => layers.extend(recipe),
        Err(_) if settled => {}
        Err(stop) => return Err(ConfigError::from(stop).into()),
    }
    let now = SystemTime::now();
    // Must come before all that depends on the limit.
    turnkey::net::raise_open_files();
    let mut config = Config::new(&layers, password::from_environment(), now)?;
    config.unknown_variables = unknown_variables(variables::without_password(env::vars_os()));
    match check {
        Some(options) => {
            let checked = check::run(&config, options.json, now);
            print(&checked.text)?;
            // The findings are on stdout, with the rest.
            if checked.ok { Ok(()) } else { Err(Failure::start(String::new())) }
        }
        None => serve::run(config, now),
    }
}

#[cfg(feature = "pki")]
fn certs(options: cli::Certs) -> Result<(), Failure> {
    let key_type = options
        .key_type
        .map(|name| name.parse().map_err(|e| Failure::usage(format!("--key-type {name}: {e}"))))
        .transpose()?;
    let default = pki::CertsOptions::default();
    let options = pki::CertsOptions {
        out: options.out,
        hosts: options.host,
        no_default_names: options.no_default_names,
        clients: options.client,
        sans: options.san,
        key_type,
        days: options.days.unwrap_or(default.days),
        force: options.force,
    };
    let progress = Progress::start("making keys and certificates");
    let report = pki::certs(&options, SystemTime::now());
    drop(progress);
    let report =
        report.map_err(|error| Failure { code: certs_code(&error), text: with_causes(&error) })?;
    print(&format!("{}\n", report.printed(&called_by(), Colours::of(&io::stdout()))))
}

/// What a shell calls this program: its path, or just its name if it was found without a path.
#[cfg(feature = "pki")]
fn called_by() -> String {
    let name = env::args().next().filter(|name| name.contains(['/', std::path::MAIN_SEPARATOR]));
    name.unwrap_or_else(|| "turnkey".to_owned())
}

/// Wrong options are a usage error; a problem with the folder is not.
#[cfg(feature = "pki")]
fn certs_code(error: &PkiError) -> u8 {
    match error {
        PkiError::Host { .. }
        | PkiError::Client { .. }
        | PkiError::San { .. }
        | PkiError::SanOfNobody { .. }
        | PkiError::SanOfSeveral { .. }
        | PkiError::NoNames
        | PkiError::Days { .. } => 2,
        _ => 1,
    }
}

#[cfg(not(feature = "pki"))]
fn certs(_options: cli::Certs) -> Result<(), Failure> {
    Err(Failure::start("certs: not compiled in; build with the cargo feature pki".to_owned()))
}

/// The version, and the TLS libraries.
fn version() -> String {
    let mut text = format!("turnkey {}\n", env!("CARGO_PKG_VERSION"));
    for (name, library) in turnkey::tls::compiled_backends() {
        // Writing to a `String` cannot fail.
        _ = writeln!(text, "{name}: {library}");
    }
    text
}
