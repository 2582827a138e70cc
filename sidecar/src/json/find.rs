//! Finding bytes in a text, above all *special* ones: what a JSON string cannot hold as it is.

use wide::u8x16;

/// Bytes that make a mask.
pub(super) const BLOCK: usize = 64;
/// Bytes that are compared at once: each architecture's base has instructions for so many.
pub(super) const LANES: usize = 16;

/// Marks quotes, backslashes and control characters.
#[inline(always)]
pub(super) fn special(bytes: u8x16) -> u8x16 {
    let last_control = u8x16::splat(0x1f);
    equal(bytes, b'"') | equal(bytes, b'\\') | bytes.min(last_control).simd_eq(bytes)
}

/// Marks those that are `byte`.
#[inline(always)]
pub(super) fn equal(bytes: u8x16, byte: u8) -> u8x16 {
    bytes.simd_eq(u8x16::splat(byte))
}

/// How many bytes stand before the first special one, at most sixteen; without a branch.
#[inline(always)]
pub(super) fn until_special(bytes: &[u8; LANES]) -> usize {
    let end = 1 << LANES;
    (special(u8x16::new(*bytes)).to_bitmask() | end).trailing_zeros() as usize
}

/// Whether the last `length` bytes, at most sixteen, are known to hold no special one: looked at as a whole, for which
/// sixteen must be there.
#[inline(always)]
pub(super) fn ends_plain(bytes: &[u8], length: usize) -> bool {
    let Some(end) = bytes.last_chunk() else {
        return false;
    };
    special(u8x16::new(*end)).to_bitmask() >> LANES.saturating_sub(length) == 0
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

impl<'a, F: Fn(u8x16) -> u8x16> Places<'a, F> {
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
        while self.mask == 0 {
            self.start = self.start.wrapping_add(BLOCK);
            let passed = std::mem::take(&mut self.passed);
            let mask = if let Some((block, rest)) = self.rest.split_first_chunk() {
                self.rest = rest;
                mask(block, &self.sought)
            } else {
                mask(&padded(std::mem::take(&mut self.rest))?, &self.sought)
            };
            self.mask = mask & !passed;
        }
        Some(())
    }
}

impl<F: Fn(u8x16) -> u8x16> Iterator for Places<'_, F> {
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

/// What `read` makes of each block of a text; behind the text's end stand spaces.
#[inline(always)]
pub(super) fn blocks<T>(bytes: &[u8], read: impl Fn(&[u8; BLOCK]) -> T) -> impl Iterator<Item = T> {
    bytes.chunks(BLOCK).filter_map(move |chunk| match chunk.first_chunk() {
        Some(block) => Some(read(block)),
        None => padded(chunk).map(|block| read(&block)),
    })
}

/// The last bytes of a text as a block; `None` if there are none.
fn padded(bytes: &[u8]) -> Option<[u8; BLOCK]> {
    let mut block = [b' '; BLOCK];
    block.get_mut(..bytes.len())?.copy_from_slice(bytes);
    (!bytes.is_empty()).then_some(block)
}

/// A bit for each sought byte of the block, the first byte lowest.
#[inline(always)]
pub(super) fn mask(block: &[u8; BLOCK], sought: impl Fn(u8x16) -> u8x16) -> u64 {
    let sixteens = block.as_chunks().0.iter().enumerate();
    sixteens.fold(0, |mask, (index, bytes)| {
        mask | u64::from(sought(u8x16::new(*bytes)).to_bitmask()) << (index * LANES)
    })
}
