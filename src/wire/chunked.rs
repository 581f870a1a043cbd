use crate::common::field;
use crate::common::refusal::Refusal;

/// The longest line with a chunk's size and extensions, in bytes with its end.
const MAX_CHUNK_LINE: usize = 1024;

/// The largest trailer section, in bytes with the empty line that ends it.
const MAX_TRAILERS: usize = 8 * 1024;

/// A field of the trailer section: name and value.
pub(crate) type Trailer = (String, Vec<u8>);

/// Takes chunked framing off a body (RFC 9112 §7.1). Extensions are dropped, but checked, since
/// whoever reads them differently may find another end of the body.
#[derive(Debug, Default)]
pub(crate) struct ChunkedDecoder {
    state: ChunkState,
    trailers: Vec<Trailer>,
    /// Bytes of trailer section seen so far.
    trailer_size: usize,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum ChunkState {
    /// Before the line with a chunk's size.
    #[default]
    Size,
    /// In a chunk, so many bytes before its end.
    Data(u64),
    /// Before the line end after a chunk's data.
    DataEnd,
    /// In the trailer section.
    Trailers,
    Done,
}

/// What to do with the next bytes of the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// So many bytes are framing: they go, and the next step follows.
    Framing(usize),
    /// So many bytes (at most) are content; [`ChunkedDecoder::took`] says how many were taken.
    Content(usize),
    /// More input is needed.
    NeedInput,
    /// The body is at its end.
    Done,
}

impl ChunkedDecoder {
    /// What the next bytes are.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<Step, Refusal> {
        match self.state {
            ChunkState::Size => self.size(input),
            ChunkState::Data(left) => {
                let available = u64::try_from(input.len()).unwrap_or(u64::MAX).min(left);
                match usize::try_from(available) {
                    Ok(n) if n > 0 => Ok(Step::Content(n)),
                    _ => Ok(Step::NeedInput),
                }
            }
            ChunkState::DataEnd => match input {
                [b'\r', b'\n', ..] => {
                    self.state = ChunkState::Size;
                    Ok(Step::Framing(2))
                }
                [] | [b'\r'] => Ok(Step::NeedInput),
                _ => Err(bad_chunk("a chunk is longer than its size says")),
            },
            ChunkState::Trailers => self.trailer(input),
            ChunkState::Done => Ok(Step::Done),
        }
    }

    /// Counts `n` bytes of content as taken.
    pub(crate) fn took(&mut self, n: usize) {
        if let ChunkState::Data(left) = self.state {
            let left = left.saturating_sub(u64::try_from(n).unwrap_or(u64::MAX));
            self.state = if left == 0 { ChunkState::DataEnd } else { ChunkState::Data(left) };
        }
    }

    /// How much of the chunk at hand is still to come, in bytes.
    pub(crate) fn announced(&self) -> u64 {
        match self.state {
            ChunkState::Data(left) => left,
            _ => 0,
        }
    }

    /// The trailers, once the body is done.
    pub(crate) fn into_trailers(self) -> Vec<Trailer> {
        self.trailers
    }

    fn size(&mut self, input: &[u8]) -> Result<Step, Refusal> {
        let Some(line) = line(input, MAX_CHUNK_LINE)? else { return Ok(Step::NeedInput) };
        let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let (size, extensions) = line.split_at(digits);
        let size = std::str::from_utf8(size)
            .ok()
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .ok_or_else(|| bad_chunk("a chunk size is not a hexadecimal number"))?;
        if !are_extensions(extensions) {
            return Err(bad_chunk("a chunk extension is malformed"));
        }
        self.state = if size == 0 { ChunkState::Trailers } else { ChunkState::Data(size) };
        Ok(Step::Framing(line.len() + 2))
    }

    fn trailer(&mut self, input: &[u8]) -> Result<Step, Refusal> {
        let room = MAX_TRAILERS.saturating_sub(self.trailer_size);
        let Some(line) = line(input, room)? else { return Ok(Step::NeedInput) };
        let consumed = line.len() + 2;
        self.trailer_size += consumed;
        if line.is_empty() {
            self.state = ChunkState::Done;
            return Ok(Step::Framing(consumed));
        }
        let colon = memchr::memchr(b':', line).and_then(|colon| line.split_at_checked(colon));
        let (name, value) = colon
            .and_then(|(name, rest)| Some((field::name(name)?, rest.get(1..)?)))
            .filter(|(_, value)| value.iter().copied().all(field::is_text))
            .ok_or_else(|| bad_chunk("a trailer is malformed"))?;
        self.trailers.push((name.to_owned(), field::trim(value).to_owned()));
        Ok(Step::Framing(consumed))
    }
}

