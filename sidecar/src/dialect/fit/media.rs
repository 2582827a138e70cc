//! Images, sounds and documents that the model is known not to take.

use crate::dialect::item::{File, Item, Part, Request, Source};
use crate::dialect::loss::Ledger;
use crate::dialect::{Dialect, Upstream, lacks};

/// Which of them the model lacks.
#[derive(Clone, Copy)]
struct Lacks {
    images: bool,
    sounds: bool,
    documents: bool,
}

/// Leaves them out, each by its name.
pub(super) fn leave(request: &mut Request<'_>, upstream: &Upstream<'_>, ledger: &mut Ledger) {
    let lacks = |medium| lacks(upstream.capabilities, medium);
    let lacks = Lacks {
        images: lacks("Vision"),
        sounds: lacks("Audio"),
        documents: lacks("Documents"),
    };
    if lacks.images || lacks.sounds || lacks.documents {
        leave_in(&mut request.items, lacks, ledger);
    }
    tell_details(&request.items, upstream, ledger);
}

/// How closely to look is said in OpenAI's dialects alone, and of images.
fn tell_details(items: &[Item<'_>], upstream: &Upstream<'_>, ledger: &mut Ledger) {
    let has_details = matches!(upstream.dialect, Dialect::Chat | Dialect::Responses);
    for item in items {
        let is_said = has_details && matches!(item.part, Part::Image(_));
        if item.detail.is_some() && !is_said {
            let field = match item.place.list {
                "input" => "detail",
                _ => "image_url.detail",
            };
            ledger.hint(format!("{}.{field}", item.place), "no other dialect has a detail");
        }
        if let Part::Result(result) = &item.part {
            tell_details(&result.content, upstream, ledger);
        }
    }
}

fn leave_in(items: &mut Vec<Item<'_>>, lacks: Lacks, ledger: &mut Ledger) {
    items.retain_mut(|item| {
        let why = why(&item.part, lacks);
        if let Some(why) = why {
            ledger.meaning(item.field(), why);
        }
        if let Part::Result(result) = &mut item.part {
            leave_in(&mut result.content, lacks, ledger);
        }
        why.is_none()
    });
}

fn why(part: &Part<'_>, lacks: Lacks) -> Option<&'static str> {
    match part {
        Part::Image(_) => lacks.images.then_some("the model does not see images"),
        Part::Audio(_) => lacks.sounds.then_some("the model hears nothing"),
        // A text is one wherever it stands.
        Part::File(File {
            source: Source::Plain(_),
            ..
        }) => None,
        Part::File(_) => lacks.documents.then_some("the model reads no documents"),
        Part::Text(_) | Part::Call(_) | Part::Result(_) | Part::Reasoning(_) | Part::Refusal(_) | Part::Raw(_) => None,
    }
}
