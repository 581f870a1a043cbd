//! The names that the recipe which turnkey grew from gave its settings. The program understands them
//! when `HTTPS_ENABLED` is among them: `API_KEY` alone is somebody else's.

use std::env;
use std::path::PathBuf;
use std::time::SystemTime;

use zeroize::Zeroizing;

use crate::args::Stop;
use crate::check;
use crate::cli::{self, ModeName, Serve};
use crate::config::Config;
use crate::config::files::Finding;
use crate::config_error::ConfigError;
use crate::mode::Mode;
use crate::password;
use crate::units::boolean;
use crate::variables;

/// Without it the others are not the recipe's.
pub(crate) const SWITCH: &str = "HTTPS_ENABLED";

/// All of its variables.
pub(crate) const VARIABLES: [&str; 7] =
    [SWITCH, "VERIFY_USER", "API_HOST", "API_PORT", "CA_CHAIN_CRT", "API_KEY", "API_CA_T"];

/// One of the three modes by two switches, and where to listen, as the environment has it.
///
/// | variable | what | default |
/// | --- | --- | --- |
/// | `HTTPS_ENABLED` | whether to speak HTTPS | `false` |
/// | `VERIFY_USER` | whether clients have to show a certificate | `false` |
/// | `API_HOST` | the host | `127.0.0.1` |
/// | `API_PORT` | the port; `0` for any free one | `8000` |
/// | `CA_CHAIN_CRT` | the file of the server's certificate, with those that lead to its CA; PEM | |
/// | `API_KEY` | the file of its private key; PEM | in `CA_CHAIN_CRT` |
/// | `API_CA_T` | the file of the CAs whose clients are let in; PEM | |
///
/// The password of a key that is encrypted is taken from `TURNKEY_KEY_PASSWORD`, or asked for on a
/// terminal.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use turnkey::{App, Recipe, Server};
///
/// let Recipe { mode, host, port, .. } = Recipe::from_env()?;
/// Server::new(App::new()).mode(mode).bind((host, port))?.run()?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Recipe {
    /// What the switches say, with what the files hold.
    pub mode: Mode,
    /// The host to listen on: a name or an address.
    pub host: String,
    /// The port to listen on.
    pub port: u16,
}

impl Recipe {
    /// Reads the variables of the process, and the files that they name.
    ///
    /// # Errors
    /// If a variable or a file is not what it should be; or if clients are to be verified without
    /// HTTPS, which cannot be.
    pub fn from_env() -> Result<Self, RecipeError> {
        if let Some(name) = VARIABLES.into_iter().find(|name| variables::is_not_text(name)) {
            return Err(RecipeError(format!("{name}: not UTF-8")));
        }
        Self::of(&|name| env::var(name).ok())
    }

    fn of(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, RecipeError> {
        let said = |error: ConfigError| RecipeError(error.to_string());
        let now = SystemTime::now();
        let settings = settings(variable).map_err(|stop| said(stop.into()))?;
        let password = variable(password::VARIABLE).map(Zeroizing::new);
        let config = Config::new(&[settings], password, now).map_err(said)?;
        let wrong = |error: Finding| RecipeError(error.to_string());
        let (contents, warnings) = check::load(&config, now).map_err(wrong)?;
        let (mode, _) = contents.mode().map_err(wrong)?;
        for warning in warnings {
            log::warn!("{warning}");
        }
        // The recipe knows of one place to listen at, and always of one.
        let (host, port) = config.listen.tcp().next().unwrap_or_default();
        Ok(Self { mode, host: host.to_owned(), port })
    }
}

/// What is wrong with the recipe's settings, and what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct RecipeError(String);

/// The settings of the recipe in the environment, as options of the program; `None` if there are none.
pub(crate) fn options(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Serve>, Stop> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    match (set(SWITCH), set("VERIFY_USER").as_deref().and_then(boolean)) {
        (Some(_), _) => settings(variable).map(Some),
        // Whoever wants users verified must not get a server that verifies nobody.
        (None, Some(true)) => Err(needs_https()),
        (None, _) => Ok(None),
    }
}

/// The settings of the recipe, as options of the program.
fn settings(variable: &dyn Fn(&str) -> Option<String>) -> Result<Serve, Stop> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let switch = |name: &str| match set(name) {
        None => Ok(false),
        Some(value) => boolean(&value)
            .ok_or_else(|| Stop::Usage(format!("{name}={value}: expected true or false"))),
    };
    let (https, verify) = (switch(SWITCH)?, switch("VERIFY_USER")?);
    // Set to a variable that is not there, say: that must not let everybody in.
    if https && variable("VERIFY_USER").is_some_and(|value| value.is_empty()) {
        return Err(Stop::Usage("VERIFY_USER=: expected true or false".to_owned()));
    }
    let mode = match (https, verify) {
        (false, false) => ModeName::Http,
        (true, false) => ModeName::Https,
        (true, true) => ModeName::Mutual,
        (false, true) => return Err(needs_https()),
    };
    let file = |name: &str| set(name).map(PathBuf::from);
    let port = set("API_PORT")
        .map(|text| {
            cli::port_number(&text).map_err(|e| Stop::Usage(format!("API_PORT={text}: {e}")))
        })
        .transpose()?;
    let host = set("API_HOST")
        .map(|text| cli::host(&text).map_err(|e| Stop::Usage(format!("API_HOST={text}: {e}"))))
        .transpose()?;
    // The recipe has all its settings all the time, and a mode takes what it needs of them.
    Ok(Serve {
        mode: Some(mode),
        host,
        port,
        cert: file("CA_CHAIN_CRT").filter(|_| https).into_iter().collect(),
        key: file("API_KEY").filter(|_| https).into_iter().collect(),
        client_ca: file("API_CA_T").filter(|_| verify).into_iter().collect(),
        ..Serve::default()
    })
}

fn needs_https() -> Stop {
    Stop::Usage(
        "VERIFY_USER=true needs HTTPS_ENABLED=true: a client proves who it is in TLS; set both, \
         or VERIFY_USER=false"
            .to_owned(),
    )
}
