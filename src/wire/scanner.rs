use super::head_limits::HeadLimits;
use crate::common::field;
use crate::common::refusal::Refusal;

/// What a TLS handshake begins with: a record of type 22, of a version that is 3.x (RFC 8446 §5.1).
pub(crate) const TLS_HANDSHAKE: [u8; 2] = [0x16, 0x03];

/// Finds the end of a head while its bytes arrive, and refuses a bad one as early as possible.
#[derive(Debug, Default)]
pub(crate) struct HeadScanner {
    scanned: usize,
    line: usize,
    /// The offset of the request line, if it has begun: empty lines may come before it.
    start: Option<usize>,
    request_line_ended: bool,
}

impl HeadScanner {
    /// Scans the bytes so far; each call gets all of them. The result is where the head begins and ends, or `None`
    /// while it is incomplete.
    pub(crate) fn scan(
        &mut self,
        bytes: &[u8],
        limits: HeadLimits,
    ) -> Result<Option<(usize, usize)>, Refusal> {
        // Before all else: the bytes of another protocol have line feeds in them, too.
        self.check_line(bytes.get(self.line..).unwrap_or_default(), limits)?;
        while let Some(found) = memchr::memchr(b'\n', bytes.get(self.scanned..).unwrap_or_default())
        {
            let lf = self.scanned + found;
            self.scanned = lf + 1;
            let line = bytes.get(self.line..lf).unwrap_or_default();
            self.check_line(line, limits)?;
            // Had it come bit by bit, it would not have come so far.
            limits.check_size(lf)?;
            self.line = lf + 1;
            // RFC 9112 §2.2 lets a recipient accept a bare LF. If two recipients differ in it, requests
            // can be smuggled.
            let Some(line) = line.strip_suffix(b"\r") else {
                return Err(Refusal::bad_request("a line of the head ends in a bare LF"));
            };
            match self.start {
                // RFC 9112 §2.2: empty lines before the request line are ignored.
                None if line.is_empty() => {}
                None => {
                    self.start = Some(lf - line.len() - 1);
                    self.request_line_ended = true;
                }
                Some(start) if line.is_empty() => {
                    limits.check_size(lf + 1)?;
                    return Ok(Some((start, lf + 1)));
                }
                Some(_) => {}
            }
            limits.check_size(self.scanned)?;
        }
        self.check_line(bytes.get(self.line..).unwrap_or_default(), limits)?;
        self.scanned = bytes.len();
        limits.check_size(bytes.len())?;
        Ok(None)
    }

    /// Whether the bytes that were scanned last are only empty lines, so that no request has begun. Some clients send
    /// an empty line after a body (RFC 9112 §2.2).
    pub(crate) fn is_idle(&self, bytes: &[u8]) -> bool {
        // The line may be incomplete.
        self.start.is_none() && matches!(bytes.get(self.line..), Some([] | [b'\r']))
    }

