use std::borrow::Cow;
use std::path::Path;

use mime_guess::MimeGuess;

/// The type of a file, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kind {
    /// The value of `Content-Type`.
    pub(super) content_type: Cow<'static, str>,
    /// Text or similar, which is worth compressing while it is sent.
    pub(super) is_text: bool,
    /// A compressed format, which is not compressed again.
    pub(super) is_packed: bool,
}

/// Types that are text although they do not begin with `text/`.
const TEXT: &[&str] = &[
    "application/json",
    "application/rtf",
    "application/wasm",
    "application/x-ndjson",
    "application/x-sh",
    "application/x-sql",
    "application/xml",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/x-icon",
];

const PACKED: &[&str] = &[
    "application/epub+zip",
    "application/gzip",
    "application/java-archive",
    "application/pdf",
    "application/vnd.rar",
    "application/x-7z-compressed",
    "application/x-bzip2",
    "application/x-gzip",
    "application/x-rar-compressed",
    "application/x-xz",
    "application/zip",
    "application/zstd",
    "font/woff",
    "font/woff2",
];

impl Kind {
    /// The kind of the file with this name; bytes if it is unknown.
    pub(super) fn of(name: &Path) -> Self {
        let essence = match MimeGuess::from_path(name).first_raw() {
            // RFC 9239 §6 has replaced this type.
            Some("application/javascript") => "text/javascript",
            Some(essence) => essence,
            None => "application/octet-stream",
        };
        let is_text = essence.starts_with("text/")
            || essence.ends_with("+json")
            || essence.ends_with("+xml")
            || TEXT.contains(&essence);
        let media = ["image/", "audio/", "video/"].iter().any(|kind| essence.starts_with(kind));
        Self {
            // Other text formats declare their encoding themselves.
            content_type: if essence.starts_with("text/") {
                format!("{essence}; charset=utf-8").into()
            } else {
                essence.into()
            },
            is_text,
            is_packed: !is_text && (media || PACKED.contains(&essence)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_files_are() {
        for (name, content_type, is_text, is_packed) in [
            ("a.html", "text/html; charset=utf-8", true, false),
            ("A.HTML", "text/html; charset=utf-8", true, false),
            ("a.css", "text/css; charset=utf-8", true, false),
            ("a.js", "text/javascript; charset=utf-8", true, false),
            ("a.mjs", "text/javascript; charset=utf-8", true, false),
            ("a.txt", "text/plain; charset=utf-8", true, false),
            ("a.md", "text/markdown; charset=utf-8", true, false),
            ("a.json", "application/json", true, false),
            ("a.webmanifest", "application/manifest+json", true, false),
            ("a.svg", "image/svg+xml", true, false),
            ("a.wasm", "application/wasm", true, false),
            ("a.png", "image/png", false, true),
            ("a.mp4", "video/mp4", false, true),
            ("a.woff2", "font/woff2", false, true),
            ("a.tar.gz", "application/gzip", false, true),
            ("a.pdf", "application/pdf", false, true),
            ("a", "application/octet-stream", false, false),
            ("a.unheard-of", "application/octet-stream", false, false),
            ("html", "application/octet-stream", false, false),
        ] {
            let kind = Kind::of(Path::new(name));
            assert_eq!(
                (&*kind.content_type, kind.is_text, kind.is_packed),
                (content_type, is_text, is_packed),
                "{name}"
            );
        }
    }
}
