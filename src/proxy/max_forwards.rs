//! `Max-Forwards`: how many more gateways may forward a request that traces its route (RFC 9110 §7.6.2).

use http_types::{Method, StatusCode};

use crate::common::answer::Answer;
use crate::common::field;
use crate::common::refusal::Refusal;
use crate::wire::head::Head;

pub(super) const NAME: &str = "max-forwards";

/// The methods that turnkey itself answers, for `Allow`.
const ALLOW: &str = "OPTIONS";

/// Whether the field has a meaning with `method`.
pub(super) fn counts(method: Method) -> bool {
    matches!(method, Method::Options | Method::Trace)
}

/// Whether the request must not be forwarded.
pub(crate) fn ends_here(head: &Head<'_, '_>) -> bool {
    let is_zero = |value: &[u8]| !value.is_empty() && value.iter().all(|&digit| digit == b'0');
    counts(head.method) && field::values(head.fields, NAME).any(is_zero)
}

/// The response to such a request. TRACE is rejected, because it would return the client's credentials to
/// anyone who can make a browser send it.
pub(crate) fn answer(method: Method) -> Answer {
    let answer = match method {
        Method::Options => Answer::empty(StatusCode::NoContent),
        _ => Refusal::new(StatusCode::MethodNotAllowed, "TRACE is not answered here").answer(),
    };
    answer.with("allow", ALLOW)
}

/// `value` for the next recipient: one less. A value that is not a number stays as it is, and one that is too
/// large becomes the largest possible number (RFC 9110 §7.6.2).
pub(super) fn count_down(value: &[u8]) -> Vec<u8> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return value.to_vec();
    }
    let number = std::str::from_utf8(value).ok().and_then(|digits| digits.parse::<u64>().ok());
    let left = number.map_or(u64::MAX, |number| number.saturating_sub(1));
    left.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_counted_down() {
        for (value, left) in [
            ("1", "0"),
            ("10", "9"),
            ("007", "6"),
            ("99999999999999999999999", "18446744073709551615"),
            ("-1", "-1"),
            ("1, 2", "1, 2"),
            ("", ""),
        ] {
            assert_eq!(count_down(value.as_bytes()), left.as_bytes(), "{value}");
        }
    }
}