    /// What can be told of the request line before all of it is there.
    fn check_line(&self, line: &[u8], limits: HeadLimits) -> Result<(), Refusal> {
        if self.request_line_ended {
            return Ok(());
        }
        match line {
            [first, second, ..] if [*first, *second] == TLS_HANDSHAKE => Err(Refusal::bad_request(
                "the client began a TLS handshake where an HTTP request is due",
            )),
            // The next byte decides whether it is a line end.
            [first] if *first == TLS_HANDSHAKE[0] => Ok(()),
            [first, ..] if !field::is_tchar(*first) && !matches!(first, b'\r' | b'\n') => {
                Err(Refusal::bad_request("this is not an HTTP request"))
            }
            // An empty line, which is no request line, or what is refused when more of it is there.
            [b'\r', ..] => Ok(()),
            _ => limits.check_request_line(line, self.line),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_types::StatusCode;

    use super::*;

    /// The result for `bytes` that arrive one by one.
    fn scan(bytes: &[u8], max_head: usize) -> Result<Option<(usize, usize)>, Refusal> {
        let mut scanner = HeadScanner::default();
        for n in 0..bytes.len() {
            if let Some(found) = scanner.scan(&bytes[..n], HeadLimits::of(max_head))? {
                panic!("{found:?} after {n} of {} bytes", bytes.len());
            }
        }
        scanner.scan(bytes, HeadLimits::of(max_head))
    }

    #[test]
    fn a_head_begins_after_empty_lines_and_ends_with_one() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for empty in 0..40 {
            let bytes = [b"\r\n".repeat(empty).as_slice(), head].concat();
            let all = (2 * empty, bytes.len());
            assert_eq!(scan(&bytes, 1000).unwrap(), Some(all), "byte by byte");
            let more = [bytes.as_slice(), b"GET / HTTP/1.1\r\n\r\n"].concat();
            let at_once = HeadScanner::default().scan(&more, HeadLimits::of(1000)).unwrap();
            assert_eq!(at_once, Some(all), "at once, and the next one is left");
        }
    }

    #[test]
    fn empty_lines_are_no_request_yet() {
        for (bytes, idle) in
            [("", true), ("\r", true), ("\r\n\r\n\r", true), ("\r\nG", false), ("G", false)]
        {
            let mut scanner = HeadScanner::default();
            assert_eq!(scanner.scan(bytes.as_bytes(), HeadLimits::of(1000)).unwrap(), None);
            assert_eq!(scanner.is_idle(bytes.as_bytes()), idle, "{bytes:?}");
        }
    }

    #[test]
    fn a_head_is_bounded_with_the_empty_lines_before_it() {
        let head = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(scan(head, head.len()).unwrap(), Some((2, head.len())));
        let refusal = scan(head, head.len() - 1).unwrap_err();
        assert_eq!(refusal.status, StatusCode::RequestHeaderFieldsTooLarge);
    }

    #[test]
    fn a_request_line_is_bounded_before_all_of_it_is_there() {
        let line = vec![b'a'; 8192 + 64];
        // Not raised, so that there is another limit on the target; but larger than all of these heads.
        let limits = HeadLimits { size: 100_000, ..HeadLimits::of(1000) };
        let mut scanner = HeadScanner::default();
        assert_eq!(scanner.scan(&line, limits).unwrap(), None);
        let more = [line.as_slice(), b"a"].concat();
        let refusal = scanner.scan(&more, limits).unwrap_err();
        assert_eq!(refusal.status, StatusCode::UriTooLong);
        // The bytes after it are not counted.
        for length in [1, 8192 + 63] {
            let head = [&line[..length], b"\n", &line[..100]].concat();
            let refusal = HeadScanner::default().scan(&head, limits).unwrap_err();
            assert_eq!(refusal.status, StatusCode::BadRequest, "a bare LF");
            let fields = [b"\r\nHost: a", line.as_slice(), line.as_slice(), b"\r\n\r\n"].concat();
            let head = [&line[..length], fields.as_slice()].concat();
            let found = HeadScanner::default().scan(&head, limits).unwrap();
            assert_eq!(found, Some((0, head.len())));
        }
    }

    #[test]
    fn tls_is_told_from_what_is_no_http_by_its_second_byte() {
        let reason = |bytes: &[u8]| scan(bytes, 1000).unwrap_err().reason;
        assert_eq!(scan(b"\x16", 1000).unwrap(), None);
        assert!(reason(b"\x16\x03").contains("TLS handshake"), "{}", reason(b"\x16\x03"));
        assert!(reason(b"\x16\x16").contains("not an HTTP request"), "{}", reason(b"\x16\x16"));
        // In a field, the reader of that field checks it.
        assert_eq!(scan(b"GET / HTTP/1.1\r\n\x16\x03", 1000).unwrap(), None);
    }

    /// However it comes in, and wherever it crosses which limit.
    #[test]
    fn what_is_too_long_is_refused_alike_however_it_is_cut() {
        let limits = HeadLimits { size: 90, ..HeadLimits::of(1000) };
        let status = |scanned: Result<_, Refusal>| scanned.map_err(|refusal| refusal.status);
        for before in ["", "\r\n", "\r\n\r\n", "\r"] {
            for (end, target) in ["\r\n\r\n", "\n", "\r", "\rx", ""]
                .into_iter()
                .flat_map(|e| (70..95).map(move |t| (e, t)))
            {
                let bytes = format!("{before}{}{end}", "a".repeat(target));
                let mut scanner = HeadScanner::default();
                let one_by_one = (0..=bytes.len())
                    .map(|n| scanner.scan(&bytes.as_bytes()[..n], limits))
                    .find(|scanned| !matches!(scanned, Ok(None)))
                    .unwrap_or(Ok(None));
                let at_once = HeadScanner::default().scan(bytes.as_bytes(), limits);
                assert_eq!(status(one_by_one), status(at_once), "{bytes:?}");
            }
        }
    }
}
