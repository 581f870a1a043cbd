use http_types::Request;

use crate::common::field;
use crate::common::fields::Fields;

/// Whether `request` comes from a browser, which gets a page.
pub(crate) fn wants_page(request: &Request) -> bool {
    prefers_page(Fields::of(request).values("accept"))
}

/// Whether `Accept` with these values (RFC 9110 §12.5.1) names HTML, and prefers it to text and JSON.
///
/// Browsers name `text/html` when they load a page; other clients do so only if they want it. Of two with the
/// same weight, the first one counts.
pub(crate) fn prefers_page<'v>(accept: impl IntoIterator<Item = &'v [u8]>) -> bool {
    let mut accept = accept.into_iter().peekable();
    // How browsers begin: nothing has a higher weight, and nothing with the same weight comes first.
    match accept.peek().map(|value| value.split(|&b| b == b',').next().unwrap_or_default()) {
        None => return false,
        Some(first) if first.eq_ignore_ascii_case(b"text/html") => return true,
        Some(_) => {}
    }
    let mut page = Liking::of(b"text", b"html");
    let mut others = [Liking::of(b"application", b"json"), Liking::of(b"text", b"plain")];
    let ranges = accept.flat_map(field::list).filter_map(Range::parse);
    for (place, range) in ranges.enumerate() {
        page.hear(&range, place);
        for other in &mut others {
            other.hear(&range, place);
        }
    }
    page.is_named() && page.weight > 0 && others.iter().all(|other| page.is_before(other))
}

/// A media range and its weight, in thousandths. Its parameters are ignored: there is one variant of each
/// kind.
struct Range<'v> {
    kind: &'v [u8],
    subtype: &'v [u8],
    weight: u16,
}

impl<'v> Range<'v> {
    /// `None` if it is malformed, and so ignored.
    fn parse(element: &'v [u8]) -> Option<Self> {
        let (kind, rest) = field::token(element)?;
        let (subtype, mut rest) = field::token(rest.strip_prefix(b"/")?)?;
        let mut weight = 1000;
        loop {
            rest = field::trim(rest);
            let Some(parameter) = rest.strip_prefix(b";") else { break };
            rest = field::trim_start(parameter);
            // Empty parameters are ignored.
            let Some((name, after)) = field::token(rest) else { continue };
            let (value, after) = field::token_or_quoted(after.strip_prefix(b"=")?)?;
            if name.eq_ignore_ascii_case(b"q") {
                weight = field::weight(&value)?;
            }
            rest = after;
        }
        rest.is_empty().then_some(Self { kind, subtype, weight })
    }

    /// How closely this matches `kind/subtype`: not at all, as `*/*`, by the type, or fully.
    fn closeness(&self, kind: &[u8], subtype: &[u8]) -> u8 {
        let same_kind = self.kind.eq_ignore_ascii_case(kind);
        match self.subtype {
            b"*" if self.kind == b"*" => 1,
            b"*" if same_kind => 2,
            name if same_kind && name.eq_ignore_ascii_case(subtype) => 3,
            _ => 0,
        }
    }
}

/// The weight of a media type, by the range that matches it most closely.
struct Liking {
    kind: &'static [u8],
    subtype: &'static [u8],
    closeness: u8,
    weight: u16,
    /// The index of the range in the list.
    place: usize,
}

impl Liking {
    fn of(kind: &'static [u8], subtype: &'static [u8]) -> Self {
        Self { kind, subtype, closeness: 0, weight: 0, place: 0 }
    }

    fn hear(&mut self, range: &Range<'_>, place: usize) {
        let closeness = range.closeness(self.kind, self.subtype);
        if closeness > 0 && (closeness, range.weight) > (self.closeness, self.weight) {
            *self = Self { closeness, weight: range.weight, place, ..*self };
        }
    }

    fn is_named(&self) -> bool {
        self.closeness == 3
    }

    fn is_before(&self, other: &Self) -> bool {
        self.weight > other.weight
            || self.weight == other.weight && (!other.is_named() || self.place < other.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(accept: &str) -> bool {
        prefers_page([accept.as_bytes()])
    }

    #[test]
    fn browsers_get_a_page() {
        for accept in [
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
            // Of long ago: what it likes best is not on offer.
            "application/xml,application/xhtml+xml,text/html;q=0.9,text/plain;q=0.8,*/*;q=0.5",
            "text/html",
            "TEXT/HTML; Charset=\"utf-8\" ; Q=0.001",
            "text/html, */*",
            "*/*, text/html",
            "text/html, application/json",
            "application/json;q=0.9, text/html",
            "text/*;q=0.1, text/html;q=0.5, application/json;q=0.4, */*;q=0.3",
            "text/plain;q=0, text/html;q=0.1",
            "text/html;level=1",
        ] {
            assert!(page(accept), "{accept}");
        }
    }

    #[test]
    fn others_do_not() {
        for accept in [
            "",
            "*/*",
            "text/*",
            "application/json",
            "application/json, text/plain, */*",
            "application/json, text/html",
            "application/json, text/html;q=0.9",
            "text/plain, text/html",
            "text/html;q=0, */*",
            "text/html;q=0.5, */*",
            "text/html;q=0.000",
            "image/avif,image/webp,image/*,*/*;q=0.8",
            "application/xhtml+xml",
            // None of these is a range.
            "text/html;q=2",
            "text/html;q=0.1234",
            "text/html;q=",
            "text/html;q=x",
            "text/html junk",
            "xtext/html",
            "text/html/",
            "text/htmlx",
            "/text/html",
        ] {
            assert!(!page(accept), "{accept}");
        }
    }

    #[test]
    fn lines_are_one_list() {
        assert!(prefers_page([&b"text/html"[..], b"application/json"]));
        assert!(!prefers_page([&b"application/json"[..], b"text/html"]));
        assert!(!prefers_page([]));
    }
}
