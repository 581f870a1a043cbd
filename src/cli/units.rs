//! Durations, sizes, and booleans, as users type them.

use std::str::FromStr;
use std::time::Duration;

/// A duration in seconds, more than zero: `10`, `0.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) Duration);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        duration(text)
            .filter(|duration| !duration.is_zero())
            .map(Self)
            .ok_or_else(|| "expected seconds, more than 0, such as 10 or 0.5".to_owned())
    }
}

/// A duration in seconds that may be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delay(pub(crate) Duration);

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        duration(text)
            .map(Self)
            .ok_or_else(|| "expected seconds, such as 10 or 0.5, or 0 for none".to_owned())
    }
}

fn duration(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// A size in bytes: `4096`, `16K` (or `16KiB`), `10M`, `1G`, in powers of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        let factor: u64 = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kib" => 1 << 10,
            "m" | "mib" => 1 << 20,
            "g" | "gib" => 1 << 30,
            _ => 0,
        };
        digits
            .parse::<u64>()
            .ok()
            .filter(|_| factor > 0)
            .and_then(|number| number.checked_mul(factor))
            .map(Self)
            .ok_or_else(|| "expected bytes, such as 4096, 16K or 10M".to_owned())
    }
}

/// Parses the words that people use for yes and no.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds() {
        assert_eq!("10".parse(), Ok(Seconds(Duration::from_secs(10))));
        assert_eq!("0.5".parse(), Ok(Seconds(Duration::from_millis(500))));
        for bad in ["", "0", "-1", "ten", "1s", "inf", "NaN", "1e300"] {
            assert!(bad.parse::<Seconds>().is_err(), "{bad}");
            assert_eq!(bad.parse::<Delay>().is_ok(), bad == "0", "{bad}");
        }
        assert_eq!("0.5".parse(), Ok(Delay(Duration::from_millis(500))));
    }

    #[test]
    fn bytes() {
        assert_eq!("4096".parse(), Ok(Bytes(4096)));
        assert_eq!("0".parse(), Ok(Bytes(0)));
        assert_eq!("16K".parse(), Ok(Bytes(16 * 1024)));
        assert_eq!("10MiB".parse(), Ok(Bytes(10 * 1024 * 1024)));
        assert_eq!("1g".parse(), Ok(Bytes(1 << 30)));
        for bad in ["", "-1", "K", "1.5M", "10 M", "10MB", "99999999999G"] {
            assert!(bad.parse::<Bytes>().is_err(), "{bad}");
        }
    }
}
