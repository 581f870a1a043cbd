//! Text for `man`, in the macros of man(7), which every formatter of manual pages knows.

/// Formatters do not mind, but who reads the source, and `mandoc -Tlint`, does.
const WIDTH: usize = 80;

/// A page that is being written.
#[derive(Debug, Default)]
pub(super) struct Roff {
    page: String,
    /// Nothing stands yet below the last heading.
    is_below_heading: bool,
}

impl Roff {
    /// A page of section 1.
    pub(super) fn new(title: &str, date: &str, source: &str) -> Self {
        let mut page = Self::default();
        page.line(&format!(".TH {} 1 \"{date}\" \"{source}\" \"User Commands\"", escaped(title)));
        // Examples and options are for the clipboard, and hyphens at the ends of lines are not.
        page.line(".nh");
        page.line(".ad l");
        page
    }

    pub(super) fn section(&mut self, heading: &str) {
        self.line(&format!(".SH {}", escaped(heading)));
        self.is_below_heading = true;
    }

    pub(super) fn subsection(&mut self, heading: &str) {
        self.line(&format!(".SS {}", escaped(heading)));
        self.is_below_heading = true;
    }

    /// A paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.space();
        self.text(text);
    }

    /// Text right behind a heading, or that goes on.
    pub(super) fn text(&mut self, text: &str) {
        let mut line = String::new();
        for word in text.split(' ').map(marked) {
            if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
                self.line(&line);
                line.clear();
            }
            if line.is_empty() {
                line.push_str(guard(&word));
            } else {
                line.push(' ');
            }
            line.push_str(&word);
        }
        self.line(&line);
    }

    /// A term, which is marked up already, and what it means.
    pub(super) fn item(&mut self, term: &Term, text: &str) {
        self.line(".TP");
        self.line(&term.0);
        self.text(text);
    }

    /// A line that ends where it ends, within an item or a paragraph.
    pub(super) fn break_line(&mut self) {
        self.line(".br");
    }

    /// Lines as they are, further in.
    pub(super) fn example<'l>(&mut self, lines: impl IntoIterator<Item = &'l str>) {
        self.space();
        self.line(".RS 4");
        self.line(".nf");
        for line in lines {
            self.line(&format!("{}{}", guard(line), escaped(line)));
        }
        self.line(".fi");
        self.line(".RE");
    }

    pub(super) fn term_line(&mut self, term: &Term) {
        self.line(&term.0);
    }

    pub(super) fn finish(self) -> String {
        self.page
    }

    /// What divides paragraphs; below a heading there is enough.
    fn space(&mut self) {
        if !self.is_below_heading {
            self.line(".PP");
        }
    }

    fn line(&mut self, line: &str) {
        self.page.push_str(line);
        self.page.push('\n');
        self.is_below_heading = false;
    }
}

/// Words of which some are for typing as they are, and some stand for others.
#[derive(Debug, Default)]
pub(super) struct Term(String);

impl Term {
    /// To be typed as it is.
    pub(super) fn literal(self, text: &str) -> Self {
        Self(format!("{}\\fB{}\\fR", self.0, escaped(text)))
    }

    /// Stands for something.
    pub(super) fn variable(self, text: &str) -> Self {
        Self(format!("{}\\fI{}\\fR", self.0, escaped(text)))
    }

    /// What is between.
    pub(super) fn plain(mut self, text: &str) -> Self {
        self.0.push_str(&escaped(text));
        self
    }
}

/// What keeps a line from being a macro, if it would be one.
fn guard(line: &str) -> &'static str {
    if line.starts_with(['.', '\'']) { r"\&" } else { "" }
}

/// A word of text; an option is in bold.
fn marked(word: &str) -> String {
    let end = word.find(|c: char| c != '-' && !c.is_ascii_alphanumeric());
    match word.split_at_checked(end.unwrap_or(word.len())) {
        Some((option, rest)) if option.starts_with("--") && option.len() > 2 => {
            format!("\\fB{}\\fR{}", escaped(option), escaped(rest))
        }
        _ => escaped(word),
    }
}

/// Text that means itself. A hyphen is one that a shell takes, too.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str(r"\e"),
            '-' => escaped.push_str(r"\-"),
            '\'' => escaped.push_str(r"\(aq"),
            '`' => escaped.push_str(r"\(ga"),
            '^' => escaped.push_str(r"\(ha"),
            '~' => escaped.push_str(r"\(ti"),
            '"' => escaped.push_str(r"\(dq"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_means_itself() {
        assert_eq!(escaped(r"a-b\c'd"), r"a\-b\ec\(aqd");
        let mut page = Roff::default();
        page.text(".well-known is a folder");
        assert_eq!(page.finish(), "\\&.well\\-known is a folder\n");
    }

    #[test]
    fn options_in_text_are_bold() {
        let mut page = Roff::default();
        page.text("of --cert, or -");
        assert_eq!(page.finish(), "of \\fB\\-\\-cert\\fR, or \\-\n");
    }

    #[test]
    fn lines_are_short_and_none_of_them_a_macro() {
        let mut page = Roff::default();
        page.text(&"word .word ".repeat(30));
        let page = page.finish();
        assert!(page.lines().all(|line| line.len() <= WIDTH && !line.starts_with('.')), "{page}");
        assert_eq!(page.replace("\\&", "").split_whitespace().count(), 60);
    }
}
