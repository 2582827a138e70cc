//! What a JSON string cannot hold as it is: resolved, written.

use super::find::{self, Places};
use std::borrow::Cow;

/// The inside of a valid string with its escapes resolved; a surrogate without its pair becomes U+FFFD.
pub(super) fn resolved(inner: &str) -> Cow<'_, str> {
    if holds_escape(inner.as_bytes()) {
        Cow::Owned(resolve(inner))
    } else {
        Cow::Borrowed(inner)
    }
}

/// Most are keys and words, shorter than what a vector search takes to begin.
fn holds_escape(inner: &[u8]) -> bool {
    if inner.len() < 16 {
        inner.contains(&b'\\')
    } else {
        memchr::memchr(b'\\', inner).is_some()
    }
}

fn resolve(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut backslashes = Places::new(inner.as_bytes(), |bytes| find::equal(bytes, b'\\'));
    let mut done = 0;
    while let Some(at) = backslashes.next() {
        backslashes.pass_over_next();
        // The second half of a surrogate pair was done with the first.
        if at >= done {
            out.push_str(inner.get(done..at).unwrap_or_default());
            let escape = inner.get(at + 1..).unwrap_or_default();
            done = at + 1 + resolve_one(escape, &mut out);
        }
    }
    out.push_str(inner.get(done..).unwrap_or_default());
    out
}

/// `escape` begins behind the backslash; how long it is.
fn resolve_one(escape: &str, out: &mut String) -> usize {
    match escape.as_bytes().first() {
        Some(b'u') => return resolve_unicode(escape, out),
        Some(b'n') => out.push('\n'),
        Some(b't') => out.push('\t'),
        Some(b'r') => out.push('\r'),
        Some(b'b') => out.push('\u{8}'),
        Some(b'f') => out.push('\u{c}'),
        Some(itself) => out.push(char::from(*itself)),
        None => {}
    }
    1
}

/// `escape` begins with `u`; how long it is, a second one included that makes a pair with it.
fn resolve_unicode(escape: &str, out: &mut String) -> usize {
    let high = unit(escape);
    let low = escape
        .get(5..)
        .and_then(|rest| rest.strip_prefix('\\'))
        .filter(|rest| rest.starts_with('u'))
        .map(unit);
    if let Some(low) = low
        && let Some(Ok(character)) = char::decode_utf16([high, low]).next()
        && character.len_utf16() == 2
    {
        out.push(character);
        return 11;
    }
    out.push(char::from_u32(high.into()).unwrap_or(char::REPLACEMENT_CHARACTER));
    5
}

/// The four hexadecimal digits behind the `u`.
fn unit(escape: &str) -> u16 {
    escape
        .get(1..5)
        .and_then(|digits| u16::from_str_radix(digits, 16).ok())
        .unwrap_or_default()
}

/// Appends `text` as it stands inside the quotes of a JSON string. Only what must be escaped is, in its shortest form.
pub(super) fn write(out: &mut Vec<u8>, text: &str) {
    let begun = out.len();
    if text.len() <= find::LANES {
        // Where it stands now it can be looked at as a whole, and most need nothing else.
        out.extend_from_slice(text.as_bytes());
        if find::ends_plain(out, text.len()) {
            return;
        }
        out.truncate(begun);
    }
    write_escaped(out, text.as_bytes());
}

fn write_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut done = 0;
    for at in Places::new(bytes, find::special) {
        out.extend_from_slice(bytes.get(done..at).unwrap_or_default());
        bytes.get(at).into_iter().for_each(|byte| write_one(out, *byte));
        done = at + 1;
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or_default());
}

fn write_one(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0x08 => out.extend_from_slice(b"\\b"),
        0x0c => out.extend_from_slice(b"\\f"),
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        _ => out.extend_from_slice(&[
            b'\\',
            b'u',
            b'0',
            b'0',
            HEX[usize::from(byte >> 4)],
            HEX[usize::from(byte & 15)],
        ]),
    }
}