/// Whether `bytes` are `*( BWS ";" BWS name [ BWS "=" BWS value ] )` (RFC 9112 §7.1.1): whoever is
/// lenient here may be led to see the end of the line, or of the body, elsewhere.
fn are_extensions(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let Some(rest) = field::trim_start(bytes).strip_prefix(b";") else { return false };
        let Some((_, rest)) = field::token(field::trim_start(rest)) else { return false };
        bytes = match field::trim_start(rest).strip_prefix(b"=") {
            None => rest,
            Some(value) => match field::token_or_quoted(field::trim_start(value)) {
                Some((_, rest)) => rest,
                None => return false,
            },
        };
    }
    true
}

/// The line at the start of `input`, without its end; `None` if it has not all come in. With its end it
/// has `max` bytes at most.
fn line(input: &[u8], max: usize) -> Result<Option<&[u8]>, Refusal> {
    match memchr::memchr(b'\n', input) {
        Some(lf) if lf >= max => Err(bad_chunk("a line is too long")),
        Some(lf) => match input.get(..lf).and_then(|line| line.strip_suffix(b"\r")) {
            Some(line) => Ok(Some(line)),
            None => Err(bad_chunk("a line ends in a bare LF")),
        },
        None if input.len() >= max => Err(bad_chunk("a line is too long")),
        None => Ok(None),
    }
}

fn bad_chunk(what: &str) -> Refusal {
    Refusal::bad_request(format!("the chunked body is malformed: {what} (RFC 9112 section 7.1)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes `input` fed in pieces of `piece` bytes: the content, and what stands after it.
    fn decode(input: &[u8], piece: usize) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
        let mut decoder = ChunkedDecoder::default();
        let (mut content, mut seen, mut fed) = (Vec::new(), Vec::new(), 0);
        loop {
            match decoder.step(&seen)? {
                Step::Framing(n) => {
                    seen.drain(..n);
                }
                Step::Content(n) => {
                    content.extend(seen.drain(..n));
                    decoder.took(n);
                }
                Step::NeedInput if fed == input.len() => {
                    return Err(Refusal::bad_request("ended early"));
                }
                Step::NeedInput => {
                    let next = input.len().min(fed + piece);
                    seen.extend_from_slice(&input[fed..next]);
                    fed = next;
                }
                Step::Done => {
                    seen.extend_from_slice(&input[fed..]);
                    return Ok((content, seen));
                }
            }
        }
    }

    #[test]
    fn content_comes_out_however_the_input_is_cut() {
        let input =
            b"5\r\nhello\r\n1;a=\"b\";c\r\n \r\n00006\r\nworld!\r\n0\r\nX-Sum: 1\r\n\r\nGET /";
        for piece in 1..=input.len() {
            let (content, rest) = decode(input, piece).unwrap();
            assert_eq!(content, b"hello world!");
            assert_eq!(rest, b"GET /", "the next request must be left alone");
        }
    }

    #[test]
    fn malformed_chunks_are_refused() {
        for bad in [
            &b"\r\n"[..],
            b"g\r\n",
            b"-1\r\n",
            b"+5\r\nhello\r\n",
            b"0x5\r\nhello\r\n",
            b"5\nhello\r\n",
            b"5\r\nhello!\r\n0\r\n\r\n",
            b"5\r\nhello0\r\n\r\n",
            b"10000000000000000\r\n",
            b"5 \r\nhello\r\n",
            b"5;a\x00\r\n",
            b"0\r\nno colon\r\n\r\n",
            b"0\r\nname : v\r\n\r\n",
            b"0\r\n: v\r\n\r\n",
            b"0\r\na: b\n\r\n",
            b" 5\r\nhello\r\n",
            b"5\r\nhello\n0\r\n\r\n",
        ] {
            assert!(decode(bad, 3).is_err(), "{:?}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn lines_and_trailers_are_bounded() {
        let long = [b"5;".as_slice(), &[b'a'; 2 * MAX_CHUNK_LINE]].concat();
        assert!(decode(&long, 100).unwrap_err().reason.contains("too long"));
        let many = [b"0\r\n".as_slice(), &b"a: b\r\n".repeat(MAX_TRAILERS)].concat();
        assert!(decode(&many, 100).unwrap_err().reason.contains("too long"));

        // A line of 1,024 bytes and a trailer section of 8,192; and each with one more.
        let line = |n: usize| format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(n - 4));
        let trailers = |n: usize| format!("0\r\na: b\r\nc: {}\r\n\r\n", "d".repeat(n - 13));
        for (fits, more) in [(line(1024), line(1025)), (trailers(8 * 1024), trailers(8 * 1024 + 1))]
        {
            for piece in [1, 1000, 10_000] {
                decode(fits.as_bytes(), piece).unwrap();
                let refusal = decode(more.as_bytes(), piece).unwrap_err();
                assert!(refusal.reason.contains("too long"), "{}", refusal.reason);
            }
        }
    }
}
