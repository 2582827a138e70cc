//! Requests for embeddings, encoded.

use super::Wish;
use crate::dialect::loss::Ledger;
use crate::dialect::text::Text;
use crate::dialect::{Dialect, Upstream, gemini};
use crate::json::ObjectWriter;

/// What Cohere is told where the client does not say what the vectors are for: they are kept, as most are.
const PURPOSE: &str = "search_document";

pub(super) fn write(wish: &Wish<'_>, upstream: &Upstream<'_>, ledger: &mut Ledger) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut body = ObjectWriter::new(&mut out);
    match upstream.dialect {
        Dialect::Gemini => write_gemini(wish, upstream, &mut body),
        Dialect::Cohere => write_cohere(wish, upstream, &mut body, ledger),
        // Ollama's form is OpenAI's. No path of the others leads here.
        Dialect::Ollama | Dialect::Chat | Dialect::Messages | Dialect::Responses | Dialect::Converse => {
            write_openai(wish, upstream, &mut body, ledger)
        }
    }
    body.end();
    out
}

fn write_openai(wish: &Wish<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    body.string("model", upstream.model);
    write_texts("input", wish, body);
    if let Some(dimensions) = wish.dimensions {
        body.raw("dimensions", dimensions);
    }
    if upstream.dialect == Dialect::Chat {
        body.string("encoding_format", "float");
    }
    if wish.task.is_some() {
        ledger.hint(
            wish.task_name,
            "the upstream's dialect does not say what vectors are for",
        );
    }
}

fn write_gemini(wish: &Wish<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>) {
    let model = gemini::request::resource(upstream.model);
    let mut requests = body.array("requests");
    for text in &wish.texts {
        let mut request = requests.object();
        request.string("model", &model);
        let mut content = request.object("content");
        text.write(content.array("parts").object().member("text"));
        content.end();
        if let Some(task) = &wish.task {
            task.write(request.member("taskType"));
        }
        if let Some(dimensions) = wish.dimensions {
            request.raw("outputDimensionality", dimensions);
        }
    }
}

fn write_cohere(wish: &Wish<'_>, upstream: &Upstream<'_>, body: &mut ObjectWriter<'_>, ledger: &mut Ledger) {
    body.string("model", upstream.model);
    body.string("input_type", purpose(wish, ledger));
    body.array("embedding_types").string("float");
    if let Some(dimensions) = wish.dimensions {
        body.raw("output_dimension", dimensions);
    }
    write_texts("texts", wish, body);
}

/// Cohere's word for what the vectors are for, which it demands.
fn purpose(wish: &Wish<'_>, ledger: &mut Ledger) -> &'static str {
    match wish.task.as_ref().map(Text::plain).as_deref() {
        Some("RETRIEVAL_QUERY" | "QUESTION_ANSWERING" | "FACT_VERIFICATION" | "CODE_RETRIEVAL_QUERY") => "search_query",
        Some("RETRIEVAL_DOCUMENT") => PURPOSE,
        Some("CLASSIFICATION") => "classification",
        Some("CLUSTERING" | "SEMANTIC_SIMILARITY") => "clustering",
        Some(_) | None => {
            ledger.hint(
                wish.task_name,
                "the cohere dialect wants a purpose, and search_document stands there",
            );
            PURPOSE
        }
    }
}

fn write_texts(key: &'static str, wish: &Wish<'_>, body: &mut ObjectWriter<'_>) {
    let mut list = body.array(key);
    wish.texts.iter().for_each(|text| text.write(list.element()));
}
