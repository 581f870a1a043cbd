//! Several parts in one answer (RFC 9110 §14.6).

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use http_types::{Response, StatusCode};

use super::representation::Representation;
use crate::file_body::Piece;

/// A 206 with these parts; the fields of each stand with it.
pub(super) fn answer(representation: Representation, parts: &[Range<u64>]) -> Response {
    let boundary = boundary();
    let mut response = representation.response(StatusCode::PartialContent);
    response.insert_header("content-type", format!("multipart/byteranges; boundary={boundary}"));
    let mut pieces = Vec::with_capacity(2 * parts.len() + 1);
    let mut line_end = "";
    for part in parts {
        let head = format!(
            "{line_end}--{boundary}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n",
            representation.content_type(),
            representation.content_range(part)
        );
        pieces.push(Piece::Bytes(head.into_bytes()));
        pieces.push(Piece::File(part.clone()));
        line_end = "\r\n";
    }
    pieces.push(Piece::Bytes(format!("\r\n--{boundary}--\r\n").into_bytes()));
    representation.put_pieces(pieces, &mut response);
    response
}

/// What nobody can have written into a file: no two are the same, and none can be foreseen.
fn boundary() -> String {
    let random = || RandomState::new().hash_one(0);
    format!("{:016x}{:016x}", random(), random())
}
