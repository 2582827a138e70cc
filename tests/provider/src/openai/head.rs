//! The headers of an answer, and what they say of limits.

use super::ORGANIZATION;
use crate::answer::Answer;
use crate::clock;
use crate::received::Received;
use crate::signature::id;
use std::time::Duration;

const REQUESTS_PER_MINUTE: usize = 10_000;
const TOKENS_PER_MINUTE: u64 = 2_000_000;

/// The headers of every answer, in the order in which the API sends them.
pub(super) fn headers(name: &str, request: &Received, content_type: &str) -> Vec<(String, String)> {
    let number = request.number.to_string();
    let left = REQUESTS_PER_MINUTE.saturating_sub(request.number + 1);
    let headers = [
        ("date", clock::http_date()),
        ("content-type", content_type.to_owned()),
        ("access-control-expose-headers", "X-Request-ID".to_owned()),
        ("openai-organization", ORGANIZATION.to_owned()),
        ("openai-processing-ms", "42".to_owned()),
        ("openai-version", "2020-10-01".to_owned()),
        ("x-ratelimit-limit-requests", REQUESTS_PER_MINUTE.to_string()),
        ("x-ratelimit-limit-tokens", TOKENS_PER_MINUTE.to_string()),
        ("x-ratelimit-remaining-requests", left.to_string()),
        ("x-ratelimit-remaining-tokens", (TOKENS_PER_MINUTE - 1).to_string()),
        ("x-ratelimit-reset-requests", "6ms".to_owned()),
        ("x-ratelimit-reset-tokens", "0s".to_owned()),
        ("x-request-id", id("req_", 32, &[name, &number])),
        (
            "strict-transport-security",
            "max-age=31536000; includeSubDomains; preload".to_owned(),
        ),
        ("cf-cache-status", "DYNAMIC".to_owned()),
        (
            "set-cookie",
            format!(
                "__cf_bm={}; path=/; HttpOnly; Secure; SameSite=None",
                id("", 43, &[name, &number])
            ),
        ),
        ("x-content-type-options", "nosniff".to_owned()),
        ("server", "cloudflare".to_owned()),
        ("cf-ray", format!("{}-FRA", id("", 16, &["ray", &number]))),
        ("alt-svc", "h3=\":443\"; ma=86400".to_owned()),
    ];
    headers.map(|(name, value)| (name.to_owned(), value)).into()
}

/// What the headers of a 429 say besides.
pub(super) fn limited(answer: &mut Answer, resets_in: Duration) {
    answer.set_header("x-ratelimit-remaining-requests", "0");
    answer.set_header("x-ratelimit-reset-requests", &go_duration(resets_in));
    answer.set_header("retry-after-ms", &resets_in.as_millis().to_string());
    answer.set_header("retry-after", &resets_in.as_secs_f64().ceil().to_string());
}

/// `6m0s`, `1s`, `250ms`
fn go_duration(duration: Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.subsec_millis());
    match (seconds / 60, seconds % 60, millis) {
        (0, 0, millis) => format!("{millis}ms"),
        (0, seconds, 0) => format!("{seconds}s"),
        (0, seconds, millis) => format!("{seconds}.{millis:03}s"),
        (minutes, seconds, _) => format!("{minutes}m{seconds}s"),
    }
}
