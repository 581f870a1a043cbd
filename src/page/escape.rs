/// Escapes text for HTML, in an element or in a quoted attribute. Text from strangers must become neither
/// markup nor invisible characters, nor change the direction of the text around it.
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
            // It leaves visible characters as they are.
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
