//! Compressed copies, and compression on the way (RFC 9110 §12.5.3).

use std::io::Read;
use std::time::Duration;

use flate2::read::GzDecoder;

use crate::support::{Stack, table};
use crate::{Answer, DATE, Folder, MODIFIED, Served, bytes, lines, modified, modified_at};

table! {
    columns {
        plain = Stack::Plain;
        rustls = Stack::Rustls;
    } rows {
        text_is_compressed_on_its_way
    }
}

/// With a body that says what it is; nobody here decodes it.
fn with_copies() -> Folder {
    Folder::new()
        .with("a.css", "css")
        .with("a.css.br", "in brotli")
        .with("a.css.gz", "in gzip")
        .with("b.css", "css")
        .with("b.css.gz", "in gzip")
        .with("c.bin", "bytes")
        .with("c.bin.gz", "in gzip")
        .with("d.png", "image")
        .with("d.png.gz", "in gzip")
        .with("e.css.gz", "in gzip")
}

#[test]
fn copies_are_served_to_those_who_accept_them() {
    let served = Served::new(with_copies());
    let (plain, gzip, brotli) =
        ((None, "css"), (Some("gzip"), "in gzip"), (Some("br"), "in brotli"));
    for (accept, a, b) in [
        ("gzip, deflate, br, zstd", brotli, gzip),
        ("gzip", gzip, gzip),
        ("br", brotli, plain),
        ("br;q=0.5, gzip;q=1.0", gzip, gzip),
        ("br;q=0, *;q=0.1", gzip, gzip),
        ("*", brotli, gzip),
        ("X-GZIP;Q=0.5", gzip, gzip),
        ("identity", plain, plain),
        ("identity;q=1, gzip;q=0.5, br;q=0.1", plain, plain),
        ("gzip;q=0", plain, plain),
        ("deflate", plain, plain),
        ("", plain, plain),
    ] {
        for (target, (coding, body)) in [("/a.css", a), ("/b.css", b)] {
            let answer = served.ask("GET", target, &[&format!("Accept-Encoding: {accept}")]);
            answer.assert_is(200, body);
            assert_eq!(answer.field("content-encoding"), coding, "{accept} {target}");
            answer.assert_has(&[
                ("content-type", "text/css; charset=utf-8"),
                ("vary", "accept-encoding"),
                ("last-modified", DATE),
                ("accept-ranges", "bytes"),
            ]);
        }
    }
    let answer = served.get("/a.css");
    answer.assert_is(200, "css").assert_has(&[("vary", "accept-encoding")]);
    let accept = ["Accept-Encoding: gzip"];
    served.ask("GET", "/c.bin", &accept).assert_is(200, "in gzip");
    let image = served.ask("GET", "/d.png", &accept);
    image.assert_is(200, "image").assert_lacks(&["vary", "content-encoding"]);
    assert_eq!(served.ask("GET", "/e.css", &accept).status, 404, "a copy of nothing");
    // A copy is a file, too.
    let copy = served.ask("GET", "/a.css.gz", &accept);
    copy.assert_is(200, "in gzip").assert_has(&[("content-type", "application/gzip")]);
    copy.assert_lacks(&["content-encoding"]);
}

#[test]
fn each_form_has_a_tag_of_its_own_and_ranges_of_its_own() {
    let served = Served::new(with_copies());
    let ask = |coding: &str, more: &str| {
        served.ask("GET", "/a.css", &[&format!("Accept-Encoding: {coding}"), more])
    };
    let forms = ["identity", "gzip", "br"];
    let tags = forms.map(|form| ask(form, "X: y").field("etag").unwrap().to_owned());
    for (a, form) in forms.iter().enumerate() {
        for (b, tag) in tags.iter().enumerate() {
            let status = ask(form, &format!("If-None-Match: {tag}")).status;
            assert_eq!(status, if a == b { 304 } else { 200 }, "{form} {tag}");
            let part = ask(form, &format!("Range: bytes=0-1\r\nIf-Range: {tag}")).status;
            assert_eq!(part, if a == b { 206 } else { 200 }, "{form} {tag}");
        }
    }
    let part = ask("gzip", "Range: bytes=3-5");
    part.assert_is(206, "gzi").assert_has(&[("content-encoding", "gzip")]);
    part.assert_has(&[("content-range", "bytes 3-5/7")]);
}

