use std::collections::VecDeque;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use smol::Task;

use crate::common::buffers::{Buffers, Share};

/// How much of a body is held in memory, in bytes; the rest goes to a file.
const MEMORY: usize = 64 * 1024;

/// How much is written to the file, or read from it, at a time, in bytes.
const BLOCK: usize = 32 * 1024;

/// A queue of bytes between a sender and a slower receiver. The bytes are in memory first, then in an unnamed
/// file.
///
/// The file holds the older part, in blocks. A block that was read back frees its place for another, so the
/// file is never larger than the most that it held at one time.
#[derive(Debug)]
pub(super) struct Spool {
    share: Share,
    /// The newest bytes.
    tail: Vec<u8>,
    /// The places of the blocks in the file, oldest first.
    blocks: VecDeque<u64>,
    /// The free places in the file.
    free: Vec<u64>,
    /// How many places the file has; the next field is the limit.
    places: u64,
    max_places: u64,
    file: Option<Arc<File>>,
    work: Option<Work>,
    /// The size of the piece that was taken out last. The receiver still has it in memory.
    lent: usize,
    /// How many bytes have been added.
    length: u64,
    /// Why there is no file, or why writing to it failed.
    failure: Option<io::Error>,
}

/// What a blocking thread is doing with the file.
#[derive(Debug)]
enum Work {
    Write(Task<Written>),
    Read(Task<io::Result<Vec<u8>>>),
}

/// The result of writing a block. It contains the block, so that a failed write loses nothing.
#[derive(Debug)]
struct Written {
    block: Vec<u8>,
    place: u64,
    file: io::Result<Arc<File>>,
}

impl Spool {
    /// A spool for the body of a request, whose length is limited elsewhere.
    pub(super) fn of_request(buffers: &Arc<Buffers>) -> Self {
        Self::new(buffers, buffers.max_disk())
    }

    /// A spool for a response.
    pub(super) fn of_answer(buffers: &Arc<Buffers>) -> Self {
        Self::new(buffers, buffers.max_answer())
    }

    fn new(buffers: &Arc<Buffers>, max_disk: u64) -> Self {
        Self {
            share: Share::of(buffers),
            tail: Vec::new(),
            blocks: VecDeque::new(),
            free: Vec::new(),
            places: 0,
            max_places: max_disk / BLOCK as u64,
            file: None,
            work: None,
            lent: 0,
            length: 0,
            failure: None,
        }
    }

    /// Adds `bytes` at the end. Call [`Spool::poll_within`] before adding more.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.share.hold(bytes.len());
        self.tail.extend_from_slice(bytes);
        self.length += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    }

    /// How many bytes have been added.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Why it cannot use a file, if it cannot.
    pub(super) fn into_failure(self) -> Option<io::Error> {
        self.failure
    }

    /// Whether everything that was added has been taken out.
    pub(super) fn is_empty(&self) -> bool {
        self.tail.is_empty() && self.blocks.is_empty() && self.work.is_none()
    }

    /// Whether it has a file, or is about to have one.
    pub(super) fn has_file(&self) -> bool {
        self.file.is_some() || self.work.is_some()
    }

    /// Moves blocks to the file, with `use_file`, until the rest is within the memory limits. `false` if that
    /// is not possible; then there is no room until some bytes are taken out.
    pub(super) fn poll_within(&mut self, cx: &mut Context<'_>, use_file: bool) -> Poll<bool> {
        loop {
            if self.in_memory() <= MEMORY && self.share.has_memory() {
                return Poll::Ready(true);
            }
            if matches!(self.work, Some(Work::Write(_))) {
                ready!(self.poll_written(cx));
                continue;
            }
            // The receiver waits for the block that is being read.
            if self.work.is_some() || !use_file || !self.write_block() {
                if !self.share.has_memory() {
                    self.share.tell_full();
                }
                return Poll::Ready(false);
            }
        }
    }

    /// Takes out the next piece. An empty piece means that nothing is left.
    pub(super) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        self.share.release(self.lent);
        self.lent = 0;
        ready!(self.poll_written(cx));
        if let (None, Some(&place), Some(file)) = (&self.work, self.blocks.front(), &self.file) {
            let file = Arc::clone(file);
            self.work = Some(Work::Read(smol::unblock(move || read_block(&file, place))));
        }
        let piece = if let Some(Work::Read(task)) = &mut self.work {
            let block = ready!(Pin::new(task).poll(cx));
            self.work = None;
            let block = block?;
            self.free.extend(self.blocks.pop_front());
            self.share.hold(block.len());
            block
        } else {
            std::mem::take(&mut self.tail)
        };
        self.lent = piece.len();
        Poll::Ready(Ok(piece))
    }

    fn in_memory(&self) -> usize {
        let writing = if matches!(self.work, Some(Work::Write(_))) { BLOCK } else { 0 };
        self.tail.len() + self.lent + writing
    }

    /// Starts writing the oldest block in memory to the file; `false` if there is no block, or no room.
    fn write_block(&mut self) -> bool {
        if self.tail.len() < BLOCK || self.failure.is_some() {
            return false;
        }
        let Some(place) = self.free.pop().or_else(|| self.new_place()) else { return false };
        let rest = self.tail.split_off(BLOCK);
        let block = std::mem::replace(&mut self.tail, rest);
        let file = self.file.clone();
        self.work = Some(Work::Write(smol::unblock(move || {
            let file = file.map_or_else(|| tempfile::tempfile().map(Arc::new), Ok);
            let file = file.and_then(|file| write_block(&file, place, &block).map(|()| file));
            Written { block, place, file }
        })));
        true
    }

    fn new_place(&mut self) -> Option<u64> {
        if self.places == self.max_places {
            return None;
        }
        if !self.share.take_disk(BLOCK) {
            self.share.tell_full();
            return None;
        }
        self.places += 1;
        Some(self.places - 1)
    }

    /// Ready when no write is in progress.
    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(Work::Write(task)) = &mut self.work else { return Poll::Ready(()) };
        let Written { mut block, place, file } = ready!(Pin::new(task).poll(cx));
        self.work = None;
        match file {
            Ok(file) => {
                self.file = Some(file);
                self.blocks.push_back(place);
                self.share.release(BLOCK);
            }
            Err(error) => {
                block.append(&mut self.tail);
                self.tail = block;
                self.free.push(place);
                self.share.tell_failed(&error);
                self.failure = Some(error);
            }
        }
        Poll::Ready(())
    }
}

