//! When a limit ends, as far as the headers say so explicitly.

use http::HeaderMap;
use std::time::{Duration, UNIX_EPOCH};

/// Larger numbers are points in time: seconds, and from 10¹² on milliseconds, since the Unix epoch.
const EARLIEST_EPOCH: f64 = 1e9;
const EARLIEST_EPOCH_MILLISECONDS: f64 = 1e12;

/// How long to wait: `retry-after-ms`, else `retry-after`, else the longest reset among the limits whose remainder is
/// given as zero. `None` when nothing says so; a moment that has passed is zero.
pub fn reset_after(headers: &HeaderMap, now_unix_seconds: i64) -> Option<Duration> {
    let milliseconds = || seconds(text(headers, "retry-after-ms")?.parse::<f64>().ok()? / 1e3);
    let retry_after = || delay(text(headers, "retry-after")?, now_unix_seconds);
    milliseconds()
        .or_else(retry_after)
        .or_else(|| exhausted(headers, now_unix_seconds))
}

/// `x-ratelimit-remaining-tokens: 0` beside `x-ratelimit-reset-tokens`, `anthropic-ratelimit-tokens-remaining: 0`
/// beside `anthropic-ratelimit-tokens-reset`, and the like.
fn exhausted(headers: &HeaderMap, now: i64) -> Option<Duration> {
    let of = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let name = name.as_str();
        if !name.contains("ratelimit") || value.to_str().ok()?.trim().parse::<f64>().ok()? > 0.0 {
            return None;
        }
        let reset = name
            .contains("remaining")
            .then(|| name.replacen("remaining", "reset", 1))?;
        delay(text(headers, &reset)?, now)
    };
    headers.iter().filter_map(of).max()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Seconds, a duration (`6m0s`), an HTTP date, an RFC 3339 time, or seconds or milliseconds since the epoch.
fn delay(text: &str, now: i64) -> Option<Duration> {
    if let Ok(number) = text.parse::<f64>() {
        return number_delay(number, now);
    }
    duration(text).or_else(|| until(moment(text)?, now))
}

fn number_delay(number: f64, now: i64) -> Option<Duration> {
    if number < EARLIEST_EPOCH {
        return seconds(number.max(0.0));
    }
    let at = if number < EARLIEST_EPOCH_MILLISECONDS {
        number
    } else {
        number / 1e3
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds since the epoch are far below 2^53")]
    seconds((at - now as f64).max(0.0))
}

/// Seconds since the Unix epoch.
fn moment(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_second());
    }
    let since = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

fn until(moment: i64, now: i64) -> Option<Duration> {
    Some(Duration::from_secs(
        u64::try_from(moment.saturating_sub(now)).unwrap_or(0),
    ))
}

/// `6m0s`, `1h2m3.5s`, `20ms`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(rest.find(|c: char| c.is_ascii_alphabetic())?);
        let (unit, behind) = behind.split_at(behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len()));
        sum += number.parse::<f64>().ok()? * unit_seconds(unit)?;
        rest = behind;
    }
    seconds(sum)
}

fn unit_seconds(unit: &str) -> Option<f64> {
    match unit {
        "ms" => Some(1e-3),
        "s" => Some(1.0),
        "m" => Some(60.0),
        "h" => Some(3600.0),
        "d" => Some(86400.0),
        _ => None,
    }
}

fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok()
}
