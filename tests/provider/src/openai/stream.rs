//! A completion in pieces: `data:` lines, one chunk each, and `[DONE]`.

use super::answer::{Completion, FINGERPRINT, LogProbs, ReasoningField, UNKNOWN_FIELD, Usage, log_probs};
use crate::answer::Event;
use crate::json::compact;
use crate::ledger::Tokens;
use crate::reply::{Call, Finish};
use crate::signature::id;
use crate::tokens::{self, Meter};
use serde::Serialize;

/// What the request and the script say of the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) include_usage: bool,
    pub(super) obfuscation: bool,
    pub(super) interleaved: bool,
    pub(super) usage_everywhere: bool,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    service_tier: &'a str,
    system_fingerprint: &'static str,
    choices: Vec<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<Usage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    obfuscation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_unknown: Option<&'static str>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    delta: Delta<'a>,
    logprobs: Option<LogProbs<'a>>,
    finish_reason: Option<&'static str>,
}

/// An outer `None` leaves the key out, an inner one writes `null`.
#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[CallDelta<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_unknown: Option<&'static str>,
}

#[derive(Serialize)]
struct CallDelta<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(flatten)]
    called: CalledDelta<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum CalledDelta<'a> {
    Function {
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        arguments: &'a str,
    },
    Custom {
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        input: &'a str,
    },
}

impl<'a> CalledDelta<'a> {
    fn of(call: &Call, name: Option<&'a str>, piece: &'a str) -> CalledDelta<'a> {
        match call.is_custom() {
            true => CalledDelta::Custom { name, input: piece },
            false => CalledDelta::Function { name, arguments: piece },
        }
    }
}

/// The stream's events.
pub(super) fn events(completion: &Completion, options: Options) -> Vec<Event> {
    let mut writer = Writer {
        completion,
        options,
        events: Vec::new(),
        made: 0,
    };
    for choice in 0..completion.choices {
        writer.choice(choice);
    }
    if options.include_usage {
        let usage = Some(Some(completion.tokens.into()));
        writer.chunk(Vec::new(), usage, None);
    }
    writer.events.push(Event::terminator("data: [DONE]\n\n"));
    writer.events
}

struct Writer<'a> {
    completion: &'a Completion,
    options: Options,
    events: Vec<Event>,
    /// Output tokens so far.
    made: u64,
}

impl<'a> Writer<'a> {
    fn choice(&mut self, index: usize) {
        let reply = &self.completion.reply;
        let calls = reply.calls.as_slice();
        self.opening(index, calls);
        self.reasoning(index);
        if reply.finish == Finish::Refused {
            self.text(index, |text| Delta {
                refusal: Some(Some(text)),
                ..Delta::default()
            });
        } else {
            self.text(index, |text| Delta {
                content: Some(Some(text)),
                ..Delta::default()
            });
        }
        self.arguments(index, calls);
        self.delta(index, Delta::default(), Some(self.completion.finish_reason()), None);
    }

    /// Says whose turn it is. A single call begins in the same chunk, several each in their own.
    fn opening(&mut self, index: usize, calls: &'a [Call]) {
        let speaks = calls.is_empty();
        let mut delta = Delta {
            role: Some("assistant"),
            content: Some(speaks.then_some("")),
            refusal: Some(None),
            ..Delta::default()
        };
        if let [call] = calls {
            delta.tool_calls = Some([self.begun(index, 0, call)]);
            let tokens = tokens::count(&call.name);
            return self.delta(index, delta, None, Some(tokens));
        }
        self.delta(index, delta, None, None);
        if self.options.interleaved {
            for (number, call) in calls.iter().enumerate() {
                self.begin_call(index, number, call);
            }
        }
    }

    fn begin_call(&mut self, index: usize, number: usize, call: &'a Call) {
        let begun = self.begun(index, number, call);
        self.delta(
            index,
            Delta {
                tool_calls: Some([begun]),
                ..Delta::default()
            },
            None,
            Some(tokens::count(&call.name)),
        );
    }

