//! The requests, as the providers' SDKs write them.

use crate::CLIENT_KEY;
use crate::body;
use crate::conversation::Conversation;
use crate::dialect::Dialect;
use crate::sidecar::SESSION_HEADER;
use crate::upstream::StreamShape;

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// Three turns, 1.6 KB.
    Short,
    /// A conversation with tools, a call and its result, 4 KB.
    Tools,
    /// The same again and again, of so many bytes, about.
    Turns(usize),
    /// One document, 128 KiB.
    Long,
    /// As short, for a stream of this shape.
    Stream(StreamShape),
}

/// How much is said in the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// Only what a request cannot do without.
    Bare,
    /// What the providers' SDKs send; the fake upstream's answer has a provider's head then.
    Sdk,
}

/// What is asked, and of which model.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    /// What the client speaks.
    pub(crate) dialect: Dialect,
    /// By its name.
    pub(crate) model: &'a str,
    /// What is said beside it.
    pub(crate) head: Head,
    /// What is asked.
    pub(crate) prompt: Prompt,
}

impl Request<'_> {
    /// The text of its body.
    pub(crate) fn body(self) -> String {
        let mut body = body::of(self.dialect, self.model, &Conversation::of(self.prompt));
        if self.streams() && self.dialect != Dialect::Gemini {
            body["stream"] = true.into();
        }
        body.to_string()
    }

    fn streams(self) -> bool {
        matches!(self.prompt, Prompt::Stream(_))
    }

    fn path(self) -> String {
        match self.dialect {
            Dialect::Chat => "/v1/chat/completions".to_owned(),
            Dialect::Responses => "/v1/responses".to_owned(),
            Dialect::Messages => "/v1/messages".to_owned(),
            Dialect::Gemini if self.streams() => {
                format!("/v1beta/models/{}:streamGenerateContent?alt=sse", self.model)
            }
            Dialect::Gemini => format!("/v1beta/models/{}:generateContent", self.model),
            Dialect::Converse | Dialect::Cohere | Dialect::Ollama => {
                unreachable!("no client speaks {:?}", self.dialect)
            }
        }
    }

    /// Head and body. The number of the connection makes the conversation's id, so that affinity has something to
    /// spread.
    pub(crate) fn write(self, connection: usize) -> Vec<u8> {
        let key = match self.dialect {
            Dialect::Messages => format!("x-api-key: {CLIENT_KEY}\r\nanthropic-version: 2023-06-01"),
            Dialect::Gemini => format!("x-goog-api-key: {CLIENT_KEY}"),
            _ => format!("authorization: Bearer {CLIENT_KEY}"),
        };
        let more = match self.head {
            Head::Bare => "",
            Head::Sdk => SDK_FIELDS,
        };
        let (path, body) = (self.path(), self.body());
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\n\
            host: 127.0.0.1:4000\r\n\
            content-type: application/json\r\n\
            {more}\
            {key}\r\n\
            {SESSION_HEADER}: conversation-{connection:04}\r\n\
            content-length: {length}\r\n\r\n\
            {body}"
        )
        .into_bytes()
    }
}

const SDK_FIELDS: &str = "accept-encoding: identity\r\n\
    connection: keep-alive\r\n\
    accept: application/json\r\n\
    user-agent: OpenAI/Python 2.8.1\r\n\
    x-stainless-lang: python\r\n\
    x-stainless-package-version: 2.8.1\r\n\
    x-stainless-os: Linux\r\n\
    x-stainless-arch: x64\r\n\
    x-stainless-runtime: CPython\r\n\
    x-stainless-runtime-version: 3.13.9\r\n\
    x-stainless-async: false\r\n\
    x-stainless-retry-count: 0\r\n\
    x-stainless-read-timeout: 600\r\n";

/// Whether these are the bytes of an SDK's head.
pub(crate) fn is_from_sdk(head: &[u8]) -> bool {
    memchr::memmem::find(head, b"\nx-stainless-").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_of_the_size_they_are_said_to_be() {
        for (prompt, sizes) in [
            (Prompt::Short, 1500..1800),
            (Prompt::Tools, 3800..4400),
            (Prompt::Turns(256 * 1024), 240_000..290_000),
            (Prompt::Turns(2 * 1024 * 1024), 1_900_000..2_300_000),
            (Prompt::Long, 131_072..135_000),
        ] {
            for dialect in [Dialect::Chat, Dialect::Responses, Dialect::Messages, Dialect::Gemini] {
                let request = Request {
                    dialect,
                    model: "harbour-chat",
                    head: Head::Bare,
                    prompt,
                };
                let length = request.body().len();
                assert!(sizes.contains(&length), "{prompt:?} in {dialect:?} is {length} bytes");
            }
        }
    }
}
