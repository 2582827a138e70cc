//! What follows a text, in the older form; and rankings, which OpenAI has not and servers of its dialect have.

use super::error::Error;
use super::shapes;
use crate::answer::Event;
use crate::json::{Json, compact};
use crate::model::Model;
use crate::shape;
use crate::tokens::{self, Meter};
use serde_json::{Value, json};

/// An answer before it is a body or a stream.
pub(super) struct Completed {
    model: String,
    text: String,
    pub(super) input: u64,
    includes_usage: bool,
}

/// Runs the model: it repeats what it is given.
pub(super) fn complete(request: &Json, model: &Model) -> Result<Completed, Error> {
    shape::check(request, &shapes::COMPLETIONS)?;
    let prompt = request.text_of("prompt").unwrap_or_default();
    let options = request.get("stream_options");
    Ok(Completed {
        model: model.answers_as.clone(),
        text: format!("{prompt} and so on"),
        input: tokens::count(prompt),
        includes_usage: options.is_some_and(|options| options.is_set("include_usage")),
    })
}

impl Completed {
    pub(super) fn output(&self) -> u64 {
        tokens::count(&self.text)
    }

    pub(super) fn body(&self) -> String {
        let mut body = self.chunk(&self.text, Some("stop"));
        body["usage"] = self.usage();
        super::pretty(&body)
    }

    pub(super) fn events(&self) -> Vec<Event> {
        let mut meter = Meter::default();
        let framed = |value: &Value| format!("data: {}\n\n", compact(value));
        let mut events: Vec<_> = tokens::words(&self.text)
            .into_iter()
            .map(|word| Event::content(framed(&self.chunk(word, None)), meter.add(word)))
            .collect();
        events.push(Event::frame(framed(&self.chunk("", Some("stop")))));
        if self.includes_usage {
            let mut last = self.chunk("", None);
            last["choices"] = json!([]);
            last["usage"] = self.usage();
            events.push(Event::frame(framed(&last)));
        }
        events.push(Event::terminator("data: [DONE]\n\n"));
        events
    }

    fn chunk(&self, text: &str, finish: Option<&str>) -> Value {
        let choice = json!({"text": text, "index": 0, "logprobs": null, "finish_reason": finish});
        json!({"id": "cmpl-1", "object": "text_completion", "created": 1, "model": self.model, "choices": [choice]})
    }

    fn usage(&self) -> Value {
        let (input, output) = (self.input, self.output());
        json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
    }
}

/// A ranking as vLLM and Jina have it, and the tokens it costs.
pub(super) fn rank(request: &Json) -> Result<(String, u64), Error> {
    shape::check(request, &shapes::RERANK)?;
    let documents = request.list_of("documents");
    let texts: Vec<&str> = documents.iter().filter_map(crate::cohere::text).collect();
    let tokens = texts.iter().map(|text| tokens::count(text)).sum();
    let mut results = crate::cohere::ranking(request);
    for result in &mut results {
        let index = result["index"].as_u64().and_then(|index| usize::try_from(index).ok());
        result["document"] = json!({"text": index.and_then(|index| texts.get(index))});
    }
    let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
    let body = json!({"id": "rerank-1", "model": request.text_of("model"), "usage": usage, "results": results});
    Ok((super::pretty(&body), tokens))
}
