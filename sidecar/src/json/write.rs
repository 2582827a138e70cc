//! Appends new JSON to a buffer: no tree, the order as written, the same calls make the same bytes.
//!
//! A writer closes what it opened when it is dropped; `end` says where. While an inner writer lives, the outer one is
//! borrowed, so members cannot get into each other.

use super::{Member, Raw, escape};
use std::fmt;
use std::io::Write as _;

/// Appends `text` to `out` as a JSON string, quotes included; the same text makes the same bytes.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    ValueWriter::new(out).string(text);
}

/// Puts JSON on one line, which is all that a server-sent event's `data` may have: what was copied may be indented, and
/// in JSON a line break is white space wherever it stands.
pub fn to_one_line(json: &mut [u8]) {
    let mut done = 0;
    while let Some(at) = memchr::memchr2(b'\n', b'\r', &json[done..]) {
        json[done + at] = b' ';
        done += at + 1;
    }
}

/// The place of one value, to be filled exactly once.
#[derive(Debug)]
#[must_use = "a key without a value is no JSON"]
pub struct ValueWriter<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> ValueWriter<'o> {
    /// Writes the value at the end of `out`.
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    /// A string.
    pub fn string(self, text: &str) {
        self.text().push(text);
    }

    /// A string that is made of pieces.
    pub fn text(self) -> StringWriter<'o> {
        self.out.push(b'"');
        StringWriter { out: self.out }
    }

    /// A value as it was written elsewhere.
    pub fn raw(self, value: Raw<'_>) {
        self.out.extend_from_slice(value.text().as_bytes());
    }

    /// A value that the program knows, as JSON.
    pub fn known(self, json: &'static str) {
        self.out.extend_from_slice(json.as_bytes());
    }

    /// A whole number.
    pub fn u64(self, number: u64) {
        decimal(self.out, number);
    }

    /// A whole number.
    pub fn i64(self, number: i64) {
        if number < 0 {
            self.out.push(b'-');
        }
        decimal(self.out, number.unsigned_abs());
    }

    /// A number; `null` for what JSON has no number for.
    pub fn f64(self, number: f64) {
        if number.is_finite() {
            self.display(number)
        } else {
            self.null()
        }
    }

    /// `true` or `false`.
    pub fn bool(self, value: bool) {
        self.known(if value { "true" } else { "false" });
    }

    /// `null`.
    pub fn null(self) {
        self.known("null");
    }

    /// An object.
    pub fn object(self) -> ObjectWriter<'o> {
        ObjectWriter::new(self.out)
    }

    /// An array.
    pub fn array(self) -> ArrayWriter<'o> {
        ArrayWriter::new(self.out)
    }

    fn display(self, value: impl fmt::Display) {
        write!(self.out, "{value}").expect("a Vec takes all bytes");
    }
}

