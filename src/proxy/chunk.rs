use super::fields::{is_end_to_end, push};
use crate::peer::trust::may_be_trailer;
use crate::wire::chunked::Trailer;

/// `content` as a chunk (RFC 9112 §7.1). Empty content is the last chunk, followed by `trailers`, except those
/// that identify the client or are hop-by-hop (RFC 9110 §6.5.1).
pub(super) fn chunk(content: &[u8], trailers: &[Trailer]) -> Vec<u8> {
    let mut chunk = Vec::with_capacity(content.len() + 20);
    push_chunk(&mut chunk, content, trailers);
    chunk
}

/// Appends the same to `out`. Returns how many of the new bytes are not content.
pub(super) fn push_chunk(out: &mut Vec<u8>, content: &[u8], trailers: &[Trailer]) -> usize {
    let before = out.len() + content.len();
    out.extend_from_slice(format!("{:x}\r\n", content.len()).as_bytes());
    out.extend_from_slice(content);
    for (name, value) in trailers {
        if is_end_to_end(name) && may_be_trailer(name) {
            push(out, name, value);
        }
    }
    out.extend_from_slice(b"\r\n");
    out.len() - before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_and_the_last_one() {
        assert_eq!(chunk(&[b'x'; 26], &[]), [&b"1a\r\n"[..], &[b'x'; 26], b"\r\n"].concat());
        let trailers = ["X-Sum", "Content-Length", "Content_Length", "X-Forwarded-For"];
        let trailers = trailers.map(|name| (name.to_owned(), b"1".to_vec()));
        assert_eq!(chunk(b"", &trailers), b"0\r\nX-Sum: 1\r\n\r\n");
        let trailer = ("X-Name".to_owned(), b"caf\xe9".to_vec());
        assert_eq!(chunk(b"", &[trailer]), b"0\r\nX-Name: caf\xe9\r\n\r\n");
    }
}
