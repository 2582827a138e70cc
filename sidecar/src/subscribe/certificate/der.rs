//! The little of ASN.1 that a certificate request and a certificate's validity need.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// `[0]`: a request's attributes, a certificate's version.
const CONTEXT_0: u8 = 0xa0;

/// `ecdsa-with-SHA256`, 1.2.840.10045.4.3.2.
const ECDSA_WITH_SHA256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// From when until when a certificate holds, seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: i64,
    pub(super) until: i64,
}

impl Validity {
    /// The moment at which this share of it is over.
    pub(super) fn at(self, share: f64) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "a share of a whole number of seconds")]
        let over = (self.until.saturating_sub(self.from) as f64 * share) as i64;
        self.from.saturating_add(over)
    }
}

/// What is signed of a request (RFC 2986): version 0, an empty name, the key, no attributes.
pub(super) fn request_information(public_key: &[u8]) -> Vec<u8> {
    let parts = [element(INTEGER, &[&[0]]), element(SEQUENCE, &[]), public_key.to_vec()];
    let attributes = element(CONTEXT_0, &[]);
    element(SEQUENCE, &[&parts.concat(), &attributes])
}

/// The request, signed by ECDSA with SHA-256.
pub(super) fn request(information: &[u8], signature: &[u8]) -> Vec<u8> {
    let algorithm = element(SEQUENCE, &[&ECDSA_WITH_SHA256]);
    let no_unused_bits = [0];
    let signature = element(BIT_STRING, &[&no_unused_bits, signature]);
    element(SEQUENCE, &[information, &algorithm, &signature])
}

/// As PEM (RFC 7468).
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let encoded = STANDARD.encode(der);
    for line in encoded.as_bytes().chunks(64) {
        // Writing to a string cannot fail, and base64 is ASCII.
        let _written = writeln!(text, "{}", String::from_utf8_lossy(line));
    }
    let _written = writeln!(text, "-----END {label}-----");
    text
}

/// The validity of a certificate (RFC 5280, 4.1): after version, serial number, algorithm and issuer.
pub(super) fn validity(certificate: &[u8]) -> Option<Validity> {
    let (certificate, _) = expect(certificate, SEQUENCE)?;
    let (signed, _) = expect(certificate, SEQUENCE)?;
    let unversioned = expect(signed, CONTEXT_0).map_or(signed, |(_, rest)| rest);
    let skip = |rest, tag| expect(rest, tag).map(|(_, rest)| rest);
    let rest = [INTEGER, SEQUENCE, SEQUENCE].into_iter().try_fold(unversioned, skip)?;
    let (validity, _) = expect(rest, SEQUENCE)?;
    let (from, rest) = time(validity)?;
    let (until, _) = time(rest)?;
    Some(Validity { from, until })
}

/// One element: its tag, the length of its contents, its contents.
fn element(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let contents = contents.concat();
    let length = contents.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut element = vec![tag];
    match (contents.len(), significant.len()) {
        (0, _) => element.push(0),
        (1..=0x7f, _) => {}
        (_, 1) => element.push(0x81),
        // Nothing here is longer than 64 KiB.
        (_, _) => element.push(0x82),
    }
    element.extend(significant);
    element.extend(contents);
    element
}

/// The contents of the element in front, which must have this tag, and what follows it.
fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(*first) {
        short @ 0..=0x7f => (short, rest),
        long @ 0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(long - 0x80)?;
            let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            (length, rest)
        }
        _ => return None,
    };
    (*found == tag).then_some(())?;
    rest.split_at_checked(length)
}

/// `YYMMDDHHMMSSZ`, or with four digits of the year.
fn time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (text, rest, year_digits) = match expect(bytes, UTC_TIME) {
        Some((text, rest)) => (text, rest, 2),
        None => expect(bytes, GENERALIZED_TIME).map(|(text, rest)| (text, rest, 4))?,
    };
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, text) = text.split_at_checked(year_digits)?;
    let year: i16 = year.parse().ok()?;
    let year = match (year_digits, year) {
        (2, 0..=49) => 2000 + year,
        (2, _) => 1900 + year,
        _ => year,
    };
    let mut parts = [0i8; 5];
    let mut text = text;
    for part in &mut parts {
        let (digits, after) = text.split_at_checked(2)?;
        *part = digits.parse().ok()?;
        text = after;
    }
    let [month, day, hour, minute, second] = parts;
    let time = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let time = jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?;
    text.is_empty().then_some((time.as_second(), rest))
}
