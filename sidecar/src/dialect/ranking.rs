//! Rankings of documents in their two forms: Cohere's newer one, and the common one that Jina's API, vLLM and others serve
//! at `/rerank`. They differ in little: the common form takes documents as objects, too, repeats them in its answer and
//! counts tokens; Cohere's says how much of a document is read, and counts searches.
//!
//! Jina's and vLLM's are one form: whatever differs between them is more or less in an answer, and either is read.

use super::Grade::Hint;
use super::chat::response::parse;
use super::chat::usage;
use super::loss::Fate::{Lost, Ours, Read};
use super::loss::{self, Field, Ledger, field, field_unless, given};
use super::text::Text;
use super::{Answer, Asked, BadRequest, Dialect, Exchange, Fault, Losses, Ranking, Upstream};
use crate::json::{self, Elements, Object, ObjectWriter, Raw, Type};

/// Most documents of one request: Cohere's limit, the highest.
const MOST_DOCUMENTS: usize = 10_000;

/// Sorted by name.
const COMMON: &[Field] = &[
    field("documents", Read),
    field("max_chunks_per_doc", Lost(Hint, "Cohere cuts documents by tokens now")),
    field("model", Ours),
    field("query", Read),
    field("rank_fields", Lost(Hint, "Cohere reads texts, and no fields of them")),
    field("return_documents", Read),
    // All of them.
    field_unless("top_n", &["0"], Read),
    field_unless("truncation", &["true"], Lost(Hint, "Cohere cuts off what is too long")),
];
const COHERE: &[Field] = &[
    field("documents", Read),
    field(
        "max_tokens_per_doc",
        Lost(Hint, "only Cohere cuts documents at a length"),
    ),
    field("model", Ours),
    field_unless("priority", &["0"], Lost(Hint, "only Cohere has such a priority")),
    field("query", Read),
    field("relevant_spans", Lost(Hint, "only Cohere finds spans")),
    field("top_n", Read),
];

impl Ranking {
    /// That of an upstream.
    pub(super) fn of(upstream: Dialect) -> Self {
        match upstream {
            Dialect::Cohere => Self::Cohere,
            _ => Self::Common,
        }
    }

    /// The dialect whose servers have it.
    pub(super) fn dialect(self) -> Dialect {
        match self {
            Self::Common => Dialect::Chat,
            Self::Cohere => Dialect::Cohere,
        }
    }
}

/// The request in the other form.
pub(super) fn request(asked: &Asked<'_>, upstream: &Upstream<'_>, ledger: &mut Ledger) -> Result<Vec<u8>, BadRequest> {
    let object = &asked.object;
    let table = match asked.ranking {
        Ranking::Common => COMMON,
        Ranking::Cohere => COHERE,
    };
    let _no_knobs = loss::decide(object, table, &"", ledger)?;
    let query = given(object, "query").and_then(Text::of);
    let query = query.ok_or_else(|| BadRequest::at("query", "must be a text"))?;
    let documents = documents(object)?;
    let mut out = Vec::with_capacity(object.text().len());
    let mut body = ObjectWriter::new(&mut out);
    body.string("model", upstream.model);
    query.write(body.member("query"));
    let mut list = body.array("documents");
    documents.iter().for_each(|document| document.write(list.element()));
    list.end();
    if let Some(most) = given(object, "top_n").filter(|most| most.u64() != Some(0)) {
        body.raw("top_n", most);
    }
    body.end();
    Ok(out)
}

/// Texts, or objects that have one: what else a document may be, only the server that it was written for can read.
fn documents<'a>(object: &Object<'a>) -> Result<Vec<Text<'a>>, BadRequest> {
    let list = given(object, "documents").and_then(Raw::elements);
    let list = list.ok_or_else(|| BadRequest::at("documents", "must be an array"))?;
    let text = |(index, document): (usize, Raw<'a>)| {
        let within = || given(&document.object()?, "text").and_then(Text::of);
        let text = Text::of(document).or_else(within);
        text.ok_or_else(|| BadRequest::at(format!("documents[{index}]"), "must be a text here"))
    };
    let texts: Vec<_> = list.enumerate().map(text).collect::<Result<_, _>>()?;
    match texts.len() {
        0 => Err(BadRequest::at("documents", "must not be empty")),
        1..=MOST_DOCUMENTS => Ok(texts),
        _ => Err(BadRequest::at("documents", "must not be more than 10,000")),
    }
}