    fn begun(&self, choice: usize, number: usize, call: &'a Call) -> CallDelta<'a> {
        CallDelta {
            index: number,
            id: Some(self.completion.call_id(choice, number)),
            kind: Some(if call.is_custom() { "custom" } else { "function" }),
            called: CalledDelta::of(call, Some(&call.name), ""),
        }
    }

    fn reasoning(&mut self, index: usize) {
        let fields = [ReasoningField::ReasoningContent, ReasoningField::Reasoning];
        let shown = fields.map(|field| self.completion.shown_reasoning(field));
        let text = shown.into_iter().flatten().next().unwrap_or_default();
        let mut meter = Meter::default();
        for word in tokens::words(text) {
            let [reasoning_content, reasoning] = shown.map(|shown| shown.map(|_| word));
            let delta = Delta {
                reasoning_content,
                reasoning,
                ..Delta::default()
            };
            self.delta(index, delta, None, Some(meter.add(word)));
        }
        if text.is_empty() {
            // It thought all the same, and charges for it.
            self.made += self.completion.reply.thinking_tokens();
            if let Some(first) = self.events.last_mut() {
                first.tokens += self.completion.reply.thinking_tokens();
            }
        }
    }

    fn text(&mut self, index: usize, delta: impl Fn(&'a str) -> Delta<'a>) {
        let mut meter = Meter::default();
        for word in tokens::words(&self.completion.reply.text) {
            self.delta(index, delta(word), None, Some(meter.add(word)));
        }
    }

    /// One call after the other, or, interleaved, a piece of each in turn.
    fn arguments(&mut self, index: usize, calls: &'a [Call]) {
        let texts: Vec<String> = calls.iter().map(Call::input).collect();
        let pieces: Vec<Vec<&str>> = texts.iter().map(|text| tokens::pieces(text, 7)).collect();
        let mut meters: Vec<Meter> = texts.iter().map(|_| Meter::default()).collect();
        let mut order: Vec<(usize, usize)> = pieces
            .iter()
            .enumerate()
            .flat_map(|(call, pieces)| (0..pieces.len()).map(move |piece| (call, piece)))
            .collect();
        if self.options.interleaved {
            order.sort_by_key(|(call, piece)| (*piece, *call));
        }
        for (number, piece) in order {
            if piece == 0 && calls.len() > 1 && !self.options.interleaved {
                calls
                    .get(number)
                    .into_iter()
                    .for_each(|call| self.begin_call(index, number, call));
            }
            let text = pieces.get(number).and_then(|pieces| pieces.get(piece));
            let (Some(text), Some(call)) = (text, calls.get(number)) else {
                continue;
            };
            let tokens = meters.get_mut(number).map_or(0, |meter| meter.add(text));
            self.argument(index, number, CalledDelta::of(call, None, text), tokens);
        }
    }

    fn argument(&mut self, index: usize, number: usize, called: CalledDelta<'_>, tokens: u64) {
        let call = CallDelta {
            index: number,
            id: None,
            kind: None,
            called,
        };
        self.delta(
            index,
            Delta {
                tool_calls: Some([call]),
                ..Delta::default()
            },
            None,
            Some(tokens),
        );
    }

    /// A chunk with one delta. `content` is what it cost, if it holds anything of the answer.
    fn delta(&mut self, index: usize, delta: Delta<'_>, finish: Option<&'static str>, content: Option<u64>) {
        let mut delta = delta;
        delta.x_unknown = self.completion.unknown_fields.then_some(UNKNOWN_FIELD);
        let text = delta.content.flatten().map(|text| [text]);
        let logprobs = text
            .filter(|text| self.completion.logprobs && text != &[""])
            .map(|text| log_probs(&text));
        self.made += content.unwrap_or(0);
        let usage = self.usage_so_far();
        self.chunk(
            vec![Choice {
                index,
                delta,
                logprobs,
                finish_reason: finish,
            }],
            usage,
            content.or(finish.map(|_| 0)),
        );
    }

    fn usage_so_far(&self) -> Option<Option<Usage>> {
        if self.options.usage_everywhere {
            let tokens = Tokens {
                output: self.made,
                ..self.completion.tokens
            };
            return Some(Some(tokens.into()));
        }
        self.options.include_usage.then_some(None)
    }

    fn chunk(&mut self, choices: Vec<Choice<'_>>, usage: Option<Option<Usage>>, content: Option<u64>) {
        let completion = self.completion;
        let number = self.events.len();
        let chunk = Chunk {
            id: &completion.id,
            object: "chat.completion.chunk",
            created: completion.created,
            model: &completion.model,
            service_tier: &completion.service_tier,
            system_fingerprint: FINGERPRINT,
            choices,
            usage,
            obfuscation: self.options.obfuscation.then(|| obfuscation(&completion.id, number)),
            x_unknown: completion.unknown_fields.then_some(UNKNOWN_FIELD),
        };
        let bytes = format!("data: {}\n\n", compact(&chunk));
        self.events.push(match content {
            Some(tokens) => Event::content(bytes, tokens),
            None => Event::frame(bytes),
        });
    }
}

/// Padding of a varying length, so that the size of a packet does not tell what is in it.
fn obfuscation(completion: &str, number: usize) -> String {
    id(
        "",
        4 + number * 5 % 9,
        &[completion, &number.to_string(), "obfuscation"],
    )
}
