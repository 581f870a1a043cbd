use http_types::Request;

use crate::common::field;
use crate::common::fields::Fields;

/// The content coding of a file (RFC 9110 §8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
}

impl Coding {
    /// The better ones first.
    const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// Its name in `Content-Encoding`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The extension of a compressed copy.
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    fn is_called(self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(self.name().as_bytes())
            // RFC 9110 §8.4.1.3: an alias.
            || self == Self::Gzip && name.eq_ignore_ascii_case(b"x-gzip")
    }

    /// The codings that `request` prefers to none, the best first (RFC 9110 §12.5.3). Of equal ones, the smaller
    /// one comes first.
    pub(super) fn preferred(request: &Request) -> Vec<Self> {
        // A request without the field gets no coding.
        let values: Vec<_> = Fields::of(request).texts("accept-encoding").collect();
        if values.is_empty() { Vec::new() } else { preferred(values.iter().map(|value| &**value)) }
    }
}

pub(super) fn preferred<'v>(lines: impl Iterator<Item = &'v str>) -> Vec<Coding> {
    let listed: Vec<(&[u8], u16)> =
        lines.flat_map(|line| field::list(line.as_bytes())).filter_map(weighted).collect();
    let weight_of = |is: &dyn Fn(&[u8]) -> bool| {
        listed.iter().find(|(name, _)| is(name)).map(|(_, weight)| *weight)
    };
    let others = weight_of(&|name| name == b"*");
    // `identity` is acceptable even if it is not listed, but then every listed coding is preferred.
    let identity = weight_of(&|name| name.eq_ignore_ascii_case(b"identity")).unwrap_or(0);
    let mut codings: Vec<(Coding, u16)> = Coding::ALL
        .into_iter()
        .filter_map(|coding| {
            let weight = weight_of(&|name| coding.is_called(name)).or(others)?;
            (weight > 0 && weight >= identity).then_some((coding, weight))
        })
        .collect();
    codings.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    codings.into_iter().map(|(coding, _)| coding).collect()
}

/// A coding and its weight, in thousandths; `None` if the element is malformed.
fn weighted(element: &[u8]) -> Option<(&[u8], u16)> {
    let (name, rest) = field::token(element)?;
    let rest = field::trim_start(rest);
    if rest.is_empty() {
        return Some((name, 1000));
    }
    let parameter = field::trim_start(rest.strip_prefix(b";")?);
    let value = parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="))?;
    Some((name, field::weight(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_that_is_accepted_comes_first() {
        use Coding::{Brotli, Gzip};
        for (accept, wanted) in [
            ("gzip, deflate, br, zstd", &[Brotli, Gzip][..]),
            ("gzip", &[Gzip]),
            ("GZIP", &[Gzip]),
            ("x-gzip", &[Gzip]),
            ("br;q=0.5, gzip;q=0.8", &[Gzip, Brotli]),
            ("br;q=0.8, gzip;q=0.8", &[Brotli, Gzip]),
            ("br ; q=0.001", &[Brotli]),
            ("br;q=0, gzip", &[Gzip]),
            ("*", &[Brotli, Gzip]),
            ("*;q=0.1, br;q=0", &[Gzip]),
            ("gzip, *;q=0", &[Gzip]),
            ("identity, gzip;q=0.5", &[]),
            ("identity;q=0.5, gzip;q=0.5", &[Gzip]),
            ("identity;q=0, br", &[Brotli]),
            ("", &[]),
            ("identity", &[]),
            ("deflate", &[]),
            ("gzip;q=0", &[]),
            ("gzip;q=0.000", &[]),
            ("gzip;q=2", &[]),
            ("gzip;q=", &[]),
            ("gzip;x=1", &[]),
            ("gzip br", &[]),
            ("gz", &[]),
        ] {
            assert_eq!(preferred([accept].into_iter()), wanted, "{accept:?}");
        }
        assert_eq!(preferred(["gzip;q=0.2", "br;q=0.1"].into_iter()), [Gzip, Brotli]);
    }
}
