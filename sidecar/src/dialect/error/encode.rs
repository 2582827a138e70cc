//! Errors in the client's dialect, whole and in the middle of a stream.

use crate::dialect::ClientDialect;
use crate::json::ObjectWriter;

/// What an error answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorBody<'a> {
    /// Its type; used when it is a word of the client's dialect, otherwise the status decides.
    pub kind: Option<&'a str>,
    /// One sentence.
    pub message: &'a str,
    /// A word for programs: `context_length_exceeded`.
    pub code: Option<&'a str>,
    /// The field at fault.
    pub param: Option<&'a str>,
}

/// Types by status in OpenAI's dialect, and the others it knows.
const CHAT_KINDS: Kinds = Kinds {
    precise: false,
    by_status: &[
        (401, "authentication_error"),
        (402, "insufficient_quota"),
        (403, "permission_error"),
        (429, "rate_limit_error"),
    ],
    others: &["not_found_error", "conflict_error"],
    of_client: "invalid_request_error",
    of_server: "server_error",
};

/// Statuses in Google's APIs; what they are called in gRPC.
const GEMINI_KINDS: Kinds = Kinds {
    precise: true,
    by_status: &[
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (409, "ABORTED"),
        (429, "RESOURCE_EXHAUSTED"),
        (499, "CANCELLED"),
        (501, "UNIMPLEMENTED"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
        (529, "UNAVAILABLE"),
    ],
    others: &["FAILED_PRECONDITION", "OUT_OF_RANGE"],
    of_client: "INVALID_ARGUMENT",
    of_server: "INTERNAL",
};

/// Types by status in Anthropic's dialect.
const MESSAGES_KINDS: Kinds = Kinds {
    precise: true,
    by_status: &[
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
    others: &[],
    of_client: "invalid_request_error",
    of_server: "api_error",
};

struct Kinds {
    /// The word for any fault of the client's gives way to the status's own: OpenAI calls a bad key an invalid request,
    /// and nobody else does.
    precise: bool,
    by_status: &'static [(u16, &'static str)],
    others: &'static [&'static str],
    of_client: &'static str,
    of_server: &'static str,
}

impl Kinds {
    fn choose<'a>(&self, status: u16, wish: Option<&'a str>) -> &'a str
    where
        'static: 'a,
    {
        match wish {
            Some(wish) if self.knows(wish) && !(self.precise && wish == self.of_client) => wish,
            Some(_) | None => self.of(status),
        }
    }

    fn knows(&self, kind: &str) -> bool {
        kind == self.of_client
            || kind == self.of_server
            || self.others.contains(&kind)
            || self.by_status.iter().any(|(_, known)| *known == kind)
    }

    fn of(&self, status: u16) -> &'static str {
        let named = self
            .by_status
            .iter()
            .find(|(known, _)| *known == status)
            .map(|(_, kind)| *kind);
        named.unwrap_or(if status < 500 { self.of_client } else { self.of_server })
    }
}

/// An error answer's body.
pub fn encode_error(client: ClientDialect, status: u16, error: &ErrorBody<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(error.message.len() + 128);
    write(client, status, error, &mut out);
    out
}

/// An error event, after which the stream ends without its terminator: the official SDKs raise it. `sequence` is its
/// number in a dialect that numbers events.
pub fn error_event(client: ClientDialect, status: u16, error: &ErrorBody<'_>, sequence: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(error.message.len() + 160);
    match client {
        ClientDialect::Chat => {
            out.extend_from_slice(b"data: ");
            write_chat(status, error, &mut out);
        }
        ClientDialect::Messages => {
            out.extend_from_slice(b"event: error\ndata: ");
            write_messages(status, error, &mut out);
        }
        ClientDialect::Gemini => {
            out.extend_from_slice(b"data: ");
            write_gemini(status, error, &mut out);
        }
        ClientDialect::Responses => {
            out.extend_from_slice(b"event: error\ndata: ");
            write_responses_event(status, error, sequence, &mut out);
        }
    }
    out.extend_from_slice(b"\n\n");
    out
}

fn write(client: ClientDialect, status: u16, error: &ErrorBody<'_>, out: &mut Vec<u8>) {
    match client {
        ClientDialect::Chat | ClientDialect::Responses => write_chat(status, error, out),
        ClientDialect::Messages => write_messages(status, error, out),
        ClientDialect::Gemini => write_gemini(status, error, out),
    }
}

fn write_chat(status: u16, error: &ErrorBody<'_>, out: &mut Vec<u8>) {
    let mut body = ObjectWriter::new(out);
    write_chat_inner(status, error, &mut body.object("error"));
}

fn write_chat_inner(status: u16, error: &ErrorBody<'_>, inner: &mut ObjectWriter<'_>) {
    inner.string("message", error.message);
    inner.string("type", CHAT_KINDS.choose(status, error.kind));
    write_param_and_code(error, inner);
}

fn write_param_and_code(error: &ErrorBody<'_>, object: &mut ObjectWriter<'_>) {
    for (key, value) in [("param", error.param), ("code", error.code)] {
        match value {
            Some(value) => object.string(key, value),
            None => object.null(key),
        }
    }
}

/// OpenAI documents the flat form and sends the nested one too, which is the one that its SDKs raise.
fn write_responses_event(status: u16, error: &ErrorBody<'_>, sequence: u64, out: &mut Vec<u8>) {
    let mut body = ObjectWriter::new(out);
    body.string("type", "error");
    body.u64("sequence_number", sequence);
    body.string("message", error.message);
    write_param_and_code(error, &mut body);
    write_chat_inner(status, error, &mut body.object("error"));
}

fn write_messages(status: u16, error: &ErrorBody<'_>, out: &mut Vec<u8>) {
    let mut body = ObjectWriter::new(out);
    body.string("type", "error");
    let mut inner = body.object("error");
    inner.string("type", MESSAGES_KINDS.choose(status, error.kind));
    inner.string("message", error.message);
    if let Some(code) = error.code {
        inner.object("details").string("error_code", code);
    }
}

/// The code and the field stand in the details, each in the message that Google's APIs have for it.
fn write_gemini(status: u16, error: &ErrorBody<'_>, out: &mut Vec<u8>) {
    let mut body = ObjectWriter::new(out);
    let mut inner = body.object("error");
    inner.u64("code", status.into());
    inner.string("message", error.message);
    inner.string("status", GEMINI_KINDS.choose(status, error.kind));
    if error.code.is_none() && error.param.is_none() {
        return;
    }
    let mut details = inner.array("details");
    if let Some(code) = error.code {
        let mut detail = details.object();
        detail.string("@type", "type.googleapis.com/google.rpc.ErrorInfo");
        detail.string("reason", code);
        detail.string("domain", "pilotfish.dev");
    }
    if let Some(param) = error.param {
        let mut detail = details.object();
        detail.string("@type", "type.googleapis.com/google.rpc.BadRequest");
        let mut violations = detail.array("fieldViolations");
        let mut violation = violations.object();
        violation.string("field", param);
        violation.string("description", error.message);
    }
}
