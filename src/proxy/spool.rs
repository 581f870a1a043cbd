use std::fs::File;
use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use smol::Unblock;
use smol::io::{AsyncRead, AsyncSeekExt, AsyncWriteExt};

/// So much of a body is held in memory, in bytes; what is longer goes to a file.
const MEMORY: usize = 64 * 1024;

/// A body that is held back until its length is known: in memory, or in a file that has no name.
///
/// It is written whole, then read whole, more than once if need be.
#[derive(Debug, Default)]
pub(super) struct Spool {
    memory: Vec<u8>,
    file: Option<Unblock<File>>,
    length: u64,
    /// How much of the memory has been read again.
    read: usize,
}

impl Spool {
    /// Adds `bytes` at the end.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.file.is_none() && self.memory.len() + bytes.len() > MEMORY {
            let file = smol::unblock(tempfile::tempfile).await?;
            // By itself it would hold 8 MiB in memory.
            let mut file = Unblock::with_capacity(MEMORY, file);
            file.write_all(&std::mem::take(&mut self.memory)).await?;
            self.file = Some(file);
        }
        self.length += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if let Some(file) = &mut self.file {
            return file.write_all(bytes).await;
        }
        self.memory.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Begins to read from the front, for the first time or again.
    pub(super) async fn rewind(&mut self) -> io::Result<()> {
        self.read = 0;
        if let Some(file) = &mut self.file {
            file.flush().await?;
            file.seek(SeekFrom::Start(0)).await?;
        }
        Ok(())
    }

    /// The next piece, of `most` bytes; empty at the end.
    pub(super) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
    ) -> Poll<io::Result<Vec<u8>>> {
        let mut piece = vec![0; most];
        let n = if let Some(file) = &mut self.file {
            ready!(Pin::new(file).poll_read(cx, &mut piece))?
        } else {
            let rest = self.memory.get(self.read..).unwrap_or_default();
            let n = rest.len().min(most);
            if let (Some(to), Some(from)) = (piece.get_mut(..n), rest.get(..n)) {
                to.copy_from_slice(from);
            }
            self.read += n;
            n
        };
        piece.truncate(n);
        Poll::Ready(Ok(piece))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn round_trip(pieces: &[&[u8]]) {
        smol::block_on(async {
            let mut spool = Spool::default();
            for piece in pieces {
                spool.write(piece).await.unwrap();
            }
            let whole = pieces.concat();
            assert_eq!(spool.length(), whole.len() as u64);
            assert_eq!(spool.file.is_some(), whole.len() > MEMORY);
            for _ in 0..2 {
                spool.rewind().await.unwrap();
                let mut read = Vec::new();
                loop {
                    let piece = poll_fn(|cx| spool.poll_piece(cx, 1000)).await.unwrap();
                    if piece.is_empty() {
                        break;
                    }
                    read.extend(piece);
                }
                assert!(read == whole);
            }
        });
    }

    #[test]
    fn what_goes_in_comes_out() {
        round_trip(&[]);
        round_trip(&[b"hello ", b"world"]);
        let most = [7].repeat(MEMORY);
        round_trip(&[&most]);
        round_trip(&[&most, b"!"]);
        round_trip(&[b"a", &most.repeat(3), b"b"]);
    }
}
