//! Finding bytes in a text, above all *special* ones: what a JSON string cannot hold as it is.
//!
//! Fast and without `unsafe`: eight bytes at a time in a word, or blocks of which the compiler makes vector instructions
//! (that it does was seen in the machine code; of arrays much shorter than a block it does not).

const BLOCK: usize = 64;
const WORD: usize = size_of::<u64>();

/// Quotes, backslashes, control characters.
#[inline(always)]
pub(super) fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// How many bytes stand before the first special one, at most sixteen; without a branch.
#[inline(always)]
pub(super) fn until_special(bytes: &[u8; 2 * WORD]) -> usize {
    let (words, _) = bytes.as_chunks();
    let [first, second] = [0, 1].map(|index: usize| special_lanes(u64::from_le_bytes(words[index])));
    let lanes = if first == 0 { second } else { first };
    usize::from(first == 0) * WORD + lanes.trailing_zeros() as usize / 8
}

/// Sets the top bit of each byte that is special and clears all else. No carry passes from byte to byte.
#[inline(always)]
fn special_lanes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const TOPS: u64 = ONES << 7;
    let low = word & !TOPS;
    let not_control = low + ONES * 0x60;
    let not_quote = (low ^ (ONES * b'"' as u64)) + !TOPS;
    let not_backslash = (low ^ (ONES * b'\\' as u64)) + !TOPS;
    !(not_control & not_quote & not_backslash | word) & TOPS
}

/// Where the sought bytes of a text are, in order.
///
/// A mask of each block tells. Prompts are full of `\n`, and leaping from bit to bit spares a mispredicted branch for
/// each of them.
pub(super) struct Places<'a, F> {
    sought: F,
    /// What follows the block.
    rest: &'a [u8],
    /// Where the block begins.
    start: usize,
    /// The sought bytes of the block that are yet to be told.
    mask: u64,
    /// The one that was told last.
    last: u32,
    /// Set if the first byte of the next block is to be passed over.
    passed: u64,
}

impl<'a, F: Fn(u8) -> bool> Places<'a, F> {
    #[inline(always)]
    pub(super) fn new(bytes: &'a [u8], sought: F) -> Self {
        Self {
            sought,
            rest: bytes,
            start: 0_usize.wrapping_sub(BLOCK),
            mask: 0,
            last: 0,
            passed: 0,
        }
    }

    /// Does not tell the byte behind the one that was told last, should it be sought.
    #[inline(always)]
    pub(super) fn pass_over_next(&mut self) {
        self.mask &= !(2 << self.last);
        self.passed = u64::from(self.last == u64::BITS - 1);
    }

    /// Goes to the next block with a sought byte.
    #[inline(always)]
    fn advance(&mut self) -> Option<()> {
        // Behind a block with sought bytes the next one is likely to have some.
        let mut likely = true;
        while self.mask == 0 {
            self.start = self.start.wrapping_add(BLOCK);
            let passed = std::mem::take(&mut self.passed);
            if let Some((block, rest)) = self.rest.split_first_chunk() {
                self.rest = rest;
                self.mask = if likely || any(block, &self.sought) {
                    mask(block, &self.sought) & !passed
                } else {
                    0
                };
                likely = false;
            } else {
                self.mask = mask(&padded(std::mem::take(&mut self.rest))?, &self.sought) & !passed;
            }
        }
        Some(())
    }
}

impl<F: Fn(u8) -> bool> Iterator for Places<'_, F> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.mask == 0 {
            self.advance()?;
        }
        self.last = self.mask.trailing_zeros();
        self.mask &= self.mask - 1;
        Some(self.start + self.last as usize)
    }
}

/// The last bytes of a text as a block; `None` if there are none.
fn padded(bytes: &[u8]) -> Option<[u8; BLOCK]> {
    let mut block = [b' '; BLOCK];
    block.get_mut(..bytes.len())?.copy_from_slice(bytes);
    (!bytes.is_empty()).then_some(block)
}

/// Whether any byte of the block is sought; cheaper than [`mask`].
#[inline(always)]
fn any(block: &[u8; BLOCK], sought: impl Fn(u8) -> bool) -> bool {
    block.iter().fold(false, |found, byte| found | sought(*byte))
}

/// A bit for each sought byte of the block, the first byte lowest.
#[inline(always)]
fn mask(block: &[u8; BLOCK], sought: impl Fn(u8) -> bool) -> u64 {
    let mut lanes = [0; BLOCK];
    for (lane, byte) in lanes.iter_mut().zip(block) {
        *lane = u8::from(sought(*byte));
    }
    let words = lanes.as_chunks().0.iter().enumerate();
    words.fold(0, |mask, (index, word)| {
        mask | gathered(u64::from_le_bytes(*word)) << (index * WORD)
    })
}

/// The lowest bits of the bytes side by side: the multiplication brings each to its place in the topmost byte.
#[inline(always)]
fn gathered(lanes: u64) -> u64 {
    lanes.wrapping_mul(0x0102_0408_1020_4080) >> 56
}
