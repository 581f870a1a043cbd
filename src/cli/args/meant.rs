//! Guesses what the user meant by a value that is not accepted.

use turnkey::net::Address;

use super::from_args;

/// Options with their values.
pub(super) type Options = Vec<(&'static str, String)>;

/// Whether the option accepts this value; the error says what is wrong.
pub(super) fn accepted(command: Option<&str>, option: &str, value: &str) -> Result<(), String> {
    let command = command.filter(|command| *command != "check");
    let words = command.into_iter().chain([option, value]).map(str::to_owned);
    let read = from_args(&words.collect::<Vec<_>>());
    read.map(drop)
        .map_err(|exit| super::problem(&exit.output, option, value).unwrap_or(exit.output))
}

/// The options that the user meant by `option value`, if that is clear.
pub(super) fn meant(option: &str, value: &str) -> Option<Options> {
    let bare = without_scheme(value);
    let all: Vec<Options> = match option {
        "--proxy" => proxies(value).into_iter().map(|url| vec![("--proxy", url)]).collect(),
        "--listen" => addresses(bare, 8000).into_iter().map(|at| vec![("--listen", at)]).collect(),
        "--metrics" => {
            addresses(bare, 9100).into_iter().map(|at| vec![("--metrics", at)]).collect()
        }
        "--port" => {
            let port = bare.strip_prefix(':').unwrap_or(bare).to_owned();
            vec![vec![("--port", port)], place(value).filter(|place| place.len() > 1)?]
        }
        "--host" => vec![place(value)?],
        _ => return None,
    };
    let is_accepted = |(option, value): &(&str, String)| accepted(None, option, value).is_ok();
    all.into_iter().find(|options| options.iter().all(is_accepted))
}

/// Where to listen, in the syntax of other servers: a host, a port or both. A colon without a host before it means
/// all addresses.
pub(super) fn place(text: &str) -> Option<Options> {
    let bare = without_scheme(text);
    if let Some(path) = path(bare) {
        return Some(vec![("--listen", format!("unix:{path}"))]);
    }
    let (host, port) = match bare.parse::<Address>() {
        Ok(Address::Tcp(host, port)) => (Some(host), Some(port.to_string())),
        Ok(Address::Unix(_)) => return Some(vec![("--listen", bare.to_owned())]),
        Err(_) => match bare.rsplit_once(':') {
            _ if bare.parse::<u16>().is_ok() => (None, Some(bare.to_owned())),
            Some(("" | "*", port)) => (Some("0.0.0.0".to_owned()), Some(port.to_owned())),
            _ if bare == "*" => (Some("0.0.0.0".to_owned()), None),
            _ => (Some(bare.to_owned()), None),
        },
    };
    let said = [host.map(|host| ("--host", host)), port.map(|port| ("--port", port))];
    let said: Vec<_> = said.into_iter().flatten().collect();
    said.iter().all(|(option, value)| accepted(None, option, value).is_ok()).then_some(said)
}

/// URLs that `text` may mean, the likeliest first.
fn proxies(text: &str) -> Vec<String> {
    if let Some(path) = path(text) {
        return vec![format!("unix:{path}")];
    }
    if let Some(rest) = text.strip_prefix("ws://") {
        return vec![format!("http://{rest}")];
    }
    if let Some(rest) = text.strip_prefix("wss://") {
        return vec![format!("https://{rest}")];
    }
    if text.contains("://") {
        return Vec::new();
    }
    let port = text.strip_prefix(':').unwrap_or(text);
    addresses(port, 80).into_iter().map(|address| format!("http://{address}")).collect()
}

/// Addresses that `text` may mean, the likeliest first.
fn addresses(text: &str, default_port: u16) -> Vec<String> {
    if let Some(path) = path(text) {
        return vec![format!("unix:{path}")];
    }
    if text.parse::<u16>().is_ok() {
        return vec![format!("127.0.0.1:{text}")];
    }
    // As in other servers, a missing host before the colon means all addresses.
    let host = text.strip_prefix("*:").or_else(|| text.strip_prefix(':'));
    vec![
        host.map_or_else(|| text.to_owned(), |port| format!("0.0.0.0:{port}")),
        format!("{text}:{default_port}"),
        format!("[{text}]:{default_port}"),
    ]
}

/// A path, if it begins as most paths do.
fn path(text: &str) -> Option<&str> {
    ["/", "./", "../"].iter().any(|start| text.starts_with(start)).then_some(text)
}

fn without_scheme(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.strip_suffix('/').unwrap_or(rest)
}
