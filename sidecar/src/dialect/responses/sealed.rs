//! Encrypted reasoning items, which only the account reads that made them.

use crate::dialect::foreign::{Purged, removed};
use crate::dialect::loss::{Ledger, given};
use crate::dialect::splice::PassThrough;
use crate::dialect::{Dialect, Fault};
use crate::json::{self, Elements, Object, Raw};
use bytes::Bytes;
use memchr::memmem;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::ops::Range;

const WHY: &str = "the upstream cannot decrypt what another account's model reasoned";

/// The upstream says that it cannot read what was encrypted. Others than OpenAI have no code for it.
pub fn is_unreadable(dialect: Dialect, fault: &Fault) -> bool {
    let says = |words: &[&str]| {
        let message = fault.message.to_ascii_lowercase();
        words.iter().any(|word| message.contains(word))
    };
    dialect == Dialect::Responses
        && (fault.code.as_deref() == Some("invalid_encrypted_content")
            || says(&["encrypted content", "encrypted_content"]) && says(&["decrypt", "verif", "invalid"]))
}

/// What is encrypted in a request's items.
pub fn contents_of_request(request: &[u8]) -> Vec<String> {
    let object = holds_any(request).then(|| json::parse(request).ok()).flatten();
    object.map(|object| contents(&object, "input")).unwrap_or_default()
}

/// What is encrypted in a list of items.
pub(super) fn contents(body: &Object<'_>, list: &str) -> Vec<String> {
    let items = given(body, list).and_then(Raw::elements);
    let items = items.into_iter().flat_map(Elements::objects).flatten();
    items.filter_map(|item| Some(content(&item)?.into_owned())).collect()
}

fn holds_any(body: &[u8]) -> bool {
    memmem::find(body, b"\"encrypted_content\"").is_some()
}

fn content<'a>(item: &Object<'a>) -> Option<Cow<'a, str>> {
    given(item, "encrypted_content")?
        .string()
        .filter(|content| !content.is_empty())
}

/// The request without the reasoning whose content `is_foreign`; `None` where there is none. What followed such an item
/// loses its id: by it the provider would look for the reasoning.
pub fn without_sealed(request: &[u8], is_foreign: impl Fn(&str) -> bool) -> Option<Purged> {
    let object = holds_any(request).then(|| json::parse(request).ok()).flatten()?;
    let items: Vec<_> = given(&object, "input")?.elements()?.collect();
    let goes = |item: &Raw<'_>| {
        let content = item.object().as_ref().and_then(content);
        content.is_some_and(|content| is_foreign(&content))
    };
    let gone: Vec<bool> = items.iter().map(goes).collect();
    let mut ledger = Ledger::default();
    for (at, _) in gone.iter().enumerate().filter(|(_, gone)| **gone) {
        ledger.hint(format!("input[{at}]"), WHY);
    }
    let all = items.iter().zip(&gone);
    let spans = removed(all.map(|(item, gone)| (object.span(*item), *gone)));
    let mut splices: SmallVec<[(Range<usize>, Vec<u8>); 2]> =
        spans.into_iter().map(|range| (range, Vec::new())).collect();
    if splices.is_empty() {
        return None;
    }
    splices.extend(ids_behind(&object, &items, &gone));
    splices.sort_by_key(|(range, _)| range.start);
    let whole = Bytes::copy_from_slice(request);
    let pieces = PassThrough::of(request.len(), splices).into_pieces(&whole);
    Some(Purged {
        body: pieces.concat().into(),
        losses: ledger.into_losses(),
    })
}

/// Where the ids of the model's items stand that came of what goes.
fn ids_behind<'a>(request: &Object<'a>, items: &[Raw<'a>], gone: &[bool]) -> Vec<(Range<usize>, Vec<u8>)> {
    let mut is_behind = false;
    let mut found = Vec::new();
    for (item, gone) in items.iter().zip(gone) {
        let Some(item) = item.object() else { continue };
        is_behind = *gone || is_behind && is_of_the_model(&item);
        if is_behind && !gone {
            let members = item.members().iter();
            let spans = members.map(|member| (request.member_span(member), member.key() == "id"));
            found.extend(removed(spans).into_iter().map(|range| (range, Vec::new())));
        }
    }
    found
}

fn is_of_the_model(item: &Object<'_>) -> bool {
    let word = |key| given(item, key).and_then(Raw::string);
    match word("type").as_deref() {
        Some("message") | None => word("role").as_deref() == Some("assistant"),
        Some(kind) => !kind.ends_with("_output"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Class;

    fn item(kind: &str, more: &str) -> String {
        format!(r#"{{"type":"{kind}"{more}}}"#)
    }

    fn request(items: &[String]) -> String {
        format!(r#"{{"model":"m","input":[{}],"store":false}}"#, items.join(", "))
    }

    #[test]
    fn what_cannot_be_read_goes_with_the_ids_that_lead_to_it() {
        let sealed = |content: &str| item("reasoning", &format!(r#","id":"rs","encrypted_content":"{content}""#));
        let call = |id: &str| item("function_call", &format!(r#"{id},"call_id":"c","name":"f""#));
        let output = item("function_call_output", r#","call_id":"c","id":"o""#);
        let said = |id: &str| item("message", &format!(r#"{id},"role":"assistant""#));
        let asked = item("message", r#","id":"u","role":"user""#);
        let (fc, msg) = (r#","id":"fc_1""#, r#","id":"msg_1""#);
        let before = [
            asked.clone(),
            sealed("A"),
            call(fc),
            output.clone(),
            sealed("B"),
            call(fc),
            output.clone(),
            said(msg),
            sealed("A"),
            said(msg),
            asked.clone(),
        ];
        let after = [
            asked.clone(),
            call(""),
            output.clone(),
            sealed("B"),
            call(fc),
            output,
            said(msg),
            said(""),
            asked,
        ];
        let purged = without_sealed(request(&before).as_bytes(), |content| content == "A").unwrap();
        assert_eq!(str::from_utf8(&purged.body).unwrap(), request(&after));
        let lost: Vec<_> = purged.losses.iter().map(|loss| &*loss.field).collect();
        assert_eq!(lost, ["input[1]", "input[8]"]);
        let again = without_sealed(&purged.body, |content| content == "A");
        assert!(again.is_none());
        assert_eq!(contents_of_request(request(&before).as_bytes()), ["A", "B", "A"]);
    }

    #[test]
    fn a_refusal_is_known_by_its_code_or_its_words() {
        let fault = |code: Option<&str>, message: &str| Fault {
            code: code.map(str::to_owned),
            ..Fault::new(Class::Client, message)
        };
        for (code, message, expected) in [
            (Some("invalid_encrypted_content"), "no", true),
            (None, "The encrypted content gAAA...DQ== could not be verified.", true),
            (None, "Could not decrypt the provided encrypted_content.", true),
            (
                None,
                "include: encrypted content is not supported with this model",
                false,
            ),
            (Some("invalid_value"), "Invalid 'input'.", false),
        ] {
            let fault = fault(code, message);
            assert_eq!(is_unreadable(Dialect::Responses, &fault), expected, "{message}");
            assert!(!is_unreadable(Dialect::Chat, &fault));
        }
    }
}
