//! Text for people has no names of Rust types in it: what `Debug` makes of a foreign error is for
//! programmers.

/// Words with capitals inside that people use.
const USUAL: [&str; 2] = ["CloudFront", "WebSocket"];

/// Fails the test if one of the lines looks like Rust's `Debug`: `Other(…)`, `Tag { … }`,
/// `UnknownIssuer`.
#[track_caller]
pub fn assert_in_words(text: &str) {
    for line in text.lines() {
        assert_eq!(name_of_rust(line), None, "a name of Rust's in {line:?}");
    }
}

/// The first name of a type or a variant in `line`.
pub fn name_of_rust(line: &str) -> Option<&str> {
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        // A part of a path or of a name may be anything.
        let is_part = rest[..start].ends_with(['/', '-', '.', '_']);
        let word = &rest[start..];
        let end = word.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        let is_name = word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.contains(|c: char| c.is_ascii_lowercase());
        let has_parts = after.starts_with('(') || after.starts_with(" { ");
        // Of systemd's, such as `ListenStream=`.
        let is_setting = after.starts_with('=');
        if is_name
            && !is_part
            && !is_setting
            && (has_parts || has_humps(word))
            && !USUAL.contains(&word)
        {
            return Some(word);
        }
        rest = after;
    }
    None
}

/// Whether there is a capital between small letters: not so in `OpenSSL` or `MiB`.
fn has_humps(word: &str) -> bool {
    word.as_bytes().windows(3).any(|three| {
        let [before, capital, after] = three else { return false };
        before.is_ascii_lowercase() && capital.is_ascii_uppercase() && after.is_ascii_lowercase()
    })
}
