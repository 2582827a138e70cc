//! The headers of an answer, and what they say of limits.

use crate::answer::Answer;
use crate::clock;
use crate::received::Received;
use crate::signature::id;
use std::time::Duration;

const REQUESTS_PER_MINUTE: usize = 4_000;
const INPUT_PER_MINUTE: u64 = 2_000_000;
const OUTPUT_PER_MINUTE: u64 = 400_000;

/// The headers of every answer, in the order in which the API sends them.
pub(super) fn headers(name: &str, request: &Received, content_type: &str) -> Vec<(String, String)> {
    let number = request.number.to_string();
    let left = REQUESTS_PER_MINUTE.saturating_sub(request.number + 1);
    let reset = clock::rfc3339_in(Duration::ZERO);
    let limit = |name: &str, what: &str| format!("anthropic-ratelimit-{name}-{what}");
    let mut headers = vec![
        ("date".to_owned(), clock::http_date()),
        ("content-type".to_owned(), content_type.to_owned()),
        (limit("requests", "limit"), REQUESTS_PER_MINUTE.to_string()),
        (limit("requests", "remaining"), left.to_string()),
        (limit("requests", "reset"), reset.clone()),
    ];
    let input = ("input-tokens", INPUT_PER_MINUTE);
    let output = ("output-tokens", OUTPUT_PER_MINUTE);
    for (name, tokens) in [input, output, ("tokens", INPUT_PER_MINUTE + OUTPUT_PER_MINUTE)] {
        headers.push((limit(name, "limit"), tokens.to_string()));
        headers.push((limit(name, "remaining"), (tokens - 1000).to_string()));
        headers.push((limit(name, "reset"), reset.clone()));
    }
    let rest = [
        ("request-id", request_id(name, request)),
        (
            "strict-transport-security",
            "max-age=31536000; includeSubDomains; preload".to_owned(),
        ),
        (
            "anthropic-organization-id",
            "00000000-0000-4000-8000-000000000001".to_owned(),
        ),
        ("server", "cloudflare".to_owned()),
        ("x-envoy-upstream-service-time", "42".to_owned()),
        ("via", "1.1 google".to_owned()),
        ("cf-cache-status", "DYNAMIC".to_owned()),
        ("x-robots-tag", "none".to_owned()),
        ("cf-ray", format!("{}-FRA", id("", 16, &["ray", &number]))),
    ];
    headers.extend(rest.map(|(name, value)| (name.to_owned(), value)));
    headers
}

/// The id of a request, in its answer's head and in the body of an error.
pub(super) fn request_id(name: &str, request: &Received) -> String {
    id("req_011C", 20, &[name, &request.number.to_string()])
}

/// What the headers of a 429 say besides.
pub(super) fn limited(answer: &mut Answer, resets_in: Duration) {
    answer.set_header("anthropic-ratelimit-requests-remaining", "0");
    answer.set_header("anthropic-ratelimit-requests-reset", &clock::rfc3339_in(resets_in));
    answer.set_header("retry-after", &resets_in.as_secs_f64().ceil().to_string());
}
