//! An error's sentence without what it quotes: providers repeat the client's own text in quotation marks, and a client
//! could put any of our phrases there.

/// Marks with what ends them.
const MARKS: &[(char, char)] = &[
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('\u{201c}', '\u{201d}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{ab}', '\u{bb}'),
];

/// Which of several closing marks ends a quotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// The nearest, as a provider means it.
    Nearest,
    /// The furthest: what is quoted may have marks of its own, put there on purpose.
    Furthest,
}

/// The text with a space for each quotation. One that never ends, because the text was cut, goes with the rest.
pub(super) fn without_quotes(text: &str, ends: Ends) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, opening, closing)) = opened(rest) {
        plain.push_str(rest.get(..start).unwrap_or_default());
        plain.push(' ');
        let quoted = rest.get(start + opening.len_utf8()..).unwrap_or_default();
        rest = closed(quoted, closing, ends)
            .and_then(|end| quoted.get(end + closing.len_utf8()..))
            .unwrap_or_default();
    }
    plain.push_str(rest);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn opened(text: &str) -> Option<(usize, char, char)> {
    let mut before = ' ';
    text.char_indices().find_map(|(at, letter)| {
        let follows_word = std::mem::replace(&mut before, letter).is_alphanumeric();
        let (opening, closing) = MARKS.iter().find(|(opening, _)| *opening == letter)?;
        // After a letter it is an apostrophe.
        (!follows_word || *opening == '"').then_some((at, *opening, *closing))
    })
}

fn closed(text: &str, closing: char, ends: Ends) -> Option<usize> {
    let mut before = ' ';
    let mut found = text.char_indices().filter(|(at, letter)| {
        let is_escaped = std::mem::replace(&mut before, *letter) == '\\';
        let next = text.get(at + letter.len_utf8()..).and_then(|rest| rest.chars().next());
        let is_apostrophe = matches!(letter, '\'' | '\u{2019}') && next.is_some_and(char::is_alphanumeric);
        *letter == closing && !is_escaped && !is_apostrophe
    });
    let found = match ends {
        Ends::Nearest => found.next(),
        Ends::Furthest => found.last(),
    };
    found.map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_left_out_and_an_apostrophe_quotes_nothing() {
        let cases = [
            (
                "this model's context isn't so long",
                "this model's context isn't so long",
            ),
            ("the model `x` does not exist", "the model does not exist"),
            ("Invalid name: 'model not found'", "Invalid name:"),
            ("Invalid name: 'it's insufficient balance'", "Invalid name:"),
            (r#"got "a \"model not found\" b" here"#, "got here"),
            ("flagged for \u{201c}spend limit\u{201d}.", "flagged for ."),
            ("it was cut: 'unknown mod", "it was cut:"),
            ("plain", "plain"),
            ("", ""),
        ];
        for (text, plain) in cases {
            assert_eq!(without_quotes(text, Ends::Nearest), plain, "{text}");
        }
    }

    #[test]
    fn marks_inside_of_a_quotation_do_not_end_it_where_that_matters() {
        let text = "Invalid name: 'x' model not found 'y', say \"z\"";
        assert_eq!(
            without_quotes(text, Ends::Nearest),
            "Invalid name: model not found , say"
        );
        assert_eq!(without_quotes(text, Ends::Furthest), "Invalid name: , say");
    }
}
