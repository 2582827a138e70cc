//! Getting past values that were validated before: it suffices to find where they end, if no index says it.

use super::find::{self, BLOCK, Places};
use super::index::Entries;
use super::scan::Scanner;
use super::token;
use wide::u8x16;

impl<'a> Scanner<'a> {
    /// Past the bracket or comma before an element; where the element begins, or `None` when none follows.
    pub(super) fn after_separator(&mut self) -> Option<usize> {
        self.white_space();
        let opening = self.at() == 0;
        if !self.pass(if opening { b'[' } else { b',' }) {
            return None;
        }
        self.white_space();
        (self.peek()? != b']').then(|| self.at())
    }

    /// Past a valid value; the entries of what lies inside of it.
    pub(super) fn skip(&mut self) -> Entries<'a> {
        self.leap().unwrap_or_else(|| {
            self.walk();
            Entries::default()
        })
    }

    fn walk(&mut self) {
        match self.peek() {
            Some(b'"') => self.advance(string(self.rest())),
            Some(b'{') => self.skip_nested(b'{', b'}'),
            Some(b'[') => self.skip_nested(b'[', b']'),
            _ => self.skip_word(),
        }
    }

    /// Only the own kind of bracket counts: in a valid text the other kind is balanced in between.
    fn skip_nested(&mut self, open: u8, close: u8) {
        let (mut strings, mut depth) = (Strings::default(), 0_usize);
        // The two differ in two bits; with both set, outside of strings nothing else looks like them.
        let (differing, either) = (u8x16::splat(open ^ close), u8x16::splat(open | close));
        let places = |block: &_, byte| find::mask(block, |bytes| find::equal(bytes, byte));
        let telling = |block: &_| {
            let brackets = find::mask(block, |bytes| (bytes | differing).simd_eq(either));
            (places(block, b'"'), places(block, b'\\'), brackets)
        };
        while let Some((quotes, backslashes, brackets)) = find::blocks(self.rest(), telling).next() {
            let mut brackets = brackets & !strings.inside(quotes, backslashes);
            while brackets != 0 {
                let bracket = brackets.trailing_zeros() as usize;
                let opens = self.rest().get(bracket) == Some(&open);
                depth = if opens { depth + 1 } else { depth - 1 };
                if depth == 0 {
                    return self.advance(bracket + 1);
                }
                brackets &= brackets - 1;
            }
            self.advance(BLOCK);
            if let Some(text) = strings.open_at(self.rest()) {
                // Most of what is long is text, in which only the end is sought.
                let escaped = self.rest().len() - text.len();
                self.advance(escaped + end_of_string(text));
                strings = Strings::default();
            }
        }
    }

    fn skip_word(&mut self) {
        let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
        let rest = self.rest();
        self.advance(rest.iter().position(ends).unwrap_or(rest.len()));
    }
}

/// Tells block by block which bytes of a valid text stand in strings.
#[derive(Default)]
struct Strings {
    /// All bits, if the next block begins in a string.
    open: u64,
    /// One, if the next block's first byte stands behind a backslash that counts.
    escaped: u64,
}

impl Strings {
    /// A bit for each byte from a quote that opens a string to before the one that closes it.
    #[inline(always)]
    fn inside(&mut self, quotes: u64, backslashes: u64) -> u64 {
        let quotes = quotes & !self.escaped(backslashes);
        if quotes == 0 {
            return self.open;
        }
        // Of each bit, whether the number of quotes up to it is odd.
        let odd = [1, 2, 4, 8, 16, 32]
            .iter()
            .fold(quotes, |odd, shift| odd ^ odd << shift);
        let inside = odd ^ self.open;
        self.open = (inside >> 63).wrapping_neg();
        inside
    }

    /// The next block's text, if it begins in a string: from its first byte that is not escaped.
    #[inline(always)]
    fn open_at<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        (self.open != 0).then(|| text.get(usize::from(self.escaped != 0)..).unwrap_or_default())
    }

    /// What stands behind a backslash that is not escaped itself.
    #[inline(always)]
    fn escaped(&mut self, backslashes: u64) -> u64 {
        let mut escaped = std::mem::take(&mut self.escaped);
        let mut left = backslashes & !escaped;
        while left != 0 {
            let backslash = left & left.wrapping_neg();
            self.escaped = backslash >> 63;
            escaped |= backslash << 1;
            left &= !(backslash | backslash << 1);
        }
        escaped
    }
}

/// The length of a valid string: to the first quote that is not escaped. Only quotes are sought, which in prompts is much
/// faster than to look at each escape; first as if there were no other, then as if there were more.
#[inline(always)]
fn string(text: &[u8]) -> usize {
    if let Some(length) = token::short_string(text) {
        return length;
    }
    let inner = text.get(1..).unwrap_or_default();
    let first = memchr::memchr(b'"', inner).unwrap_or(inner.len());
    1 + if is_escaped(inner, first) {
        end_of_string(inner)
    } else {
        first + 1
    }
}

#[inline(never)]
fn end_of_string(inner: &[u8]) -> usize {
    Places::new(inner, |bytes| find::equal(bytes, b'"'))
        .find(|at| !is_escaped(inner, *at))
        .map_or(inner.len(), |at| at + 1)
}

/// Whether an odd number of backslashes stands before `at`. Each backslash stands before one quote only, so that to
/// count them stays linear.
#[inline(always)]
fn is_escaped(text: &[u8], at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}
