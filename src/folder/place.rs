use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// The folder of well-known resources (RFC 8615): the only name with a dot at its beginning that is served.
const WELL_KNOWN: &[u8] = b".well-known";

/// The place below the folder that a URL's path leads to.
///
/// It cannot lead out of the folder: no segment is `..`, and none contains a character that ends a name in a
/// file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Empty for the folder itself.
    pub(super) relative: PathBuf,
    /// Whether the path ends in a slash, like those of folders.
    pub(super) is_folder: bool,
}

impl Place {
    /// Parses the path of a URL, with or without the slash at its beginning. `None` for names that are never
    /// served: those that begin with a dot, and those that files cannot have.
    ///
    /// Each path is decoded once, and empty segments are rejected, so that each file has one path.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let mut place = Self { relative: PathBuf::new(), is_folder: true };
        if path.is_empty() {
            return Some(place);
        }
        let (names, is_folder) = match path.strip_suffix('/') {
            Some(names) => (names, true),
            None => (path, false),
        };
        place.is_folder = is_folder;
        for (at, segment) in names.split('/').enumerate() {
            let name = decode(segment)?;
            let is_hidden = name.starts_with(b".") && !(at == 0 && name == WELL_KNOWN);
            if is_hidden || !is_name(&name) {
                return None;
            }
            place.relative.push(os_str(&name)?);
        }
        Some(place)
    }

    /// The folder itself, by a path without its slash.
    pub(super) fn without_slash() -> Self {
        Self { relative: PathBuf::new(), is_folder: false }
    }

    /// The index file in the folder.
    pub(super) fn index(&self) -> PathBuf {
        self.relative.join("index.html")
    }

    /// Whether the last name has an extension, like those of files.
    pub(super) fn has_extension(&self) -> bool {
        self.relative.extension().is_some()
    }
}

/// Whether a name in the folder is served. The target of a link is checked elsewhere.
pub(super) fn is_shown(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    !bytes.starts_with(b".") && is_name(bytes)
}

/// The path of `relative` below a folder, with the sibling that has `extension` appended to the name.
pub(super) fn sibling(relative: &Path, extension: &str) -> PathBuf {
    let mut name = relative.as_os_str().to_owned();
    name.push(extension);
    name.into()
}

/// A name as a segment of a URL's path, with all special characters encoded.
pub(super) fn encode(name: &OsStr) -> String {
    percent_encode(name.as_encoded_bytes(), SEGMENT).to_string()
}

/// All but the unreserved characters (RFC 3986 §2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Decodes the percent-encoding (RFC 3986 §2.1), which must be well-formed.
fn decode(segment: &str) -> Option<Vec<u8>> {
    let mut after = segment.split('%').skip(1);
    let encoded = |rest: &str| matches!(rest.as_bytes(), [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    after.all(encoded).then(|| percent_decode_str(segment).collect())
}

fn is_name(name: &[u8]) -> bool {
    // Some systems treat a backslash as a slash.
    let is_plain = |byte: &u8| !matches!(byte, b'/' | b'\\' | 0);
    !name.is_empty() && name != b"." && name != b".." && name.iter().all(is_plain) && fits(name)
}

#[cfg(not(windows))]
fn fits(_name: &[u8]) -> bool {
    true
}

/// Windows has several names for one file, streams after a colon, and devices in every folder.
#[cfg(windows)]
fn fits(name: &[u8]) -> bool {
    let stem = name.split(|&b| b == b'.').next().unwrap_or_default().trim_ascii_end();
    let is = |device: &str| stem.eq_ignore_ascii_case(device.as_bytes());
    let is_numbered = |device: &str| {
        let (word, number) = stem.split_at_checked(3).unwrap_or((stem, b""));
        word.eq_ignore_ascii_case(device.as_bytes()) && !number.is_empty() && number.len() <= 2
    };
    !name.iter().any(|b| b"<>:\"|?*~".contains(b) || *b < b' ')
        && !name.ends_with(b".")
        && !name.ends_with(b" ")
        && !["con", "prn", "aux", "nul"].into_iter().any(is)
        && !["com", "lpt"].into_iter().any(is_numbered)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere a name has to be Unicode")]
fn os_str(name: &[u8]) -> Option<&OsStr> {
    Some(std::os::unix::ffi::OsStrExt::from_bytes(name))
}

#[cfg(not(unix))]
fn os_str(name: &[u8]) -> Option<&OsStr> {
    std::str::from_utf8(name).ok().map(OsStr::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str) -> Option<(String, bool)> {
        let place = Place::parse(path)?;
        Some((place.relative.to_str().unwrap().to_owned(), place.is_folder))
    }

    #[test]
    fn paths_lead_where_they_say() {
        for (path, relative, is_folder) in [
            ("/", "", true),
            ("", "", true),
            ("/a", "a", false),
            ("a/b.css", "a/b.css", false),
            ("/a/", "a", true),
            ("/a%20b/%C3%A9%2ehtml", "a b/\u{e9}.html", false),
            ("/a..b/c...", "a..b/c...", false),
            ("/%25", "%", false),
            ("/%252e%252e/x", "%2e%2e/x", false),
            ("/C:/x", "C:/x", false),
            ("/.well-known/acme-challenge/x", ".well-known/acme-challenge/x", false),
        ] {
            assert_eq!(parse(path), Some((relative.to_owned(), is_folder)), "{path}");
        }
    }

    #[test]
    fn nothing_leads_out_or_to_what_is_hidden() {
        for path in [
            "//",
            "//etc/passwd",
            "/a//b",
            "/a//",
            "/..",
            "/../x",
            "/%2e%2e/x",
            "/%2E./x",
            "/./x",
            "/a/%2e",
            "/a%2fb",
            "/a%2Fb",
            "/..%2fx",
            "/a%5cb",
            "/..\\x",
            "/..%5cx",
            "/a%00",
            "/a%00.html",
            "/%",
            "/%2",
            "/%zz",
            "/a%2gb",
            "/.git/config",
            "/%2egit/config",
            "/a/.htpasswd",
            "/...",
            "/a/.well-known/x",
            "/.well-known/.x",
            "/.well-knownx",
        ] {
            assert_eq!(parse(path), None, "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn an_overlong_encoding_is_a_name_like_any() {
        let place = Place::parse("/%c0%ae%c0%ae/x").unwrap();
        assert_eq!(place.relative.as_os_str().as_encoded_bytes(), b"\xc0\xae\xc0\xae/x");
    }
}
