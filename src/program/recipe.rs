//! The names that the recipe which turnkey grew from gave its settings. The program understands them
//! when `HTTPS_ENABLED` is among them: `API_KEY` alone is somebody else's.

use std::env;
use std::time::SystemTime;

use zeroize::Zeroizing;

use crate::check;
use crate::cli::recipe::{VARIABLES, settings};
use crate::cli::variables;
use crate::config::Config;
use crate::config::error::ConfigError;
use crate::config::files::Finding;
use crate::mode::Mode;

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
        let password = variable(variables::KEY_PASSWORD).map(Zeroizing::new);
        let config = Config::new(&[settings], password, now).map_err(said)?;
        let wrong = |error: Finding| RecipeError(error.to_string());
        let (loaded, warnings) = check::load(&config, now).map_err(wrong)?;
        let (mode, _) = loaded.mode().map_err(wrong)?;
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
