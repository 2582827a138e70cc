//! Kubernetes' quantities: a decimal number and a suffix (`250m`, `64Mi`, `1e3`).

use std::cmp::Ordering;
use std::fmt;

/// One that is not negative, as it was written. They compare by size.
#[derive(Clone, Debug)]
pub(super) struct Quantity {
    text: String,
    /// Nano-units; what is less than one is rounded up, as the API server does.
    nanos: u128,
}

/// Suffixes that are powers of 1024, with their exponents.
const BINARY: [(&str, u32); 6] = [("Ki", 1), ("Mi", 2), ("Gi", 3), ("Ti", 4), ("Pi", 5), ("Ei", 6)];
/// Suffixes that are powers of ten, with their exponents.
const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];
/// Of the number that stands for one unit.
const NANO_DIGITS: i32 = 9;

impl Quantity {
    /// Reads `text`; `None` if it is no quantity, or a negative one, or too large to be meant.
    pub(super) fn read(text: &str) -> Option<Self> {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (number, suffix) = text.split_at_checked(end)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let digits: u128 = format!("0{whole}{fraction}").parse().ok()?;
        let after_point = i32::try_from(fraction.len()).ok()?;
        let (digits, exponent) = match BINARY.iter().find(|(name, _)| *name == suffix) {
            Some((_, power)) => (digits.checked_mul(1024_u128.pow(*power))?, 0),
            None => (digits, exponent(suffix)?),
        };
        Some(Self {
            text: text.to_owned(),
            nanos: scaled(digits, exponent.checked_sub(after_point)?.checked_add(NANO_DIGITS)?)?,
        })
    }

    /// Whole units, what is less than one left out.
    pub(super) fn units(&self) -> u128 {
        self.nanos / 10_u128.pow(NANO_DIGITS.unsigned_abs())
    }
}

/// The power of ten that `suffix` stands for. `E` alone is exa, `E3` an exponent.
fn exponent(suffix: &str) -> Option<i32> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some(*exponent);
    }
    let digits = suffix.strip_prefix(['e', 'E'])?;
    digits.parse().ok()
}

/// `digits` times ten to the power of `exponent`, rounded up.
fn scaled(digits: u128, exponent: i32) -> Option<u128> {
    let power = 10_u128.checked_pow(exponent.unsigned_abs());
    match (exponent.is_negative(), power) {
        (false, Some(power)) => digits.checked_mul(power),
        (false, None) => (digits == 0).then_some(0),
        (true, Some(power)) => Some(digits.div_ceil(power)),
        (true, None) => Some(u128::from(digits > 0)),
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> Option<u128> {
        Quantity::read(text).map(|quantity| quantity.nanos)
    }

    #[test]
    fn a_quantity_is_a_number_and_a_suffix() {
        let unit = 1_000_000_000;
        for (text, expected) in [
            ("0", 0),
            ("1", unit),
            ("100m", unit / 10),
            (".5", unit / 2),
            ("2.", 2 * unit),
            ("1.5", 3 * unit / 2),
            ("64Mi", 64 * 1024 * 1024 * unit),
            ("1.5Ki", 1536 * unit),
            ("3k", 3000 * unit),
            ("2E", 2_000_000_000_000_000_000 * unit),
            ("12e2", 1200 * unit),
            ("12E-1", 12 * unit / 10),
            ("1n", 1),
            ("0.0000000001", 1),
        ] {
            assert_eq!(nanos(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            ".",
            "m",
            "-1",
            "1 Gi",
            "1g",
            "1.2.3",
            "1e",
            "1e3m",
            "ten",
            "0x10",
            "1Mb",
            "1e99999999999",
        ] {
            assert_eq!(nanos(text), None, "{text}");
        }
        assert_eq!(nanos(&"9".repeat(60)), None);
        assert_eq!(nanos("1e2000000000"), None);
        assert_eq!(nanos("1e-2000000000"), Some(1));
    }
}
