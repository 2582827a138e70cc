//! Ordered raw views of JSON text: one validating pass, no copy, no tree.
//!
//! [`parse`] validates a whole text once (syntax, UTF-8, nesting) and yields its top-level members in order. A nested
//! [`Raw`] is known to be valid; looking into it is a cheap walk. Unknown members, their order, spacing and spelling
//! survive because nobody re-serialises them. What is new is written with [`ObjectWriter`] and its siblings.

use index::{Entries, Recorder};
use scan::Scanner;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;

mod escape;
mod find;
mod index;
mod number;
mod scan;
mod token;
mod walk;
mod write;

#[cfg(test)]
mod tests;

pub use index::Index;
pub use write::{ArrayWriter, ObjectWriter, StringWriter, ValueWriter, to_one_line, write_string};

/// Deepest nesting accepted, counting objects and arrays.
pub const MAX_DEPTH: usize = 128;

/// Most members of an object that is looked into: bounds what a hostile text makes us hold.
pub const MAX_MEMBERS: usize = 65_536;

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
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    text: &'a str,
    /// Of the values that lie inside of it.
    entries: Entries<'a>,
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
///
/// Room for 8 members lies in it, so it is large (some 300 bytes): look into one after the other, do not collect them.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    /// The whole text that was parsed, for [`Object::span`].
    text: &'a str,
    /// Whether any key holds an escape; most objects have none, and then comparing keys is comparing bytes.
    escaped: bool,
    members: SmallVec<[Member<'a>; 8]>,
}

/// Validates `text` as one JSON object, with white space around it allowed.
pub fn parse(text: &[u8]) -> Result<Object<'_>, Error> {
    validated(&mut Scanner::new(text)?, &mut Recorder::none(&mut Vec::new()))
}

/// The same of a text that will be looked into far and wide: what is found takes leaps by `index`, which it fills.
pub fn parse_indexed<'a>(text: &'a [u8], index: &'a mut Index) -> Result<Object<'a>, Error> {
    let mut scan = Scanner::new(text)?;
    let mut recorder = index.recorder(scan.text());
    let mut object = validated(&mut scan, &mut recorder)?;
    let mut entries = index.entries();
    for Member { value, .. } in &mut object.members {
        let found = entries.leap(value.text.as_ptr().addr());
        value.entries = found.map(|(_, inside)| inside).unwrap_or_default();
    }
    Ok(object)
}

/// Validates `text` as one JSON value of any type.
pub fn parse_value(text: &[u8]) -> Result<Raw<'_>, Error> {
    let mut scan = Scanner::new(text)?;
    scan.expect_something()?;
    let raw = taken(&mut scan, |scan| {
        validate(scan, 0, &mut Recorder::none(&mut Vec::new()))
    })?;
    scan.expect_end()?;
    Ok(raw)
}

fn validated<'a>(scan: &mut Scanner<'a>, index: &mut Recorder<'_>) -> Result<Object<'a>, Error> {
    scan.expect_object()?;
    let object = object(scan, |scan| validate(scan, 1, index))?;
    scan.expect_end()?;
    Ok(object)
}

/// Gets past a value within `depth` others. What is in it will have entries once all are taken down.
fn validate<'a>(scan: &mut Scanner<'a>, depth: usize, index: &mut Recorder<'_>) -> Result<Entries<'a>, Error> {
    scan.value(depth, index)?;
    Ok(Entries::default())
}

/// The object at which `scan` stands; `value` gets past one value, validating it or trusting it.
fn object<'a>(
    scan: &mut Scanner<'a>,
    value: impl FnMut(&mut Scanner<'a>) -> Result<Entries<'a>, Error>,
) -> Result<Object<'a>, Error> {
    let mut object = Object::of(scan.text());
    fill(&mut object, scan, value)?;
    Ok(object)
}

/// The same, in the place of another one.
fn fill<'a>(
    object: &mut Object<'a>,
    scan: &mut Scanner<'a>,
    mut value: impl FnMut(&mut Scanner<'a>) -> Result<Entries<'a>, Error>,
) -> Result<(), Error> {
    object.escaped = false;
    object.members.clear();
    scan.enter();
    let mut more = scan.open(b'}');
    while more {
        if object.members.len() == MAX_MEMBERS {
            return Err(scan.error("more than 65536 members in the object"));
        }
        let (raw_key, escaped) = scan.key()?;
        object.escaped |= escaped;
        object.members.push(Member {
            raw_key,
            value: taken(scan, &mut value)?,
        });
        more = scan.another(b'}')?;
    }
    Ok(())
}

