//! How many tokens a conversation would be, asked of a provider that counts in another dialect: Anthropic's, Google's and
//! Bedrock's can. Nothing is estimated: a number that nobody counted is no answer.

use super::gemini::spelling::given;
use super::{Answer, Asked, ClientDialect, Dialect, Exchange, Fault, Losses, Upstream, error, gemini, messages};
use crate::json::{self, Object, ObjectWriter, Raw};

/// What Anthropic takes where it only counts; everything else is for the answer that is not made.
const COUNTED: &[&str] = &[
    "cache_control",
    "messages",
    "model",
    "output_config",
    "system",
    "thinking",
    "tool_choice",
    "tools",
];

/// The same of Converse's.
const COUNTED_BY_BEDROCK: &[&str] = &["additionalModelRequestFields", "messages", "system", "toolConfig"];

/// Where Google's APIs differ: the one at Vertex AI counts the request's own members.
const VERTEX: &str = "gcp.vertex_ai";

/// The conversation that a Gemini client wants counted, if it wraps it.
pub(super) fn wrapped<'a>(asked: &Asked<'a>) -> Option<&'a str> {
    let wrapped = given(&asked.object, "generateContentRequest").filter(|_| asked.dialect == ClientDialect::Gemini)?;
    wrapped.object().map(|_| wrapped.text())
}

/// A translated request for an answer, as one for a number, where that looks otherwise.
pub(super) fn request(body: &[u8], upstream: &Upstream<'_>) -> Option<Vec<u8>> {
    let object = json::parse(body).ok()?;
    let mut out = Vec::with_capacity(body.len());
    match upstream.dialect {
        Dialect::Gemini if upstream.provider == VERTEX => return None,
        Dialect::Gemini => {
            let mut outer = ObjectWriter::new(&mut out);
            let mut inner = outer.object("generateContentRequest");
            inner.string("model", &gemini::request::resource(upstream.model));
            object.members().iter().for_each(|member| inner.copy(member));
        }
        Dialect::Messages => {
            let mut kept = ObjectWriter::new(&mut out);
            let counted = object.members().iter();
            counted
                .filter(|member| COUNTED.binary_search(&&*member.key()).is_ok())
                .for_each(|member| kept.copy(member));
        }
        Dialect::Converse => {
            let mut outer = ObjectWriter::new(&mut out);
            let mut input = outer.object("input");
            let mut inner = input.object("converse");
            let counted = object.members().iter();
            counted
                .filter(|member| COUNTED_BY_BEDROCK.contains(&&*member.key()))
                .for_each(|member| inner.copy(member));
        }
        // No path of theirs leads here.
        Dialect::Chat | Dialect::Responses | Dialect::Cohere | Dialect::Ollama => return None,
    }
    Some(out)
}

/// The number, in the client's words.
pub(super) fn answer(exchange: &Exchange, body: &[u8]) -> Result<Answer, Fault> {
    let counted = match exchange.upstream {
        Dialect::Gemini => gemini::response::parse(body)?.get("totalTokens"),
        Dialect::Converse => parsed(body)?.get("inputTokens"),
        _ => messages::response::parse(body)?.get("input_tokens"),
    };
    let counted = counted.and_then(Raw::u64);
    let counted = counted.ok_or_else(|| Fault::malformed("the answer has no number of tokens"))?;
    let mut out = Vec::with_capacity(32);
    let mut answer = ObjectWriter::new(&mut out);
    answer.u64(
        match exchange.client {
            ClientDialect::Gemini => "totalTokens",
            _ => "input_tokens",
        },
        counted,
    );
    answer.end();
    Ok(Answer {
        body: out,
        usage: None,
        reasoned: None,
        losses: Losses::new(),
    })
}

fn parsed(body: &[u8]) -> Result<Object<'_>, Fault> {
    let answer = json::parse(body).map_err(|error| Fault::malformed(format!("the answer is not JSON: {error}")))?;
    match error::within(&answer) {
        Some(fault) => Err(fault),
        None => Ok(answer),
    }
}
