use super::cuts::Cuts;
use crate::common::refusal::Refusal;
use crate::wire::chunked::{ChunkedDecoder, Step, Trailer};

/// The most bytes that the decoder may keep while it waits for the rest of a line.
const MOST_HELD: usize = 8 * 1024 + 1;

/// A decoded body.
#[derive(Debug, PartialEq, Eq)]
struct Decoded {
    content: Vec<u8>,
    trailers: Vec<Trailer>,
    /// The length of the body in the input, in bytes.
    length: usize,
}

/// `input` begins with a chunked body, and other bytes follow. All ways to cut it give the same result, and the
/// bytes after the body stay unread. The body means the same when it is encoded again.
pub fn chunked(input: &[u8]) {
    let whole = decode(input, None);
    let bytes = decode(input, Some(&mut |_| 1));
    let mut cuts = Cuts::of(input);
    let pieces = decode(input, Some(&mut |left| cuts.piece(left)));
    for other in [&bytes, &pieces] {
        match (&whole, other) {
            // With several faults, the pieces may decide which one is found first.
            (Err(whole), Err(other)) => assert_eq!(whole.status, other.status),
            (whole, other) => assert_eq!(whole, other),
        }
    }
    match whole {
        Err(refusal) => check_refusal(&refusal),
        Ok(None) => {}
        Ok(Some(body)) => check_body(input, body),
    }
}

fn check_body(input: &[u8], body: Decoded) {
    let (taken, rest) = input.split_at(body.length);
    assert!(taken.ends_with(b"\r\n"), "a body ends with a line");
    assert!(body.content.len() < taken.len());
    for end in [0, taken.len() / 2, taken.len() - 1] {
        assert_eq!(decode(&taken[..end], None), Ok(None), "it ended before its end");
    }
    for (name, value) in &body.trailers {
        assert!(!name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':'));
        assert!(value.iter().all(|&b| b == b'\t' || (b >= b' ' && b != 0x7f)), "{value:?}");
    }

    // All content in one chunk, and the shortest form of the trailers.
    let mut anew = Vec::new();
    if !body.content.is_empty() {
        anew.extend_from_slice(format!("{:x}\r\n", body.content.len()).as_bytes());
        anew.extend_from_slice(&body.content);
        anew.extend_from_slice(b"\r\n");
    }
    anew.extend_from_slice(b"0\r\n");
    for (name, value) in &body.trailers {
        anew.extend_from_slice(&[name.as_bytes(), b":", value, b"\r\n"].concat());
    }
    anew.extend_from_slice(b"\r\n");
    let length = anew.len();
    anew.extend_from_slice(rest);
    assert_eq!(decode(&anew, None), Ok(Some(Decoded { length, ..body })));
}

fn check_refusal(refusal: &Refusal) {
    assert_eq!(u16::from(refusal.status), 400);
    assert!(refusal.reason.bytes().all(|b| (b' '..=b'~').contains(&b)), "{}", refusal.reason);
}

/// Decodes `input` as the wire does. `piece` gives the length of the next piece of the remaining bytes; content is
/// then read in such pieces too. `None` if the input is incomplete.
fn decode(
    input: &[u8],
    piece: Option<&mut dyn FnMut(usize) -> usize>,
) -> Result<Option<Decoded>, Refusal> {
    let piece: &mut dyn FnMut(usize) -> usize = match piece {
        Some(piece) => piece,
        None => &mut |left| left,
    };
    let mut decoder = ChunkedDecoder::default();
    let mut content = Vec::new();
    let (mut taken, mut fed) = (0, 0);
    loop {
        match decoder.step(&input[taken..fed])? {
            Step::Framing(n) => {
                assert!(n > 0, "a step that takes nothing goes on for ever");
                taken += n;
            }
            Step::Content(n) => {
                assert!(n > 0, "a step that takes nothing goes on for ever");
                // A handler may read less than is available.
                let n = piece(n);
                content.extend_from_slice(&input[taken..taken + n]);
                decoder.took(n);
                taken += n;
            }
            Step::NeedInput if fed == input.len() => return Ok(None),
            Step::NeedInput => {
                assert!(fed - taken <= MOST_HELD, "{} bytes are held", fed - taken);
                fed += piece(input.len() - fed);
            }
            Step::Done => {
                assert_eq!(decoder.step(&input[taken..]), Ok(Step::Done), "done is done");
                let trailers = decoder.into_trailers();
                return Ok(Some(Decoded { content, trailers, length: taken }));
            }
        }
        assert!(taken <= fed, "it took what it was not given");
    }
}
