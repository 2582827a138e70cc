//! What must follow what, and what must be signed.

use super::answer::is_signature;
use super::error::{Error, unless};
use super::validate::Checked;
use crate::json::Json;
use crate::model::{Model, Thinking};

/// Stands for a signature that a client does not have.
const ABSENT: &str = "skip_thought_signature_validator";

pub(super) fn validate(contents: &[Json], model: &Model) -> Checked {
    pairs(contents)?;
    let first_role = contents.first().and_then(|content| content.text_of("role"));
    unless(
        first_role != Some("model") || !has(contents.first(), "functionCall"),
        "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
    )?;
    for part in contents.iter().flat_map(|content| content.list_of("parts")) {
        let signature = part.text_of("thoughtSignature").unwrap_or(ABSENT);
        unless(
            signature == ABSENT || is_signature(signature),
            "Corrupted thought signature.",
        )?;
    }
    if model.traits.thinking == Thinking::Always {
        signed(contents)?;
    }
    Ok(())
}

fn has(content: Option<&Json>, kind: &str) -> bool {
    content.is_some_and(|content| content.list_of("parts").iter().any(|part| part.get(kind).is_some()))
}

/// As many responses as calls, in the next turn.
fn pairs(contents: &[Json]) -> Checked {
    let mut open = 0;
    let mut before = "user";
    for content in contents {
        let count = |kind: &str| {
            let parts = content.list_of("parts");
            parts.iter().filter(|part| part.get(kind).is_some()).count()
        };
        let role = content.text_of("role").unwrap_or("user");
        let (calls, responses) = (count("functionCall"), count("functionResponse"));
        if role != before || role == "user" {
            unless(
                responses == open,
                "Please ensure that the number of function response parts is equal to the number of function call parts \
                 of the function call turn.",
            )?;
            open = 0;
        }
        open += calls;
        before = role;
    }
    unless(
        open == 0,
        "Please ensure that function call turn is followed by a function response turn.",
    )
}

/// Since the user last spoke, the first call of each turn is signed.
fn signed(contents: &[Json]) -> Checked {
    let speaks = |content: &Json| content.text_of("role") != Some("model") && !has(Some(content), "functionResponse");
    let from = contents.iter().rposition(speaks).unwrap_or(0);
    for (position, content) in contents.iter().enumerate().skip(from) {
        let continues =
            position > 0 && contents.get(position - 1).and_then(|before| before.text_of("role")) == Some("model");
        let first = content
            .list_of("parts")
            .iter()
            .find(|part| part.get("functionCall").is_some());
        let Some(first) = first.filter(|_| !continues && content.text_of("role") == Some("model")) else {
            continue;
        };
        if first.text_of("thoughtSignature").is_none() {
            let name = first
                .get("functionCall")
                .and_then(|call| call.text_of("name"))
                .unwrap_or_default();
            return Err(Error::invalid(format!(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to work \
                 correctly, and missing thought_signature may lead to degraded model performance. Additional data, \
                 function call `default_api:{name}` , position {}. Please refer to \
                 https://ai.google.dev/gemini-api/docs/thought-signatures for more details.",
                position + 1
            )));
        }
    }
    Ok(())
}
