/// Text as HTML shows it, in an element or in a quoted attribute: what somebody says about themselves
/// must become neither markup nor characters that nobody sees, or that turn the ones around them.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\\' => safe.push(c),
            // Of the others it leaves alone what can be seen.
            c => safe.extend(c.escape_debug()),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_they_are_and_do_nothing() {
        assert_eq!(escape("Zoë Müller \\"), "Zoë Müller \\");
        assert_eq!(escape("<b>&\"x'</b>"), "&lt;b&gt;&amp;&quot;x&#39;&lt;/b&gt;");
        assert_eq!(escape("a\u{202e}b\0\n\u{200b}"), r"a\u{202e}b\0\n\u{200b}");
    }
}
