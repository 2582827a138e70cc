//! Watching a Gemini stream that passes through. Every chunk is an answer of its own kind, with usage on each; nothing
//! ends the stream but the reason why each of its candidates finished.

use super::spelling::{given, word};
use super::{finish, response, usage};
use crate::dialect::{Effect, Fault};
use crate::json::{Elements, Object, Raw};
use crate::sse::Event;

#[derive(Debug)]
pub(in crate::dialect) struct Watch {
    committed: bool,
    /// Candidates that have not finished; one that nobody announced is not waited for.
    open: u64,
}

impl Watch {
    /// The client asked for this many candidates.
    pub(in crate::dialect) fn of_choices(choices: u64) -> Self {
        Self {
            committed: false,
            open: choices.max(1),
        }
    }

    pub(in crate::dialect) fn event(&mut self, event: &Event<'_>) -> Result<Effect, Fault> {
        let data = event.data.trim_ascii();
        if data.is_empty() {
            return Ok(Effect::default());
        }
        let chunk = response::parse(data)?;
        let candidates = given(&chunk, "candidates").and_then(Raw::elements);
        for candidate in candidates.into_iter().flat_map(Elements::objects).flatten() {
            let finished = !matches!(&*word(&candidate, "finishReason"), "" | "FINISH_REASON_UNSPECIFIED");
            self.open = self.open.saturating_sub(u64::from(finished));
            self.committed |= finished || has_content(&candidate);
        }
        if finish::blocked(&chunk).is_some() {
            (self.open, self.committed) = (0, true);
        }
        Ok(Effect {
            content: self.committed,
            usage: usage::of(&chunk),
            ..Effect::default()
        })
    }

    /// The stream has ended.
    pub(in crate::dialect) fn finish(&self) -> Result<(), Fault> {
        if self.open == 0 {
            Ok(())
        } else {
            Err(Fault::malformed("the stream ended before the answer did"))
        }
    }
}

/// Any part but an empty text.
fn has_content(candidate: &Object<'_>) -> bool {
    let content = given(candidate, "content").and_then(Raw::object);
    let parts = content.and_then(|content| given(&content, "parts")?.elements());
    let says = |part: Object<'_>| {
        part.members()
            .iter()
            .any(|member| !matches!((&*member.key(), member.value.text()), ("text", "\"\"") | ("thought", _)))
    };
    parts.into_iter().flat_map(Elements::objects).flatten().any(says)
}
