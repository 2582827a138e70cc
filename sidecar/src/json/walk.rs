//! Getting past values that were validated before: it suffices to find where they end.

use super::find::Places;
use super::scan::Scanner;
use super::token;

impl Scanner<'_> {
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

    /// Past a valid value.
    pub(super) fn skip(&mut self) {
        match self.peek() {
            Some(b'"') => self.advance(string(self.rest())),
            Some(b'{') => self.skip_nested(b'{', b'}'),
            Some(b'[') => self.skip_nested(b'[', b']'),
            _ => self.skip_word(),
        }
    }

    /// Only the own kind of bracket counts: in a valid text the other kind is balanced in between.
    fn skip_nested(&mut self, open: u8, close: u8) {
        let (text, mut at, mut depth) = (self.rest(), 0, 0_usize);
        while let Some(&byte) = text.get(at) {
            if byte == b'"' {
                at += string(text.get(at..).unwrap_or_default());
                continue;
            }
            at += 1;
            depth += usize::from(byte == open);
            depth -= usize::from(byte == close);
            if depth == 0 {
                break;
            }
        }
        self.advance(at);
    }

    fn skip_word(&mut self) {
        let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
        let rest = self.rest();
        self.advance(rest.iter().position(ends).unwrap_or(rest.len()));
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
    Places::new(inner, |byte| byte == b'"')
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