/// Visits the members of the object at which `scan` stands, and within `outer` none deeper.
fn visit_object<'a>(
    scan: &mut Scanner<'a>,
    outer: Option<&str>,
    visit: &mut impl FnMut(Option<&str>, &str, Raw<'a>),
) -> Result<(), Error> {
    scan.enter();
    let mut more = scan.open(b'}');
    while more {
        let (raw_key, escaped) = scan.key()?;
        let key = match escaped {
            true => escape::resolved(raw_key),
            false => Cow::Borrowed(raw_key),
        };
        if outer.is_none() && scan.peek() == Some(b'{') {
            visit_object(scan, Some(&key), visit)?;
        } else {
            let value = taken(scan, skip)?;
            visit(outer, &key, value);
        }
        more = scan.another(b'}')?;
    }
    Ok(())
}

/// Gets past a value that was validated before.
fn skip<'a>(scan: &mut Scanner<'a>) -> Result<Entries<'a>, Error> {
    Ok(scan.skip())
}

/// The value that `value` gets past.
fn taken<'a>(
    scan: &mut Scanner<'a>,
    value: impl FnOnce(&mut Scanner<'a>) -> Result<Entries<'a>, Error>,
) -> Result<Raw<'a>, Error> {
    let start = scan.at();
    let entries = value(scan)?;
    Ok(Raw {
        text: scan.since(start),
        entries,
    })
}

impl<'a> Object<'a> {
    /// Without a member yet.
    fn of(text: &'a str) -> Self {
        Self {
            text,
            escaped: false,
            members: SmallVec::new(),
        }
    }

    /// The members in order.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// The whole text that was parsed, white space around it included.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The value of the last member with this key (escapes in keys resolved), as most parsers take it.
    // Where it is asked, the key is known, and so is how to compare it at once.
    #[inline]
    pub fn get(&self, key: &str) -> Option<Raw<'a>> {
        if self.escaped {
            return self.get_resolved(key);
        }
        let mut backwards = self.members.iter().rev();
        Some(backwards.find(|member| member.raw_key == key)?.value)
    }

    #[cold]
    fn get_resolved(&self, key: &str) -> Option<Raw<'a>> {
        let mut backwards = self.members.iter().rev();
        Some(backwards.find(|member| member.key() == key)?.value)
    }

    /// A member's key, escapes resolved: what [`Member::key`] says, without a look at it where no key holds an escape.
    pub fn key_of(&self, member: &Member<'a>) -> Cow<'a, str> {
        match self.escaped {
            true => member.key(),
            false => Cow::Borrowed(member.raw_key),
        }
    }

    /// How many members have this key.
    pub fn count(&self, key: &str) -> usize {
        self.members.iter().filter(|member| self.key_of(member) == key).count()
    }

    /// Where `value`, which must come from this object or from a value within it, stands in the text that was parsed.
    pub fn span(&self, value: Raw<'a>) -> Range<usize> {
        self.span_of_text(value.text)
    }

    fn span_of_text(&self, inner: &str) -> Range<usize> {
        let start = inner.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        debug_assert!(start < self.text.len(), "the value comes from another text");
        start..start.wrapping_add(inner.len())
    }

    /// The same of an object that was read from a value within this one.
    pub fn span_of(&self, inner: &Object<'a>) -> Range<usize> {
        self.span_of_text(inner.text)
    }

    /// The same of a whole member, from its key on.
    pub fn member_span(&self, member: &Member<'a>) -> Range<usize> {
        let key = member.raw_key.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        // In front of the key stands its quote.
        key.wrapping_sub(1)..self.span(member.value).end
    }
}

impl<'a> Member<'a> {
    /// The key as it is written, never shorter than what it says.
    pub fn raw_key(&self) -> &'a str {
        self.raw_key
    }

    /// The key, escapes resolved.
    pub fn key(&self) -> Cow<'a, str> {
        escape::resolved(self.raw_key)
    }
}

impl PartialEq for Raw<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Raw<'_> {}

