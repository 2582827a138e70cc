//! Tokens: how long the one at the start of a text is, or why there is none.

use super::find::{self, BLOCK};

/// Why a text does not begin with the token, and how far into it that shows.
pub(super) type Refusal = (&'static str, usize);

/// How many lanes a medium string fills at most.
const MEDIUM: usize = 4;

/// A string, from quote to quote; its length, and whether it holds an escape.
#[inline(always)]
pub(super) fn string(text: &[u8]) -> Result<(usize, bool), Refusal> {
    short_string(text).map_or_else(|| long_string(text), |length| Ok((length, false)))
}

/// The length of a string, from quote to quote, if it is short and plain, as most are: one step, and a branch that is
/// foreseen.
#[inline(always)]
pub(super) fn short_string(text: &[u8]) -> Option<usize> {
    let inner = from(text, 1);
    let length = match inner.first_chunk() {
        Some(start) => find::until_special(start),
        None => until_special_at_end(inner),
    };
    (inner.get(length) == Some(&b'"')).then_some(length + 2)
}

/// Byte by byte, as every text ends.
#[inline(never)]
fn until_special_at_end(inner: &[u8]) -> usize {
    let special = |byte: &u8| matches!(byte, 0..=0x1f | b'"' | b'\\');
    inner.iter().position(special).unwrap_or(inner.len())
}

/// The same of one that is plain and not much longer: whole blocks take longer to begin with.
fn medium_string(text: &[u8]) -> Option<usize> {
    let mut length = 0;
    for lane in from(text, 1).as_chunks().0.iter().take(MEDIUM) {
        let plain = find::until_special(lane);
        length += plain;
        if plain < find::LANES {
            return (lane.get(plain) == Some(&b'"')).then_some(length + 2);
        }
    }
    None
}

/// Any other string.
#[inline(never)]
fn long_string(text: &[u8]) -> Result<(usize, bool), Refusal> {
    if let Some(length) = medium_string(text) {
        return Ok((length, false));
    }
    let mut escaped = false;
    // What stands behind a backslash is done with it, also where the next block begins.
    let mut done = 1;
    for (index, specials) in find::blocks(text, |block| find::mask(block, find::special)).enumerate() {
        let mut specials = specials & !done;
        done = 0;
        while specials != 0 {
            let place = specials.trailing_zeros();
            let at = index * BLOCK + place as usize;
            match text.get(at) {
                Some(b'"') => return Ok((at + 1, escaped)),
                Some(b'\\') => escape(text, at)?,
                _ => return Err(("control character in a string", at)),
            }
            escaped = true;
            specials &= !(3 << place);
            done = u64::from(place == u64::BITS - 1);
        }
    }
    Err(("string without an end", text.len()))
}

#[inline(always)]
fn escape(text: &[u8], at: usize) -> Result<(), Refusal> {
    match text.get(at + 1) {
        Some(simple) if SIMPLE_ESCAPES[usize::from(*simple)] => Ok(()),
        Some(b'u') => unicode_escape(text, at),
        _ => Err(("unknown escape in a string", at)),
    }
}

#[inline(never)]
fn unicode_escape(text: &[u8], at: usize) -> Result<(), Refusal> {
    match from(text, at + 2) {
        [a, b, c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) => Ok(()),
        _ => Err(("`\\u` without four hexadecimal digits", at)),
    }
}

/// What may follow a backslash, `u` apart: a table, because a chain of comparisons is mispredicted.
const SIMPLE_ESCAPES: [bool; 256] = {
    let mut table = [false; 256];
    let mut simple: &[u8] = b"\"\\/bfnrt";
    while let [byte, rest @ ..] = simple {
        table[*byte as usize] = true;
        simple = rest;
    }
    table
};

/// A number; what follows it is not looked at.
#[inline(never)]
pub(super) fn number(text: &[u8]) -> Result<usize, Refusal> {
    let units = usize::from(text.first() == Some(&b'-'));
    let mut at = digits(text, units)?;
    if text.get(units) == Some(&b'0') && at > units + 1 {
        return Err(("number with a leading zero", units + 1));
    }
    if text.get(at) == Some(&b'.') {
        at = digits(text, at + 1)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let signed = matches!(text.get(at + 1), Some(b'+' | b'-'));
        at = digits(text, at + 1 + usize::from(signed))?;
    }
    Ok(at)
}

/// The end of the digits that begin at `start`, one at least.
#[inline(always)]
fn digits(text: &[u8], start: usize) -> Result<usize, Refusal> {
    match from(text, start)
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
    {
        0 => Err(("expected a digit", start)),
        count => Ok(start + count),
    }
}

#[inline]
fn from(text: &[u8], at: usize) -> &[u8] {
    text.get(at..).unwrap_or_default()
}
