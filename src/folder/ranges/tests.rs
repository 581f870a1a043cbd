#![expect(clippy::single_range_in_vec_init, reason = "one range is what is meant")]

use super::*;

/// The ranges of `value` for a file of `length` bytes; `None` if the field is ignored.
fn parts(value: &str, length: u64) -> Option<Parts> {
    Ranges::parse(value).map(|ranges| ranges.of_length(length))
}

fn some(ranges: &[Range<u64>]) -> Parts {
    Parts::Some(ranges.to_vec())
}

/// The examples of RFC 9110 §14.1.2, for a length of 10000, and edge cases.
#[test]
fn single_ranges() {
    for (value, range) in [
        ("bytes=0-499", 0..500),
        ("bytes=500-999", 500..1000),
        ("bytes=-500", 9500..10000),
        ("bytes=9500-", 9500..10000),
        ("bytes=0-0", 0..1),
        ("bytes=-1", 9999..10000),
        ("bytes=9999-9999", 9999..10000),
        ("bytes=0-", 0..10000),
        ("bytes=0-9999", 0..10000),
        // The bytes beyond the end are left out.
        ("bytes=0-10000", 0..10000),
        ("bytes=9999-99999999999999999999999999", 9999..10000),
        ("bytes=-10000", 0..10000),
        ("bytes=-10001", 0..10000),
        ("bytes=-99999999999999999999999999", 0..10000),
        ("Bytes=0-1", 0..2),
        ("bytes= 0-1", 0..2),
        ("bytes=0-1 ,", 0..2),
        ("bytes=00000000000000000000000001-2", 1..3),
    ] {
        assert_eq!(parts(value, 10000), Some(some(&[range])), "{value}");
    }
}

#[test]
fn several_ranges_keep_their_order() {
    for (value, ranges) in [
        ("bytes=0-0,-1", &[0..1, 9999..10000][..]),
        ("bytes=-1,0-0", &[9999..10000, 0..1]),
        ("bytes= 500-600, ,\t1000-1100", &[500..601, 1000..1101]),
        // A range beyond the end is left out.
        ("bytes=0-0,10000-,5000-5000", &[0..1, 5000..5001]),
        // Ranges that overlap, or nearly touch, are merged.
        ("bytes=500-700,601-999", &[500..1000]),
        ("bytes=601-999,500-700", &[500..1000]),
        ("bytes=500-600,601-999", &[500..1000]),
        ("bytes=0-9,100-109", &[0..110]),
        ("bytes=0-9,138-147", &[0..148]),
        ("bytes=0-9,139-147", &[0..10, 139..148]),
        ("bytes=0-0,5000-5000,0-", &[0..10000]),
        ("bytes=5000-5000,9000-9000,0-0,4900-8900", &[4900..9001, 0..1]),
        ("bytes=0-,0-,0-,0-", &[0..10000]),
    ] {
        assert_eq!(parts(value, 10000), Some(some(ranges)), "{value}");
    }
}

#[test]
fn none_that_there_is() {
    for (value, length) in [
        ("bytes=10000-", 10000),
        ("bytes=10000-10001,20000-", 10000),
        ("bytes=-0", 10000),
        ("bytes=0-", 0),
        ("bytes=0-0", 0),
        ("bytes=-0", 0),
        ("bytes=99999999999999999999999999-", 10000),
    ] {
        assert_eq!(parts(value, length), Some(Parts::Unsatisfiable), "{value}");
    }
    // Satisfiable (RFC 9110 §14.1.2), but an answer could not name any byte.
    assert_eq!(parts("bytes=-5", 0), Some(Parts::Whole));
}

#[test]
fn what_is_malformed_is_ignored() {
    for value in [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=5",
        "bytes=a-b",
        "bytes=2-1",
        "bytes=0-1,2-1",
        "bytes=0-1;2-3",
        "bytes=0--1",
        "bytes=+0-1",
        "bytes=0x0-1",
        "bytes=0 - 1",
        "bytes=0-1-2",
        "bytes 0-1",
        "items=0-1",
        "none=0-1",
        "bytes=\u{661}-2",
    ] {
        assert_eq!(parts(value, 10000), None, "{value}");
    }
}

/// Whatever the ranges are, no more is sent than the file and the delimiters between the parts.
#[test]
fn ranges_are_no_amplification() {
    let list = |n: usize, range: &str| format!("bytes={}", vec![range; n].join(","));
    assert_eq!(parts(&list(64, "0-"), 1 << 30), Some(some(&[0..1 << 30])));
    assert_eq!(parts(&list(65, "0-"), 1 << 30), None);
    let scattered = |n: u64| {
        let ranges: Vec<_> = (0..n).map(|at| format!("{0}-{0}", at * 1000)).collect();
        format!("bytes={}", ranges.join(","))
    };
    let Some(Parts::Some(parts_of_64)) = parts(&scattered(64), 1 << 30) else { panic!() };
    assert_eq!(parts_of_64.len(), 64);
    assert_eq!(parts(&scattered(65), 1 << 30), None);
    // Every second byte, and longer ranges with small gaps.
    for (step, length) in [(2, 1), (200, 100)] {
        let ranges: Vec<_> =
            (0..64_u64).map(|at| format!("{}-{}", at * step, at * step + length - 1)).collect();
        let all = 63 * step + length;
        assert_eq!(parts(&format!("bytes={}", ranges.join(",")), 1 << 20), Some(some(&[0..all])));
    }
}
