//! What a JSON string cannot hold as it is: found fast, resolved, written.

/// How many bytes at the start of `bytes` may stand in a JSON string as they are: no quote, backslash or control
/// character. Bytes beyond ASCII may.
pub(super) fn plain(bytes: &[u8]) -> usize {
    let mut at = 0;
    // The compiler makes vector instructions of a block; the loop is for prompts, the next one for keys.
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    for block in blocks {
        if block.iter().fold(false, |found, byte| found | is_special(*byte)) {
            break;
        }
        at += BLOCK;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let (words, _) = rest.as_chunks::<8>();
    for word in words {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len())
}

const BLOCK: usize = 32;

fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The lowest set bit is the top bit of the first special byte of a little-endian word; bits above it may be wrong,
/// since a subtraction borrows upwards.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = quote.wrapping_sub(ONES) & !quote;
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    (control | quote | backslash) & (ONES * 0x80)
}

/// The inside of a valid string with its escapes resolved; a surrogate without its pair becomes U+FFFD.
pub(super) fn resolve(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        rest = resolve_one(escape, &mut out);
    }
    out.push_str(rest);
    out
}

/// `escape` begins behind the backslash; what follows the escape is returned.
fn resolve_one<'a>(escape: &'a str, out: &mut String) -> &'a str {
    let mut rest = escape.chars();
    match rest.next() {
        Some('u') => return resolve_unicode(rest.as_str(), out),
        Some('n') => out.push('\n'),
        Some('t') => out.push('\t'),
        Some('r') => out.push('\r'),
        Some('b') => out.push('\u{8}'),
        Some('f') => out.push('\u{c}'),
        Some(other) => out.push(other),
        None => {}
    }
    rest.as_str()
}

/// `digits` begins behind `\u`.
fn resolve_unicode<'a>(digits: &'a str, out: &mut String) -> &'a str {
    let (unit, rest) = unit(digits);
    let pair = rest.strip_prefix("\\u").map(self::unit);
    if let Some((low, behind)) = pair
        && let Some(Ok(character)) = char::decode_utf16([unit, low]).next()
        && character.len_utf16() == 2
    {
        out.push(character);
        return behind;
    }
    out.push(char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER));
    rest
}

/// Four hexadecimal digits, and what follows them.
fn unit(digits: &str) -> (u16, &str) {
    let (digits, rest) = digits.split_at_checked(4).unwrap_or((digits, ""));
    (u16::from_str_radix(digits, 16).unwrap_or_default(), rest)
}

/// Appends `text` as it stands inside the quotes of a JSON string. Only what must be escaped is, in its shortest form.
pub(super) fn write(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain(rest));
        out.extend_from_slice(plain);
        let [byte, behind @ ..] = special else { return };
        write_one(out, *byte);
        rest = behind;
    }
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
