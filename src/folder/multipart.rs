//! Several parts in one answer (RFC 9110 §14.6).

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use super::file_body::Piece;
use super::ranges::content_range;

/// A body with these parts of `size` bytes, each with its fields, and the type of the whole.
pub(super) fn body(parts: &[Range<u64>], size: u64, content_type: &str) -> (Vec<Piece>, String) {
    let boundary = boundary();
    let mut pieces = Vec::with_capacity(2 * parts.len() + 1);
    let mut line_end = "";
    for part in parts {
        let head = format!(
            "{line_end}--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {}\r\n\r\n",
            content_range(part, size)
        );
        pieces.push(Piece::Bytes(head.into_bytes()));
        pieces.push(Piece::File(part.clone()));
        line_end = "\r\n";
    }
    pieces.push(Piece::Bytes(format!("\r\n--{boundary}--\r\n").into_bytes()));
    (pieces, format!("multipart/byteranges; boundary={boundary}"))
}

/// A random delimiter, which no file can contain on purpose.
fn boundary() -> String {
    let random = || RandomState::new().hash_one(0);
    format!("{:016x}{:016x}", random(), random())
}
