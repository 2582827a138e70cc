//! `status` and `incomplete_details`, both ways.

use crate::dialect::item::{Finish, Part};
use crate::dialect::loss::given;
use crate::dialect::{Class, Fault, error};
use crate::json::{Object, ObjectWriter, Raw};

/// What else an answer says about its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Circumstances {
    /// It calls tools.
    pub(super) calls: bool,
    /// It holds a refusal.
    pub(super) refuses: bool,
}

impl Circumstances {
    pub(super) fn of(parts: &[Part<'_>]) -> Self {
        Self {
            calls: parts.iter().any(|part| matches!(part, Part::Call(_))),
            refuses: parts.iter().any(|part| matches!(part, Part::Refusal(_))),
        }
    }
}

/// Reads how a response ended. One that failed under a status of success is the fault that it tells of.
pub(super) fn read(response: &Object<'_>, circumstances: Circumstances) -> Result<Finish<'static>, Fault> {
    let status = given(response, "status").and_then(Raw::string).unwrap_or_default();
    match &*status {
        "incomplete" => Ok(incomplete(response)),
        "failed" | "cancelled" | "queued" | "in_progress" => Err(failure(response, &status)),
        _ if circumstances.calls => Ok(Finish::Calls),
        _ if circumstances.refuses => Ok(Finish::Refused(None)),
        // `completed`, and servers that do not say.
        _ => Ok(Finish::Stop),
    }
}

fn incomplete(response: &Object<'_>) -> Finish<'static> {
    let details = given(response, "incomplete_details").and_then(Raw::object);
    let reason = details.and_then(|details| given(&details, "reason")?.string());
    match reason.as_deref() {
        Some("content_filter") => Finish::Refused(None),
        // Whatever cut it, it is not complete, and that is what this says.
        _ => Finish::Length,
    }
}

/// The fault of a response that came to nothing.
pub(super) fn failure(response: &Object<'_>, status: &str) -> Fault {
    error::within(response)
        .unwrap_or_else(|| Fault::new(Class::ServerError, format!("the upstream's response is {status}")))
}

/// Whether a response ended before it was complete, and why, in OpenAI's words. A paused answer has ended for
/// now, and at no limit. A refusal that was said is an answer.
pub(super) fn reason(finish: &Finish<'_>, refuses: bool) -> Option<&'static str> {
    match finish {
        Finish::Stop | Finish::Sequence(_) | Finish::Calls | Finish::Paused => None,
        Finish::Length | Finish::Window => Some("max_output_tokens"),
        Finish::Refused(None) if refuses => None,
        Finish::Refused(_) => Some("content_filter"),
    }
}

/// The status of a response, and of the item in which it ended.
pub(super) fn status(reason: Option<&str>) -> &'static str {
    match reason {
        None => "completed",
        Some(_) => "incomplete",
    }
}

/// Writes `status`, `error` and `incomplete_details`.
pub(super) fn write(reason: Option<&str>, response: &mut ObjectWriter<'_>) {
    response.string("status", status(reason));
    response.null("error");
    match reason {
        None => response.null("incomplete_details"),
        Some(reason) => response.object("incomplete_details").string("reason", reason),
    }
}
