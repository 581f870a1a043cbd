//! Durations as people read them.

use std::time::Duration;

/// `duration` as people read it: `10 seconds`, `0.5 seconds`, `1 second`.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f32();
    format!("{seconds} second{}", if duration == Duration::from_secs(1) { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_in_words() {
        assert_eq!(seconds(Duration::from_secs(10)), "10 seconds");
        assert_eq!(seconds(Duration::from_secs(1)), "1 second");
        assert_eq!(seconds(Duration::from_millis(500)), "0.5 seconds");
    }
}
