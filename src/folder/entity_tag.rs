use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::field;

/// An entity tag (RFC 9110 §8.8.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntityTag {
    pub(super) weak: bool,
    /// The text between the quotes.
    pub(super) opaque: String,
}

/// The value of a field with tags (RFC 9110 §13.1.1, §13.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tags {
    /// `*`: any.
    Any,
    These(Vec<EntityTag>),
}

impl EntityTag {
    /// The tag of a file, or of its variant with this `suffix`.
    pub(super) fn of(modified: SystemTime, size: u64, suffix: &str, weak: bool) -> Self {
        let age = modified.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let opaque = format!("{:x}-{size:x}{suffix}", age.as_nanos());
        Self { weak, opaque }
    }

    /// The strong comparison (RFC 9110 §8.8.3.2): byte for byte the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// The weak comparison: equivalent.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.opaque == other.opaque
    }

    /// The tag at the start of `bytes`, and the rest.
    fn parse(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (weak, bytes) = match bytes.strip_prefix(b"W/") {
            Some(rest) => (true, rest),
            None => (false, bytes),
        };
        let quoted = bytes.strip_prefix(b"\"")?;
        let (opaque, rest) = quoted.split_at(quoted.iter().position(|&b| b == b'"')?);
        let is_tag_char = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..);
        if !opaque.iter().all(is_tag_char) {
            return None;
        }
        let opaque = String::from_utf8(opaque.to_vec()).ok()?;
        Some((Self { weak, opaque }, rest.get(1..)?))
    }

    /// A value that is one tag.
    pub(super) fn parse_only(value: &str) -> Option<Self> {
        let (tag, rest) = Self::parse(field::trim(value.as_bytes()))?;
        rest.is_empty().then_some(tag)
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\"{}\"", if self.weak { "W/" } else { "" }, self.opaque)
    }
}

impl Tags {
    /// Parses the field, which may have several lines. After something malformed, the rest is ignored: it
    /// matches no tag.
    pub(super) fn parse<'v>(lines: impl IntoIterator<Item = &'v str>) -> Self {
        let whole = lines.into_iter().collect::<Vec<_>>().join(",");
        let mut rest = field::trim(whole.as_bytes());
        if rest == b"*" {
            return Self::Any;
        }
        let mut tags = Vec::new();
        loop {
            // Empty elements are ignored (RFC 9110 §5.6.1.2).
            while let [b',' | b' ' | b'\t', after @ ..] = rest {
                rest = after;
            }
            let Some((tag, after)) = EntityTag::parse(rest) else { return Self::These(tags) };
            rest = field::trim_start(after);
            if !(rest.is_empty() || rest.starts_with(b",")) {
                return Self::These(tags);
            }
            tags.push(tag);
        }
    }

    /// Whether one of them matches `tag`, by `compare`.
    pub(super) fn any(
        &self,
        tag: &EntityTag,
        compare: impl Fn(&EntityTag, &EntityTag) -> bool,
    ) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|named| compare(named, tag)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> EntityTag {
        EntityTag::parse_only(text).unwrap()
    }

    /// The table of RFC 9110 §8.8.3.2.
    #[test]
    fn comparisons() {
        for (a, b, strong, weak) in [
            (r#"W/"1""#, r#"W/"1""#, false, true),
            (r#"W/"1""#, r#"W/"2""#, false, false),
            (r#"W/"1""#, r#""1""#, false, true),
            (r#""1""#, r#""1""#, true, true),
        ] {
            assert_eq!((tag(a).is(&tag(b)), tag(a).is_like(&tag(b))), (strong, weak), "{a} {b}");
        }
    }

    #[test]
    fn lists() {
        let these = |tags: &[&str]| Tags::These(tags.iter().map(|t| tag(t)).collect());
        for (lines, tags) in [
            (&["*"][..], Tags::Any),
            (&[" * "], Tags::Any),
            (&[r#""a""#], these(&[r#""a""#])),
            (&[r#""a,b", W/"c""#], these(&[r#""a,b""#, r#"W/"c""#])),
            (&[r#", "a" ,,	"""#], these(&[r#""a""#, r#""""#])),
            (&[r#""a""#, r#""b""#], these(&[r#""a""#, r#""b""#])),
            // A malformed value contains no tag.
            (&["a"], these(&[])),
            (&[r#""a"#], these(&[])),
            (&[r#"w/"a""#], these(&[])),
            (&[r#""a b""#], these(&[])),
            (&[r#""a" b"#], these(&[])),
            (&[r#""a", *"#], these(&[r#""a""#])),
            (&[r#"*, "a""#], these(&[])),
            (&[""], these(&[])),
        ] {
            assert_eq!(Tags::parse(lines.iter().copied()), tags, "{lines:?}");
        }
    }
}