/// Writes the members of an object.
///
/// ```
/// use pilotfish_sidecar::json::ObjectWriter;
///
/// let mut body = Vec::new();
/// let mut object = ObjectWriter::new(&mut body);
/// object.string("model", "small");
/// let mut messages = object.array("messages");
/// let mut message = messages.object();
/// message.string("role", "user");
/// message.string("content", "say \"hi\"");
/// message.end();
/// messages.end();
/// object.bool("stream", true);
/// object.end();
/// assert_eq!(body, br#"{"model":"small","messages":[{"role":"user","content":"say \"hi\""}],"stream":true}"#);
/// ```
#[derive(Debug)]
pub struct ObjectWriter<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> ObjectWriter<'o> {
    /// Begins an object at the end of `out`.
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// A member of any type. Its key is one that the program knows, and has nothing to escape.
    pub fn member(&mut self, key: &'static str) -> ValueWriter<'_> {
        debug_assert!(
            !key.bytes().any(|byte| matches!(byte, 0..=0x1f | b'"' | b'\\')),
            "{key:?} must be escaped"
        );
        // A comma, two quotes and a colon.
        self.out.reserve(key.len() + 4);
        separate(self.out, &mut self.empty);
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        ValueWriter::new(self.out)
    }

    /// A member whose key somebody else chose.
    pub fn named(&mut self, key: &str) -> ValueWriter<'_> {
        separate(self.out, &mut self.empty);
        write_string(self.out, key);
        self.out.push(b':');
        ValueWriter::new(self.out)
    }

    /// A member whose value is a string.
    pub fn string(&mut self, key: &'static str, text: &str) {
        self.member(key).string(text);
    }

    /// A member whose value was written elsewhere.
    pub fn raw(&mut self, key: &'static str, value: Raw<'_>) {
        self.member(key).raw(value);
    }

    /// A member whose value is a whole number.
    pub fn u64(&mut self, key: &'static str, number: u64) {
        self.member(key).u64(number);
    }

    /// A member whose value is `true` or `false`.
    pub fn bool(&mut self, key: &'static str, value: bool) {
        self.member(key).bool(value);
    }

    /// A member whose value is `null`.
    pub fn null(&mut self, key: &'static str) {
        self.member(key).null();
    }

    /// A member whose value is an object.
    pub fn object(&mut self, key: &'static str) -> ObjectWriter<'_> {
        self.member(key).object()
    }

    /// A member whose value is an array.
    pub fn array(&mut self, key: &'static str) -> ArrayWriter<'_> {
        self.member(key).array()
    }

    /// A member of another object, key and value as they were written there.
    pub fn copy(&mut self, member: &Member<'_>) {
        separate(self.out, &mut self.empty);
        self.out.push(b'"');
        self.out.extend_from_slice(member.raw_key.as_bytes());
        self.out.extend_from_slice(b"\":");
        ValueWriter::new(self.out).raw(member.value);
    }

    /// All members of another object, which a writer wrote: its text, braces included.
    pub fn members_of(&mut self, object: &[u8]) {
        let inside = object.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
        if let Some(members) = inside.filter(|members| !members.is_empty()) {
            separate(self.out, &mut self.empty);
            self.out.extend_from_slice(members);
        }
    }

    /// Closes the object.
    pub fn end(self) {}
}

impl Drop for ObjectWriter<'_> {
    fn drop(&mut self) {
        self.out.push(b'}');
    }
}

/// Writes the elements of an array.
#[derive(Debug)]
pub struct ArrayWriter<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> ArrayWriter<'o> {
    /// Begins an array at the end of `out`.
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        out.push(b'[');
        Self { out, empty: true }
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.empty
    }

    /// An element of any type.
    pub fn element(&mut self) -> ValueWriter<'_> {
        separate(self.out, &mut self.empty);
        ValueWriter::new(self.out)
    }

    /// An element that is a string.
    pub fn string(&mut self, text: &str) {
        self.element().string(text);
    }

    /// An element that was written elsewhere.
    pub fn raw(&mut self, value: Raw<'_>) {
        self.element().raw(value);
    }

    /// An element that is an object.
    pub fn object(&mut self) -> ObjectWriter<'_> {
        self.element().object()
    }

    /// Closes the array.
    pub fn end(self) {}
}

impl Drop for ArrayWriter<'_> {
    fn drop(&mut self) {
        self.out.push(b']');
    }
}

/// Writes a string in pieces; `write!` appends formatted ones.
#[derive(Debug)]
pub struct StringWriter<'o> {
    out: &'o mut Vec<u8>,
}

impl StringWriter<'_> {
    /// Appends `text`.
    pub fn push(&mut self, text: &str) {
        escape::write(self.out, text);
    }

    /// Appends what another JSON string says, its escapes as they were written; nothing when it is no string.
    pub fn copy(&mut self, string: Raw<'_>) {
        let inner = string.text().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        self.out.extend_from_slice(inner.unwrap_or_default().as_bytes());
    }

    /// Closes the string.
    pub fn end(self) {}
}

impl fmt::Write for StringWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

impl Drop for StringWriter<'_> {
    fn drop(&mut self) {
        self.out.push(b'"');
    }
}

/// Digits without a formatter, which costs more than all of them.
fn decimal(out: &mut Vec<u8>, mut number: u64) {
    let begun = out.len();
    loop {
        out.push(b"0123456789"[(number % 10) as usize]);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(begun..) {
        digits.reverse();
    }
}

fn separate(out: &mut Vec<u8>, empty: &mut bool) {
    if !std::mem::take(empty) {
        out.push(b',');
    }
}
