//! Conditional requests (RFC 9110 §13), as they come and go over the wire; the table of all
//! combinations stands in `src/folder/conditions/tests.rs`.

use std::fs::{self, File};
use std::time::SystemTime;

use crate::{DATE, Folder, Served, bytes, modified};

const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

#[test]
fn conditions_decide_the_status() {
    let served = Served::new(Folder::new().with("a.txt", "hello"));
    let etag = served.get("/a.txt").field("etag").unwrap().to_owned();
    assert!(etag.starts_with('"'), "a weak tag: {etag}");
    let [same, weak, listed] =
        ["{}", "W/{}", "\"x\", W/{} , \"y\""].map(|t| t.replace("{}", &etag));
    for (fields, status) in [
        (vec![format!("If-None-Match: {same}")], 304),
        (vec![format!("If-None-Match: {weak}")], 304),
        (vec![format!("If-None-Match: {listed}")], 304),
        (vec!["If-None-Match: *".to_owned()], 304),
        (vec!["If-None-Match: \"x\"".to_owned()], 200),
        (vec![format!("If-None-Match: {}", etag.trim_matches('"'))], 200),
        (vec![format!("If-Match: {same}")], 200),
        (vec![format!("If-Match: {weak}")], 412),
        (vec!["If-Match: *".to_owned()], 200),
        (vec!["If-Match: \"x\"".to_owned()], 412),
        (vec![format!("If-Modified-Since: {DATE}")], 304),
        (vec![format!("If-Modified-Since: {LATER}")], 304),
        (vec![format!("If-Modified-Since: {EARLIER}")], 200),
        (vec!["If-Modified-Since: yesterday".to_owned()], 200),
        (vec![format!("If-Unmodified-Since: {DATE}")], 200),
        (vec![format!("If-Unmodified-Since: {EARLIER}")], 412),
        (vec!["If-Unmodified-Since: yesterday".to_owned()], 200),
        // In the order of §13.2.2.
        (vec!["If-None-Match: \"x\"".to_owned(), format!("If-Modified-Since: {LATER}")], 200),
        (vec![format!("If-Match: {same}"), format!("If-Unmodified-Since: {EARLIER}")], 200),
        (vec!["If-Match: \"x\"".to_owned(), format!("If-None-Match: {same}")], 412),
        (vec!["Range: bytes=0-1".to_owned(), format!("If-None-Match: {same}")], 304),
        (vec!["Range: bytes=9-".to_owned(), "If-Match: \"x\"".to_owned()], 412),
    ] {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        for method in ["GET", "HEAD"] {
            let answer = served.ask(method, "/a.txt", &fields);
            assert_eq!(answer.status, status, "{method} {fields:?}");
            if status == 304 {
                // RFC 9110 §15.4.5: what a 200 would have said of the file, and no content.
                answer.assert_is(304, "").assert_has(&[
                    ("etag", &etag),
                    ("last-modified", DATE),
                    ("vary", "accept-encoding"),
                ]);
                answer.assert_lacks(&["content-length", "content-type", "transfer-encoding"]);
            }
        }
    }
}

/// §13.2.1: what would not have been a success is answered as if there were no condition.
#[test]
fn conditions_do_not_count_where_there_is_nothing() {
    let folder = Folder::new().with("sub/a.txt", "a");
    let served = Served::new(folder);
    for field in ["If-Match: *", "If-Match: \"x\"", "If-None-Match: *"] {
        assert_eq!(served.ask("GET", "/none", &[field]).status, 404);
        assert_eq!(served.ask("GET", "/sub", &[field]).status, 301);
        assert_eq!(served.ask("POST", "/sub/a.txt", &[field, "Content-Length: 0"]).status, 405);
    }
}

#[test]
fn a_tag_changes_with_the_file() {
    let folder = Folder::new();
    let path = folder.file("a.txt", "hello");
    let served = Served::new(folder);
    let etag = || served.get("/a.txt").field("etag").unwrap().to_owned();
    let first = etag();
    assert_eq!(etag(), first);
    // Another size at the same time, and the same size at another time of the same second.
    served.folder.file("a.txt", "hello world");
    let second = etag();
    assert_ne!(second, first);
    let file = File::options().append(true).open(&path).unwrap();
    let nano = SystemTime::UNIX_EPOCH + std::time::Duration::new(crate::MODIFIED, 1);
    file.set_modified(nano).unwrap();
    assert_ne!(etag(), second);
    // As it was before.
    served.folder.file("a.txt", "hello");
    assert_eq!(etag(), first);
}

/// Within a tick of the clock a file may change twice, and its tag only once.
#[test]
fn what_was_only_just_modified_has_a_weak_tag() {
    let folder = Folder::new();
    let path = folder.file("a.bin", bytes(100));
    fs::write(&path, bytes(100)).unwrap();
    let served = Served::new(folder);
    // The program took its time to start.
    File::options().append(true).open(&path).unwrap().set_modified(SystemTime::now()).unwrap();
    let first = served.get("/a.bin");
    let etag = first.field("etag").unwrap();
    assert!(etag.starts_with("W/"), "{etag}");
    let date = first.field("last-modified").unwrap();
    for validator in [etag, date] {
        let if_range = format!("If-Range: {validator}");
        let answer = served.ask("GET", "/a.bin", &["Range: bytes=0-9", &if_range]);
        assert_eq!(answer.status, 200, "a part of something else, perhaps");
    }
    assert_eq!(served.ask("GET", "/a.bin", &[&format!("If-None-Match: {etag}")]).status, 304);
}

/// RFC 9110 §8.8.2.1; and what no date can say does no harm.
#[test]
fn odd_times_are_no_trouble() {
    let folder = Folder::new();
    let path = folder.file("a.txt", "a");
    let mut served = Served::new(folder);
    modified(&path, 4_102_444_800);
    let answer = served.get("/a.txt");
    assert_eq!(answer.field("last-modified"), answer.field("date"), "a date to come: {answer:?}");
    let before = SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(86_400);
    File::options().append(true).open(&path).unwrap().set_modified(before).unwrap();
    let answer = served.get("/a.txt");
    answer.assert_is(200, "a").assert_has(&[("last-modified", "Thu, 01 Jan 1970 00:00:00 GMT")]);
    served.site.server.assert_alive();
}
