//! The `Date` field.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

thread_local! {
    /// The last date that was formatted, and its second since 1970.
    static LAST: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

/// Calls `with` with the current date in HTTP's format (RFC 9110 §5.6.7). It is formatted once a second.
pub(crate) fn with_now<T>(with: impl FnOnce(&str) -> T) -> T {
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    LAST.with_borrow_mut(|(last, date)| {
        if *last != second || date.is_empty() {
            *date = httpdate::fmt_http_date(now);
            *last = second;
        }
        with(date)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_is_the_date_of_now() {
        for _ in 0..3 {
            let date = with_now(|date| httpdate::parse_http_date(date).unwrap());
            assert!(date.elapsed().unwrap() < Duration::from_secs(2), "{date:?}");
            std::thread::sleep(Duration::from_millis(700));
        }
    }
}
