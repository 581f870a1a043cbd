//! Converts the paths of routes for the router: `:name` and `*name` are `{name}` and `{*name}` there.

use matchit::Params;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The characters that a URL escapes in a path (the URL standard's path percent-encode set). Routes are
/// compared in that form. A `%` stays, since it begins an escape.
const IN_PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`');

/// The router's name for the rest of a path after a prefix. No route can use it.
const REST: &str = "-";

/// A path in the router's own notation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern(String);

/// Why a path cannot be a route.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum PatternError {
    #[error("it does not begin with /")]
    NoSlash,
    #[error("a parameter is a whole segment, of letters, digits and _: /:name")]
    Name,
    #[error("two of its parameters have the same name")]
    SameName,
    #[error("*name has to be its end")]
    Wildcard,
    #[error("it holds a brace; a parameter is written /:name, and all that follows /*name")]
    Brace,
    #[error("a prefix has no / at its end, and no *name")]
    Prefix,
}

impl Pattern {
    pub(super) fn new(path: &str) -> Result<Self, PatternError> {
        let segments = path.strip_prefix('/').ok_or(PatternError::NoSlash)?;
        let mut pattern = String::with_capacity(path.len() + 4);
        let mut names = Vec::new();
        let mut segments = segments.split('/').peekable();
        while let Some(segment) = segments.next() {
            pattern.push('/');
            let (star, name) = match (segment.strip_prefix(':'), segment.strip_prefix('*')) {
                (Some(name), _) => ("", name),
                (_, Some(_)) if segments.peek().is_some() => return Err(PatternError::Wildcard),
                (_, Some(name)) => ("*", name),
                _ if segment.contains(['{', '}']) => return Err(PatternError::Brace),
                _ => {
                    pattern.extend(utf8_percent_encode(segment, IN_PATH));
                    continue;
                }
            };
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(PatternError::Name);
            }
            if names.contains(&name) {
                return Err(PatternError::SameName);
            }
            names.push(name);
            pattern.extend(["{", star, name, "}"]);
        }
        Ok(Self(pattern))
    }

    /// `prefix`, and the paths below it.
    pub(super) fn of_prefix(prefix: &str) -> Result<[Self; 3], PatternError> {
        let Self(pattern) = Self::new(prefix)?;
        if pattern.ends_with('/') || pattern.contains("{*") {
            return Err(PatternError::Prefix);
        }
        let (slash, below) = (format!("{pattern}/"), format!("{pattern}/{{*{REST}}}"));
        Ok([Self(pattern), Self(slash), Self(below)])
    }

    pub(super) fn into_matchit(self) -> String {
        self.0
    }
}

/// A route as it was written, from the router's `pattern`.
pub(super) fn from_matchit(pattern: &str) -> String {
    pattern.replace("{*", "*").replace('{', ":").replace('}', "")
}

/// The rest of a path after its prefix.
pub(super) fn rest<'p>(path: &'p str, params: &Params<'_, 'p>) -> &'p str {
    // With the slash before it.
    let length = params.get(REST).map_or(0, |rest| rest.len() + 1);
    path.get(path.len() - length..).filter(|rest| !rest.is_empty()).unwrap_or("/")
}

/// The parameters of a route, without the rest after a prefix.
pub(super) fn named<'m>(params: &'m Params<'_, '_>) -> impl Iterator<Item = (&'m str, &'m str)> {
    params.iter().filter(|(name, _)| *name != REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(path: &str) -> Result<String, PatternError> {
        Pattern::new(path).map(Pattern::into_matchit)
    }

    #[test]
    fn parameters_are_written_with_a_colon_and_wildcards_with_a_star() {
        for (path, expected) in [
            ("/", "/"),
            ("/a/b/", "/a/b/"),
            ("/hello/:name", "/hello/{name}"),
            ("/:a/x/:b_2/", "/{a}/x/{b_2}/"),
            ("/files/*path", "/files/{*path}"),
            ("/*all", "/{*all}"),
            ("/v1/books:read/a*b", "/v1/books:read/a*b"),
        ] {
            assert_eq!(pattern(path).unwrap(), expected);
            assert_eq!(from_matchit(expected), path);
        }
    }

    #[test]
    fn what_is_not_ascii_is_compared_as_a_url_writes_it() {
        assert_eq!(pattern("/caf\u{e9}/a b").unwrap(), "/caf%C3%A9/a%20b");
        assert_eq!(pattern("/caf%C3%A9").unwrap(), "/caf%C3%A9");
    }

    #[test]
    fn what_is_no_pattern_is_said_to_be_none() {
        for (path, error) in [
            ("", PatternError::NoSlash),
            ("a", PatternError::NoSlash),
            ("*", PatternError::NoSlash),
            ("/:", PatternError::Name),
            ("/*", PatternError::Name),
            ("/:id.png", PatternError::Name),
            ("/:a/:a", PatternError::SameName),
            ("/*a/b", PatternError::Wildcard),
            ("/*a/", PatternError::Wildcard),
            ("/{id}", PatternError::Brace),
            ("/a}", PatternError::Brace),
        ] {
            assert_eq!(pattern(path), Err(error), "{path}");
        }
        for prefix in ["/", "/a/", "/*a"] {
            assert_eq!(Pattern::of_prefix(prefix), Err(PatternError::Prefix), "{prefix}");
        }
    }
}
