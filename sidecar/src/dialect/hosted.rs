//! Anthropic's requests and streams where somebody else hosts its models: the model is in the path, the version in the
//! body, and at Bedrock each event of a stream in a message of AWS's.

use super::{ClientDialect, Fault, Operation, PassThrough, Segment, error, error_event};
use crate::event_stream::{self, Kind};
use crate::json::{self, Object, Raw, write_string};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pilotfish_wire::Hosting;
use smallvec::SmallVec;

/// What a body says is spoken, in front of all else. Newer versions of the API are refused by both for most models.
fn version(hosting: Hosting) -> &'static str {
    match hosting {
        Hosting::BedrockInvoke => "bedrock-2023-05-31",
        Hosting::VertexPredict => "vertex-2023-10-16",
    }
}

/// Whether this member of a request has another place there, or none.
fn is_elsewhere(key: &str, hosting: Hosting) -> bool {
    matches!(
        (key, hosting),
        ("anthropic_version" | "model", _) | ("stream", Hosting::BedrockInvoke)
    )
}

/// A request for `model` as its host wants it: every other member's value as it was written. `betas` is what the
/// headers name.
pub fn hosted(
    object: &Object<'_>,
    hosting: Hosting,
    (operation, model): (Operation, &str),
    betas: &[&str],
) -> PassThrough {
    let mut segments = SmallVec::new();
    let mut fresh = Vec::with_capacity(64);
    fresh.extend_from_slice(b"{\"anthropic_version\":");
    write_string(&mut fresh, version(hosting));
    if hosting == Hosting::BedrockInvoke && !betas.is_empty() && object.get("anthropic_beta").is_none() {
        fresh.extend_from_slice(b",\"anthropic_beta\":");
        let mut list = json::ValueWriter::new(&mut fresh).array();
        betas.iter().for_each(|beta| list.string(beta));
        list.end();
    }
    // What counts has one path for all models.
    if operation == Operation::CountTokens {
        fresh.extend_from_slice(b",\"model\":");
        write_string(&mut fresh, model);
    }
    for member in object.members() {
        let key = member.key();
        if is_elsewhere(&key, hosting) {
            continue;
        }
        fresh.push(b',');
        write_string(&mut fresh, &key);
        fresh.push(b':');
        segments.push(Segment::Fresh(std::mem::take(&mut fresh)));
        segments.push(Segment::Body(object.span(member.value)));
    }
    fresh.push(b'}');
    segments.push(Segment::Fresh(fresh));
    PassThrough { segments }
}

/// Takes events of Anthropic's out of AWS's messages and frames them as Anthropic's own API does. What is no such message
/// becomes an error event, behind which nothing stands.
#[derive(Debug, Default)]
pub struct Invoked {
    framer: event_stream::Framer,
    failed: bool,
}

impl Invoked {
    pub(super) fn push(&mut self, chunk: Bytes) -> Bytes {
        let block = self.framer.push(chunk);
        self.events(&block)
    }

    pub(super) fn finish(&mut self) -> Bytes {
        let rest = self.framer.finish();
        self.events(&rest)
    }

    fn events(&mut self, block: &[u8]) -> Bytes {
        let mut out = Vec::with_capacity(block.len());
        for message in event_stream::messages(block) {
            if self.failed {
                break;
            }
            let fault = match message {
                Ok(message) if message.kind == Kind::Event => match write_event(message.payload, &mut out) {
                    Some(()) => continue,
                    None => Fault::malformed("a message of the stream holds no event"),
                },
                Ok(message) => error::raised(message.name, message.payload),
                Err(error) => Fault::malformed(error.to_string()),
            };
            let status = fault.status_in_stream();
            out.extend(error_event(ClientDialect::Messages, status, &fault.body(), 0));
            self.failed = true;
        }
        out.into()
    }
}

