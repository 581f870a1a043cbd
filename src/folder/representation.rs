use std::fs::{File, Metadata};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_types::{Body, Response, StatusCode};
use smol::lock::Semaphore;

use super::asked::Asked;
use super::coding::Coding;
use super::conditions::{Precondition, Validators};
use super::entity_tag::EntityTag;
use super::file_body::{FileBody, Piece, read_at, read_now, shrunk};
use super::kind::Kind;
use super::open::{Missed, Patience};
use super::ranges::{Parts, content_range};
use super::{compress, multipart, place, refused};

/// Files up to this size, in bytes, are read at once; larger ones are sent while they are read.
const SMALL: u64 = 64 * 1024;

/// Text below this size, in bytes, is not compressed: it fits into one packet.
const LEAST_COMPRESSED: u64 = 1024;

/// A file that was modified less than this ago may be modified again in the same tick of the file system's clock.
const SETTLING: Duration = Duration::from_secs(1);

/// A file in the form in which it is sent.
pub(super) struct Representation {
    file: File,
    size: u64,
    kind: Kind,
    /// The coding of the bytes that the client gets.
    coding: Option<Coding>,
    /// Whether they are compressed here.
    on_the_fly: bool,
    validators: Validators,
}

impl Representation {
    /// The available form of `file` that the client prefers. `open` opens other files of the folder.
    pub(super) fn choose(
        asked: &Asked,
        open: impl Fn(&Path) -> Result<(File, Metadata), Missed>,
        name: &Path,
        file: File,
        metadata: &Metadata,
    ) -> Result<Self, Missed> {
        let kind = Kind::of(name);
        let codings = if kind.is_packed { &[][..] } else { &asked.codings };
        for &coding in codings {
            match open(&place::sibling(name, coding.extension())) {
                Ok((copy, of_copy)) if of_copy.is_file() && !is_older(&of_copy, metadata) => {
                    return Ok(Self::new(copy, &of_copy, kind, Some(coding), false));
                }
                Ok(_) | Err(Missed::Nothing | Missed::Denied | Missed::Outside) => {}
                Err(missed) => return Err(missed),
            }
        }
        // To send a part of it, the whole would have to be compressed.
        let on_the_fly = kind.is_text
            && metadata.len() >= LEAST_COMPRESSED
            && asked.ranges.is_none()
            && codings.contains(&Coding::Gzip);
        let coding = on_the_fly.then_some(Coding::Gzip);
        Ok(Self::new(file, metadata, kind, coding, on_the_fly))
    }

    fn new(
        file: File,
        metadata: &Metadata,
        kind: Kind,
        coding: Option<Coding>,
        on_the_fly: bool,
    ) -> Self {
        let now = SystemTime::now();
        let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
        let settled = now.duration_since(modified).is_ok_and(|age| age >= SETTLING);
        let suffix = coding.map(|coding| format!("-{}", coding.name())).unwrap_or_default();
        // Another version of the library may compress to other bytes.
        let weak = on_the_fly || !settled;
        let validators = Validators {
            tag: EntityTag::of(modified, metadata.len(), &suffix, weak),
            modified: modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            settled,
        };
        Self { file, size: metadata.len(), kind, coding, on_the_fly, validators }
    }

    /// The answer with this representation.
    pub(super) fn answer(
        self,
        asked: &Asked,
        patience: Patience,
        room: &Arc<Semaphore>,
    ) -> Result<Response, Missed> {
        let part = match asked.conditions.evaluate(&self.validators) {
            Precondition::Failed => {
                let why = "the file is not what the request takes it for";
                return Ok(refused(StatusCode::PreconditionFailed, why));
            }
            Precondition::NotModified => {
                let mut response = Response::new(StatusCode::NotModified);
                self.describe(&mut response);
                return Ok(response);
            }
            Precondition::Proceed { part } => part,
        };
        let ranges = asked.ranges.as_ref().filter(|_| part);
        match ranges.map_or(Parts::Whole, |ranges| ranges.of_length(self.size)) {
            Parts::Whole if self.on_the_fly => self.compressed(asked, patience, room),
            Parts::Whole => self.whole(asked, patience),
            Parts::Unsatisfiable => {
                let why = "the file has none of the ranges that are asked for";
                let mut response = refused(StatusCode::RequestedRangeNotSatisfiable, why);
                response.insert_header("content-range", format!("bytes */{}", self.size));
                response.insert_header("accept-ranges", "bytes");
                Ok(response)
            }
            Parts::Some(parts) => match &*parts {
                [part] => self.part(part.clone(), patience),
                parts => Ok(self.parts(parts)),
            },
        }
    }

    fn whole(self, asked: &Asked, patience: Patience) -> Result<Response, Missed> {
        let mut response = self.response(StatusCode::Ok);
        if asked.head_only {
            let length = usize::try_from(self.size).ok();
            response.set_body(Body::from_reader(smol::io::empty(), length));
        } else {
            let range = 0..self.size;
            self.put_range(range, &mut response, patience)?;
        }
        Ok(response)
    }

