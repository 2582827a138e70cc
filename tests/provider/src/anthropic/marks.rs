//! The rules of `cache_control`.

use super::error::unless;
use super::validate::Checked;
use crate::json::Json;

/// At most four, the long ones first.
pub(super) fn validate(request: &Json) -> Checked {
    let marks = marks(request);
    unless(
        marks.len() <= 4,
        format!(
            "A maximum of 4 blocks with cache_control may be provided. Found {}.",
            marks.len()
        ),
    )?;
    let short = marks.iter().position(|ttl| ttl != "1h");
    let long = marks.iter().rposition(|ttl| ttl == "1h");
    unless(
        short.zip(long).is_none_or(|(short, long)| long < short),
        "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are \
         processed in the following order: `tools`, `system`, `messages`.",
    )
}

fn marks(request: &Json) -> Vec<String> {
    let mut marks = Vec::new();
    for part in ["tools", "system", "messages"] {
        collect(request.get(part), &mut marks);
    }
    if let Some(automatic) = request.given("cache_control") {
        marks.push(automatic.text_of("ttl").unwrap_or("5m").to_owned());
    }
    marks
}

fn collect(value: Option<&Json>, marks: &mut Vec<String>) {
    match value {
        Some(Json::List(elements)) => elements.iter().for_each(|element| collect(Some(element), marks)),
        Some(object @ Json::Object(_)) => {
            collect(object.get("content"), marks);
            if let Some(mark) = object.given("cache_control") {
                marks.push(mark.text_of("ttl").unwrap_or("5m").to_owned());
            }
        }
        _ => {}
    }
}
