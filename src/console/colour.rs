//! Colours for people at a terminal, and plain text for programs that read our output.

use std::env;
use std::fmt::{self, Display};
use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};

/// Good.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// A note.
pub(crate) const NOTE: Style = AnsiColor::Cyan.on_default();
/// A warning.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();
/// An error.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// The most important part.
pub(crate) const STRONG: Style = Style::new().bold();
/// Less important text.
#[cfg(feature = "pki")]
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Whether output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colours(bool);

impl Colours {
    /// Plain text.
    pub(crate) const NONE: Self = Self(false);

    /// The choice for `stream`: colours on a terminal that can show them, unless `NO_COLOR` or `CLICOLOR=0`
    /// is set. With `CLICOLOR_FORCE` always, unless `NO_COLOR` is set (<https://no-color.org>,
    /// <https://bixense.com/clicolors>).
    pub(crate) fn of(stream: &impl IsTerminal) -> Self {
        if anstyle_query::no_color() {
            return Self::NONE;
        }
        let wanted = anstyle_query::clicolor().unwrap_or(true);
        let shown = stream.is_terminal() && anstyle_query::term_supports_ansi_color();
        Self(is_forced() || (wanted && shown))
    }

    /// Whether colours are on, for code that writes bytes.
    pub(crate) fn are_on(self) -> bool {
        self.0
    }

    /// `text` in `style`, if colours are on. Pad `text` first: the escape sequences count as characters.
    pub(crate) fn paint<T: Display>(self, style: Style, text: T) -> Painted<T> {
        Painted { style: if self.0 { style } else { Style::new() }, text }
    }
}

/// `anstyle_query` treats `CLICOLOR_FORCE=0` as yes; most other programs do not.
fn is_forced() -> bool {
    env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Text that prints itself in its style.
#[derive(Debug)]
pub(crate) struct Painted<T> {
    style: Style,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.style.render(), self.text, self.style.render_reset())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paint_is_taken_off_again() {
        assert_eq!(Colours(true).paint(BAD, "no").to_string(), "\x1b[1m\x1b[31mno\x1b[0m");
    }

    #[test]
    fn without_colours_nothing_is_added() {
        assert_eq!(Colours::NONE.paint(BAD, "no").to_string(), "no");
    }

    #[test]
    fn what_is_no_terminal_has_none() {
        let file = tempfile::tempfile().unwrap();
        // The environment of the tests may force colours.
        assert_eq!(Colours::of(&file), Colours(is_forced() && !anstyle_query::no_color()));
    }
}
