use crate::folder::fuzzing::{assert_coding, assert_place, assert_ranges, assert_tags};

/// `input` is the path of a URL, and on the lines after it the values of `Range`, `Accept-Encoding` and
/// `If-None-Match`. The path leads nowhere but below the folder; ranges lie in the file, and are all in
/// all not much more than it; tags are what they are when they are written anew.
pub fn folder(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    assert_place(next());
    assert_ranges(next());
    assert_coding(next());
    assert_tags(next());
}
