//! `−log₂` of a hash in fixed point: integers only, so that every architecture gets the same bits.
//!
//! The mantissa is multiplied by a table's 17-bit reciprocal, which leaves `1 + r` exactly, `0 ≤ r < 2⁻⁷ + 2⁻¹⁵`; eight
//! terms of the series for `ln(1 + r)` follow. The result is at most 2⁻⁵⁶ above the true value (two units of the last
//! place) and at most 2⁻⁶¹ below it. A winning draw is about 1 over the sum of the weights, so even among sixteen
//! weights of a million the error is 2⁻³² of the draw.

/// 1.0 of the result.
pub(super) const ONE: u64 = 1 << 57;

/// Intervals of the mantissa, which has 7 bits to select one.
const INTERVALS: usize = 128;

/// 1 / ln 2, 63 fractional bits.
const INVERSE_LN_2: u64 = 0xB8AA_3B29_5C17_F0BC;

/// 1/8 to 1/2, the coefficients of the series from its end, 64 fractional bits.
const FRACTIONS: [u64; 7] = [
    u64::MAX / 8,
    u64::MAX / 7,
    u64::MAX / 6,
    u64::MAX / 5,
    u64::MAX / 4,
    u64::MAX / 3,
    u64::MAX / 2,
];

/// What is known of the mantissas from `1 + i/128` on.
#[derive(Clone, Copy)]
struct Interval {
    /// 1 over the interval's lower end, 16 fractional bits, rounded up: the product is never below 1.
    reciprocal: u64,
    /// `−log₂(reciprocal)`, 63 fractional bits.
    log: u64,
}

static TABLE: [Interval; INTERVALS] = table();

/// `−log₂ u` for `u = (hash | 1) / 2⁶⁴`, which is neither 0 nor 1, with 57 fractional bits.
pub(super) fn negative_log2(hash: u64) -> u64 {
    let odd = hash | 1;
    let zeros = odd.leading_zeros();
    u64::from(zeros + 1) * ONE - (log2(odd << zeros) >> 6)
}

/// `log₂` of a mantissa (63 fractional bits, in [1, 2)), 63 fractional bits.
fn log2(mantissa: u64) -> u64 {
    let interval = &TABLE[(mantissa >> 56) as usize % INTERVALS];
    let product = u128::from(mantissa) * u128::from(interval.reciprocal) - (1 << 79);
    let rest = ((product << 49) >> 64) as u64;
    interval.log + high(natural(rest), INVERSE_LN_2)
}

/// `ln(1 + r)`, 64 fractional bits both.
fn natural(r: u64) -> u64 {
    let [eighth, rest @ ..] = FRACTIONS;
    let sum = rest.iter().fold(eighth, |sum, fraction| fraction - high(r, sum));
    r - high(r, high(r, sum))
}

/// The upper half of the product.
const fn high(a: u64, b: u64) -> u64 {
    ((a as u128 * b as u128) >> 64) as u64
}

const fn table() -> [Interval; INTERVALS] {
    let mut table = [Interval {
        reciprocal: 1 << 16,
        log: 0,
    }; INTERVALS];
    let mut i = 1;
    while i < INTERVALS {
        let reciprocal = (1_u64 << 23).div_ceil((INTERVALS + i) as u64);
        // −log₂(reciprocal / 2¹⁶) = 1 − log₂(reciprocal / 2¹⁵)
        let log = (1 << 63) - log2_by_squaring(reciprocal << 48);
        table[i] = Interval { reciprocal, log };
        i += 1;
    }
    table
}

/// As [`log2`], one bit per squaring: slow, obvious, and exact to 2⁻⁶¹.
const fn log2_by_squaring(mut mantissa: u64) -> u64 {
    let mut log = 0;
    let mut bit = 1 << 62;
    while bit != 0 {
        let square = mantissa as u128 * mantissa as u128;
        let doubled = square >> 127 != 0;
        mantissa = if doubled {
            (square >> 64) as u64
        } else {
            ((square << 1) >> 64) as u64
        };
        log |= if doubled { bit } else { 0 };
        bit >>= 1;
    }
    log
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Against the bit-by-bit method: at most two units of the last place.
    fn agrees(hash: u64) {
        let odd = hash | 1;
        let zeros = odd.leading_zeros();
        let exact = (u128::from(zeros) + 1) * (1 << 63) - u128::from(log2_by_squaring(odd << zeros));
        let difference = (i128::from(negative_log2(hash)) << 6) - exact.cast_signed();
        assert!((-4..=2 << 6).contains(&difference), "{hash:#x}: {difference} of 2^-63");
    }

    #[test]
    fn the_error_is_at_most_two_units_of_the_last_place() {
        for shift in 0..64 {
            for near in [0_u64, 1, 2, 3] {
                agrees((1 << shift) + near);
                agrees((1_u64 << shift).wrapping_sub(near));
                agrees(u64::MAX >> shift);
            }
        }
        for interval in 0..=u64::from(u16::MAX) {
            agrees(interval << 48);
            agrees((interval << 48).wrapping_sub(1));
        }
    }

    #[test]
    fn it_is_the_logarithm_that_the_standard_library_computes() {
        for hash in [
            1,
            2,
            3,
            1 << 20,
            12_345_678_901,
            1 << 63,
            u64::MAX / 3,
            u64::MAX / 3 * 2,
        ] {
            let expected = 64.0 - ((hash | 1) as f64).log2();
            let got = negative_log2(hash) as f64 / ONE as f64;
            assert!((got - expected).abs() < 1e-13, "{hash}: {got} for {expected}");
        }
    }

    #[test]
    fn the_ends_stay_in_range() {
        assert_eq!(negative_log2(0), 64 * ONE);
        assert_eq!(negative_log2(u64::MAX), 1, "a draw is never 0");
    }

    proptest! {
        #[test]
        fn any_hash_agrees_with_the_slow_method(hash: u64) {
            agrees(hash);
        }

        #[test]
        fn a_larger_hash_never_draws_much_more(a: u64, b: u64) {
            let (less, more) = (a.min(b), a.max(b));
            prop_assert!(negative_log2(more) <= negative_log2(less) + 2);
        }
    }
}