/// What is out of date is worse than what is large.
#[test]
fn a_copy_that_is_older_is_not_served() {
    let folder = with_copies();
    modified(&folder.path().join("a.css.br"), MODIFIED - 1);
    modified(&folder.path().join("b.css.gz"), MODIFIED + 1);
    let served = Served::new(folder);
    let accept = ["Accept-Encoding: gzip, br"];
    served.ask("GET", "/a.css", &accept).assert_is(200, "in gzip");
    served.ask("GET", "/b.css", &accept).assert_is(200, "in gzip");
}

/// Some tools keep whole seconds only of the copy.
#[test]
fn a_copy_that_is_older_by_less_than_a_second_is_not_served_either() {
    let folder = with_copies();
    let at = |seconds, millis| Duration::from_secs(seconds) + Duration::from_millis(millis);
    modified_at(&folder.path().join("b.css"), at(MODIFIED, 700));
    let served = Served::new(folder);
    for (seconds, millis, body) in [
        (MODIFIED, 300, "css"),
        (MODIFIED, 699, "css"),
        (MODIFIED, 700, "in gzip"),
        (MODIFIED, 800, "in gzip"),
        (MODIFIED, 0, "in gzip"),
        (MODIFIED + 1, 0, "in gzip"),
        (MODIFIED - 1, 0, "css"),
        (MODIFIED - 1, 900, "css"),
    ] {
        modified_at(&served.folder.path().join("b.css.gz"), at(seconds, millis));
        let answer = served.ask("GET", "/b.css", &["Accept-Encoding: gzip"]);
        assert_eq!((answer.status, answer.text().as_str()), (200, body), "{seconds} {millis}");
    }
}

#[track_caller]
fn unzipped(answer: &Answer) -> Vec<u8> {
    answer.assert_has(&[("content-encoding", "gzip")]);
    let mut plain = Vec::new();
    GzDecoder::new(&answer.body[..]).read_to_end(&mut plain).expect("gzip, all of it");
    plain
}

fn text_is_compressed_on_its_way(stack: Stack) {
    let sizes = [1023, 1024, 50_000, 65_536, 65_537, 1_000_000];
    let folder = Folder::new().with("image.png", bytes(5000)).with("data.bin", bytes(5000));
    for size in sizes {
        folder.file(&format!("{size}.txt"), lines(size));
    }
    let served = Served::with(stack, folder, &[]);
    let accept = "Accept-Encoding: gzip, br";
    for size in sizes {
        let target = format!("/{size}.txt");
        let contents = lines(size);
        let answer = served.ask("GET", &target, &[accept]);
        answer.assert_has(&[("vary", "accept-encoding"), ("last-modified", DATE)]);
        if size < 1024 {
            answer.assert_is(200, &contents).assert_lacks(&["content-encoding"]);
            continue;
        }
        assert_eq!(unzipped(&answer), contents);
        assert!(answer.body.len() < size / 2, "{} of {size}", answer.body.len());
        answer.assert_lacks(&["accept-ranges"]);
        let etag = answer.field("etag").unwrap();
        assert!(etag.starts_with("W/"), "{etag}");
        assert_ne!(Some(etag.trim_start_matches("W/")), served.get(&target).field("etag"));
        let again = served.ask("GET", &target, &[accept, &format!("If-None-Match: {etag}")]);
        again.assert_is(304, "").assert_has(&[("etag", etag), ("vary", "accept-encoding")]);
        // How long it is, nobody knows yet; not that of the file, for certain.
        let head = served.ask("HEAD", &target, &[accept]);
        head.assert_is(200, "").assert_has(&[("etag", etag), ("content-encoding", "gzip")]);
        head.assert_lacks(&["content-length"]);
        // Parts are parts of the file.
        let part = served.ask("GET", &target, &[accept, "Range: bytes=0-9"]);
        part.assert_is(206, &contents[..10]).assert_lacks(&["content-encoding"]);
        let part = served.ask("GET", &target, &[accept, "Range: bytes=0-9", "If-Range: \"x\""]);
        part.assert_is(200, &contents);
    }
    for target in ["/image.png", "/data.bin"] {
        let answer = served.ask("GET", target, &[accept]);
        answer.assert_is(200, bytes(5000)).assert_lacks(&["content-encoding"]);
    }
    // A connection goes on after an answer of unknown length.
    let mut conn = served.site.open();
    for _ in 0..3 {
        let get = format!("GET /1000000.txt HTTP/1.1\r\nHost: a.test\r\n{accept}\r\n\r\n");
        conn.send(get.as_bytes()).unwrap();
        let mut plain = Vec::new();
        GzDecoder::new(&conn.response().body[..]).read_to_end(&mut plain).unwrap();
        assert!(plain == lines(1_000_000));
    }
}
