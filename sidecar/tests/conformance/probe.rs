//! The real codecs, run: one thing through one pair of dialects.

use crate::ask::{self, Ask};
use crate::elsewhere::Host;
use crate::said::{self, SIGNATURE, Said, Say, USAGE};
use crate::seek::{Sought, words};
use crate::verdict::Verdict;
use crate::{fails, sent, told};
use pilotfish_sidecar::dialect::{
    Asked, BadRequest, ClientDialect, Dialect, Exchange, Fault, Framer, InPath, Losses, Operation, Segment, Stamp,
    Translator, Upstream, Usage, Watch, error_event, inspect_response, pass_through, translate_request,
    translate_response,
};
use pilotfish_wire::Capabilities;
use serde_json::Value;

/// One pair of dialects, streaming or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) client: ClientDialect,
    pub(crate) upstream: Dialect,
    pub(crate) streams: bool,
    pub(crate) host: Host,
}

/// A request as it is sent, and what is needed on the way back; nothing where bytes pass through.
pub(crate) struct Sent {
    body: Value,
    losses: Losses,
    exchange: Option<Exchange>,
}

/// An answer as the client gets it, and as the sidecar counts it.
struct Answered {
    body: Value,
    usage: Option<Usage>,
    losses: Losses,
}

impl Pair {
    /// What becomes of something that a client asks for; `None` where it cannot ask.
    pub(crate) fn ask(self, ask: Ask) -> Option<Verdict> {
        let request = ask::request(self.client, ask)?;
        Some(match self.send(&request, self.provider()) {
            Err(refusal) => Verdict::Refused(refusal.param.unwrap_or(refusal.message)),
            Ok(sent) => Verdict::of(
                self.arrives(&sent::sought(self.upstream, ask), &sent.body, &request),
                &sent.losses,
            ),
        })
    }

    /// Where bytes pass through, all of the request is where it was.
    fn arrives(self, sought: &Sought, sent: &Value, request: &Value) -> bool {
        let found = sought.iter().any(|spots| spots.are_in(sent));
        let passes = self.is_native()
            && request.as_object().is_some_and(|request| {
                let kept = |(key, value): (&String, &Value)| self.host.says_otherwise(key) || sent[key] == *value;
                request.iter().all(kept)
            });
        found || passes
    }

    /// What becomes of something that an upstream says; `None` where it cannot say it, or the client not hear it.
    pub(crate) fn say(self, say: Say) -> Option<Verdict> {
        let said = said::answer(self.upstream, say)?;
        let sought = told::sought(self.client, say);
        if sought.is_empty() {
            return None;
        }
        let wanting = ask::thinking(self.client);
        Some(match self.answer(&wanting, self.provider(), &said) {
            Err(why) => Verdict::Failed(why),
            Ok(answered) => {
                let heard = sought.iter().any(|spots| spots.are_in(&answered.body));
                Verdict::of_answer(heard && counted(say, answered.usage), &answered.losses)
            }
        })
    }

    /// What becomes of a signed thought that comes before a tool call, when the client sends back what it got.
    pub(crate) fn thought_in_a_loop(self) -> Option<Verdict> {
        let said = said::signed_call(self.upstream)?;
        let provider = match self.upstream {
            // OpenAI's own chat API has no signatures; OpenRouter's does.
            Dialect::Chat => "openrouter",
            // They sign nothing.
            Dialect::Cohere | Dialect::Ollama => return None,
            Dialect::Messages | Dialect::Responses | Dialect::Gemini | Dialect::Converse => self.provider(),
        };
        let wanting = ask::thinking(self.client);
        let answered = match self.answer(&wanting, provider, &said) {
            Err(why) => return Some(Verdict::Failed(why)),
            Ok(answered) => answered,
        };
        Some(match self.send(&ask::echo(self.client, &answered.body), provider) {
            Err(refusal) => Verdict::Refused(refusal.to_string()),
            Ok(sent) => Verdict::of(words("", SIGNATURE).are_in(&sent.body), &sent.losses),
        })
    }

    /// What becomes of a stream that ends before its end: an error, and never what looks like an end.
    pub(crate) fn broken_stream(self) -> Option<Verdict> {
        let Said { mut stream, .. } = said::answer(self.upstream, Say::Text)?;
        // Of the head, the first words are left.
        stream.truncate(
            stream
                .iter()
                .position(|(_, data)| data.to_string().contains("quince "))
                .map_or(1, |at| at + 1),
        );
        let request = ask::request(self.client, Ask::Text)?;
        let wire = self.host.on_the_wire(self.upstream, &stream);
        let exchange = self.send(&request, self.provider()).ok()?.exchange;
        let mut out = Vec::new();
        let ended = match &exchange {
            Some(exchange) => self.translate(exchange, &wire, &mut out).err(),
            None => self.watch(&wire).err(),
        };
        let looks_ended = exchange.is_some() && told::fold(self.client, &out).is_ok();
        Some(match ended.is_some() && !looks_ended {
            true => Verdict::Carried,
            false => Verdict::Silent,
        })
    }

