//! The two dialects as clients speak them: paths, requests, where an answer's text stands, the shape of errors.

use anyhow::{Context, Result, ensure};
use pilotfish_provider::{Anthropic, Builder, OpenAi};
use serde_json::{Value, json};

/// Which API a client or a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's Chat Completions.
    Chat,
    /// Anthropic's Messages.
    Messages,
}

/// What an error body says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its type.
    pub kind: String,
    /// Its sentence.
    pub message: String,
    /// A word for programs: OpenAI's `code`, Anthropic's `details.error_code`.
    pub code: Option<String>,
    /// OpenAI's `param`.
    pub param: Option<String>,
}

/// A model of which nobody knows anything; only a fake that is told so has it.
pub const HOUSE_MODEL: &str = "house-model";

impl Dialect {
    /// Both, for tests that hold for every client.
    pub const BOTH: [Self; 2] = [Self::Chat, Self::Messages];

    /// Where a client sends its request.
    pub fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Messages => "/v1/messages",
        }
    }

    /// The smallest request that says `text` to `model`.
    pub fn request(self, model: &str, text: &str) -> Value {
        let messages = json!([{"role": "user", "content": text}]);
        match self {
            Self::Chat => json!({"model": model, "messages": messages}),
            Self::Messages => json!({"model": model, "max_tokens": 256, "messages": messages}),
        }
    }

    /// The same, as a stream.
    pub fn stream_request(self, model: &str, text: &str) -> Value {
        let mut request = self.request(model, text);
        request["stream"] = Value::Bool(true);
        request
    }

    /// A fake that speaks it: `name` is what it says of itself, `sk-up-<name>` the only key it takes.
    pub fn provider(self, name: &str) -> Builder {
        let builder = match self {
            Self::Chat => OpenAi::builder(),
            Self::Messages => Anthropic::builder(),
        };
        builder.name(name).keys([format!("sk-up-{name}")])
    }

    /// `spec.provider` of a deployment that speaks it.
    pub fn provider_name(self) -> &'static str {
        match self {
            Self::Chat => "OpenAI",
            Self::Messages => "Anthropic",
        }
    }

    /// A model that the fake of this dialect has.
    pub fn model(self) -> &'static str {
        match self {
            Self::Chat => "gpt-4o",
            Self::Messages => "claude-sonnet-4-5",
        }
    }

    /// The text of a whole answer.
    pub fn text(self, answer: &Value) -> Option<&str> {
        match self {
            Self::Chat => answer["choices"][0]["message"]["content"].as_str(),
            Self::Messages => answer["content"][0]["text"].as_str(),
        }
    }

    /// The text that an event of a stream adds.
    pub fn delta(self, event: &Value) -> Option<&str> {
        match self {
            Self::Chat => event["choices"][0]["delta"]["content"].as_str(),
            Self::Messages => event["delta"]["text"].as_str(),
        }
    }

    /// The data, or the name, of the event that ends a stream well.
    pub fn terminator(self) -> &'static str {
        match self {
            Self::Chat => "[DONE]",
            Self::Messages => "message_stop",
        }
    }

    /// Reads an error body, which must have exactly the fields that the dialect's SDKs know.
    pub fn error(self, body: &Value) -> Result<Said> {
        let error = &body["error"];
        let word = |value: &Value| value.as_str().map(str::to_owned);
        let said = |code: &Value| -> Result<Said> {
            Ok(Said {
                kind: word(&error["type"]).with_context(|| format!("no type in {body}"))?,
                message: word(&error["message"]).with_context(|| format!("no message in {body}"))?,
                code: word(code),
                param: word(&error["param"]),
            })
        };
        match self {
            Self::Chat => {
                ensure!(keys(body) == ["error"], "not OpenAI's error: {body}");
                ensure!(
                    keys(error) == ["code", "message", "param", "type"],
                    "not OpenAI's error: {body}"
                );
                said(&error["code"])
            }
            Self::Messages => {
                ensure!(body["type"] == "error", "not Anthropic's error: {body}");
                let known = |key: &String| ["details", "message", "type"].contains(&key.as_str());
                ensure!(keys(error).iter().all(known), "not Anthropic's error: {body}");
                said(&error["details"]["error_code"])
            }
        }
    }
}

/// In alphabetical order.
fn keys(value: &Value) -> Vec<String> {
    let mut keys: Vec<String> = value
        .as_object()
        .into_iter()
        .flat_map(|object| object.keys().cloned())
        .collect();
    keys.sort();
    keys
}

/// Checks both dialects at once, each for itself: a test waits more than it computes.
pub async fn in_both(check: impl AsyncFn(Dialect) -> Result<()>) -> Result<()> {
    tokio::try_join!(check(Dialect::Chat), check(Dialect::Messages)).map(drop)
}

/// Checks clients of both dialects before providers of both, all at once: the client's dialect, then the provider's.
pub async fn in_all(check: impl AsyncFn(Dialect, Dialect) -> Result<()>) -> Result<()> {
    use Dialect::{Chat, Messages};
    tokio::try_join!(
        check(Chat, Chat),
        check(Chat, Messages),
        check(Messages, Chat),
        check(Messages, Messages)
    )
    .map(drop)
}
