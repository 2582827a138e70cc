//! One step of a script: which requests it is for, what the provider answers, and how that answer is delivered.

use crate::gate::Gate;
use bytes::Bytes;
use std::time::Duration;

/// What happens to one request.
#[derive(Clone, Debug)]
pub struct Step {
    pub(crate) fits: Fits,
    pub(crate) times: usize,
    pub(crate) reply: Reply,
    pub(crate) style: Style,
    pub(crate) stream: StreamEdits,
    pub(crate) delivery: Delivery,
}

/// Which requests a step is for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fits {
    pub(crate) reused: Option<bool>,
    pub(crate) path: Option<String>,
    pub(crate) body: Option<String>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// What the request deserves.
    Normal,
    /// The provider's own refusal, however good the request is.
    Refusal(Refusal),
    /// These bytes.
    Raw {
        status: u16,
        content_type: String,
        body: Bytes,
    },
    /// These bytes instead of an answer, head and all, and the end of the connection.
    Wire(Bytes),
}

/// The refusals whose bodies and headers each shape knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Status(u16),
    RateLimited { resets_in: Duration },
    SpendLimit,
    ContextOverflow,
    UnknownModel,
}

/// Legal variations of an answer, which only the provider's shape can make.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    pub(crate) interleaved: bool,
    pub(crate) usage_everywhere: bool,
    pub(crate) unknown_fields: bool,
}

/// Changes to a stream's events, made after the provider framed them.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamEdits {
    /// After so many content events: this status as an error event, and nothing more.
    pub(crate) error: Option<(usize, u16)>,
    /// After so many content events: these bytes.
    pub(crate) insert: Option<(usize, Bytes)>,
    pub(crate) comment: Option<String>,
    pub(crate) line_end: Option<&'static str>,
    pub(crate) without_terminator: bool,
}

/// How the answer travels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) early: bool,
    pub(crate) headers: Vec<(String, Option<String>)>,
    pub(crate) content_length: Option<u64>,
    pub(crate) pauses: Vec<(Point, Pause)>,
    pub(crate) pace: Option<Duration>,
    pub(crate) split: Option<usize>,
    pub(crate) hang_up: Option<(Point, HangUp)>,
}

/// A place in the life of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The request's head has been read, nothing of its body.
    BeforeBody,
    /// The request has been read, nothing of the answer is sent.
    BeforeHead,
    /// So many bytes of the answer's head are sent (HTTP/1 only; on HTTP/2 the same as `BeforeHead`).
    HeadByte(usize),
    /// The answer's head is sent.
    AfterHead,
    /// So many bytes of the answer's body are sent.
    Byte(usize),
    /// So many events of the stream are sent.
    Event(usize),
    /// So many events that hold content are sent, and all that comes before the next of them.
    Content(usize),
    /// The body is sent; its end (the last chunk, the end of the stream) is not.
    End,
}

/// How long to wait at a point.
#[derive(Clone, Debug)]
pub enum Pause {
    /// Until the client goes away.
    Forever,
    /// This long.
    For(Duration),
    /// Until the test opens the gate.
    Until(Gate),
}

/// How an exchange is broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangUp {
    /// The connection is closed in good order (FIN; under TLS without a close_notify).
    Close,
    /// The connection is reset (RST).
    Reset,
    /// HTTP/2: the stream alone is reset, with this error code. On HTTP/1: `Reset`.
    ResetStream(u32),
    /// HTTP/2: GOAWAY whose last stream is below this one; lower streams are still answered, then the connection is
    /// closed. On HTTP/1: `Close`.
    GoAway,
}

/// HTTP/2's REFUSED_STREAM.
pub const REFUSED_STREAM: u32 = 7;
/// HTTP/2's INTERNAL_ERROR.
pub const INTERNAL_ERROR: u32 = 2;

impl Step {
    fn replying(reply: Reply) -> Step {
        Step {
            fits: Fits::default(),
            times: 1,
            reply,
            style: Style::default(),
            stream: StreamEdits::default(),
            delivery: Delivery::default(),
        }
    }

    /// The answer that the request deserves: a 400 too, if that is it.
    pub fn normal() -> Step {
        Step::replying(Reply::Normal)
    }

    /// This status with the body that the provider writes for it.
    pub fn status(status: u16) -> Step {
        Step::replying(Reply::Refusal(Refusal::Status(status)))
    }

    /// 429 with the provider's full set of limit headers.
    pub fn rate_limited(resets_in: Duration) -> Step {
        Step::replying(Reply::Refusal(Refusal::RateLimited { resets_in }))
    }

    /// The 429 of a spent quota, which no waiting cures.
    pub fn spend_limit() -> Step {
        Step::replying(Reply::Refusal(Refusal::SpendLimit))
    }

    /// The 400 of a prompt longer than the model's context.
    pub fn context_overflow() -> Step {
        Step::replying(Reply::Refusal(Refusal::ContextOverflow))
    }

    /// The 404 of a model that does not exist.
    pub fn unknown_model() -> Step {
        Step::replying(Reply::Refusal(Refusal::UnknownModel))
    }

    /// Exactly these bytes, as one body with its length.
    pub fn raw(status: u16, content_type: &str, body: impl Into<Bytes>) -> Step {
        Step::replying(Reply::Raw {
            status,
            content_type: content_type.to_owned(),
            body: body.into(),
        })
    }

