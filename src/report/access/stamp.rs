use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::push::push_three_digits;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Formatted times in UTC. Each is cached for its second.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    iso: Stamp,
    apache: Stamp,
}

#[derive(Debug, Default)]
struct Stamp {
    second: Option<u64>,
    text: String,
}

impl Stamps {
    /// Adds `2026-01-31T12:00:00.123Z` (RFC 3339).
    pub(super) fn push_iso(&mut self, line: &mut Vec<u8>, time: SystemTime) {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let text = self.iso.at(since.as_secs(), |time| {
            let text = time.format(&Rfc3339).unwrap_or_default();
            text.trim_end_matches('Z').to_owned()
        });
        line.extend_from_slice(text.as_bytes());
        line.push(b'.');
        push_three_digits(line, since.subsec_millis());
        line.push(b'Z');
    }

    /// Adds `31/Jan/2026:12:00:00 +0000`, as Apache does.
    pub(super) fn push_apache(&mut self, line: &mut Vec<u8>, time: SystemTime) {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let text = self.apache.at(since.as_secs(), |time| {
            let (year, month, day) = time.to_calendar_date();
            let month = MONTHS.get(usize::from(u8::from(month)) - 1).copied().unwrap_or_default();
            let (hour, minute, second) = time.to_hms();
            format!("{day:02}/{month}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000")
        });
        line.extend_from_slice(text.as_bytes());
    }
}

impl Stamp {
    fn at(&mut self, second: u64, text: impl FnOnce(OffsetDateTime) -> String) -> &str {
        if self.second != Some(second) {
            let time = i64::try_from(second).ok();
            let time = time.and_then(|second| OffsetDateTime::from_unix_timestamp(second).ok());
            self.text = text(time.unwrap_or(OffsetDateTime::UNIX_EPOCH));
            self.second = Some(second);
        }
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_as_apache_and_rfc_3339_write_them() {
        let mut stamps = Stamps::default();
        for (millis, iso, apache) in [
            (0, "1970-01-01T00:00:00.000Z", "01/Jan/1970:00:00:00 +0000"),
            (1_709_210_096_007, "2024-02-29T12:34:56.007Z", "29/Feb/2024:12:34:56 +0000"),
            (1_709_210_096_999, "2024-02-29T12:34:56.999Z", "29/Feb/2024:12:34:56 +0000"),
            (1_709_210_097_000, "2024-02-29T12:34:57.000Z", "29/Feb/2024:12:34:57 +0000"),
        ] {
            let time = UNIX_EPOCH + Duration::from_millis(millis);
            let (mut a, mut b) = (Vec::new(), Vec::new());
            stamps.push_iso(&mut a, time);
            stamps.push_apache(&mut b, time);
            assert_eq!((&*a, &*b), (iso.as_bytes(), apache.as_bytes()));
        }
    }
}
