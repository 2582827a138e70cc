//! Dialects in somebody else's form: Claude at Bedrock and at Vertex AI, OpenAI's models at Azure's older paths, and
//! Google's streams as an array. Each probe is run there and at the dialect's maker, and must fare the same.

use crate::ask::{self, Ask};
use crate::message::message;
use crate::probe::{Pair, Sent};
use crate::said::{self, Say};
use crate::told;
use crate::verdict::Verdict;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use pilotfish_sidecar::dialect::{ClientDialect, Dialect, EventArray, Framer, Operation, hosted};
use pilotfish_wire::Hosting;
use serde_json::{Value, json};

/// Who has the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Host {
    /// Who made the dialect.
    #[default]
    Maker,
    Invoke,
    RawPredict,
    AzureLegacy,
}

impl Host {
    pub(crate) const OTHERS: [Self; 3] = [Self::Invoke, Self::RawPredict, Self::AzureLegacy];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Maker => "at its maker's",
            Self::Invoke => "Claude by Bedrock's InvokeModel: asked, and answered, as at Anthropic's",
            Self::RawPredict => "Claude by Vertex AI's rawPredict: asked, and answered, as at Anthropic's",
            Self::AzureLegacy => "OpenAI's models at Azure's older paths: asked, and answered, as at OpenAI's",
        }
    }

    /// What it hosts.
    fn dialect(self, maker: Dialect) -> Dialect {
        match self {
            Self::Maker => maker,
            Self::Invoke | Self::RawPredict => Dialect::Messages,
            Self::AzureLegacy => Dialect::Chat,
        }
    }

    fn hosting(self) -> Option<Hosting> {
        match self {
            Self::Maker | Self::AzureLegacy => None,
            Self::Invoke => Some(Hosting::BedrockInvoke),
            Self::RawPredict => Some(Hosting::VertexPredict),
        }
    }

    /// What becomes of all probes there; `None` where it has another dialect.
    pub(crate) fn verdict(self, pair: Pair) -> Option<Verdict> {
        if self.dialect(pair.upstream) != pair.upstream {
            return None;
        }
        let here = Pair { host: self, ..pair };
        let asked = Ask::ALL.iter().map(|&ask| (ask.name(), pair.ask(ask), here.ask(ask)));
        let said = Say::ALL.iter().map(|&say| (say.name(), pair.say(say), here.say(say)));
        let looped = [(
            "a signed thought sent back",
            pair.thought_in_a_loop(),
            here.thought_in_a_loop(),
        )];
        let broken = pair
            .streams
            .then(|| ("a cut", pair.broken_stream(), here.broken_stream()));
        let failing = pair
            .streams
            .then(|| ("an error", pair.failing_stream(), here.failing_stream()));
        let all = asked.chain(said).chain(looped).chain(broken).chain(failing);
        let differing = all.filter(|(_, maker, here)| maker != here).map(|(name, _, _)| name);
        Some(verdict(differing.collect()))
    }

    /// The body as it is sent there, which must have its form.
    pub(crate) fn body(self, body: Value) -> Value {
        let Some(hosting) = self.hosting() else {
            return body;
        };
        let text = bytes::Bytes::from(body.to_string());
        let object = pilotfish_sidecar::json::parse(&text).expect("it was written as JSON");
        let pieces = hosted(&object, hosting, (Operation::Generate, "up"), &[]).into_pieces(&text);
        let body: Value = serde_json::from_slice(&pieces.concat()).expect("a hosted body is JSON");
        assert!(
            body["anthropic_version"].is_string() && body["model"].is_null(),
            "{body}"
        );
        assert!(self == Self::RawPredict || body["stream"].is_null(), "{body}");
        body
    }

    pub(crate) fn framer(self, dialect: Dialect) -> Framer {
        Framer::at(dialect, self.hosting())
    }

    /// Whether a member of a request is said otherwise there.
    pub(crate) fn says_otherwise(self, key: &str) -> bool {
        key == "model" || (key == "stream" && self == Self::Invoke)
    }

    /// The events as they come from there.
    pub(crate) fn on_the_wire(self, dialect: Dialect, events: &[(&'static str, Value)]) -> Vec<u8> {
        let wire = |events: &[_]| said::on_the_wire(dialect, events);
        match self {
            Self::Maker | Self::RawPredict => wire(events),
            Self::AzureLegacy => {
                let first = (
                    "",
                    filtered(json!({"id": "", "object": "", "created": 0, "model": "", "choices": []})),
                );
                let events = events.iter().map(|(name, data)| (*name, filtered(data.clone())));
                wire(&std::iter::once(first).chain(events).collect::<Vec<_>>())
            }
            Self::Invoke => {
                let chunk = |(_, data): &(&str, Value)| {
                    let bytes = BASE64_STANDARD.encode(data.to_string());
                    message("chunk", json!({"bytes": bytes, "p": "abc"}).to_string().as_bytes())
                };
                events.iter().flat_map(chunk).collect()
            }
        }
    }

    /// A whole answer as it comes from there.
    pub(crate) fn whole(self, answer: &Value) -> Value {
        match self {
            Self::AzureLegacy => filtered(answer.clone()),
            Self::Maker | Self::Invoke | Self::RawPredict => answer.clone(),
        }
    }
}

/// With what Azure's filter found in the prompt and in each choice.
fn filtered(mut answer: Value) -> Value {
    let safe = json!({"hate": {"filtered": false, "severity": "safe"}});
    answer["prompt_filter_results"] = json!([{"prompt_index": 0, "content_filter_results": safe}]);
    for choice in answer["choices"].as_array_mut().into_iter().flatten() {
        choice["content_filter_results"] = safe.clone();
    }
    answer
}

/// What a Gemini client gets that did not ask for events: their data, as one array.
pub(crate) fn as_an_array(pair: Pair) -> Option<Verdict> {
    if pair.client != ClientDialect::Gemini || !pair.streams {
        return None;
    }
    let wanting = ask::thinking(pair.client);
    let differs = |say: &Say| {
        let Some(said) = said::answer(pair.upstream, *say) else {
            return false;
        };
        let sent: Sent = pair.send(&wanting, pair.provider()).expect("it can be asked");
        let (stream, _, _) = pair.streamed(&sent, &said).expect("it is answered");
        let mut array = EventArray::default();
        let mut whole = array.elements(&stream).to_vec();
        // Before its end nobody takes it for whole.
        let looks_ended = serde_json::from_slice::<Value>(&whole).is_ok();
        whole.extend(array.end().expect("it has one"));
        let elements: Value = serde_json::from_slice(&whole).unwrap_or_default();
        looks_ended || elements != Value::Array(told::events(pair.client, &stream))
    };
    let differing = Say::ALL.iter().filter(|say| differs(say)).map(|say| say.name());
    Some(verdict(differing.collect()))
}

fn verdict(differing: Vec<&'static str>) -> Verdict {
    match differing.is_empty() {
        true => Verdict::Carried,
        false => Verdict::Failed(differing.join(", ")),
    }
}
