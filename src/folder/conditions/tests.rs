use http_types::Url;

use super::*;
use crate::common::fields::keep_beyond_ascii;

/// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 §5.6.7.
const MODIFIED: u64 = 784_111_777;
const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

const PROCEED: Precondition = Precondition::Proceed { part: true };
const WHOLE: Precondition = Precondition::Proceed { part: false };

fn outcome(tag: &str, method: Method, fields: &[(&str, &str)]) -> Precondition {
    let mut request = Request::new(method, Url::parse("http://localhost/").unwrap());
    for (name, value) in fields {
        request.append_header(*name, *value);
    }
    let tag = EntityTag::parse_only(tag).unwrap();
    Conditions::of(&request).evaluate(&Validators { tag, modified: MODIFIED, settled: true })
}

/// Tags of others may have bytes beyond ASCII (RFC 9110 §8.8.3), which the map of http-types cannot hold.
#[test]
fn a_tag_beyond_ascii_matches_nothing_and_hides_nothing() {
    let outcome = |name: &str, value: &[u8], ascii: Option<(&str, &str)>| {
        let mut request = Request::new(Method::Get, Url::parse("http://localhost/").unwrap());
        if let Some((name, value)) = ascii {
            request.insert_header(name, value);
        }
        keep_beyond_ascii(&mut request, vec![(name.to_owned(), value.to_vec())]);
        let tag = EntityTag::parse_only("\"a\"").unwrap();
        Conditions::of(&request).evaluate(&Validators { tag, modified: MODIFIED, settled: true })
    };
    assert_eq!(outcome("If-Match", b"\"\xe9\"", None), Precondition::Failed);
    assert_eq!(outcome("If-Match", b"\"\xe9\", \"a\"", None), PROCEED);
    assert_eq!(outcome("If-None-Match", b"\"\xe9\"", None), PROCEED);
    assert_eq!(outcome("If-None-Match", b"\"\xe9\", \"a\"", None), Precondition::NotModified);
    assert_eq!(outcome("If-Range", b"\"\xe9\"", None), WHOLE);
    assert_eq!(outcome("If-Range", b"\"\xe9\"", Some(("if-range", "\"a\""))), WHOLE);
}

#[track_caller]
fn assert_outcomes(rows: &[(&[(&str, &str)], Precondition)]) {
    for (fields, wanted) in rows {
        for method in [Method::Get, Method::Head] {
            assert_eq!(outcome("\"a\"", method, fields), *wanted, "{method} {fields:?}");
        }
    }
}

#[test]
fn each_condition_by_itself() {
    use Precondition::{Failed, NotModified};
    assert_outcomes(&[
        (&[], PROCEED),
        // §13.1.1: the strong comparison.
        (&[("if-match", "\"a\"")], PROCEED),
        (&[("if-match", "\"b\", \"a\"")], PROCEED),
        (&[("if-match", "*")], PROCEED),
        (&[("if-match", "\"b\"")], Failed),
        (&[("if-match", "W/\"a\"")], Failed),
        (&[("if-match", "\"b\""), ("if-match", "\"a\"")], PROCEED),
        (&[("if-match", "a")], Failed),
        (&[("if-match", "\"A\"")], Failed),
        // §13.1.2: the weak comparison.
        (&[("if-none-match", "\"a\"")], NotModified),
        (&[("if-none-match", "W/\"a\"")], NotModified),
        (&[("if-none-match", "\"b\", W/\"a\"")], NotModified),
        (&[("if-none-match", "\"b\""), ("if-none-match", "\"a\"")], NotModified),
        (&[("if-none-match", "*")], NotModified),
        (&[("if-none-match", "\"b\"")], PROCEED),
        (&[("if-none-match", "a")], PROCEED),
        (&[("if-none-match", "")], PROCEED),
        // §13.1.3.
        (&[("if-modified-since", BEFORE)], PROCEED),
        (&[("if-modified-since", THEN)], NotModified),
        (&[("if-modified-since", AFTER)], NotModified),
        // §13.1.4.
        (&[("if-unmodified-since", BEFORE)], Failed),
        (&[("if-unmodified-since", THEN)], PROCEED),
        (&[("if-unmodified-since", AFTER)], PROCEED),
        // §13.1.5: the strong comparison, and the very date.
        (&[("if-range", "\"a\"")], PROCEED),
        (&[("if-range", "W/\"a\"")], WHOLE),
        (&[("if-range", "\"b\"")], WHOLE),
        (&[("if-range", "\"b\", \"a\"")], WHOLE),
        (&[("if-range", "*")], WHOLE),
        (&[("if-range", BEFORE)], WHOLE),
        (&[("if-range", THEN)], PROCEED),
        (&[("if-range", AFTER)], WHOLE),
        (&[("if-range", "a")], WHOLE),
        (&[("if-range", "\"a\""), ("if-range", "\"a\"")], WHOLE),
    ]);
}

