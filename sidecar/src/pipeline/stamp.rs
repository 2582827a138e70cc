//! The headers that say what was decided about an answer.

use super::attempt::{Course, Request};
use super::explain;
use super::respond::{ATTEMPTS, CONFIG, EXPLAIN, PLAIN_REQUEST_ID, REQUEST_ID, X_REQUEST_ID};
use super::route::{Candidate, Plan};
use crate::dialect::Losses;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

const DEPLOYMENT: HeaderName = HeaderName::from_static("x-pilotfish-deployment");
const POLICY: HeaderName = HeaderName::from_static("x-pilotfish-policy");
const LOSS: HeaderName = HeaderName::from_static("x-pilotfish-loss");
const COST: HeaderName = HeaderName::from_static("x-pilotfish-cost");

// What clients of LiteLLM read.
const LITELLM_CALL_ID: HeaderName = HeaderName::from_static("x-litellm-call-id");
const LITELLM_MODEL_ID: HeaderName = HeaderName::from_static("x-litellm-model-id");
const LITELLM_RETRIES: HeaderName = HeaderName::from_static("x-litellm-attempted-retries");
const LITELLM_FALLBACKS: HeaderName = HeaderName::from_static("x-litellm-attempted-fallbacks");
const LITELLM_COST: HeaderName = HeaderName::from_static("x-litellm-response-cost");

/// How many headers are added to an answer, its length included.
const MOST: usize = 18;

/// Longest list of lost fields, bytes.
const MAX_LOSS: usize = 1024;

/// Writes them over whatever an upstream sent under the same names.
pub(super) fn answer(
    headers: &mut HeaderMap,
    request: &Request<'_, '_>,
    plan: &Plan<'_>,
    candidate: &Candidate<'_>,
    course: &Course<'_, '_>,
    losses: &Losses,
    cost_nano_usd: Option<u64>,
) {
    headers.reserve(MOST);
    let visit = request.visit;
    headers.insert(REQUEST_ID, visit.request_id_header.clone());
    headers.insert(CONFIG, visit.snapshot.version.clone());
    headers.insert(POLICY, request.policy.header.clone());
    headers.insert(DEPLOYMENT, candidate.target.deployment.header.clone());
    headers.insert(ATTEMPTS, count(course.calls() as usize));
    request_ids(headers, &visit.request_id_header);
    headers.insert(LITELLM_CALL_ID, visit.request_id_header.clone());
    headers.insert(LITELLM_MODEL_ID, candidate.target.deployment.header.clone());
    headers.insert(LITELLM_RETRIES, count(course.repeats(candidate)));
    headers.insert(LITELLM_FALLBACKS, count(course.left(candidate)));
    if let Some(cost) = cost_nano_usd
        && let Ok(value) = HeaderValue::from_str(&usd(cost))
    {
        headers.insert(LITELLM_COST, value.clone());
        headers.insert(COST, value);
    }
    if !losses.is_empty() {
        insert_text(headers, LOSS, &explain::header_safe(&named(losses), usize::MAX));
    }
    if let Some(trace) = trace(request, plan, course) {
        headers.insert(EXPLAIN, trace);
    }
}

/// The names of what was lost, and how many more there were than there is room for.
fn named(losses: &Losses) -> String {
    let (mut named, mut left) = (String::new(), 0);
    for loss in losses {
        let beyond = loss
            .field
            .strip_prefix('+')
            .and_then(|count| count.parse::<usize>().ok());
        if let Some(beyond) = beyond {
            left += beyond;
        } else if left > 0 || named.len() + loss.field.len() > MAX_LOSS {
            left += 1;
        } else {
            let gap = if named.is_empty() { "" } else { ", " };
            named.push_str(gap);
            named.push_str(&loss.field);
        }
    }
    match (left, named.is_empty()) {
        (0, _) => named,
        (left, true) => format!("+{left}"),
        (left, false) => format!("{named}, +{left}"),
    }
}

/// The decision trace, if the client asked for it.
pub(super) fn trace(request: &Request<'_, '_>, plan: &Plan<'_>, course: &Course<'_, '_>) -> Option<HeaderValue> {
    let asked = request.head.headers.contains_key(EXPLAIN);
    asked
        .then(|| HeaderValue::try_from(explain::trace(plan, &course.tried)).ok())
        .flatten()
}

/// Most attempts are the first one, and a number that is written anew is two allocations.
fn count(number: usize) -> HeaderValue {
    match number {
        0 => HeaderValue::from_static("0"),
        1 => HeaderValue::from_static("1"),
        more => HeaderValue::from(more),
    }
}

/// Dollars with all nine places, exact.
fn usd(nano_usd: u64) -> String {
    let (mut digits, mut rest) = ([b'0'; 9], nano_usd % 1_000_000_000);
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    let mut text = (nano_usd / 1_000_000_000).to_string();
    text.push('.');
    text.extend(digits.map(char::from));
    text
}

/// The upstream's own request id under both names that SDKs read, or ours where it gave none.
fn request_ids(headers: &mut HeaderMap, ours: &HeaderValue) {
    let theirs = headers
        .get(X_REQUEST_ID)
        .or_else(|| headers.get(PLAIN_REQUEST_ID))
        .unwrap_or(ours)
        .clone();
    headers.insert(X_REQUEST_ID, theirs.clone());
    headers.insert(PLAIN_REQUEST_ID, theirs);
}

fn insert_text(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::{Losses, named};
    use crate::dialect::{Grade, Loss};

    #[test]
    fn what_the_loss_header_has_no_room_for_is_counted() {
        let long = "a".repeat(600);
        for (fields, expected) in [
            (vec!["a", "b"], "a, b".to_owned()),
            (vec!["a", "+3968"], "a, +3968".to_owned()),
            (vec![&*long, &*long, "b", "+2"], format!("{long}, +4")),
        ] {
            let losses: Losses = fields
                .into_iter()
                .map(|field| Loss {
                    field: field.to_owned().into(),
                    grade: Grade::Hint,
                    why: "why".into(),
                })
                .collect();
            assert_eq!(named(&losses), expected);
        }
    }

    #[test]
    fn a_cost_is_shown_to_the_last_place() {
        for (nano_usd, expected) in [
            (0, "0.000000000"),
            (38, "0.000000038"),
            (1_500_000_000, "1.500000000"),
            (u64::MAX, "18446744073.709551615"),
        ] {
            assert_eq!(super::usd(nano_usd), expected);
        }
    }
}