    /// RFC 9110 §15.3.7.1.
    fn part(self, range: Range<u64>, patience: Patience) -> Result<Response, Missed> {
        let mut response = self.response(StatusCode::PartialContent);
        response.insert_header("content-range", content_range(&range, self.size));
        self.put_range(range, &mut response, patience)?;
        Ok(response)
    }

    /// RFC 9110 §15.3.7.2.
    fn parts(self, parts: &[Range<u64>]) -> Response {
        let (pieces, content_type) = multipart::body(parts, self.size, &self.kind.content_type);
        let mut response = self.response(StatusCode::PartialContent);
        response.insert_header("content-type", content_type);
        self.put_pieces(pieces, &mut response);
        response
    }

    /// In gzip, if there is `room` for one more.
    fn compressed(
        self,
        asked: &Asked,
        patience: Patience,
        room: &Arc<Semaphore>,
    ) -> Result<Response, Missed> {
        if asked.head_only {
            let mut response = self.response(StatusCode::Ok);
            // The length would be known only after the compression.
            response.set_body(Body::from_reader(smol::io::empty(), None));
            return Ok(response);
        }
        if patience == Patience::None {
            return Err(Missed::NotNow);
        }
        let Some(place) = room.try_acquire_arc() else {
            let metadata = self.file.metadata().map_err(Missed::Failed)?;
            let plain = Self::new(self.file, &metadata, self.kind, None, false);
            return plain.whole(asked, patience);
        };
        let mut response = self.response(StatusCode::Ok);
        if self.size <= SMALL {
            let bytes = read(&self.file, 0..self.size, patience)?;
            response.set_body(Body::from_bytes(compress::whole(&bytes).map_err(Missed::Failed)?));
        } else {
            response.set_body(compress::body(self.file, self.size, place));
        }
        Ok(response)
    }

    /// A response with the fields that describe the body, without the body.
    fn response(&self, status: StatusCode) -> Response {
        let mut response = Response::new(status);
        response.insert_header("content-type", &*self.kind.content_type);
        // Browsers must not guess another type.
        response.insert_header("x-content-type-options", "nosniff");
        if let Some(coding) = self.coding {
            response.insert_header("content-encoding", coding.name());
        }
        if !self.on_the_fly {
            response.insert_header("accept-ranges", "bytes");
        }
        self.describe(&mut response);
        response
    }

    /// The fields that a 304 has too (RFC 9110 §15.4.5).
    fn describe(&self, response: &mut Response) {
        response.insert_header("etag", self.validators.tag.to_string());
        // Not later than now, even if the file's time is (RFC 9110 §8.8.2.1).
        let modified = UNIX_EPOCH + Duration::from_secs(self.validators.modified);
        let modified = modified.min(SystemTime::now());
        response.insert_header("last-modified", httpdate::fmt_http_date(modified));
        if !self.kind.is_packed {
            response.insert_header("vary", "accept-encoding");
        }
    }

    /// Makes these bytes the body of `response`. If they are few, they are read at once.
    fn put_range(
        self,
        range: Range<u64>,
        response: &mut Response,
        patience: Patience,
    ) -> Result<(), Missed> {
        if range.end - range.start <= SMALL {
            response.set_body(Body::from_bytes(read(&self.file, range, patience)?));
        } else {
            self.put_pieces(vec![Piece::File(range)], response);
        }
        Ok(())
    }

    fn put_pieces(self, pieces: Vec<Piece>, response: &mut Response) {
        FileBody { file: Arc::new(self.file), pieces: pieces.into() }.put_into(response);
    }
}

/// Whether a compressed copy is older than its file. Some tools give the copy a time in whole seconds, so that it
/// looks older than it is.
fn is_older(copy: &Metadata, file: &Metadata) -> bool {
    let modified = |metadata: &Metadata| {
        let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
        modified.duration_since(UNIX_EPOCH).unwrap_or_default()
    };
    let (copy, file) = (modified(copy), modified(file));
    if copy.subsec_nanos() == 0 { copy.as_secs() < file.as_secs() } else { copy < file }
}

/// Reads exactly these bytes of `file`.
fn read(file: &File, range: Range<u64>, patience: Patience) -> Result<Vec<u8>, Missed> {
    let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) {
        let offset = range.start + filled as u64;
        let n = match patience {
            Patience::None => read_now(file, room, offset),
            Patience::Any => read_at(file, room, offset),
        };
        match n {
            Ok(0) => return Err(Missed::Failed(shrunk())),
            Ok(n) => filled += n,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                return Err(Missed::NotNow);
            }
            Err(error) => return Err(Missed::Failed(error)),
        }
    }
    Ok(bytes)
}