/// RFC 9110 §13.2.2, step by step: a tag takes precedence over a date, and a 412 over a 304.
#[test]
fn conditions_count_in_their_order() {
    use Precondition::{Failed, NotModified};
    assert_outcomes(&[
        (&[("if-match", "\"a\""), ("if-unmodified-since", BEFORE)], PROCEED),
        (&[("if-match", "\"b\""), ("if-unmodified-since", AFTER)], Failed),
        (&[("if-none-match", "\"b\""), ("if-modified-since", AFTER)], PROCEED),
        (&[("if-none-match", "\"a\""), ("if-modified-since", BEFORE)], NotModified),
        (&[("if-match", "\"b\""), ("if-none-match", "\"a\"")], Failed),
        (&[("if-match", "\"a\""), ("if-none-match", "\"a\"")], NotModified),
        (&[("if-unmodified-since", BEFORE), ("if-modified-since", AFTER)], Failed),
        (&[("if-unmodified-since", THEN), ("if-modified-since", THEN)], NotModified),
        (&[("if-match", "\"a\""), ("if-modified-since", THEN)], NotModified),
        (&[("if-unmodified-since", BEFORE), ("if-none-match", "\"a\"")], Failed),
        (&[("if-range", "\"b\""), ("if-none-match", "\"a\"")], NotModified),
        (&[("if-range", "\"a\""), ("if-match", "\"b\"")], Failed),
    ]);
}

#[test]
fn dates_in_all_their_forms_and_what_is_none() {
    for (date, counts) in [
        (THEN, true),
        ("Sunday, 06-Nov-94 08:49:37 GMT", true),
        ("Sun Nov  6 08:49:37 1994", true),
        ("sun, 06 nov 1994 08:49:37 gmt", false),
        ("Sun, 06 Nov 1994 08:49:37", false),
        ("Sun, 06 Nov 1994 08:49:37 +0100", false),
        ("Sun, 32 Nov 1994 08:49:37 GMT", false),
        ("784111777", false),
        ("1994-11-06T08:49:37Z", false),
        ("", false),
    ] {
        let wanted = if counts { Precondition::NotModified } else { PROCEED };
        assert_eq!(outcome("\"a\"", Method::Get, &[("if-modified-since", date)]), wanted, "{date}");
    }
    let twice = [("if-modified-since", AFTER), ("if-modified-since", AFTER)];
    assert_eq!(outcome("\"a\"", Method::Get, &twice), PROCEED);
    let twice = [("if-unmodified-since", BEFORE), ("if-unmodified-since", BEFORE)];
    assert_eq!(outcome("\"a\"", Method::Get, &twice), PROCEED);
    assert_eq!(outcome("\"a\"", Method::Get, &[("if-unmodified-since", "never")]), PROCEED);
}

#[test]
fn a_weak_tag_is_never_the_same() {
    for (field, wanted) in [
        (("if-match", "W/\"a\""), Precondition::Failed),
        (("if-match", "\"a\""), Precondition::Failed),
        (("if-match", "*"), PROCEED),
        (("if-none-match", "\"a\""), Precondition::NotModified),
        (("if-range", "W/\"a\""), WHOLE),
        (("if-range", "\"a\""), WHOLE),
    ] {
        assert_eq!(outcome("W/\"a\"", Method::Get, &[field]), wanted, "{field:?}");
    }
}

/// RFC 9110 §8.8.2.2: a file may be modified again within the same second.
#[test]
fn a_date_of_just_now_names_no_state() {
    let mut request = Request::new(Method::Get, Url::parse("http://localhost/").unwrap());
    request.insert_header("if-range", THEN);
    let tag = EntityTag::parse_only("\"a\"").unwrap();
    let validators = Validators { tag, modified: MODIFIED, settled: false };
    assert_eq!(Conditions::of(&request).evaluate(&validators), WHOLE);
}
