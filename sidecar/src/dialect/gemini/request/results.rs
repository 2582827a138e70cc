//! What functions returned, and which call each of them answers. Google pairs them by id where there is one, otherwise
//! by name and order.

use super::decode::text;
use super::fields;
use super::parts;
use crate::dialect::BadRequest;
use crate::dialect::gemini::spelling::{List, camel_case, given, is, list};
use crate::dialect::item::{Call, Item, Part, Place, Role, ToolResult};
use crate::dialect::loss::{self, Ledger};
use crate::dialect::pairing::MOST_CALLS;
use crate::dialect::text::Text;
use crate::json::{Object, Raw};

/// The calls of the last turn that have no result yet.
#[derive(Debug, Default)]
pub(super) struct Open<'a> {
    calls: Vec<(Text<'a>, Text<'a>)>,
}

impl<'a> Open<'a> {
    pub(super) fn clear(&mut self) {
        self.calls.clear();
    }

    pub(super) fn called(&mut self, call: &Call<'a>) {
        // A turn with more is refused later, and must not be searched through until then.
        if self.calls.len() <= MOST_CALLS {
            self.calls.push((call.id.clone(), call.name.clone()));
        }
    }

    /// The id of the call that a result with this id or, if it has none, this name answers.
    fn answered(&mut self, id: Option<&Text<'a>>, name: &Text<'a>) -> Option<Text<'a>> {
        let by_id = id.map(Text::plain);
        let by_name = name.plain();
        let has_id = |(known, _): &(Text<'a>, Text<'a>)| by_id.as_ref().is_some_and(|id| *id == known.plain());
        let has_name = |(_, known): &(Text<'a>, Text<'a>)| known.plain() == by_name;
        let at = self
            .calls
            .iter()
            .position(has_id)
            .or_else(|| self.calls.iter().position(has_name))?;
        Some(self.calls.remove(at).0)
    }
}

pub(super) fn read<'a>(
    response: &Object<'a>,
    place: Place,
    open: &mut Open<'a>,
    ledger: &mut Ledger,
) -> Result<ToolResult<'a>, BadRequest> {
    let within = format_args!("{place}.functionResponse.");
    loss::decide_as(camel_case, response, fields::FUNCTION_RESPONSE, &within, ledger)?;
    let bad = |problem: &str| BadRequest::at(place.to_string(), problem);
    let id = text(response, "id");
    let name = text(response, "name").or_else(|| id.clone());
    let name = name.ok_or_else(|| bad("must have a functionResponse with a name"))?;
    let (said, is_error) = given(response, "response").map_or((None, false), said);
    let call = open.answered(id.as_ref(), &name).or(id).unwrap_or(name);
    let item = |part| Item {
        role: Role::User,
        place: Place { index: None, ..place },
        part,
        cache: None,
        detail: None,
    };
    let mut content: Vec<_> = said.map(Part::Text).map(item).into_iter().collect();
    let media = list(response, "parts");
    for part in media.into_iter().flat_map(List::objects).flatten() {
        let blob = given(&part, "inlineData").and_then(Raw::object);
        let part = blob.as_ref().and_then(parts::inline);
        content.push(item(part.ok_or_else(|| bad("must have parts with inlineData"))?));
    }
    Ok(ToolResult {
        call,
        is_error,
        content,
    })
}

/// The text of a response, and whether it is an error. Google's SDKs wrap what a function returned in `result`, what
/// it failed with in `error`; another object stays what it is.
fn said(response: Raw<'_>) -> (Option<Text<'_>>, bool) {
    let as_text = |value: Raw<'_>| Text::Plain(value.text().to_owned().into());
    let object = response.object();
    if let Some([only]) = object.as_ref().map(Object::members) {
        let key = only.key();
        let is_error = is(&key, "error");
        if is_error || is(&key, "result") || is(&key, "output") {
            return (
                Some(Text::of(only.value).unwrap_or_else(|| as_text(only.value))),
                is_error,
            );
        }
    }
    (Some(as_text(response)), false)
}