    /// HTTP/1: exactly these bytes instead of an answer, head and all, and then the end of the connection. On HTTP/2: its
    /// end alone.
    pub fn wire(bytes: impl Into<Bytes>) -> Step {
        Step::replying(Reply::Wire(bytes.into())).hang_up(Point::HeadByte(usize::MAX), HangUp::Close)
    }

    /// The request is read and never answered.
    pub fn never() -> Step {
        Step::normal().pause(Point::BeforeHead, Pause::Forever)
    }

    /// The connection is closed when the request has been read, before any byte of an answer.
    pub fn closed_unanswered() -> Step {
        Step::normal().hang_up(Point::BeforeHead, HangUp::Close)
    }

    /// HTTP/2: the stream is refused, unprocessed.
    pub fn refused_stream() -> Step {
        Step::normal().hang_up(Point::BeforeBody, HangUp::ResetStream(REFUSED_STREAM))
    }

    /// HTTP/2: GOAWAY below this stream.
    pub fn go_away() -> Step {
        Step::normal().hang_up(Point::BeforeBody, HangUp::GoAway)
    }

    /// Only for a request that is not the first on its connection.
    pub fn on_reused_connection(mut self) -> Step {
        self.fits.reused = Some(true);
        self
    }

    /// Only for the first request on a connection.
    pub fn on_fresh_connection(mut self) -> Step {
        self.fits.reused = Some(false);
        self
    }

    /// Only for requests to this path.
    pub fn for_path(mut self, path: &str) -> Step {
        self.fits.path = Some(path.to_owned());
        self
    }

    /// Only for requests whose body holds this text. Such a step cannot act before the body is read.
    pub fn for_body(mut self, part: &str) -> Step {
        self.fits.body = Some(part.to_owned());
        self
    }

    /// For so many requests before the script goes on.
    pub fn times(mut self, times: usize) -> Step {
        self.times = times;
        self
    }

    /// Sets a header of the answer.
    pub fn header(mut self, name: &str, value: &str) -> Step {
        self.delivery.headers.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    /// Takes a header out of the answer.
    pub fn without_header(mut self, name: &str) -> Step {
        self.delivery.headers.push((name.to_owned(), None));
        self
    }

    /// Adds headers of about so many bytes in all.
    pub fn padded_head(mut self, bytes: usize) -> Step {
        const EACH: usize = 1000;
        for number in 0..bytes.div_ceil(EACH) {
            self = self.header(&format!("x-padding-{number}"), &"p".repeat(EACH));
        }
        self
    }

    /// A `content-length` that may lie. Where it promises more than there is, the connection is closed at the end.
    pub fn content_length(mut self, length: u64) -> Step {
        self.delivery.content_length = Some(length);
        self
    }

    /// Answers as soon as the request's head is there, and reads its body only afterwards.
    pub fn early(mut self) -> Step {
        self.delivery.early = true;
        self
    }

    /// Waits at a point; several are waited out in the order of their places.
    pub fn pause(mut self, at: Point, pause: Pause) -> Step {
        self.delivery.pauses.push((at, pause));
        self
    }

    /// Waits before every event that holds content; of a split answer, before every piece.
    pub fn pace(mut self, each: Duration) -> Step {
        self.delivery.pace = Some(each);
        self
    }

    /// Sends the body in pieces of so many bytes, each a write (HTTP/1: a chunk, HTTP/2: a DATA frame) of its own.
    pub fn split(mut self, bytes: usize) -> Step {
        self.delivery.split = Some(bytes.max(1));
        self
    }

    /// Breaks the exchange off at a point.
    pub fn hang_up(mut self, at: Point, how: HangUp) -> Step {
        self.delivery.hang_up = Some((at, how));
        self
    }

    /// Stream: after so many content events, the error event of this status and the end.
    pub fn error_event(mut self, after: usize, status: u16) -> Step {
        self.stream.error = Some((after, status));
        self
    }

    /// Stream: after so many content events, these bytes.
    pub fn insert(mut self, after: usize, bytes: impl Into<Bytes>) -> Step {
        self.stream.insert = Some((after, bytes.into()));
        self
    }

    /// Stream: a comment line and a blank line before every event.
    pub fn comments(mut self, text: &str) -> Step {
        self.stream.comment = Some(text.to_owned());
        self
    }

    /// Stream: lines end in CR LF.
    pub fn crlf(mut self) -> Step {
        self.stream.line_end = Some("\r\n");
        self
    }

    /// Stream: lines end in CR alone.
    pub fn cr(mut self) -> Step {
        self.stream.line_end = Some("\r");
        self
    }

    /// Stream: ends without `[DONE]` or `message_stop`.
    pub fn without_terminator(mut self) -> Step {
        self.stream.without_terminator = true;
        self
    }

    /// Stream, OpenAI's shape: the arguments of parallel calls come in turns. (Anthropic's blocks never do.)
    pub fn interleaved(mut self) -> Step {
        self.style.interleaved = true;
        self
    }

    /// Stream, OpenAI's shape: every chunk carries the usage so far, as some compatible servers do.
    pub fn usage_everywhere(mut self) -> Step {
        self.style.usage_everywhere = true;
        self
    }

    /// The answer has fields that no documentation names.
    pub fn unknown_fields(mut self) -> Step {
        self.style.unknown_fields = true;
        self
    }

    /// Whether the step acts before the request's body is read.
    pub(crate) fn is_early(&self) -> bool {
        self.delivery.early || matches!(self.delivery.hang_up, Some((Point::BeforeBody, _)))
    }
}
