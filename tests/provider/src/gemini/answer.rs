//! An answer, whole or in chunks; each chunk is an answer of its own kind, with the usage so far.

use crate::answer::Event;
use crate::json::{Json, compact};
use crate::reply::{Finish, Reply, Thought};
use crate::signature;
use crate::tokens::{self, Meter};
use serde::Serialize;
use serde_json::json;

/// What every signature of this fake signs.
const SIGNED: &str = "gemini";

/// One request's answer, before it is a body or a stream.
pub(super) struct Generated {
    pub(super) id: String,
    pub(super) model: String,
    /// The prompt is refused: there is no candidate.
    pub(super) blocked: bool,
    pub(super) reply: Reply,
    pub(super) shows_thoughts: bool,
    /// The model signs what it says, and gives its calls ids.
    pub(super) signs: bool,
    /// How likely each token was is told.
    pub(super) measures: bool,
    pub(super) input: u64,
    pub(super) cached: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<Candidate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_feedback: Option<Feedback>,
    usage_metadata: Usage,
    model_version: &'a str,
    response_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'static str>,
    index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs_result: Option<serde_json::Value>,
}

#[derive(Serialize)]
struct Content {
    parts: Vec<Part>,
    role: &'static str,
}

#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<FunctionCall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought_signature: Option<String>,
}

#[derive(Clone, Serialize)]
struct FunctionCall {
    name: String,
    args: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    prompt_token_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_content_token_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates_token_count: Option<u64>,
    total_token_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    thoughts_token_count: Option<u64>,
}

/// Whether a fake made this signature. Clients may decode it and encode it in the other alphabet.
pub(super) fn is_signature(signature: &str) -> bool {
    let standard = signature.replace('-', "+").replace('_', "/");
    signature::verify(SIGNED, &standard)
}

impl Generated {
    pub(super) fn body(&self) -> String {
        if self.blocked {
            return self.refused();
        }
        let mut parts: Vec<Part> = self.thought(|text| vec![text]);
        if !self.reply.text.is_empty() {
            parts.push(self.last_text(&self.reply.text));
        }
        parts.extend(self.calls());
        self.answer(parts, true, self.reply.tokens())
    }

    /// The chunks with the tokens that each of them is the first to hold.
    pub(super) fn chunks(&self) -> Vec<(String, u64)> {
        if self.blocked {
            return vec![(self.refused(), 0)];
        }
        let mut chunks = Vec::new();
        let mut made = 0;
        let hidden = match self.shows_thoughts {
            true => 0,
            false => self.reply.thinking_tokens(),
        };
        made += hidden;
        let (mut thoughts, mut texts) = (Meter::default(), Meter::default());
        for part in self.thought(tokens::words) {
            let tokens = thoughts.add(part.text.as_deref().unwrap_or_default());
            made += tokens;
            chunks.push((self.answer(vec![part], false, made), tokens));
        }
        for word in tokens::words(&self.reply.text) {
            let tokens = texts.add(word);
            made += tokens;
            chunks.push((self.answer(vec![plain(word)], false, made), tokens));
        }
        for (part, call) in self.calls().into_iter().zip(&self.reply.calls) {
            made += call.tokens();
            chunks.push((self.answer(vec![part], false, made), call.tokens()));
        }
        let signed = Part {
            thought_signature: self.signature("text").filter(|_| self.reply.calls.is_empty()),
            ..plain("")
        };
        chunks.push((self.answer(vec![signed], true, self.reply.tokens()), hidden));
        chunks
    }

    /// The stream's events; the last one says that it is whole.
    pub(super) fn events(&self) -> Vec<Event> {
        let framed = |chunk: String| format!("data: {chunk}\r\n\r\n");
        let mut chunks = self.chunks();
        let last = chunks.pop();
        let mut events: Vec<Event> = chunks
            .into_iter()
            .map(|(chunk, tokens)| Event::content(framed(chunk), tokens))
            .collect();
        events.extend(last.map(|(chunk, _)| Event::terminator(framed(chunk))));
        events
    }

    fn refused(&self) -> String {
        compact(&Body {
            candidates: Vec::new(),
            prompt_feedback: Some(Feedback {
                block_reason: "PROHIBITED_CONTENT",
            }),
            usage_metadata: self.usage(0),
            model_version: &self.model,
            response_id: &self.id,
        })
    }

    fn answer(&self, parts: Vec<Part>, ends: bool, made: u64) -> String {
        let said = parts.iter().filter(|part| part.thought.is_none());
        let said: String = said.filter_map(|part| part.text.as_deref()).collect();
        let measured = self.measures && !said.is_empty();
        let candidate = Candidate {
            content: Content { parts, role: "model" },
            finish_reason: ends.then(|| self.finish_reason()),
            index: 0,
            logprobs_result: measured.then(|| likelihood(&said)),
        };
        compact(&Body {
            candidates: vec![candidate],
            prompt_feedback: None,
            usage_metadata: self.usage(made),
            model_version: &self.model,
            response_id: &self.id,
        })
    }

    fn usage(&self, made: u64) -> Usage {
        let thoughts = self.reply.thinking_tokens().min(made);
        let some = |number: u64| (number > 0).then_some(number);
        Usage {
            prompt_token_count: self.input,
            cached_content_token_count: some(self.cached),
            candidates_token_count: some(made - thoughts),
            total_token_count: self.input + made,
            thoughts_token_count: some(thoughts),
        }
    }

    fn thought<'a>(&'a self, cut: impl Fn(&'a str) -> Vec<&'a str>) -> Vec<Part> {
        let text = match &self.reply.thinking {
            Some(Thought::Open(text)) if self.shows_thoughts => text,
            _ => return Vec::new(),
        };
        let part = |text: &str| Part {
            thought: Some(true),
            ..plain(text)
        };
        cut(text).into_iter().map(part).collect()
    }

    fn last_text(&self, text: &str) -> Part {
        Part {
            thought_signature: self.signature("text").filter(|_| self.reply.calls.is_empty()),
            ..plain(text)
        }
    }

    /// The first of several calls carries the signature of all.
    fn calls(&self) -> Vec<Part> {
        let part = |(index, call): (usize, &crate::reply::Call)| Part {
            function_call: Some(FunctionCall {
                name: call.name.clone(),
                args: call.arguments.clone(),
                id: self.signs.then(|| format!("{}{index}", self.id)),
            }),
            thought_signature: self.signature("call").filter(|_| index == 0),
            ..Part::default()
        };
        self.reply.calls.iter().enumerate().map(part).collect()
    }

    fn signature(&self, of: &str) -> Option<String> {
        self.signs
            .then(|| signature::sign(SIGNED, &format!("{}/{of}", self.id)))
    }

    fn finish_reason(&self) -> &'static str {
        match self.reply.finish {
            Finish::Stop | Finish::StopSequence(_) | Finish::Calls => "STOP",
            Finish::Length => "MAX_TOKENS",
            Finish::Refused | Finish::Filtered => "SAFETY",
        }
    }
}

fn likelihood(text: &str) -> serde_json::Value {
    let token = |word: &str| json!({"token": word, "tokenId": 7, "logProbability": -0.25});
    let chosen: Vec<_> = tokens::words(text).into_iter().map(token).collect();
    let top: Vec<_> = chosen.iter().map(|token| json!({"candidates": [token]})).collect();
    json!({"topCandidates": top, "chosenCandidates": chosen})
}

fn plain(text: &str) -> Part {
    Part {
        text: Some(text.to_owned()),
        ..Part::default()
    }
}
