//! Embeddings between the dialects that have them: OpenAI's form and Gemini's two, asked of those and of Cohere and
//! Ollama. Numbers are copied as they are written; only their base64 is made here.

mod answered;
mod asked;
mod sent;

use super::loss::Ledger;
use super::text::Text;
use super::{Asked, BadRequest, ClientDialect, Upstream};
use crate::json::Raw;

pub(super) use answered::answer;

/// What a client wants embedded, and how.
#[derive(Debug)]
struct Wish<'a> {
    texts: Vec<Text<'a>>,
    dimensions: Option<Raw<'a>>,
    /// What the vectors are for, in Google's words.
    task: Option<Text<'a>>,
    /// Where the client says that, or would.
    task_name: &'static str,
}

/// The request in the upstream's dialect.
pub(super) fn request(asked: &Asked<'_>, upstream: &Upstream<'_>, ledger: &mut Ledger) -> Result<Vec<u8>, BadRequest> {
    let wish = match asked.dialect {
        ClientDialect::Gemini => asked::of_gemini(asked, ledger),
        _ => asked::of_openai(asked, ledger),
    }?;
    Ok(sent::write(&wish, upstream, ledger))
}

/// The client wants base64, which no upstream is asked for.
pub(super) fn wants_base64(asked: &Asked<'_>) -> bool {
    let format = asked.object.get("encoding_format").and_then(Raw::string);
    format.as_deref() == Some("base64")
}
