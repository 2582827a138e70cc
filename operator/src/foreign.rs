//! Words of others on their way into logs, status and Events, where people read them in terminals.

/// Of a sentence that quotes somebody, how many bytes are logged.
pub(crate) const LONGEST_WORD: usize = 1024;

/// `text` as far as `longest` bytes, without what moves a cursor, turns the direction of writing or cannot be seen.
pub(crate) fn shown(text: &str, longest: usize) -> String {
    let end = text.floor_char_boundary(longest);
    let cut = text.get(..end).unwrap_or_default();
    let cleaned = cut.chars().map(visible);
    if end < text.len() {
        cleaned.chain(['…']).collect()
    } else {
        cleaned.collect()
    }
}

fn visible(character: char) -> char {
    let unseen = matches!(
        character,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    );
    if unseen || character.is_control() {
        char::REPLACEMENT_CHARACTER
    } else {
        character
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_is_short_and_plain() {
        assert_eq!(
            shown("no\u{1b}[31m\nred \u{202e}txt\u{200b} é", 512),
            "no\u{fffd}[31m\u{fffd}red \u{fffd}txt\u{fffd} é"
        );
        assert_eq!(shown("éé", 3), "é…");
        assert_eq!(shown("é", 2), "é");
    }
}
