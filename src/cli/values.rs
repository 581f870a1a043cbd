//! Values of options that have no type elsewhere.

use std::net::Ipv6Addr;

use argh::FromArgValue;

use crate::cli::units::boolean;

/// The three modes, in the order of their requirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, FromArgValue)]
pub(crate) enum ModeName {
    Http,
    Https,
    Mutual,
}

impl ModeName {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Mutual => "mutual",
        }
    }
}

/// Whether clients need a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromArgValue)]
pub(crate) enum ClientVerify {
    None,
    Optional,
    Required,
}

/// Parses a name or an address to listen on; an IPv6 address may be in brackets, as before a port.
pub(crate) fn host(text: &str) -> Result<String, String> {
    let address = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    // It may name an interface (RFC 4007 §11): fe80::1%eth0.
    let (ip, _) = address.split_once('%').unwrap_or((address, ""));
    let is_name = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "-._".contains(c);
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if ip.parse::<Ipv6Addr>().is_ok() {
        Ok(address.to_owned())
    } else if text.chars().all(is_name) && !is_number && !text.starts_with('-') {
        Ok(text.to_owned())
    } else {
        Err("expected a name or an address without a port, such as 127.0.0.1".to_owned())
    }
}

/// Parses a port, with an error message for people.
pub(crate) fn port_number(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "expected a port, from 0 to 65535".to_owned())
}

/// Parses a number of items.
pub(super) fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected a number, such as 4".to_owned())
}

/// Parses numeric permissions, as `chmod` accepts them.
pub(super) fn file_mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| "expected permissions in octal, such as 660".to_owned())
}

/// Parses on or off, and other words for them.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    boolean(text).ok_or_else(|| "expected on or off".to_owned())
}

pub(super) fn health_path(text: &str) -> Result<String, String> {
    let fits = text.starts_with('/') && text.bytes().all(|b| b.is_ascii_graphic() && b != b'?');
    fits.then(|| text.to_owned()).ok_or_else(|| "expected a path, such as /healthz".to_owned())
}

pub(super) fn max_age(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "expected seconds, such as 31536000 for a year".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_and_addresses() {
        for (text, taken) in [
            ("localhost", "localhost"),
            ("app_1.example.test.", "app_1.example.test."),
            ("bücher.test", "bücher.test"),
            ("127.0.0.1", "127.0.0.1"),
            ("::", "::"),
            ("[::1]", "::1"),
            ("fe80::1%eth0", "fe80::1%eth0"),
            ("[fe80::1%eth0]", "fe80::1%eth0"),
        ] {
            assert_eq!(host(text).as_deref(), Ok(taken));
        }
        for text in
            ["", "8000", "localhost:80", "[::1]:80", "http://a", "a/b", "a b", "*", "[a]", "--port"]
        {
            assert!(host(text).is_err(), "{text}");
        }
    }
}
