//! Tokens, counted the same way everywhere: four bytes of UTF-8 each, begun ones included.

/// Tokens of so many bytes.
pub(crate) fn of_bytes(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(4)).expect("a length fits 64 bits")
}

/// Tokens of a text.
pub(crate) fn count(text: &str) -> u64 {
    of_bytes(text.len())
}

/// What an image costs, whatever is in it.
pub(crate) const IMAGE: u64 = 765;

/// Shares out the tokens of a text that is sent in pieces, so that they add up to `count` of the whole.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bytes: usize,
}

impl Meter {
    /// The tokens that `piece` adds to what came before it.
    pub(crate) fn add(&mut self, piece: &str) -> u64 {
        let before = of_bytes(self.bytes);
        self.bytes += piece.len();
        of_bytes(self.bytes) - before
    }
}

/// The first `tokens` of a text, cut between characters.
pub(crate) fn cut(text: &str, tokens: u64) -> &str {
    let limit = usize::try_from(tokens).unwrap_or(usize::MAX).saturating_mul(4);
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

/// A text in the pieces in which it is streamed: words, each with the white space before it.
pub(crate) fn words(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut in_word = false;
    for (offset, character) in text.char_indices() {
        let space = character.is_whitespace();
        if space && in_word {
            pieces.extend(text.get(start..offset));
            start = offset;
        }
        in_word = !space;
    }
    pieces.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    pieces
}

/// A text in pieces of about `size` bytes, cut between characters.
pub(crate) fn pieces(text: &str, size: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(size));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_the_whole_text_and_its_tokens() {
        for text in ["", "one", "  two  words\n", "ünï cödé 漢字 ends", "a b c d e f g"] {
            assert_eq!(words(text).concat(), text);
            assert_eq!(pieces(text, 3).concat(), text);
            let mut meter = Meter::default();
            assert_eq!(
                words(text).into_iter().map(|word| meter.add(word)).sum::<u64>(),
                count(text),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("漢字漢字", 1), "漢");
        assert_eq!(cut("abc", 9), "abc");
    }
}
