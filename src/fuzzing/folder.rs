use crate::folder::fuzzing::{assert_coding, assert_place, assert_ranges, assert_tags};

/// `input` is the path of a URL, and on the next lines the values of `Range`, `Accept-Encoding` and
/// `If-None-Match`. The path must stay below the folder. Ranges must lie in the file, and together must not be much
/// longer than it. Tags must stay the same when they are written again.
pub fn folder(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    assert_place(next());
    assert_ranges(next());
    assert_coding(next());
    assert_tags(next());
}
