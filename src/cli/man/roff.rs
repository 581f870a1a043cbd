//! A page in the macros of man(7), which every formatter of manual pages knows.

use roff::{Inline, Roff, bold, italic, roman};

/// Formatters take longer lines, but `mandoc -Tlint` reports them.
const WIDTH: usize = 80;

/// A page under construction.
#[derive(Debug, Default)]
pub(super) struct Page {
    roff: Roff,
    /// Whether nothing has been written below the last heading yet.
    is_below_heading: bool,
}

impl Page {
    /// A page of section 1.
    pub(super) fn new(title: &str, date: &str, source: &str) -> Self {
        let mut page = Self::default();
        page.control("TH", &[title, "1", date, source, "User Commands"]);
        // Users copy examples and options, so lines must not end in added hyphens.
        page.control("nh", &[]);
        page.control("ad", &["l"]);
        page
    }

    pub(super) fn section(&mut self, heading: &str) {
        self.control("SH", &[heading]);
        self.is_below_heading = true;
    }

    pub(super) fn subsection(&mut self, heading: &str) {
        self.control("SS", &[heading]);
        self.is_below_heading = true;
    }

    /// A paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.space();
        self.text(text);
    }

    /// Text directly below a heading, or text that continues.
    pub(super) fn text(&mut self, text: &str) {
        let (mut line, mut width) = (Vec::new(), 0);
        for word in text.split(' ') {
            if width > 0 && width + 1 + source_width(word) > WIDTH {
                self.line(std::mem::take(&mut line));
                width = 0;
            }
            if width > 0 {
                line.push(roman(" "));
                width += 1;
            }
            line.extend(marked(word));
            width += source_width(word);
        }
        self.line(line);
    }

    /// A term and its meaning.
    pub(super) fn item(&mut self, term: &Term, text: &str) {
        self.control("TP", &[]);
        self.term_line(term);
        self.text(text);
    }

    /// Ends the line within an item or a paragraph.
    pub(super) fn break_line(&mut self) {
        self.control("br", &[]);
    }

    /// Indented lines, unchanged.
    pub(super) fn example<'l>(&mut self, lines: impl IntoIterator<Item = &'l str>) {
        self.space();
        self.control("RS", &["4"]);
        self.control("nf", &[]);
        for line in lines {
            self.line(vec![roman(line)]);
        }
        self.control("fi", &[]);
        self.control("RE", &[]);
    }

    pub(super) fn term_line(&mut self, term: &Term) {
        self.line(term.0.clone());
    }

    pub(super) fn finish(self) -> String {
        self.roff.render()
    }

    /// The space between paragraphs; below a heading there is already enough.
    fn space(&mut self) {
        if !self.is_below_heading {
            self.control("PP", &[]);
        }
    }

    fn control(&mut self, name: &str, arguments: &[&str]) {
        self.roff.control(name, arguments.iter().copied());
        self.is_below_heading = false;
    }

    fn line(&mut self, line: Vec<Inline>) {
        self.roff.text(line);
        self.is_below_heading = false;
    }
}

/// Words that are either typed literally or stand for a value.
#[derive(Debug, Default)]
pub(super) struct Term(Vec<Inline>);

impl Term {
    /// A word to type literally.
    pub(super) fn literal(self, text: &str) -> Self {
        self.with(bold(text))
    }

    /// A word that stands for a value.
    pub(super) fn variable(self, text: &str) -> Self {
        self.with(italic(text))
    }

    /// Text between such words.
    pub(super) fn plain(self, text: &str) -> Self {
        self.with(roman(text))
    }

    fn with(mut self, part: Inline) -> Self {
        self.0.push(part);
        self
    }
}

/// A word of text; options are bold.
fn marked(word: &str) -> Vec<Inline> {
    let end = word.find(|c: char| c != '-' && !c.is_ascii_alphanumeric());
    match word.split_at_checked(end.unwrap_or(word.len())) {
        Some((option, rest)) if option.starts_with("--") && option.len() > 2 => {
            vec![bold(option), roman(rest)]
        }
        _ => vec![roman(word)],
    }
}

/// The most bytes that a word can take in the source: with the marks of an option, `\-` for a hyphen and `\*(Aq`
/// for an apostrophe.
fn source_width(word: &str) -> usize {
    let marks = if word.starts_with("--") { r"\fB\fR".len() } else { r"\&".len() };
    word.len() + word.matches('-').count() + 4 * word.matches('\'').count() + marks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut page = Page::default();
        page.text(text);
        page.roff.to_roff()
    }

    #[test]
    fn options_in_text_are_bold() {
        assert_eq!(written("of --cert, or -"), "of \\fB\\-\\-cert\\fR, or \\-\n");
    }

    #[test]
    fn lines_are_short_and_none_of_them_a_macro() {
        let page = written(&"word .word --option isn't ".repeat(30));
        assert!(page.lines().all(|line| line.len() <= WIDTH && !line.starts_with('.')), "{page}");
        assert_eq!(page.replace("\\&", "").split_whitespace().count(), 120);
    }

    /// The crate does not escape these, and formatters turn them into other characters (`groff_char(7)`).
    #[test]
    fn no_character_is_typeset_as_another() {
        let page = super::super::page(time::Date::MIN);
        let odd: Vec<&str> = page.lines().filter(|line| line.contains(['~', '^', '`'])).collect();
        assert_eq!(odd, [""; 0]);
    }
}