    /// What becomes of an error event after the first words: the client is told of it, and sees no end.
    pub(crate) fn failing_stream(self) -> Option<Verdict> {
        let Said { mut stream, .. } = said::answer(self.upstream, Say::Text)?;
        let begun = |(_, data): &(&str, Value)| data.to_string().contains("quince ");
        stream.truncate(stream.iter().position(begun).map_or(1, |at| at + 1));
        stream.push(fails::midway(self.upstream));
        let request = ask::request(self.client, Ask::Text)?;
        let wire = self.host.on_the_wire(self.upstream, &stream);
        let exchange = self.send(&request, self.provider()).ok()?.exchange;
        let mut out = Vec::new();
        let ended = match &exchange {
            Some(exchange) => self.translate(exchange, &wire, &mut out).err(),
            None => self.watch(&wire).err(),
        };
        let Some(fault) = ended else {
            return Some(Verdict::Silent);
        };
        let event = error_event(self.client, fault.status.unwrap_or(502), &fault.body(), 9);
        let told = String::from_utf8_lossy(&event).contains(fails::MIDWAY);
        out.extend(event);
        let looks_ended = exchange.is_some() && told::fold(self.client, &out).is_ok();
        Some(match told && !looks_ended {
            true => Verdict::Carried,
            false => Verdict::Failed(fault.message),
        })
    }

    /// How much is held of a stream after so many pieces of text: the length of all state, written out.
    pub(crate) fn held_after(self, pieces: usize) -> usize {
        let Said { stream, .. } = said::answer(self.upstream, Say::Text).expect("every dialect says text");
        let text = |(_, data): &(&str, Value)| data.to_string().contains("quince ");
        let at = stream.iter().position(text).expect("the text comes in pieces");
        let (head, piece) = (&stream[..at], &stream[at..=at]);
        let events = std::iter::once(head).chain(std::iter::repeat_n(piece, pieces));
        let blocks = events.map(|events| said::on_the_wire(self.upstream, events));
        let request = ask::request(self.client, Ask::Text).expect("every client asks");
        let sent = self.send(&request, self.provider()).expect("nothing is lost of text");
        let mut framer = Framer::of(self.upstream);
        let Some(exchange) = sent.exchange else {
            let mut watch = Watch::new(self.client, false);
            for block in blocks {
                let block = framer.push(block.into()).expect("it is framed well");
                let seen = framer.each_event(&block, |event| watch.event(event).map(drop));
                seen.expect("it goes on");
            }
            return format!("{framer:?}{watch:?}").len();
        };
        let (mut translator, mut out) = (Translator::new(&exchange), Vec::new());
        for block in blocks {
            let block = framer.push(block.into()).expect("it is framed well");
            let told = framer.each_event(&block, |event| translator.event(event, &mut out).map(drop));
            told.expect("it goes on");
            out.clear();
        }
        format!("{framer:?}{translator:?}").len()
    }

    fn is_native(self) -> bool {
        self.client.native() == self.upstream
    }

