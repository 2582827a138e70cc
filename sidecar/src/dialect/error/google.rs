//! The `details` of Google's errors: a list of messages, each with its type.

use super::reset::duration;
use crate::json::{Elements, Object, Raw};
use std::time::Duration;

/// What the details say, as far as anything depends on it.
#[derive(Debug, Default)]
pub(super) struct Details {
    /// A word for programs: `API_KEY_INVALID`.
    pub(super) reason: Option<String>,
    /// The first field at fault.
    pub(super) field: Option<String>,
    /// When the limit ends.
    pub(super) reset: Option<Duration>,
}

/// The word for a quota that a day, and no retry, gives back.
pub(super) const DAILY: &str = "QUOTA_PER_DAY";

pub(super) fn read(error: &Object<'_>) -> Details {
    let mut found = Details::default();
    let list = error.get("details").and_then(Raw::elements);
    for detail in list.into_iter().flat_map(Elements::objects).flatten() {
        let word = |key: &str| text(&detail, key);
        let kind = word("@type").unwrap_or_default();
        match kind.rsplit('.').next().unwrap_or_default() {
            "ErrorInfo" => found.reason = found.reason.or_else(|| word("reason")),
            "RetryInfo" => found.reset = word("retryDelay").and_then(|delay| duration(&delay)),
            "BadRequest" => found.field = first(&detail, "fieldViolations").and_then(|first| text(&first, "field")),
            "QuotaFailure" => {
                let quota = first(&detail, "violations").and_then(|first| text(&first, "quotaId"));
                if quota.is_some_and(|quota| quota.contains("PerDay")) {
                    found.reason = Some(DAILY.to_owned());
                }
            }
            _ => {}
        }
    }
    found
}

fn first<'a>(detail: &Object<'a>, list: &str) -> Option<Object<'a>> {
    detail.get(list)?.elements()?.next()?.object()
}

fn text(object: &Object<'_>, key: &str) -> Option<String> {
    object.get(key)?.string().map(std::borrow::Cow::into_owned)
}