/// The documents, where the answer repeats them: in the common form, unless it is told not to.
pub(super) fn repeated(asked: &Asked<'_>) -> Vec<u8> {
    let unwanted = given(&asked.object, "return_documents").and_then(Raw::bool) == Some(false);
    let Some(documents) = given(&asked.object, "documents").filter(|_| asked.ranking == Ranking::Common && !unwanted)
    else {
        return Vec::new();
    };
    let mut out = Vec::with_capacity(documents.text().len() + 16);
    let mut object = ObjectWriter::new(&mut out);
    object.raw("documents", documents);
    object.end();
    out
}

/// The upstream's ranking in the client's form, which is the other one.
pub(super) fn answer(exchange: &Exchange, body: &[u8]) -> Result<Answer, Fault> {
    let answer = parse(body)?;
    let results = given(&answer, "results").and_then(Raw::elements);
    let results = results.ok_or_else(|| Fault::malformed("the answer has no array results"))?;
    let usage = usage::of_ranking(&answer);
    let tokens = usage.unwrap_or_default().input;
    let mut out = Vec::with_capacity(body.len() + exchange.repeated.len() + 128);
    let mut ranked = ObjectWriter::new(&mut out);
    match given(&answer, "id") {
        Some(id) => ranked.raw("id", id),
        None => ranked.string("id", &exchange.request_id),
    }
    match Ranking::of(exchange.upstream) {
        Ranking::Cohere => write_common(exchange, results, tokens, &mut ranked)?,
        Ranking::Common => {
            let mut list = ranked.array("results");
            results
                .objects()
                .try_for_each(|result| write(result, &mut list.object()).map(drop))?;
            list.end();
            let mut meta = ranked.object("meta");
            meta.object("api_version").string("version", "2");
            meta.object("tokens").u64("input_tokens", tokens);
        }
    }
    ranked.end();
    Ok(Answer {
        body: out,
        usage,
        reasoned: None,
        losses: Losses::new(),
    })
}

fn write_common(
    exchange: &Exchange,
    results: Elements<'_>,
    tokens: u64,
    ranked: &mut ObjectWriter<'_>,
) -> Result<(), Fault> {
    ranked.string("model", &exchange.model);
    let mut counted = ranked.object("usage");
    counted.u64("prompt_tokens", tokens);
    counted.u64("total_tokens", tokens);
    counted.end();
    let repeated = json::parse(&exchange.repeated).ok();
    let repeated = repeated.and_then(|object| given(&object, "documents")?.elements());
    let documents: Vec<_> = repeated.into_iter().flatten().collect();
    let mut list = ranked.array("results");
    for result in results.objects() {
        let mut entry = list.object();
        let index = write(result, &mut entry)?;
        let document = usize::try_from(index).ok().and_then(|index| documents.get(index));
        match document {
            Some(document) if document.kind() == Type::Object => entry.raw("document", *document),
            Some(document) => entry.object("document").raw("text", *document),
            None => {}
        }
    }
    Ok(())
}

/// What both forms have of a result; its index.
fn write(result: Option<Object<'_>>, entry: &mut ObjectWriter<'_>) -> Result<u64, Fault> {
    let read = result.and_then(|result| {
        let index = given(&result, "index").and_then(Raw::u64)?;
        let score = given(&result, "relevance_score").filter(|score| score.kind() == Type::Number)?;
        entry.u64("index", index);
        entry.raw("relevance_score", score);
        Some(index)
    });
    read.ok_or_else(|| Fault::malformed("the answer has a result without index and score"))
}