fn write_event(payload: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let message = json::parse(payload).ok()?;
    let mut data = STANDARD.decode(&*message.get("bytes")?.string()?).ok()?;
    let name = json::parse(&data).ok()?.get("type").and_then(Raw::string)?.into_owned();
    // It stands on a line of its own.
    if name.contains(['\n', '\r']) {
        return None;
    }
    json::to_one_line(&mut data);
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(&data);
    out.extend_from_slice(b"\n\n");
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Framer;

    fn sent(body: &str, hosting: Hosting, operation: Operation) -> String {
        let object = json::parse(body.as_bytes()).unwrap();
        let pieces = hosted(&object, hosting, (operation, "up"), &["a-1", "b"])
            .into_pieces(&Bytes::copy_from_slice(body.as_bytes()));
        String::from_utf8(pieces.concat()).unwrap()
    }

    #[test]
    fn the_model_goes_into_the_path_and_the_version_into_the_body() {
        let body = r#"{ "model": "m","max_tokens":1 , "messages":[ {"role":"user"} ], "stream":true,"anthropic_version":"x","é":null}"#;
        let bedrock = r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a-1","b"],"max_tokens":1,"messages":[ {"role":"user"} ],"é":null}"#;
        assert_eq!(sent(body, Hosting::BedrockInvoke, Operation::Generate), bedrock);
        let vertex = r#"{"anthropic_version":"vertex-2023-10-16","max_tokens":1,"messages":[ {"role":"user"} ],"stream":true,"é":null}"#;
        assert_eq!(sent(body, Hosting::VertexPredict, Operation::Generate), vertex);
        let counted = r#"{"anthropic_version":"vertex-2023-10-16","model":"up"}"#;
        assert_eq!(
            sent(r#"{"model":"m"}"#, Hosting::VertexPredict, Operation::CountTokens),
            counted
        );
        let empty = r#"{"anthropic_version":"vertex-2023-10-16"}"#;
        assert_eq!(sent("{}", Hosting::VertexPredict, Operation::Generate), empty);
    }

    /// However it is cut.
    fn unwrapped(stream: &[u8]) -> Vec<String> {
        let cut = |size: usize| {
            let mut framer = Framer::at(crate::dialect::Dialect::Messages, Some(Hosting::BedrockInvoke));
            let mut out = Vec::new();
            for piece in stream.chunks(size) {
                out.extend(framer.push(Bytes::copy_from_slice(piece)).unwrap());
            }
            out.extend(framer.finish());
            String::from_utf8(out).unwrap()
        };
        let whole = cut(stream.len());
        (1..64).for_each(|size| assert_eq!(cut(size), whole, "pieces of {size}"));
        whole.split_inclusive("\n\n").map(str::to_owned).collect()
    }

    fn chunk(event: &str) -> Vec<u8> {
        let payload = format!(r#"{{"bytes":"{}","p":"abc"}}"#, STANDARD.encode(event));
        event_stream::tests::event("chunk", &payload)
    }

    #[test]
    fn events_come_out_of_their_messages_however_they_are_cut() {
        let stream = [
            chunk(r#"{"type":"message_start","message":{}}"#),
            chunk("{\"type\":\n\"ping\"}"),
        ];
        assert_eq!(
            unwrapped(&stream.concat()),
            [
                "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n",
                "event: ping\ndata: {\"type\": \"ping\"}\n\n"
            ]
        );
    }

    #[test]
    fn what_is_no_event_ends_the_stream_with_an_error() {
        let throttled = event_stream::tests::exception("throttlingException", r#"{"message":"slow down"}"#);
        for (end, kind) in [
            (throttled, "rate_limit_error"),
            (event_stream::tests::event("chunk", "{}"), "api_error"),
            (chunk("no JSON"), "api_error"),
            (chunk(r#"{"type":"a\nb"}"#), "api_error"),
            (b"\x00\x00\x00\x01 no message begins so".to_vec(), "api_error"),
            (chunk(r#"{"type":"ping"}"#).split_off(0)[..20].to_vec(), "api_error"),
        ] {
            let events = unwrapped(&[chunk(r#"{"type":"ping"}"#), end].concat());
            assert_eq!(events.len(), 2, "{events:?}");
            assert!(
                events[1].starts_with("event: error\n") && events[1].contains(kind),
                "{events:?}"
            );
        }
    }
}
