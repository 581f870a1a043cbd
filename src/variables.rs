//! The environment, as far as it is ours.

use std::env::{self, VarError};

use crate::options;
use crate::password;
use crate::recipe;

/// The first of our variables that is set to something else than text: to pass it over would be to serve
/// as if nobody had set it.
pub(crate) fn not_text() -> Option<String> {
    let mut ours: Vec<String> = options::of_serving().map(|option| option.variable()).collect();
    ours.push(password::VARIABLE.to_owned());
    if env::var_os(recipe::SWITCH).is_some_and(|value| !value.is_empty()) {
        ours.extend(recipe::VARIABLES.map(str::to_owned));
    }
    ours.into_iter().find(|name| is_not_text(name))
}

/// Whether the variable is set to something else than text.
pub(crate) fn is_not_text(name: &str) -> bool {
    matches!(env::var(name), Err(VarError::NotUnicode(_)))
}
