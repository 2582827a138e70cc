//! A moment in a stream's text, so that whoever reads a chunk knows when it was due at the upstream.
//!
//! `@` and the nanoseconds since the [`Clock`] began, in 15 digits. No dialect touches such a text, so it survives a
//! translation; nothing else that the bench sends holds an `@`.

use memchr::memchr;
use std::time::Duration;
use tokio::time::Instant;

/// Bytes of a marker.
pub(crate) const LENGTH: usize = 16;

/// What the upstream and the load generator, one process, both count from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    began: Instant,
}

impl Clock {
    /// Counts from now on.
    pub(crate) fn start() -> Self {
        Self { began: Instant::now() }
    }

    /// The marker of `moment`.
    pub(crate) fn mark(self, moment: Instant) -> [u8; LENGTH] {
        let mut nanos = moment.saturating_duration_since(self.began).as_nanos();
        let mut text = [b'@'; LENGTH];
        for digit in text[1..].iter_mut().rev() {
            *digit = b"0123456789"[(nanos % 10) as usize];
            nanos /= 10;
        }
        text
    }

    /// The moments marked in `text`, each as the time passed until `now`, and how many of its bytes are done with: what
    /// is left may begin a marker.
    pub(crate) fn read(self, text: &[u8], now: Instant, mut seen: impl FnMut(Duration)) -> usize {
        let mut done = 0;
        while let Some(at) = memchr(b'@', &text[done..]) {
            let Some(digits) = text[done + at..].get(1..LENGTH) else {
                return done + at;
            };
            seen(now.saturating_duration_since(self.began + Duration::from_nanos(decimal(digits))));
            done += at + LENGTH;
        }
        text.len()
    }
}

fn decimal(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |value, digit| value * 10 + u64::from(digit.wrapping_sub(b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_tells_its_moment_and_half_of_one_is_left_for_later() {
        let clock = Clock::start();
        let due = Instant::now();
        let mark = clock.mark(due);
        let text = [
            b"before ".as_slice(),
            &mark,
            b" between ",
            &mark,
            b" after ",
            &mark[..7],
        ]
        .concat();
        let mut seen = Vec::new();
        let done = clock.read(&text, due + Duration::from_micros(70), |delay| seen.push(delay));
        assert_eq!(seen, [Duration::from_micros(70); 2]);
        assert_eq!(done, text.len() - 7);
    }
}
