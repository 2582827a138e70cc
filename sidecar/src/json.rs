//! Ordered raw views of JSON text: one validating pass, no copy, no tree.
//!
//! [`parse`] validates a whole text once (syntax, UTF-8, nesting) and yields its top-level members in order. A nested
//! [`Raw`] is known to be valid; looking into it is a cheap walk. Unknown members, their order, spacing and spelling
//! survive because nobody re-serialises them.

use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;

/// Deepest nesting accepted, counting objects and arrays.
pub const MAX_DEPTH: usize = 128;

/// Why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {offset}")]
pub struct Error {
    /// What was wrong, lower case: `expected a value`, `nesting deeper than 128`.
    pub problem: &'static str,
    /// Where.
    pub offset: usize,
}

/// A valid JSON value, as written, without surrounding white space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a> {
    text: &'a str,
}

/// What a [`Raw`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `null`
    Null,
    /// `true`, `false`
    Bool,
    /// A number
    Number,
    /// A string
    String,
    /// An array
    Array,
    /// An object
    Object,
}

/// One member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The key as written, without its quotes, escapes unresolved.
    raw_key: &'a str,
    /// The value.
    pub value: Raw<'a>,
}

/// The members of one object, in order, duplicates included.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    /// The whole text that was parsed, for [`Object::span`].
    text: &'a str,
    members: SmallVec<[Member<'a>; 16]>,
}

/// Validates `text` as one JSON object, with white space around it allowed.
pub fn parse(_text: &[u8]) -> Result<Object<'_>, Error> {
    todo!()
}

/// Validates `text` as one JSON value of any type.
pub fn parse_value(_text: &[u8]) -> Result<Raw<'_>, Error> {
    todo!()
}

impl<'a> Object<'a> {
    /// The members in order.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// The value of the last member with this key (escapes in keys resolved), as most parsers take it.
    pub fn get(&self, _key: &str) -> Option<Raw<'a>> {
        todo!()
    }

    /// How many members have this key.
    pub fn count(&self, _key: &str) -> usize {
        todo!()
    }

    /// Where `value`, which must come from this object, stands in the text that was parsed.
    pub fn span(&self, value: Raw<'a>) -> Range<usize> {
        let start = value.text.as_ptr() as usize - self.text.as_ptr() as usize;
        start..start + value.text.len()
    }
}

impl<'a> Member<'a> {
    /// The key, escapes resolved.
    pub fn key(&self) -> Cow<'a, str> {
        todo!()
    }
}

impl<'a> Raw<'a> {
    /// As written.
    pub fn text(self) -> &'a str {
        self.text
    }

    /// What it is, from its first byte.
    pub fn kind(self) -> Type {
        todo!()
    }

    /// `null`.
    pub fn is_null(self) -> bool {
        todo!()
    }

    /// A string, escapes resolved; borrowed when it has none. Lone surrogates become U+FFFD.
    pub fn string(self) -> Option<Cow<'a, str>> {
        todo!()
    }

    /// `true` or `false`.
    pub fn bool(self) -> Option<bool> {
        todo!()
    }

    /// A number without fraction or exponent that fits; also `3.0` and `3e0`.
    pub fn u64(self) -> Option<u64> {
        todo!()
    }

    /// Any number.
    pub fn f64(self) -> Option<f64> {
        todo!()
    }

    /// An object's members.
    pub fn object(self) -> Option<Object<'a>> {
        todo!()
    }

    /// An array's elements, walked lazily; `None` when it is no array.
    pub fn elements(self) -> Option<Elements<'a>> {
        todo!()
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Raw<'a>> {
        let _ = self.rest;
        todo!()
    }
}

/// Appends `text` to `out` as a JSON string, quotes included; the same text makes the same bytes.
pub fn write_string(_out: &mut Vec<u8>, _text: &str) {
    todo!()
}
