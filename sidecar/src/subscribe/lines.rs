//! A stream of bytes, cut into lines of bounded length.

use bytes::{Buf, Bytes, BytesMut};

/// The longest line that is read, bytes, its end included.
pub(super) const LONGEST_LINE: usize = 8 * 1024 * 1024;

/// Collects bytes until they are a line; holds one line at most, and what came in with its end.
#[derive(Default)]
pub(super) struct Lines {
    pending: BytesMut,
    /// So much of `pending` is known to hold no line's end.
    searched: usize,
}

/// Bytes that are no line of text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LineError {
    /// It has no end within the bound.
    #[error("a line is longer than {} MiB", LONGEST_LINE / 1024 / 1024)]
    TooLong,
    /// Not UTF-8.
    #[error("a line is not UTF-8")]
    NotText,
}

impl Lines {
    /// Takes what was read.
    pub(super) fn push(&mut self, bytes: &Bytes) {
        self.pending.extend_from_slice(bytes);
    }

    /// The next whole line, without its end.
    pub(super) fn next(&mut self) -> Option<Result<String, LineError>> {
        let end = memchr::memchr(b'\n', &self.pending[self.searched..]).map(|found| self.searched + found);
        let Some(end) = end.filter(|end| *end < LONGEST_LINE) else {
            self.searched = self.pending.len();
            return (self.searched >= LONGEST_LINE).then_some(Err(LineError::TooLong));
        };
        let line = self.pending.split_to(end);
        self.pending.advance(1);
        self.searched = 0;
        if self.pending.is_empty() {
            // What one long line needed is not kept for the short ones that follow.
            self.pending = BytesMut::new();
        }
        Some(String::from_utf8(line.into()).map_err(|_| LineError::NotText))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lines: &mut Lines) -> Vec<Result<String, LineError>> {
        std::iter::from_fn(|| lines.next()).collect()
    }

    #[test]
    fn lines_survive_any_split() {
        let text = "{\"a\":1}\n\n{\"ü\":2}\nrest".as_bytes();
        for first in 0..text.len() {
            for second in first..text.len() {
                let mut lines = Lines::default();
                let mut found = Vec::new();
                for part in [&text[..first], &text[first..second], &text[second..]] {
                    lines.push(&Bytes::copy_from_slice(part));
                    found.extend(all(&mut lines));
                }
                let expected = ["{\"a\":1}", "", "{\"ü\":2}"].map(|line| Ok(line.to_owned()));
                assert_eq!(found, expected, "split at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_line_without_an_end_is_given_up_at_the_bound() {
        let mut lines = Lines::default();
        let mebibyte = Bytes::from(vec![b'a'; 1024 * 1024]);
        for _ in 0..7 {
            lines.push(&mebibyte);
            assert_eq!(lines.next(), None);
        }
        lines.push(&mebibyte);
        assert_eq!(lines.next(), Some(Err(LineError::TooLong)));
        assert_eq!(LineError::TooLong.to_string(), "a line is longer than 8 MiB");
    }

    #[test]
    fn the_longest_line_is_one() {
        for (length, expected) in [(LONGEST_LINE - 1, true), (LONGEST_LINE, false)] {
            let mut lines = Lines::default();
            let mut text = vec![b'a'; length];
            text.push(b'\n');
            lines.push(&Bytes::from(text));
            assert_eq!(lines.next().unwrap().is_ok(), expected, "{length}");
        }
    }

    #[test]
    fn what_is_not_text_is_told() {
        let mut lines = Lines::default();
        lines.push(&Bytes::from_static(b"\xff\n"));
        assert_eq!(lines.next(), Some(Err(LineError::NotText)));
    }
}
