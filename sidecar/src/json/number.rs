//! Whole numbers, read exactly.

/// The value of a valid number if it is whole and fits, however it is spelt: `3`, `3.0`, `30e-1`. `None` for any other
/// text.
pub(super) fn whole(text: &str) -> Option<u64> {
    text.parse().ok().or_else(|| scaled(text))
}

/// The digits without the zeros at their end, times ten to the power of those zeros, the exponent and the point.
fn scaled(text: &str) -> Option<u64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (units, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let significant = if fraction.is_empty() {
        units.trim_end_matches('0')
    } else {
        units
    };
    let digits = significant.bytes().chain(fraction.bytes()).try_fold(0, with_digit)?;
    let shift = i64::try_from(units.len() - significant.len()).ok()? - i64::try_from(fraction.len()).ok()?;
    let power = u32::try_from(exponent.parse::<i64>().ok()?.checked_add(shift)?);
    if digits == 0 {
        Some(0)
    } else {
        digits.checked_mul(10_u64.checked_pow(power.ok()?)?)
    }
}

fn with_digit(number: u64, digit: u8) -> Option<u64> {
    let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
    number.checked_mul(10)?.checked_add(u64::from(digit))
}
