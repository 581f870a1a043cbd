use std::fmt;
use std::str::FromStr;

/// Characters that end or change a part of a name for programs that read it as a URI or an address.
pub(crate) const MARKS: &str = "/?#\\@";

/// A pattern with the wildcards `*` and `**`. Not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob(String);

/// The characters that `*` and `**` do not match. `*` does not match control characters either.
#[derive(Debug)]
pub(crate) struct Stars {
    pub(crate) one: &'static str,
    pub(crate) two: &'static str,
}

impl FromStr for Glob {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err("expected a name, in which * stands for one character or more");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Glob {
    /// Whether the glob matches all of `text`.
    pub(crate) fn matches(&self, text: &str, stars: &Stars) -> bool {
        self.reaches_end(text, stars, 0)
    }

    /// The same for a URI. A star in the glob's host does not match beyond the URI's host, except at the glob's end.
    pub(crate) fn matches_uri(&self, uri: &str) -> bool {
        if !self.0.contains('*') {
            return self.0 == uri;
        }
        let path = self.0.find("://").map_or(0, |scheme| {
            let host = scheme + "://".len();
            let slash = self.0.get(host..).and_then(|rest| rest.find('/'));
            slash.map_or(self.0.len(), |slash| host + slash)
        });
        is_unambiguous(uri) && self.reaches_end(uri, &Stars { one: MARKS, two: "?#\\@" }, path)
    }

    /// `**` means `*` before the byte `wide_from` of the glob, except at the glob's end.
    fn reaches_end(&self, text: &str, stars: &Stars, wide_from: usize) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        // The ends of the text that the pattern so far can reach. Without backtracking, the time is at most the
        // product of both lengths.
        let mut reached = vec![false; text.len() + 1];
        if let Some(start) = reached.first_mut() {
            *start = true;
        }
        let mut rest = pattern;
        while let [byte, tail @ ..] = rest {
            let at = pattern.len() - rest.len();
            let (step, next) = match (byte, tail) {
                (b'*', [b'*', tail @ ..]) if at >= wide_from || tail.is_empty() => {
                    (Step::Many { except: stars.two, control: true }, tail)
                }
                (b'*', [b'*', tail @ ..] | tail) => {
                    (Step::Many { except: stars.one, control: false }, tail)
                }
                (byte, _) => (Step::Byte(*byte), tail),
            };
            reached = step.advance(&reached, text);
            rest = next;
        }
        reached.last().copied().unwrap_or(false)
    }
}

/// Whether the URI is unambiguous for all readers: nothing in it is resolved (RFC 3986 §5.2.4), merged or decoded
/// to a character that ends a part.
fn is_unambiguous(uri: &str) -> bool {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let is_dots = |segment: &str| segment == "." || segment == "..";
    let mut escapes = uri.split('%').skip(1);
    !rest.contains("//")
        && !rest.split(['/', '?', '#', '\\']).any(is_dots)
        && escapes.all(|escape| {
            let byte = escape.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
            byte.is_some_and(|byte| {
                !byte.is_ascii_control()
                    && !b".%".contains(&byte)
                    && !MARKS.as_bytes().contains(&byte)
            })
        })
}

enum Step {
    Byte(u8),
    /// One byte or more, without those of `except`.
    Many {
        except: &'static str,
        control: bool,
    },
}

impl Step {
    fn advance(&self, reached: &[bool], text: &[u8]) -> Vec<bool> {
        let mut next = Vec::with_capacity(reached.len());
        // Every step consumes at least one byte.
        next.push(false);
        for (&byte, &before) in text.iter().zip(reached) {
            let along = next.last().copied().unwrap_or(false);
            next.push(match self {
                Self::Byte(wanted) => before && byte == *wanted,
                Self::Many { except, control } => {
                    (before || along)
                        && !except.as_bytes().contains(&byte)
                        && (*control || !byte.is_ascii_control())
                }
            });
        }
        next
    }
}
