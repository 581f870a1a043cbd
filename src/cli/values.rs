//! What options take that nothing else has a type for.

use std::str::FromStr;

use crate::units::boolean;

/// The three modes, in the order of what they ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

impl FromStr for ModeName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Http, Self::Https, Self::Mutual]
            .into_iter()
            .find(|mode| mode.name() == name)
            .ok_or_else(|| "expected http, https or mutual".to_owned())
    }
}

/// Whether clients need a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientVerify {
    None,
    Optional,
    Required,
}

impl FromStr for ClientVerify {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "none" => Ok(Self::None),
            "optional" => Ok(Self::Optional),
            "required" => Ok(Self::Required),
            _ => Err("expected none, optional or required".to_owned()),
        }
    }
}

/// A port, with a message for people.
pub(crate) fn port_number(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "expected a port, from 0 to 65535".to_owned())
}

/// How many of something.
pub(super) fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "expected a number, such as 4".to_owned())
}

/// Permissions as `chmod` takes them in numbers.
pub(super) fn file_mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| "expected permissions in octal, such as 660".to_owned())
}

/// On or off, as people write it.
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
