//! The names that the recipe which turnkey grew from gave its settings. They are understood when
//! `HTTPS_ENABLED` is among them: `API_KEY` alone is somebody else's.

use std::path::PathBuf;

use crate::args::Stop;
use crate::cli::{self, ModeName, Serve};
use crate::units::boolean;

/// The settings of the recipe in the environment, as options; `None` if there are none.
pub(crate) fn options(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Serve>, Stop> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let verify = set("VERIFY_USER");
    let Some(https) = set("HTTPS_ENABLED") else {
        return match verify.as_deref().and_then(boolean) {
            // Whoever wants users verified must not get a server that verifies nobody.
            Some(true) => Err(needs_https()),
            _ => Ok(None),
        };
    };
    let https = switch("HTTPS_ENABLED", &https)?;
    let verify = verify.map_or(Ok(false), |value| switch("VERIFY_USER", &value))?;
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
    // The recipe has all its settings all the time, and a mode takes what it needs of them.
    Ok(Some(Serve {
        mode: Some(mode),
        host: set("API_HOST"),
        port,
        cert: file("CA_CHAIN_CRT").filter(|_| https).into_iter().collect(),
        key: file("API_KEY").filter(|_| https).into_iter().collect(),
        client_ca: file("API_CA_T").filter(|_| verify).into_iter().collect(),
        ..Serve::default()
    }))
}

fn needs_https() -> Stop {
    Stop::Usage(
        "VERIFY_USER=true needs HTTPS_ENABLED=true: a client proves who it is in TLS; set both, \
         or VERIFY_USER=false"
            .to_owned(),
    )
}

fn switch(name: &str, value: &str) -> Result<bool, Stop> {
    boolean(value).ok_or_else(|| Stop::Usage(format!("{name}={value}: expected true or false")))
}
