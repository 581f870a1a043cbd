/// How much is asked of the stream at a time, in bytes. The heads of most requests fit in it.
const READ_SIZE: usize = 8 * 1024;

/// Bytes that have been read from the stream and not yet interpreted.
///
/// It owns memory only while it holds bytes or a read is under way: see [`Input::release`].
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    /// What has not been consumed yet.
    pub(crate) fn unread(&self) -> &[u8] {
        // `start <= end <= bytes.len()` holds after every method, so there is always a slice.
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn unread_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Marks the first `n` unread bytes as interpreted.
    pub(crate) fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
        if self.is_empty() {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Room to read into; [`Input::filled`] says how much of it was used.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.start > 0 && self.bytes.len() - self.end < READ_SIZE / 2 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.bytes.len() - self.end < READ_SIZE / 2 {
            self.bytes.resize(self.end + READ_SIZE, 0);
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Counts `n` bytes of the room as read.
    pub(crate) fn filled(&mut self, n: usize) {
        self.end = (self.end + n).min(self.bytes.len());
    }

    /// Gives the memory back if nothing is in it: an idle connection holds no buffer.
    pub(crate) fn release(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(input: &mut Input, bytes: &[u8]) {
        for piece in bytes.chunks(1000) {
            input.room()[..piece.len()].copy_from_slice(piece);
            input.filled(piece.len());
        }
    }

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let all: Vec<u8> = (0..100_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let mut input = Input::default();
        let mut out = Vec::new();
        for piece in all.chunks(7_001) {
            put(&mut input, piece);
            let half = input.unread().len() / 2;
            out.extend_from_slice(&input.unread()[..half]);
            input.consume(half);
        }
        out.extend_from_slice(input.unread());
        assert_eq!(out, all);
    }

    #[test]
    fn holds_no_memory_once_empty_and_released() {
        let mut input = Input::default();
        put(&mut input, b"GET");
        input.release();
        assert_eq!(input.unread(), b"GET", "release must not lose bytes");
        input.consume(3);
        input.release();
        assert_eq!(input.bytes.capacity(), 0);
    }
}
