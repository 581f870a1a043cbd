//! Compresses files that have no compressed copy beside them.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use flate2::Compression;
use flate2::read::GzEncoder;
use http_types::Body;
use smol::Task;
use smol::future::Future;
use smol::lock::{Semaphore, SemaphoreGuardArc};

use super::file_body::{read_at, shrunk};
use crate::common::buffered::{Buffered, Fill};

/// The compression level: higher ones take much longer and save little.
const LEVEL: Compression = Compression::new(5);

/// The number of bytes that a thread compresses at a time.
const TURN: u64 = 64 * 1024;

/// How many files of a folder are compressed at once, for each core. Each takes some 300 KiB until the client
/// has read it, and keeps a thread busy. Further files are sent uncompressed.
const AT_ONCE: usize = 4;

/// Limits how many files are compressed at once.
pub(super) fn room() -> Arc<Semaphore> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(AT_ONCE.saturating_mul(cores)))
}

/// `bytes` in gzip.
pub(super) fn whole(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(bytes.len() / 3), LEVEL);
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// The first `size` bytes of `file` in gzip, compressed outside the reactor while they are read. It holds
/// `place` until then.
pub(super) fn body(file: File, size: u64, place: SemaphoreGuardArc) -> Body {
    let encoder = GzEncoder::new(BoundedFile { file, offset: 0, end: size }, LEVEL);
    Body::from_reader(
        Buffered::new(Compressed { encoder: Some(encoder), turn: None, _place: place }),
        None,
    )
}

/// A file, up to the size that was announced.
struct BoundedFile {
    file: File,
    offset: u64,
    end: u64,
}

impl io::Read for BoundedFile {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.offset).unwrap_or(usize::MAX);
        let room = buf.len().min(left);
        if room == 0 {
            return Ok(0);
        }
        let n = read_at(&self.file, buf.get_mut(..room).unwrap_or_default(), self.offset)?;
        if n == 0 {
            return Err(shrunk());
        }
        self.offset += n as u64;
        Ok(n)
    }
}

/// The result of one step: the encoder, and its output.
type Turn = (GzEncoder<BoundedFile>, Vec<u8>, io::Result<usize>);

struct Compressed {
    /// `None` while it is in use, and after a failure.
    encoder: Option<GzEncoder<BoundedFile>>,
    turn: Option<Task<Turn>>,
    _place: SemaphoreGuardArc,
}

impl Fill for Compressed {
    fn poll_fill(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<io::Result<()>> {
        if let Some(mut encoder) = self.encoder.take() {
            let mut buffer = std::mem::take(buffer);
            buffer.clear();
            self.turn = Some(smol::unblock(move || {
                let made = encoder.by_ref().take(TURN).read_to_end(&mut buffer);
                (encoder, buffer, made)
            }));
        }
        if let Some(turn) = &mut self.turn {
            let (encoder, made, result) = ready!(Pin::new(turn).poll(cx));
            self.turn = None;
            result?;
            (self.encoder, *buffer) = (Some(encoder), made);
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use smol::io::AsyncReadExt;

    use super::*;

    fn unzip(bytes: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
        plain
    }

    #[test]
    fn what_goes_in_comes_out() {
        let text: Vec<u8> = (0..60_000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
        assert_eq!(unzip(&whole(&text).unwrap()), text);
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("file");
        fs::write(&name, &text).unwrap();
        let size = u64::try_from(text.len()).unwrap();
        let read = |size| {
            let place = room().try_acquire_arc().unwrap();
            let mut body = body(File::open(&name).unwrap(), size, place);
            let mut bytes = Vec::new();
            smol::block_on(body.read_to_end(&mut bytes)).map(|_| bytes)
        };
        let zipped = read(size).unwrap();
        assert!(zipped.len() > 100_000 && zipped.len() < text.len(), "{}", zipped.len());
        assert_eq!(unzip(&zipped), text);
        assert_eq!(unzip(&read(1000).unwrap()), &text[..1000], "more than was there");
        let error = read(size + 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{error}");
    }
}
