//! Ranges (RFC 9110 §14), in plain and over TLS, of small files and of large ones, which are sent in
//! different ways.

use crate::support::{Stack, table};
use crate::{Answer, DATE, Folder, Served, bytes};

table! {
    columns {
        small_plain = (Stack::Plain, 10_000);
        small_rustls = (Stack::Rustls, 10_000);
        large_plain = (Stack::Plain, 2_000_000);
        large_rustls = (Stack::Rustls, 2_000_000);
    } rows {
        one_range_is_a_part
        several_ranges_are_several_parts
        a_condition_makes_it_whole
    }
}

fn serve((stack, size): (Stack, usize)) -> (Served, Vec<u8>) {
    let contents = bytes(size);
    (Served::with(stack, Folder::new().with("a.bin", &contents), &[]), contents)
}

fn one_range_is_a_part(case: (Stack, usize)) {
    let (served, contents) = serve(case);
    let size = contents.len();
    for (range, start, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=0-499", 0, 500),
        ("bytes=500-", 500, size),
        ("bytes=-1", size - 1, size),
        ("bytes=-500", size - 500, size),
        ("bytes=0-", 0, size),
        ("bytes=9000-99999999999", 9000, size),
        ("bytes=-99999999999999999999", 0, size),
        ("bytes=500-600,601-999", 500, 1000),
        ("bytes=3-3,99999999-", 3, 4),
    ] {
        let answer = served.ask("GET", "/a.bin", &[&format!("Range: {range}")]);
        answer.assert_is(206, &contents[start..end]).assert_has(&[
            ("content-range", &format!("bytes {start}-{}/{size}", end - 1)),
            ("content-length", &(end - start).to_string()),
            ("content-type", "application/octet-stream"),
            ("accept-ranges", "bytes"),
            ("last-modified", DATE),
        ]);
        // Only for GET is there anything to it (§14.2).
        let head = served.ask("HEAD", "/a.bin", &[&format!("Range: {range}")]);
        head.assert_is(200, "").assert_has(&[("content-length", &size.to_string())]);
        head.assert_lacks(&["content-range"]);
    }
    for range in ["bytes=99999999-", "bytes=-0", "bytes=99999999-,-0"] {
        let answer = served.ask("GET", "/a.bin", &[&format!("Range: {range}")]);
        answer.assert_refused(416).assert_has(&[("content-range", &format!("bytes */{size}"))]);
    }
    let many = vec!["0-"; 65].join(",");
    for range in ["bytes=", "bytes=5-4", "bytes=a-b", "lines=0-1", "0-1", &format!("bytes={many}")]
    {
        let answer = served.ask("GET", "/a.bin", &[&format!("Range: {range}")]);
        answer.assert_is(200, &contents).assert_lacks(&["content-range"]);
    }
    let twice = served.ask("GET", "/a.bin", &["Range: bytes=0-0", "Range: bytes=1-1"]);
    twice.assert_is(200, &contents);
}

/// The parts of a body in `multipart/byteranges`: what each says of itself, and its content.
#[track_caller]
fn parts(answer: &Answer) -> Vec<(String, Vec<u8>)> {
    let kind = answer.field("content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=");
    let boundary = boundary.unwrap_or_else(|| panic!("{kind}"));
    let mut rest = &answer.body[..];
    let mut parts = Vec::new();
    let open = format!("--{boundary}\r\n");
    let close = format!("--{boundary}--\r\n");
    while rest != close.as_bytes() {
        rest = rest.strip_prefix(open.as_bytes()).expect("a boundary");
        let head = rest.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
        let fields = String::from_utf8(rest[..head].to_vec()).unwrap();
        rest = &rest[head + 4..];
        let range = fields.split("bytes ").nth(1).unwrap().split('/').next().unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let length = end.parse::<usize>().unwrap() - start.parse::<usize>().unwrap() + 1;
        parts.push((fields, rest[..length].to_vec()));
        rest = rest[length..].strip_prefix(b"\r\n").expect("a line end");
    }
    parts
}

