//! The environment variables that belong to turnkey.

use std::env::{self, VarError};
use std::ffi::OsString;

use zeroize::Zeroizing;

use super::{options, recipe};
use crate::cli::{ClientVerify, ModeName, Serve};

/// The first of our variables whose value is not text. Ignoring it would serve as if it were not set.
pub(crate) fn not_text() -> Option<String> {
    let mut ours: Vec<String> = options::of_serving().map(|option| option.variable()).collect();
    ours.push(KEY_PASSWORD.to_owned());
    if env::var_os(recipe::SWITCH).is_some_and(|value| !value.is_empty()) {
        ours.extend(recipe::VARIABLES.map(str::to_owned));
    }
    ours.into_iter().find(|name| is_not_text(name))
}

/// The first variable that decides which clients are let in and is empty, for example because of an unset shell
/// variable. Ignoring it could let in more clients. Options in `typed` override the variables.
pub(crate) fn empty_policy(
    typed: &Serve,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Option<&'static str> {
    let asks_no_client = matches!(typed.mode, Some(ModeName::Http | ModeName::Https))
        || typed.client_verify == Some(ClientVerify::None);
    if asks_no_client {
        return None;
    }
    let policy = [
        ("TURNKEY_MODE", typed.mode.is_some()),
        ("TURNKEY_CLIENT_CA", !typed.client_ca.is_empty()),
        ("TURNKEY_CLIENT_VERIFY", typed.client_verify.is_some()),
        ("TURNKEY_CLIENT_CRL", !typed.client_crl.is_empty()),
        ("TURNKEY_ALLOW_CN", !typed.allow_cn.is_empty()),
        ("TURNKEY_ALLOW_SAN", !typed.allow_san.is_empty()),
        ("TURNKEY_ALLOW_ISSUER", !typed.allow_issuer.is_empty()),
        ("TURNKEY_ALLOW_ANONYMOUS", typed.allow_anonymous.is_some()),
    ];
    let says_nothing = |value: String| value.split(',').all(|part| part.trim().is_empty());
    let mut empty = policy
        .into_iter()
        .filter(|(name, is_typed)| !is_typed && variable(name).is_some_and(says_nothing));
    empty.next().map(|(name, _)| name)
}

/// Whether the variable's value is not text.
pub(crate) fn is_not_text(name: &str) -> bool {
    // Each look-up copies the value, and one of them is the password.
    matches!(env::var(name).map(Zeroizing::new), Err(VarError::NotUnicode(_)))
}

/// The names and values of the process's variables, without the password, of which no copy remains.
pub(crate) fn without_password(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> impl Iterator<Item = (String, String)> {
    variables.filter_map(|(name, value)| {
        let value = Zeroizing::new(value.into_encoded_bytes());
        let name = name.into_string().ok().filter(|name| name != KEY_PASSWORD)?;
        Some((name, String::from_utf8_lossy(&value).into_owned()))
    })
}

/// The variable that holds the password of the key.
pub(crate) const KEY_PASSWORD: &str = "TURNKEY_KEY_PASSWORD";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_among_the_variables() {
        let variables = [("A", "1"), (KEY_PASSWORD, "secret"), ("B", "")];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let text: Vec<_> = without_password(variables.into_iter()).collect();
        assert_eq!(text, [("A", "1"), ("B", "")].map(|(n, v)| (n.to_owned(), v.to_owned())));
    }
}