fn write_block(mut file: &File, place: u64, block: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(place * BLOCK as u64))?;
    file.write_all(block)
}

fn read_block(mut file: &File, place: u64) -> io::Result<Vec<u8>> {
    let mut block = vec![0; BLOCK];
    file.seek(SeekFrom::Start(place * BLOCK as u64))?;
    file.read_exact(&mut block)?;
    Ok(block)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    fn within(spool: &mut Spool) -> bool {
        smol::block_on(poll_fn(|cx| spool.poll_within(cx, true)))
    }

    fn piece(spool: &mut Spool) -> Vec<u8> {
        smol::block_on(poll_fn(|cx| spool.poll_piece(cx))).unwrap()
    }

    fn rest(spool: &mut Spool) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let piece = piece(spool);
            if piece.is_empty() {
                return all;
            }
            all.extend(piece);
        }
    }

    fn bytes(length: usize) -> Vec<u8> {
        (0..=250).cycle().take(length).collect()
    }

    #[test]
    fn what_goes_in_comes_out() {
        let buffers = Buffers::new(1 << 20);
        for length in [0, 1, MEMORY, MEMORY + 1, 2 * MEMORY, 300_001] {
            for at_a_time in [1000, 16 * 1024, 20_000, 200_000] {
                let (all, mut spool) = (bytes(length), Spool::of_request(&buffers));
                for some in all.chunks(at_a_time) {
                    spool.push(some);
                    assert!(within(&mut spool), "{length}");
                }
                assert_eq!(spool.length(), length as u64);
                assert_eq!(spool.has_file(), length > MEMORY, "{length}");
                assert!(buffers.taken().0 <= MEMORY as u64, "{:?}", buffers.taken());
                assert!(rest(&mut spool) == all, "{length}");
                assert!(spool.is_empty());
                drop(spool);
                assert_eq!(buffers.taken(), (0, 0));
            }
        }
    }

    /// However much passes through, the spool uses no more than was waiting at one time.
    #[test]
    fn places_are_used_again() {
        let buffers = Buffers::new(1 << 30);
        let (all, mut spool) = (bytes(4 << 20), Spool::of_answer(&buffers));
        let mut came = Vec::new();
        for some in all.chunks(100_000) {
            spool.push(some);
            for _ in 0..3 {
                assert!(within(&mut spool) || spool.lent > 0);
                came.extend(piece(&mut spool));
            }
            let (memory, disk) = buffers.taken();
            assert!(memory <= 2 * MEMORY as u64 && disk <= 300_000, "{memory} {disk}");
        }
        came.extend(rest(&mut spool));
        assert!(came == all);
    }

    #[test]
    fn without_room_it_says_so_and_loses_nothing() {
        let buffers = Buffers::new(4 * BLOCK as u64);
        // All of the disk space for a request, a quarter of it for a response, and no disk space.
        for (mut spool, most) in [
            (Spool::of_request(&buffers), 4),
            (Spool::of_answer(&buffers), 1),
            (Spool::of_request(&Buffers::new(0)), 0),
        ] {
            let mut all = Vec::new();
            let mut push = |spool: &mut Spool| {
                let some = bytes(10_000);
                spool.push(&some);
                all.extend(some);
            };
            push(&mut spool);
            while within(&mut spool) {
                push(&mut spool);
            }
            assert_eq!(spool.places, most);
            let most = MEMORY + usize::try_from(most).unwrap() * BLOCK;
            assert!((most..most + 10_001).contains(&all.len()), "{}", all.len());
            assert!(rest(&mut spool) == all);
            assert!(within(&mut spool), "there is room again");
        }
    }

    #[test]
    fn what_cannot_be_written_is_not_lost() {
        let (all, mut spool) = (bytes(5 * BLOCK), Spool::of_request(&Buffers::new(1 << 30)));
        spool.push(&all[..3 * BLOCK]);
        assert!(within(&mut spool));
        // The file is readable but not writable.
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &all[..BLOCK]).unwrap();
        spool.file = Some(Arc::new(File::open(file.path()).unwrap()));
        spool.push(&all[3 * BLOCK..]);
        assert!(!within(&mut spool));
        assert!(rest(&mut spool) == all);
        assert!(spool.into_failure().is_some());
    }
}
