//! A folder, served with `--dir`: what its files are answered with, byte by byte, in plain and over
//! TLS, and by nginx for the same folder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![cfg(unix)]

mod changing;
mod codings;
mod conditions;
mod files;
mod large;
mod links;
mod listing;
mod nginx;
mod options;
mod ranges;
mod spa;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use turnkey_test_support::{self as support, Dialer, Site, Stack};

/// Sun, 06 Nov 1994 08:49:37 GMT, when all files were modified that do not say otherwise.
const MODIFIED: u64 = 784_111_777;
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// A folder in a folder of its own, so that there is something around it.
struct Folder {
    outer: TempDir,
}

impl Folder {
    fn new() -> Self {
        let outer = tempfile::Builder::new().prefix("turnkey-test-").tempdir().unwrap();
        fs::create_dir(outer.path().join("web")).unwrap();
        fs::write(outer.path().join("secret"), SECRET).unwrap();
        Self { outer }
    }

    fn path(&self) -> PathBuf {
        self.outer.path().join("web")
    }

    /// A file with this in it, modified long ago, and the folders on its way.
    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        modified(&path, MODIFIED);
        path
    }

    fn with(self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        self.file(name, contents);
        self
    }
}

/// What must not get out.
const SECRET: &str = "this is a secret";

/// Has a file be modified so many seconds after the epoch.
fn modified(path: &Path, seconds: u64) {
    modified_at(path, Duration::from_secs(seconds));
}

/// The same to the nanosecond.
fn modified_at(path: &Path, since_the_epoch: Duration) {
    let time = SystemTime::UNIX_EPOCH + since_the_epoch;
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

/// The program, serving a folder.
struct Served {
    site: Site,
    folder: Folder,
}

impl Served {
    fn new(folder: Folder) -> Self {
        Self::with(Stack::Plain, folder, &[])
    }

    fn with(stack: Stack, folder: Folder, switches: &[&str]) -> Self {
        Self::limited(stack, folder, switches, &[])
    }

    fn limited(stack: Stack, folder: Folder, switches: &[&str], limits: &[(&str, &str)]) -> Self {
        let path = folder.path();
        let limits = [limits, &[("--dir", path.to_str().unwrap())]].concat();
        let site =
            Site::start(stack, &limits, |args| support::Program::new(&[args, switches].concat()));
        Self { site, folder }
    }

    #[track_caller]
    fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, &[])
    }

    #[track_caller]
    fn ask(&self, method: &str, target: &str, fields: &[&str]) -> Answer {
        Answer::to(&self.site.dialer, method, target, fields)
    }
}

/// A request after which the connection ends.
fn request(method: &str, target: &str, fields: &[&str]) -> String {
    let line = format!("{method} {target} HTTP/1.1");
    let lines = [&[&*line, "Host: a.test", "Connection: close"], fields, &["", ""]].concat();
    lines.join("\r\n")
}

/// An answer that ended well.
#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    /// In lower case, with their values as they are.
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// What comes back for a request after which the connection ends.
    #[track_caller]
    fn to(dialer: &Dialer, method: &str, target: &str, fields: &[&str]) -> Self {
        let mut conn = dialer.open();
        conn.send(request(method, target, fields).as_bytes()).unwrap();
        Self::read(&conn.rest())
    }

    #[track_caller]
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head: {:?}", bytes.escape_ascii().to_string()));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().get(9..12).unwrap().parse().unwrap();
        let fields: Vec<_> = lines
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
                (name.to_ascii_lowercase(), value.to_owned())
            })
            .collect();
        let mut answer = Self { status, fields, body: bytes[end + 4..].to_vec() };
        if answer.field("transfer-encoding") == Some("chunked") && !answer.body.is_empty() {
            answer.body = unchunked(&answer.body);
        }
        answer
    }

    /// The value of a field that there is once, or not.
    #[track_caller]
    fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(n, _)| n == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} twice: {self:?}");
        value
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    fn assert_is(&self, status: u16, body: impl AsRef<[u8]>) -> &Self {
        let body = body.as_ref();
        let same = self.status == status && self.body == body;
        assert!(
            same,
            "wanted {status} with {} bytes: {} with {}, {:?}",
            body.len(),
            self.status,
            self.body.len(),
            self.fields
        );
        self
    }

    #[track_caller]
    fn assert_has(&self, fields: &[(&str, &str)]) -> &Self {
        for (name, value) in fields {
            assert_eq!(self.field(name), Some(*value), "{name} of {:?}", self.fields);
        }
        self
    }

    #[track_caller]
    fn assert_lacks(&self, names: &[&str]) -> &Self {
        for name in names {
            assert_eq!(self.field(name), None, "{name} of {:?}", self.fields);
        }
        self
    }

    /// One line that says why, and nothing of what is hidden.
    #[track_caller]
    fn assert_refused(&self, status: u16) -> &Self {
        let text = self.text();
        assert!(text.ends_with('\n') && text.matches('\n').count() == 1, "{text:?}");
        self.assert_says_nothing_of_files(status)
    }

    /// The same for a person with a browser.
    #[track_caller]
    fn assert_refused_on_a_page(&self, status: u16) -> &Self {
        self.assert_has(&[("content-type", "text/html; charset=utf-8")]);
        assert!(self.text().contains(&format!("<title>{status} ")), "{}", self.text());
        self.assert_says_nothing_of_files(status)
    }

    #[track_caller]
    fn assert_says_nothing_of_files(&self, status: u16) -> &Self {
        let text = self.text();
        assert_eq!(self.status, status, "{:?} {text}", self.fields);
        assert!(!text.contains(SECRET), "{text}");
        self.assert_lacks(&["etag", "last-modified", "content-encoding"])
    }
}

/// The content of chunks, which have to end well.
fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let line = bytes.windows(2).position(|w| w == b"\r\n").expect("a chunk");
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).unwrap(), 16).unwrap();
        content.extend_from_slice(&bytes[line + 2..line + 2 + size]);
        bytes = &bytes[line + 2 + size..];
        bytes = bytes.strip_prefix(b"\r\n").expect("the end of a chunk");
        if size == 0 {
            assert!(bytes.is_empty(), "more after the last chunk");
            return content;
        }
    }
}

/// Bytes that do not repeat for a while.
fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|n| u8::try_from((n / 7 + n) % 251).unwrap()).collect()
}

/// Lines of text, of this many bytes or a few more.
fn lines(size: usize) -> Vec<u8> {
    (0..).flat_map(|n: usize| format!("line {n}\n").into_bytes()).take(size).collect()
}
