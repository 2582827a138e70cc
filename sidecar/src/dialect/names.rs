//! Names and ids that the upstream's dialect cannot spell.
//!
//! The dialects' tool names are letters, digits, `_` and `-`, of different lengths. A name that does not fit becomes
//! its spellable start and a hash of the whole: the same in every turn, so that the upstream's prompt cache holds and
//! no table needs to be kept; the answer's names are turned back by [`super::Exchange::renamed`].

use super::Exchange;
use super::item::Tool;
use std::borrow::Cow;
use std::fmt::Write as _;
use xxhash_rust::xxh3::xxh3_64;

/// An underscore and 16 hex digits.
const MARK: usize = 17;

/// `name` if it fits `[a-zA-Z0-9_-]{1,longest}`, else its substitute. `longest` is at least 9.
pub(super) fn spell(name: &str, longest: usize) -> Cow<'_, str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    match !name.is_empty() && name.len() <= longest && name.bytes().all(fits) {
        true => Cow::Borrowed(name),
        false => Cow::Owned(substitute(name, longest, fits)),
    }
}

/// The same for dialects in which a name is a word: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub(super) fn spell_word(name: &str, longest: usize) -> Cow<'_, str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins = |name: &str| name.starts_with(|first: char| !first.is_ascii_digit());
    if begins(name) && name.len() <= longest && name.bytes().all(fits) {
        return Cow::Borrowed(name);
    }
    let spelt = substitute(name, longest, fits);
    match begins(&spelt) {
        true => Cow::Owned(spelt),
        false => Cow::Owned(format!("_{}", substitute(name, longest - 1, fits))),
    }
}

/// `id` if it is `length` letters and digits, else its substitute, which has at most 16.
pub(super) fn spell_exactly(id: &str, length: usize) -> Cow<'_, str> {
    if id.len() == length && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Cow::Borrowed(id);
    }
    let mut spelt = format!("{:016x}", xxh3_64(id.as_bytes()));
    spelt.truncate(length);
    Cow::Owned(spelt)
}

/// The start of `name` as far as it `fits`, and a hash of the whole.
fn substitute(name: &str, longest: usize, fits: impl Fn(u8) -> bool) -> String {
    let hash = xxh3_64(name.as_bytes());
    let kept = name.bytes().take(longest.saturating_sub(MARK));
    let mut spelt: String = kept
        .map(|byte| if fits(byte) { char::from(byte) } else { '_' })
        .collect();
    if spelt.is_empty() {
        spelt = format!("{hash:016x}");
        spelt.truncate(longest);
    } else {
        write!(spelt, "_{hash:016x}").expect("a String takes all characters");
    }
    spelt
}

/// The tools whose names do not fit, as `(sent, the client's)`.
pub(super) fn renamed(tools: &[Tool<'_>], longest: usize) -> Vec<(String, String)> {
    renamed_by(|name| spell(name, longest), tools)
}

/// The same where names are words.
pub(super) fn renamed_words(tools: &[Tool<'_>], longest: usize) -> Vec<(String, String)> {
    renamed_by(|name| spell_word(name, longest), tools)
}

fn renamed_by(spell: impl Fn(&str) -> Cow<'_, str>, tools: &[Tool<'_>]) -> Vec<(String, String)> {
    let substitute = |tool: &Tool<'_>| {
        let name = tool.name.plain();
        match spell(&name) {
            Cow::Owned(spelt) => Some((spelt, name.into_owned())),
            Cow::Borrowed(_) => None,
        }
    };
    tools.iter().filter_map(substitute).collect()
}

impl Exchange {
    /// The client's name for a tool.
    pub(super) fn client_name<'n>(&'n self, sent: &'n str) -> &'n str {
        let renamed = self.renamed.iter().find(|(substitute, _)| substitute == sent);
        renamed.map_or(sent, |(_, original)| original)
    }
}

#[cfg(test)]
mod tests {
    use super::{spell, spell_exactly, spell_word};

    #[test]
    fn a_name_that_fits_stays_and_another_becomes_always_the_same_one_that_fits() {
        assert_eq!(spell("get_weather-2", 64), "get_weather-2");
        assert_eq!(
            spell("functions.get:0", 64),
            format!("functions_get_0_{}", hash("functions.get:0"))
        );
        let long = "a".repeat(65);
        assert_eq!(spell(&long, 64), format!("{}_{}", "a".repeat(47), hash(&long)));
        assert!(hash("call_0123456789").starts_with(&*spell("call_0123456789", 9)));
        assert_eq!(spell("é", 64), format!("___{}", hash("é")));
        assert_eq!(spell("", 64).len(), 16);
        assert_ne!(spell("a.b", 64), spell("a:b", 64));
    }

    #[test]
    fn a_word_has_no_hyphen_and_begins_with_no_digit() {
        assert_eq!(spell_word("get_weather", 64), "get_weather");
        assert_eq!(
            spell_word("get-weather", 64),
            format!("get_weather_{}", hash("get-weather"))
        );
        assert_eq!(spell_word("3d", 64), format!("_3d_{}", hash("3d")));
        assert_eq!(spell_word("_", 64), "_");
        assert_eq!(spell_word(&"9".repeat(90), 64).len(), 64);
    }

    #[test]
    fn an_id_of_a_length_is_neither_shorter_nor_longer_and_has_letters_and_digits_alone() {
        assert_eq!(spell_exactly("a1B2c3D4e", 9), "a1B2c3D4e");
        for id in [
            "toolu_1",
            "abc",
            "call_1_1",
            "call_0123456789",
            "",
            "a_b_c_d_e",
            "éééé1",
        ] {
            let spelt = spell_exactly(id, 9);
            assert!(hash(id).starts_with(&*spelt) && spelt.len() == 9, "{id}: {spelt}");
        }
    }

    fn hash(name: &str) -> String {
        format!("{:016x}", xxhash_rust::xxh3::xxh3_64(name.as_bytes()))
    }
}
