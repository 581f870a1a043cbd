use http_types::Request;

use crate::field;

/// What a client gets that wants no page, of which it may ask for either.
const OTHERS: [&str; 2] = ["application/json", "text/plain"];

/// Whether `request` comes from a person with a browser, who is best told on a page.
pub(crate) fn wants_page(request: &Request) -> bool {
    let values = request.header("accept");
    prefers_page(values.iter().flat_map(|values| values.iter()).map(|v| v.as_str().as_bytes()))
}

/// Whether `Accept` with these values (RFC 9110 §12.5.1) prefers a page to text and JSON.
///
/// Browsers name `text/html` when a person asks; nobody else does unless they mean it. So what takes
/// anything gets no page, and of two that are named and worth the same the first one counts.
pub(super) fn prefers_page<'v>(accept: impl IntoIterator<Item = &'v [u8]>) -> bool {
    let ranges = accept.into_iter().flat_map(field::list).filter_map(Range::parse);
    let ranges: Vec<_> = ranges.enumerate().collect();
    let page = Liking::of("text/html", &ranges);
    let other = OTHERS.into_iter().map(|name| Liking::of(name, &ranges)).max();
    page.weight > 0 && other.is_none_or(|other| page > other)
}

/// A media range, and how much it is worth, in thousandths. That it has parameters is of no account:
/// there is one of each kind to choose from.
struct Range<'v> {
    name: &'v [u8],
    weight: u16,
}

impl<'v> Range<'v> {
    /// `None` if it is none: it is passed over then.
    fn parse(element: &'v [u8]) -> Option<Self> {
        let slash = element.iter().position(|&b| b == b'/')?;
        let (kind, rest) = element.split_at_checked(slash)?;
        let (subtype, mut rest) = field::token(rest.get(1..)?)?;
        if !field::is_token(kind) {
            return None;
        }
        let name = element.get(..kind.len() + 1 + subtype.len())?;
        let mut weight = 1000;
        loop {
            rest = field::trim(rest);
            let Some(parameter) = rest.strip_prefix(b";") else { break };
            rest = field::trim_start(parameter);
            // An empty parameter is one that is not there.
            let Some((name, after)) = field::token(rest) else { continue };
            let (value, after) = field::token_or_quoted(after.strip_prefix(b"=")?)?;
            if name.eq_ignore_ascii_case(b"q") {
                weight = thousandths(&value)?;
            }
            rest = after;
        }
        rest.is_empty().then_some(Self { name, weight })
    }

    /// How closely this range describes `name`: not at all, as anything, by the first half, or whole.
    fn fits(&self, name: &str) -> u8 {
        let kind = name.split('/').next().unwrap_or_default();
        let is = |range: &str| self.name.eq_ignore_ascii_case(range.as_bytes());
        if is(name) {
            3
        } else if is(&format!("{kind}/*")) {
            2
        } else {
            u8::from(is("*/*"))
        }
    }
}

/// How well a client likes a kind of content; the greater, the better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Liking {
    weight: u16,
    /// Whether it was named whole.
    named: bool,
    /// How many of the ranges stand after the one that says so.
    before: usize,
}

impl Liking {
    /// What the range says that describes `name` most closely.
    fn of(name: &str, ranges: &[(usize, Range<'_>)]) -> Self {
        let fitting = ranges.iter().map(|(at, range)| (range.fits(name), range.weight, *at));
        let closest = fitting.filter(|(fits, ..)| *fits > 0);
        let Some((fits, weight, at)) =
            closest.max_by_key(|(fits, weight, at)| (*fits, *weight, usize::MAX - at))
        else {
            return Self::default();
        };
        let named = fits == 3;
        Self { weight, named, before: if named { ranges.len() - at } else { 0 } }
    }
}

/// A weight (RFC 9110 §12.4.2): `1`, `0.8`, `0.125`.
fn thousandths(value: &[u8]) -> Option<u16> {
    let (whole, fraction) = match value {
        [whole] => (whole, &b""[..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    let digits = [whole].into_iter().chain(fraction).chain([b'0'; 3].iter());
    let weight = digits.take(4).try_fold(0, |sum, digit| {
        digit.is_ascii_digit().then(|| 10 * sum + u16::from(digit - b'0'))
    })?;
    (weight <= 1000).then_some(weight)
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

    #[test]
    fn weights() {
        for (value, weight) in
            [("1", 1000), ("1.000", 1000), ("0", 0), ("0.", 0), ("0.8", 800), ("0.125", 125)]
        {
            assert_eq!(thousandths(value.as_bytes()), Some(weight), "{value}");
        }
        for value in ["", "1.001", "2", ".5", "0.1234", "-1", "0,5", "0.x"] {
            assert_eq!(thousandths(value.as_bytes()), None, "{value}");
        }
    }
}
