use http_types::StatusCode;

use crate::common::limits::MAX_HEAD;
use crate::common::refusal::Refusal;

/// The most fields that a head may have, as long as the limit on heads is not raised.
pub(super) const MAX_FIELDS: usize = 100;

/// The most fields that it may ever have: some of what is done with them takes time with their square.
const MOST_FIELDS: usize = 1000;

/// The longest request target then, in bytes (RFC 9112 §3 recommends at least 8,000).
const MAX_TARGET: usize = 8 * 1024;

/// The limits of a request head. Only that on its size can be set; the others follow it when it is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeadLimits {
    /// With the empty lines before it, in bytes.
    pub(super) size: usize,
    /// In bytes.
    pub(super) target: usize,
    pub(super) fields: usize,
}

impl HeadLimits {
    /// The limits that go with heads of at most `size` bytes.
    pub(crate) const fn of(size: usize) -> Self {
        if size <= MAX_HEAD {
            return Self { size, target: MAX_TARGET, fields: MAX_FIELDS };
        }
        let fields = size.saturating_mul(MAX_FIELDS) / MAX_HEAD;
        Self { size, target: size, fields: if fields < MOST_FIELDS { fields } else { MOST_FIELDS } }
    }

    pub(super) fn check_size(self, size: usize) -> Result<(), Refusal> {
        let max = self.size;
        if size <= max {
            return Ok(());
        }
        Err(too_large(format!("the request head is larger than {max} bytes")))
    }

    pub(crate) fn check_target(self, length: usize) -> Result<(), Refusal> {
        if length <= self.target { Ok(()) } else { Err(self.target_too_long()) }
    }

    /// Checks a request line of which `line` has come so far, behind `before` bytes of empty lines. One that
    /// cannot fit is refused before all of it is there.
    pub(super) fn check_request_line(self, line: &[u8], before: usize) -> Result<(), Refusal> {
        // The target, and room for any method and version that there is.
        let longest = self.target.saturating_add(64).min(self.size.saturating_sub(before));
        match line.get(..=longest) {
            Some(start) if !start.contains(&b'\n') => Err(self.target_too_long()),
            _ => Ok(()),
        }
    }

    pub(super) fn too_many_fields(self) -> Refusal {
        too_large(format!("the request head has more than {} fields", self.fields))
    }

    fn target_too_long(self) -> Refusal {
        let max = self.target.min(self.size);
        Refusal::new(
            StatusCode::UriTooLong,
            format!("the request target is longer than {max} bytes"),
        )
    }
}

pub(super) fn too_large(reason: String) -> Refusal {
    Refusal::new(StatusCode::RequestHeaderFieldsTooLarge, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_and_fields_follow_a_raised_limit_on_heads() {
        for (size, target, fields) in [
            (256, 8192, 100),
            (16 * 1024, 8192, 100),
            (16 * 1024 + 1, 16 * 1024 + 1, 100),
            (64 * 1024, 64 * 1024, 400),
            (16 << 20, 16 << 20, 1000),
            (usize::MAX, usize::MAX, 1000),
        ] {
            assert_eq!(HeadLimits::of(size), HeadLimits { size, target, fields });
        }
    }

    #[test]
    fn a_request_line_that_cannot_fit_is_a_long_target() {
        // At 256 bytes of head the head ends the line, at 64 KiB it does, too; between them 8 KiB and a bit.
        for (size, before, longest) in
            [(256, 0, 256), (256, 6, 250), (16 * 1024, 2, 8256), (65536, 4, 65532)]
        {
            let limits = HeadLimits::of(size);
            let line = vec![b'a'; longest];
            assert!(limits.check_request_line(&line, before).is_ok());
            let more = [line.as_slice(), b"\n"].concat();
            assert!(limits.check_request_line(&more, before).is_ok(), "it has ended");
            let more = [line.as_slice(), b"\r\n"].concat();
            let refusal = limits.check_request_line(&more, before).unwrap_err();
            assert_eq!(refusal.status, StatusCode::UriTooLong);
        }
    }
}