    /// The dialect's maker.
    pub(crate) fn provider(self) -> &'static str {
        match self.upstream {
            Dialect::Chat | Dialect::Responses => "openai",
            Dialect::Messages => "anthropic",
            Dialect::Gemini => "gcp.gemini",
            Dialect::Converse => "aws.bedrock",
            Dialect::Cohere => "cohere",
            Dialect::Ollama => "ollama",
        }
    }

    fn path(self) -> InPath<'static> {
        match self.client {
            ClientDialect::Gemini => InPath {
                model: Some("asked-model".into()),
                stream: Some(self.streams),
                ..InPath::default()
            },
            ClientDialect::Chat | ClientDialect::Messages | ClientDialect::Responses => InPath::default(),
        }
    }

    pub(crate) fn send(self, request: &Value, provider: &str) -> Result<Sent, BadRequest> {
        let request = match self.streams {
            true => ask::streamed(self.client, request.clone()),
            false => request.clone(),
        };
        let body = request.to_string();
        let asked = Asked::read(self.client, Operation::Generate, self.path(), body.as_bytes())?;
        if self.is_native() {
            return Ok(Sent {
                body: self.host.body(passed(&asked, body.as_bytes())),
                losses: Losses::new(),
                exchange: None,
            });
        }
        let upstream = Upstream {
            dialect: self.upstream,
            provider,
            model: self.model(),
            capabilities: &Capabilities::default(),
        };
        let stamp = Stamp {
            request_id: "req1",
            created: 1,
        };
        let translated = translate_request(&asked, &upstream, stamp)?;
        let exchange = Exchange {
            include_usage: true,
            ..translated.exchange
        };
        let body = serde_json::from_slice(&translated.body).expect("a translated body is JSON");
        Ok(Sent {
            body: self.host.body(body),
            losses: translated.losses,
            exchange: Some(exchange),
        })
    }

    /// On Bedrock the maker of the model is part of its name, and decides what it takes.
    fn model(self) -> &'static str {
        match self.upstream {
            Dialect::Converse => "anthropic.claude-sonnet-4-5-20250929-v1:0",
            Dialect::Chat
            | Dialect::Messages
            | Dialect::Responses
            | Dialect::Gemini
            | Dialect::Cohere
            | Dialect::Ollama => "up",
        }
    }

    fn answer(self, request: &Value, provider: &str, said: &Said) -> Result<Answered, String> {
        let sent = self.send(request, provider).map_err(|refusal| refusal.to_string())?;
        if self.streams {
            let (stream, usage, losses) = self.streamed(&sent, said)?;
            let body = told::fold(self.client, &stream)?;
            return Ok(Answered { body, usage, losses });
        }
        let whole = self.host.whole(&said.whole);
        match &sent.exchange {
            Some(exchange) => {
                let answer = translate_response(exchange, whole.to_string().as_bytes()).map_err(told_fault)?;
                let body = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
                Ok(Answered {
                    body,
                    usage: answer.usage,
                    losses: answer.losses,
                })
            }
            None => {
                let body = whole.to_string();
                let inspection =
                    inspect_response(self.client, Operation::Generate, body.as_bytes()).map_err(told_fault)?;
                Ok(Answered {
                    body: whole,
                    usage: inspection.usage,
                    losses: Losses::new(),
                })
            }
        }
    }

    /// The client's stream of what is said, and what was counted.
    pub(crate) fn streamed(self, sent: &Sent, said: &Said) -> Result<(Vec<u8>, Option<Usage>, Losses), String> {
        let wire = self.host.on_the_wire(self.upstream, &said.stream);
        let Some(exchange) = &sent.exchange else {
            let usage = self.watch(&wire).map_err(told_fault)?;
            return Ok((self.unframed(wire), usage, Losses::new()));
        };
        let mut out = Vec::new();
        let (usage, losses) = self.translate(exchange, &wire, &mut out).map_err(told_fault)?;
        Ok((out, usage, losses))
    }

    /// What passes through leaves its host's form behind.
    fn unframed(self, wire: Vec<u8>) -> Vec<u8> {
        let mut framer = self.host.framer(self.upstream);
        framer.push(wire.into()).expect("it was framed well").to_vec()
    }

    fn translate(self, exchange: &Exchange, wire: &[u8], out: &mut Vec<u8>) -> Result<(Option<Usage>, Losses), Fault> {
        let (mut translator, mut framer, mut usage) =
            (Translator::new(exchange), self.host.framer(self.upstream), None);
        let block = framer.push(wire.to_vec().into())?;
        framer.each_event(&block, |event| {
            usage = translator.event(event, out)?.usage.or(usage);
            Ok(())
        })?;
        translator.finish(out)?;
        Ok((usage, translator.losses()))
    }

    fn watch(self, wire: &[u8]) -> Result<Option<Usage>, Fault> {
        let (mut watch, mut framer, mut usage) =
            (Watch::new(self.client, false), self.host.framer(self.upstream), None);
        let block = framer.push(wire.to_vec().into())?;
        framer.each_event(&block, |event| {
            usage = watch.event(event)?.usage.or(usage);
            Ok(())
        })?;
        watch.finish()?;
        Ok(usage)
    }
}

pub(crate) fn passed(asked: &Asked<'_>, body: &[u8]) -> Value {
    let pieces = pass_through(asked, "up", true)
        .segments
        .into_iter()
        .flat_map(|segment| match segment {
            Segment::Body(range) => body[range].to_vec(),
            Segment::Fresh(bytes) => bytes,
        });
    serde_json::from_slice(&pieces.collect::<Vec<_>>()).expect("a body that passes through is JSON")
}

fn told_fault(fault: Fault) -> String {
    format!("{:?}: {}", fault.class, fault.message)
}

/// Whether the sidecar counted what the client was told.
fn counted(say: Say, usage: Option<Usage>) -> bool {
    let counted = usage.unwrap_or_default();
    match say {
        Say::Usage => (counted.input, counted.output) == (USAGE.input, USAGE.output),
        Say::Cached => counted.cached_input == USAGE.cached_input,
        Say::Written => counted.cache_write_input == USAGE.cache_write_input,
        Say::Reasoning => counted.reasoning == USAGE.reasoning,
        Say::Text
        | Say::Call
        | Say::ParallelCalls
        | Say::CallAfterText
        | Say::Thought
        | Say::Stop
        | Say::Sequence
        | Say::Length
        | Say::Calls
        | Say::Filter
        | Say::Refusal
        | Say::Image
        | Say::Citation => true,
    }
}
