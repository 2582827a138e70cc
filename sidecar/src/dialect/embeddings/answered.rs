//! Vectors, decoded and encoded.

use crate::dialect::chat::usage as chat_usage;
use crate::dialect::gemini::usage as gemini_usage;
use crate::dialect::loss::given;
use crate::dialect::{Answer, ClientDialect, Dialect, Exchange, Fault, Losses, Operation, Usage, error};
use crate::json::{self, Elements, Object, ObjectWriter, Raw, Type};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The upstream's whole answer in the client's dialect.
pub(in crate::dialect) fn answer(exchange: &Exchange, body: &[u8]) -> Result<Answer, Fault> {
    let answer = json::parse(body).map_err(|error| Fault::malformed(format!("the answer is not JSON: {error}")))?;
    if let Some(fault) = error::within(&answer) {
        return Err(fault);
    }
    let vectors = vectors(exchange.upstream, &answer).filter(|vectors| !vectors.is_empty());
    let vectors = vectors.ok_or_else(|| Fault::malformed("the answer has no vectors"))?;
    // A client would pair them with the wrong texts.
    if let Some(texts) = exchange.texts.filter(|texts| *texts != vectors.len()) {
        let message = format!("the answer has {} vectors for {texts} texts", vectors.len());
        return Err(Fault::malformed(message));
    }
    let usage = usage(exchange.upstream, &answer);
    let mut out = Vec::with_capacity(body.len() + 256);
    let mut object = ObjectWriter::new(&mut out);
    match (exchange.client, exchange.operation) {
        (ClientDialect::Gemini, Operation::EmbedOne) => {
            let first = vectors
                .first()
                .ok_or_else(|| Fault::malformed("the answer has no vector"))?;
            object.object("embedding").raw("values", *first);
        }
        (ClientDialect::Gemini, _) => {
            let mut list = object.array("embeddings");
            vectors.iter().for_each(|vector| list.object().raw("values", *vector));
        }
        _ => write_openai(exchange, &answer, &vectors, usage, &mut object)?,
    }
    object.end();
    Ok(Answer {
        body: out,
        usage,
        reasoned: None,
        losses: Losses::new(),
    })
}

/// In the order of the texts; nothing where one of them is no list of numbers.
fn vectors<'a>(upstream: Dialect, answer: &Object<'a>) -> Option<Vec<Raw<'a>>> {
    let is_vector = |vector: &Raw<'_>| vector.kind() == Type::Array;
    let vectors: Option<Vec<_>> = match upstream {
        Dialect::Gemini => {
            let list = given(answer, "embeddings")?.elements()?;
            list.objects().map(|one| given(&one?, "values")).collect()
        }
        Dialect::Cohere => {
            let list = given(&given(answer, "embeddings")?.object()?, "float")?;
            Some(list.elements()?.collect())
        }
        Dialect::Ollama => Some(given(answer, "embeddings")?.elements()?.collect()),
        Dialect::Chat | Dialect::Messages | Dialect::Responses | Dialect::Converse => numbered(answer),
    };
    vectors.filter(|vectors| vectors.iter().all(is_vector))
}

/// OpenAI's have numbers, and need not stand in their order.
fn numbered<'a>(answer: &Object<'a>) -> Option<Vec<Raw<'a>>> {
    let list = Elements::objects(given(answer, "data")?.elements()?);
    let one = |(at, one): (usize, Option<Object<'a>>)| {
        let one = one?;
        let index = one.get("index").and_then(Raw::u64).unwrap_or(at as u64);
        Some((index, given(&one, "embedding")?))
    };
    let mut numbered: Vec<_> = list.enumerate().map(one).collect::<Option<_>>()?;
    numbered.sort_by_key(|(index, _)| *index);
    Some(numbered.into_iter().map(|(_, vector)| vector).collect())
}

fn usage(upstream: Dialect, answer: &Object<'_>) -> Option<Usage> {
    let input = |input| Usage {
        input,
        ..Usage::default()
    };
    match upstream {
        Dialect::Gemini => gemini_usage::of(answer),
        Dialect::Cohere => {
            let units = given(&given(answer, "meta")?.object()?, "billed_units")?.object()?;
            units.get("input_tokens").and_then(Raw::u64).map(input)
        }
        Dialect::Ollama => answer.get("prompt_eval_count").and_then(Raw::u64).map(input),
        Dialect::Chat | Dialect::Messages | Dialect::Responses | Dialect::Converse => chat_usage::of(answer),
    }
}

fn write_openai(
    exchange: &Exchange,
    answer: &Object<'_>,
    vectors: &[Raw<'_>],
    usage: Option<Usage>,
    object: &mut ObjectWriter<'_>,
) -> Result<(), Fault> {
    object.string("object", "list");
    let mut data = object.array("data");
    for (index, vector) in vectors.iter().enumerate() {
        let mut one = data.object();
        one.string("object", "embedding");
        one.u64("index", index as u64);
        match exchange.base64 {
            true => one.string("embedding", &in_base64(*vector)?),
            false => one.raw("embedding", *vector),
        }
    }
    data.end();
    let named = answer.get("model").and_then(Raw::string);
    object.string("model", named.as_deref().unwrap_or(&exchange.model));
    let input = usage.unwrap_or_default().input;
    let mut counted = object.object("usage");
    counted.u64("prompt_tokens", input);
    counted.u64("total_tokens", input);
    Ok(())
}

/// The numbers' four bytes each, the lowest first.
fn in_base64(vector: Raw<'_>) -> Result<String, Fault> {
    let mut bytes = Vec::with_capacity(vector.text().len() / 2);
    for number in vector.elements().into_iter().flatten() {
        let number = number.text().parse::<f32>();
        let number = number.map_err(|_| Fault::malformed("a vector holds something else than numbers"))?;
        bytes.extend(number.to_le_bytes());
    }
    Ok(STANDARD.encode(bytes))
}