impl<'a> Raw<'a> {
    /// As written.
    pub fn text(self) -> &'a str {
        self.text
    }

    /// What it is, from its first byte.
    pub fn kind(self) -> Type {
        match self.text.as_bytes().first() {
            Some(b'{') => Type::Object,
            Some(b'[') => Type::Array,
            Some(b'"') => Type::String,
            Some(b't' | b'f') => Type::Bool,
            Some(b'n') | None => Type::Null,
            Some(_) => Type::Number,
        }
    }

    /// `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Type::Null
    }

    /// A string, escapes resolved; borrowed when it has none. Lone surrogates become U+FFFD.
    pub fn string(self) -> Option<Cow<'a, str>> {
        Some(escape::resolved(self.text.strip_prefix('"')?.strip_suffix('"')?))
    }

    /// `true` or `false`.
    pub fn bool(self) -> Option<bool> {
        match self.text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A number without fraction or exponent that fits; also `3.0` and `3e0`.
    pub fn u64(self) -> Option<u64> {
        number::whole(self.text)
    }

    /// Any number within the range of a double; the nearest double.
    pub fn f64(self) -> Option<f64> {
        (self.kind() == Type::Number)
            .then(|| self.text.parse().ok())?
            .filter(|number: &f64| number.is_finite())
    }

    /// An object's members; `None` also for one with more than [`MAX_MEMBERS`].
    pub fn object(self) -> Option<Object<'a>> {
        if self.kind() == Type::Object {
            object(&mut Scanner::trusted(self.text, self.entries), skip).ok()
        } else {
            None
        }
    }

    /// Walks an object and the objects in it once: `visit` is given the key of the inner object (none for the outer
    /// one's own members), the member's key and its value. What lies deeper is passed over. `None` for anything else
    /// than an object.
    pub fn visit(self, mut visit: impl FnMut(Option<&str>, &str, Raw<'a>)) -> Option<()> {
        if self.kind() != Type::Object {
            return None;
        }
        visit_object(&mut Scanner::trusted(self.text, self.entries), None, &mut visit).ok()
    }

    /// An array's elements, walked lazily; `None` when it is no array.
    pub fn elements(self) -> Option<Elements<'a>> {
        self.text.starts_with('[').then(|| Elements {
            scan: Scanner::trusted(self.text, self.entries),
        })
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    scan: Scanner<'a>,
}

impl<'a> Elements<'a> {
    /// The elements looked into while they are walked: one walk, where [`Raw::object`] of each would be a second one.
    /// `None` for an element that is no object, or has more than [`MAX_MEMBERS`].
    pub fn objects(mut self) -> impl Iterator<Item = Option<Object<'a>>> {
        std::iter::from_fn(move || {
            let mut object = Object::of(self.scan.text());
            self.look_into(&mut object).map(|found| found.then_some(object))
        })
    }

    /// None is left.
    pub fn is_empty(&self) -> bool {
        self.scan.clone().after_separator().is_none()
    }

    /// As [`Elements::objects`], but all in the same place: an object is too large to be handed on for each.
    pub fn in_turn(self) -> InTurn<'a> {
        InTurn {
            current: Object::of(self.scan.text()),
            elements: self,
            next: 0,
        }
    }

    /// Past the next element, which `object` becomes; whether it could.
    fn look_into(&mut self, object: &mut Object<'a>) -> Option<bool> {
        let start = self.scan.after_separator()?;
        let mut inside = self.scan.clone();
        let found = inside.peek() == Some(b'{') && fill(object, &mut inside, skip).is_ok();
        if found {
            object.text = inside.since(start);
            self.scan = inside;
        } else {
            self.scan.skip();
        }
        Some(found)
    }
}

/// The objects of an array, one at a time; see [`Elements::in_turn`].
#[derive(Debug)]
pub struct InTurn<'a> {
    elements: Elements<'a>,
    current: Object<'a>,
    next: usize,
}

impl<'a> InTurn<'a> {
    /// The next element and its position. `None` in its place if it is no object, or has more than [`MAX_MEMBERS`].
    pub fn advance(&mut self) -> Option<(usize, Option<&Object<'a>>)> {
        let found = self.elements.look_into(&mut self.current)?;
        self.next += 1;
        Some((self.next - 1, found.then_some(&self.current)))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Raw<'a>> {
        // Before each element stands the bracket or a comma.
        let start = self.scan.after_separator()?;
        let entries = self.scan.skip();
        Some(Raw {
            text: self.scan.since(start),
            entries,
        })
    }
}
