//! The original recipe's names for its settings, as options. They count only if `HTTPS_ENABLED` is set: `API_KEY`
//! alone belongs to another program.

use std::path::PathBuf;

use super::args::Stop;
use super::{ModeName, Serve};
use crate::cli;
use crate::cli::units::boolean;

/// Without this variable, the others are not the recipe's.
pub(crate) const SWITCH: &str = "HTTPS_ENABLED";

/// All variables of the recipe.
pub(crate) const VARIABLES: [&str; 7] =
    [SWITCH, "VERIFY_USER", "API_HOST", "API_PORT", "CA_CHAIN_CRT", "API_KEY", "API_CA_T"];

/// The settings of the recipe in the environment, as options of the program; `None` if there are none.
pub(crate) fn options(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Serve>, Stop> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    match (set(SWITCH), set("VERIFY_USER").as_deref().and_then(boolean)) {
        (Some(_), _) => settings(variable).map(Some),
        // If the user wants clients verified, a server that verifies nobody must not start.
        (None, Some(true)) => Err(needs_https()),
        (None, _) => Ok(None),
    }
}

/// The settings of the recipe, as options of the program.
pub(crate) fn settings(variable: &dyn Fn(&str) -> Option<String>) -> Result<Serve, Stop> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let switch = |name: &str| match set(name) {
        None => Ok(false),
        Some(value) => boolean(&value)
            .ok_or_else(|| Stop::Usage(format!("{name}={value}: expected true or false"))),
    };
    let (https, verify) = (switch(SWITCH)?, switch("VERIFY_USER")?);
    // An empty value, for example from an unset shell variable, must not let everybody in.
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
    // The recipe always sets all its variables, and each mode uses those that it needs.
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

pub(crate) fn needs_https() -> Stop {
    Stop::Usage(
        "VERIFY_USER=true needs HTTPS_ENABLED=true: a client proves who it is in TLS; set both, \
         or VERIFY_USER=false"
            .to_owned(),
    )
}
