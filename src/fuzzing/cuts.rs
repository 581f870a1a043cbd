/// Cuts an input into pieces. The cuts are random, but the same for the same input, so that a finding can be
/// reproduced.
pub(super) struct Cuts {
    state: u64,
    /// The longest piece, in bytes.
    most: usize,
}

impl Cuts {
    pub(super) fn of(input: &[u8]) -> Self {
        // FNV-1a; any hash of the whole input would do.
        let hash = |hash: u64, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let mut cuts = Self { state: input.iter().fold(0xcbf2_9ce4_8422_2325, hash), most: 1 };
        // Pieces of a few bytes find other faults than pieces that contain whole lines.
        cuts.most = 1 << (cuts.random() % 12);
        cuts
    }

    /// The length of the next piece of the `left` remaining bytes: at least 1, at most `left`.
    pub(super) fn piece(&mut self, left: usize) -> usize {
        let most = u64::try_from(self.most.min(left)).unwrap_or(1).max(1);
        usize::try_from(self.random() % most).unwrap_or(0) + 1
    }

    /// `SplitMix64`.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_a_byte_and_no_more_than_is_left() {
        for length in 1..200 {
            let mut cuts = Cuts::of(&vec![7; length]);
            for left in [1, 2, 3, length] {
                let piece = cuts.piece(left);
                assert!((1..=left).contains(&piece), "{piece} of {left}");
            }
        }
    }
}