fn several_ranges_are_several_parts(case: (Stack, usize)) {
    let (served, contents) = serve(case);
    let size = contents.len();
    let ask = |ranges: &str| served.ask("GET", "/a.bin", &[&format!("Range: bytes={ranges}")]);
    for (ranges, wanted) in [
        ("0-0,-1", vec![0..1, size - 1..size]),
        ("-1,0-0", vec![size - 1..size, 0..1]),
        ("0-9, 5000-5009 ,,9000-", vec![0..10, 5000..5010, 9000..size]),
        ("5000-6000,0-9,5500-7000", vec![5000..7001, 0..10]),
        ("0-0,99999999-,5000-5000", vec![0..1, 5000..5001]),
    ] {
        let answer = ask(ranges);
        assert_eq!(answer.status, 206, "{ranges}: {:?}", answer.fields);
        let length = answer.body.len().to_string();
        answer.assert_has(&[("content-length", &length), ("last-modified", DATE)]);
        answer.assert_lacks(&["content-range"]);
        let wanted: Vec<_> = wanted
            .into_iter()
            .map(|range| {
                let (start, last) = (range.start, range.end - 1);
                let fields = format!(
                    "Content-Type: application/octet-stream\r\n\
                     Content-Range: bytes {start}-{last}/{size}"
                );
                (fields, contents[range].to_vec())
            })
            .collect();
        assert!(parts(&answer) == wanted, "{ranges}: {:?}", answer.fields);
    }
    // Boundaries cannot be foreseen.
    assert_ne!(ask("0-0,-1").field("content-type"), ask("0-0,-1").field("content-type"));
    // As many as are answered to, and as little as they are asked to be.
    let scattered: Vec<_> = (0..64).map(|n| format!("{0}-{0}", n * 150)).collect();
    let answer = ask(&scattered.join(","));
    assert_eq!(parts(&answer).len(), 64);
    assert!(answer.body.len() < 64 * 200, "{}", answer.body.len());
}

fn a_condition_makes_it_whole(case: (Stack, usize)) {
    let (served, contents) = serve(case);
    let etag = served.get("/a.bin").field("etag").unwrap().to_owned();
    for (if_range, is_part) in [
        (etag.clone(), true),
        (DATE.to_owned(), true),
        (format!("W/{etag}"), false),
        ("\"x\"".to_owned(), false),
        ("*".to_owned(), false),
        ("Sun, 06 Nov 1994 08:49:36 GMT".to_owned(), false),
        ("Sun, 06 Nov 1994 08:49:38 GMT".to_owned(), false),
        ("yesterday".to_owned(), false),
    ] {
        for range in ["bytes=0-9", "bytes=99999999-"] {
            let fields = [&format!("Range: {range}"), &format!("If-Range: {if_range}")];
            let answer = served.ask("GET", "/a.bin", &fields.map(String::as_str));
            match (is_part, range) {
                (true, "bytes=0-9") => _ = answer.assert_is(206, &contents[..10]),
                (true, _) => _ = answer.assert_refused(416),
                (false, _) => _ = answer.assert_is(200, &contents),
            }
        }
    }
    // Without a range there is nothing to it.
    served.ask("GET", "/a.bin", &["If-Range: \"x\""]).assert_is(200, &contents);
}

#[test]
fn of_nothing_there_is_no_part() {
    let served = Served::new(Folder::new().with("a.bin", ""));
    for range in ["bytes=0-", "bytes=0-0", "bytes=-0"] {
        let answer = served.ask("GET", "/a.bin", &[&format!("Range: {range}")]);
        answer.assert_refused(416).assert_has(&[("content-range", "bytes */0")]);
    }
    served.ask("GET", "/a.bin", &["Range: bytes=-1"]).assert_is(200, "");
}
