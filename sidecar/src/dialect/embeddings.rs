//! Embeddings between the dialects that have them: OpenAI's form and Gemini's two, asked of those and of Cohere and
//! Ollama. Numbers are copied as they are written; only their base64 is made here.

mod answered;
mod asked;
mod sent;

use super::loss::Ledger;
use super::text::Text;
use super::{Asked, BadRequest, ClientDialect, Dialect, Upstream};
use crate::json::Raw;

pub(super) use answered::answer;

/// What a client wants embedded, and how.
#[derive(Debug)]
struct Wish<'a> {
    texts: Vec<Text<'a>>,
    /// Where they are.
    texts_name: &'static str,
    dimensions: Option<Raw<'a>>,
    /// What the vectors are for, in Google's words.
    task: Option<Text<'a>>,
    /// Where the client says that, or would.
    task_name: &'static str,
}

/// Most texts of one request, with the sentence that says so. Others have OpenAI's limit, which is judged by then.
fn limit(upstream: &Upstream<'_>) -> Option<(usize, &'static str)> {
    match upstream.dialect {
        Dialect::Gemini => Some((100, "the provider embeds at most 100 texts at once")),
        Dialect::Cohere => Some((96, "the provider embeds at most 96 texts at once")),
        Dialect::Chat | Dialect::Messages | Dialect::Responses | Dialect::Converse | Dialect::Ollama => None,
    }
}

/// The request in the upstream's dialect, and how many texts it has.
pub(super) fn request(
    asked: &Asked<'_>,
    upstream: &Upstream<'_>,
    ledger: &mut Ledger,
) -> Result<(Vec<u8>, usize), BadRequest> {
    let wish = match asked.dialect {
        ClientDialect::Gemini => asked::of_gemini(asked, ledger),
        _ => asked::of_openai(asked, ledger),
    }?;
    let count = wish.texts.len();
    // Another provider may take them all.
    if let Some((_, why)) = limit(upstream).filter(|(most, _)| count > *most) {
        ledger.meaning(wish.texts_name, why);
    }
    Ok((sent::write(&wish, upstream, ledger), count))
}

/// The client wants base64, which no upstream is asked for.
pub(super) fn wants_base64(asked: &Asked<'_>) -> bool {
    let format = asked.object.get("encoding_format").and_then(Raw::string);
    format.as_deref() == Some("base64")
}
