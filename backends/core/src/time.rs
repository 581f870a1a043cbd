//! Times in messages.

use std::time::{SystemTime, UNIX_EPOCH};

use x509_parser::time::ASN1Time;

/// The time to the second: `2026-01-31 12:00:00 UTC`.
#[must_use]
pub fn utc(time: SystemTime) -> String {
    let Ok(time) = ASN1Time::from_timestamp(unix_seconds(time)) else {
        return "a time out of range".to_owned();
    };
    let t = time.to_datetime();
    let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
    let (hour, minute, second) = t.to_hms();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The time from `from` to `to`, in the largest unit that fits and rounded down: `3 days`. If `to` is before
/// `from`, it is `0 seconds`.
#[must_use]
pub fn distance(from: SystemTime, to: SystemTime) -> String {
    let seconds = to.duration_since(from).unwrap_or_default().as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86400 => (seconds / 3600, "hour"),
        _ => (seconds / 86400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Whole seconds since 1970, rounded down.
pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => {
            let before = before.duration();
            let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
            -seconds - i64::from(before.subsec_nanos() > 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_printed_in_utc() {
        assert_eq!(utc(UNIX_EPOCH), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(1_709_210_096)), "2024-02-29 12:34:56 UTC");
        assert_eq!(utc(UNIX_EPOCH - Duration::from_millis(1)), "1969-12-31 23:59:59 UTC");
        assert_eq!(utc(UNIX_EPOCH - Duration::from_millis(1500)), "1969-12-31 23:59:58 UTC");
        assert_eq!(utc(UNIX_EPOCH - Duration::from_secs(1)), "1969-12-31 23:59:59 UTC");
        assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(1 << 60)), "a time out of range");
    }

    #[test]
    fn distances_are_in_the_largest_unit() {
        let between = |seconds| distance(UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(between(0), "0 seconds");
        assert_eq!(between(59), "59 seconds");
        assert_eq!(between(60), "1 minute");
        assert_eq!(between(7_199), "1 hour");
        assert_eq!(between(86_400 * 3), "3 days");
    }
}
