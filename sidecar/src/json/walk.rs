//! Getting past values that were validated before: it suffices to find where they end.

use super::scan::Scanner;

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
            Some(b'"') => self.skip_string(),
            Some(b'{') => self.skip_nested(b'{', b'}'),
            Some(b'[') => self.skip_nested(b'[', b']'),
            _ => self.skip_word(),
        }
    }

    /// Only the own kind of bracket counts: in a valid text the other kind is balanced in between.
    fn skip_nested(&mut self, open: u8, close: u8) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            if byte == b'"' {
                self.skip_string();
                continue;
            }
            self.advance(1);
            depth += usize::from(byte == open);
            depth -= usize::from(byte == close);
            if depth == 0 {
                return;
            }
        }
    }

    /// To the first quote behind an even number of backslashes. Seeking quotes only, not backslashes too, makes texts
    /// full of `\n` cheap; each backslash is counted once, so it stays linear.
    fn skip_string(&mut self) {
        let text = self.rest();
        let ends = |&at: &usize| {
            let backslashes = text
                .get(..at)
                .unwrap_or_default()
                .iter()
                .rev()
                .take_while(|&&byte| byte == b'\\');
            backslashes.count().is_multiple_of(2)
        };
        let quote = memchr::memchr_iter(b'"', text).skip(1).find(ends);
        self.advance(quote.map_or(text.len(), |at| at + 1));
    }

    fn skip_word(&mut self) {
        let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t');
        let rest = self.rest();
        self.advance(rest.iter().position(ends).unwrap_or(rest.len()));
    }
}
