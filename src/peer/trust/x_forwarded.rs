//! The lists of `X-Forwarded-For`, `-Proto` and `-Host`, read from their end.
//!
//! No RFC defines them. Each proxy appends to them, so the last element is from the nearest proxy, as in
//! `Forwarded`.

use std::iter;

use crate::common::field::trim;

/// The elements of a list and their offsets, the last first, without empty ones.
pub(crate) fn from_the_right(value: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut end = Some(value.len());
    iter::from_fn(move || {
        loop {
            let rest = value.get(..end.take()?)?;
            end = memchr::memrchr(b',', rest);
            let start = end.map_or(0, |comma| comma + 1);
            let element = trim(rest.get(start..)?);
            if !element.is_empty() {
                return Some((start, element));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_read_from_the_right() {
        let elements: Vec<_> = from_the_right(b"a, ,b,\tc d ,").collect();
        assert_eq!(elements, [(6, &b"c d"[..]), (4, b"b"), (0, b"a")]);
        assert_eq!(from_the_right(b" ,").count(), 0);
    }

    proptest! {
        #[test]
        fn every_element_stands_where_it_is_said_to(value in "[a-c, ]{0,30}") {
            for (start, element) in from_the_right(value.as_bytes()) {
                let rest = trim(&value.as_bytes()[start..]);
                prop_assert!(rest.starts_with(element), "{start}: {element:?}");
            }
        }
    }
}
