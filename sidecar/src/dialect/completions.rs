//! OpenAI's older completions, for upstreams that only hold conversations: the prompt is what a user says, and the
//! answer to that is the text which follows it.

pub(super) mod request;
pub(super) mod response;
pub(super) mod stream;

use super::chat;
use super::item::Finish;
use super::{Loss, unsaid};

/// The answer's `object`, whole and streamed.
const OBJECT: &str = "text_completion";

/// Of an image in an answer.
pub(super) fn unsaid() -> Loss {
    unsaid::meaning("image", "completions are text")
}

/// Why it ended, in the older form, which knows neither tools nor a place for refusals.
fn finish_reason(finish: &Finish<'_>) -> &'static str {
    match finish {
        Finish::Calls => chat::finish::word(&Finish::Stop, false),
        other => chat::finish::word(other, false),
    }
}
