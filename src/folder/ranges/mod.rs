//! Range requests (RFC 9110 §14).

use std::ops::Range;

use http_types::Request;

use crate::common::field;
use crate::common::fields::Fields;

/// The maximum number of ranges in one response. A request with more gets the whole file, as RFC 9110 §14.2
/// recommends: so many small parts are an attack.
const MAX_RANGES: usize = 64;

/// Ranges with a gap of at most this, in bytes, are sent as one: the delimiter between two parts is about as
/// long. So all parts together are never longer than the file and the delimiters.
pub(super) const NEAR: u64 = 128;

/// The well-formed ranges of a request, not yet compared with a length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ranges(Vec<Spec>);

/// A range as it is written (RFC 9110 §14.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spec {
    /// From one byte to another one, or to the end.
    From(u64, Option<u64>),
    /// This many bytes at the end.
    Last(u64),
}

/// The result of ranges for a file of a given length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parts {
    /// The ranges are ignored.
    Whole,
    /// 416 (RFC 9110 §15.5.17).
    Unsatisfiable,
    /// In the order of the request; at least one.
    Some(Vec<Range<u64>>),
}

impl Ranges {
    /// The ranges of `request`. `None` if it has none, or the field is malformed or has an unknown unit: then it
    /// is ignored (RFC 9110 §14.2).
    pub(super) fn of(request: &Request) -> Option<Self> {
        let mut values = Fields::of(request).texts("range");
        let only = values.next()?;
        if values.next().is_some() {
            return None;
        }
        Self::parse(&only)
    }

    pub(super) fn parse(value: &str) -> Option<Self> {
        let (unit, set) = value.split_once('=')?;
        if !unit.trim_matches([' ', '\t']).eq_ignore_ascii_case("bytes") {
            return None;
        }
        let mut specs = Vec::new();
        for spec in field::list(set.as_bytes()) {
            if specs.len() == MAX_RANGES {
                return None;
            }
            specs.push(Spec::parse(spec)?);
        }
        (!specs.is_empty()).then_some(Self(specs))
    }

    /// The parts for a file of `length` bytes.
    pub(super) fn of_length(&self, length: u64) -> Parts {
        if length == 0 && self.0.iter().any(|spec| matches!(spec, Spec::Last(1..))) {
            // Satisfiable, but an answer could not name any byte.
            return Parts::Whole;
        }
        let mut parts: Vec<Range<u64>> = Vec::new();
        for spec in &self.0 {
            if let Some(range) = spec.of_length(length) {
                join(&mut parts, range);
            }
        }
        if parts.is_empty() { Parts::Unsatisfiable } else { Parts::Some(parts) }
    }
}

/// Adds a range to the list, merged with all that it overlaps or is near to, at the position of the first of
/// them.
fn join(parts: &mut Vec<Range<u64>>, mut range: Range<u64>) {
    let mut place = parts.len();
    while let Some(at) = parts.iter().position(|part| {
        part.start <= range.end.saturating_add(NEAR) && range.start <= part.end.saturating_add(NEAR)
    }) {
        let part = parts.remove(at);
        range = part.start.min(range.start)..part.end.max(range.end);
        place = place.min(at);
    }
    parts.insert(place.min(parts.len()), range);
}

impl Spec {
    fn parse(spec: &[u8]) -> Option<Self> {
        let dash = spec.iter().position(|&b| b == b'-')?;
        let (first, last) = (spec.get(..dash)?, spec.get(dash + 1..)?);
        match (first, last) {
            ([], last) => number(last).map(Self::Last),
            (first, []) => Some(Self::From(number(first)?, None)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                // RFC 9110 §14.1.1: a range that ends before it begins is invalid.
                (first <= last).then_some(Self::From(first, Some(last)))
            }
        }
    }

    /// The range, cut at the end of the file; `None` if nothing is left.
    fn of_length(self, length: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From(first, last) => {
                first..last.map_or(length, |last| last.saturating_add(1).min(length))
            }
            Self::Last(count) => length.saturating_sub(count)..length,
        };
        (range.start < range.end).then_some(range)
    }
}

/// Parses a number of any size. Those that are too large for a `u64` are larger than any file.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = std::str::from_utf8(digits).ok()?;
    Some(digits.parse().unwrap_or(u64::MAX))
}

/// The `Content-Range` of a part of `size` bytes (RFC 9110 §14.4).
pub(super) fn content_range(part: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", part.start, part.end.saturating_sub(1))
}

#[cfg(test)]
mod tests;
