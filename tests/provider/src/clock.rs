//! The time of day, as a provider's headers and answers tell it.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use std::time::Duration;

/// Seconds since the Unix epoch.
pub(crate) fn seconds() -> i64 {
    Timestamp::now().as_second()
}

/// The `date` header.
pub(crate) fn http_date() -> String {
    let printed = DateTimePrinter::new().timestamp_to_rfc9110_string(&Timestamp::now());
    printed.expect("HTTP can write every date of this era")
}

/// RFC 3339, to the second, so long from now: rounded up, for a limit is not over before its reset.
pub(crate) fn rfc3339_in(from_now: Duration) -> String {
    let exact = Timestamp::now().saturating_add(from_now).unwrap_or(Timestamp::MAX);
    let second = exact.as_second() + i64::from(exact.subsec_nanosecond() > 0);
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX).to_string()
}
