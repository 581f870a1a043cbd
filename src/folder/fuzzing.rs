//! Assertions about values from clients, for `src/fuzzing/folder.rs`.

#![allow(clippy::panic, reason = "a panic is how a finding shows")]

use std::path::{Component, Path};

use super::coding::preferred;
use super::entity_tag::Tags;
use super::place::{Place, encode};
use super::ranges::{NEAR, Parts, Ranges};

pub(crate) fn assert_place(path: &str) {
    let Some(place) = Place::parse(path) else { return };
    let mut again = String::new();
    for (at, component) in place.relative.components().enumerate() {
        let Component::Normal(name) = component else { panic!("{component:?} of {path:?}") };
        let bytes = name.as_encoded_bytes();
        assert!(!bytes.starts_with(b".") || at == 0 && bytes == b".well-known", "{path:?}");
        assert!(!bytes.iter().any(|byte| b"/\\\0".contains(byte)), "{path:?}");
        again = format!("{again}/{}", encode(name));
    }
    assert!(place.relative.is_relative(), "{path:?}");
    assert!(Path::new("/a").join(&place.relative).starts_with("/a"), "{path:?}");
    // The path in a listing leads to the same place.
    let slash = if place.is_folder { "/" } else { "" };
    assert_eq!(Place::parse(&format!("{again}{slash}")).as_ref(), Some(&place), "{path:?}");
}

pub(crate) fn assert_ranges(value: &str) {
    let Some(ranges) = Ranges::parse(value) else { return };
    for length in [0, 1, 100, 10_000, u64::MAX] {
        let Parts::Some(parts) = ranges.of_length(length) else { continue };
        assert!((1..=64).contains(&parts.len()), "{value:?}");
        let mut sorted = parts.clone();
        sorted.sort_by_key(|part| part.start);
        for part in &sorted {
            assert!(part.start < part.end && part.end <= length, "{value:?}: {part:?} of {length}");
        }
        for pair in sorted.windows(2) {
            assert!(pair[0].end + NEAR < pair[1].start, "{value:?}: {pair:?} are near");
        }
    }
}

pub(crate) fn assert_coding(value: &str) {
    assert!(preferred([value].into_iter()).len() <= 2, "{value:?}");
}

pub(crate) fn assert_tags(value: &str) {
    let Tags::These(tags) = Tags::parse([value]) else { return };
    let again = tags.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    assert_eq!(Tags::parse([&*again]), Tags::These(tags), "{value:?}");
}
