//! Where a dialect's operations are, below its base URL.

use super::{Dialect, Operation};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pilotfish_wire::Hosting;

/// All but what RFC 3986 does not reserve: AWS signs it so, and an ARN's slashes are part of the model.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stands behind a base URL for each operation of a dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suffixes {
    /// A whole answer.
    pub generate: String,
    /// A streamed one.
    pub stream: String,
    /// What else the dialect has, or another dialect's servers have beside it.
    pub others: Vec<(Operation, String)>,
}

impl Suffixes {
    /// Those of a dialect whose requests name the model in their bodies.
    fn of(generate: &str, others: &[(Operation, &str)]) -> Self {
        let other = |&(operation, path): &(Operation, &str)| (operation, path.to_owned());
        Self {
            generate: generate.to_owned(),
            stream: generate.to_owned(),
            others: others.iter().map(other).collect(),
        }
    }
}

/// The same but for slashes: a model may be named with its publisher.
const WITH_PUBLISHER: &AsciiSet = &IN_PATH.remove(b'/');

/// Vertex AI names the version of a Claude behind an `@`.
const WITH_VERSION: &AsciiSet = &IN_PATH.remove(b'@');

/// Tuned models stand beside the others.
fn gemini(model: &str) -> Suffixes {
    let model = utf8_percent_encode(model, WITH_PUBLISHER);
    let of = |method: &str| match model.to_string() {
        named if named.starts_with("models/") || named.starts_with("tunedModels/") => format!("/{named}:{method}"),
        named => format!("/models/{named}:{method}"),
    };
    Suffixes {
        generate: of("generateContent"),
        stream: of("streamGenerateContent?alt=sse"),
        others: vec![
            (Operation::Embeddings, of("batchEmbedContents")),
            (Operation::EmbedOne, of("embedContent")),
            (Operation::CountTokens, of("countTokens")),
        ],
    }
}

/// The paths of `dialect` where `hosting` may have others for it.
pub fn suffixes_at(dialect: Dialect, hosting: Option<Hosting>, model: &str) -> Suffixes {
    match hosting {
        None => suffixes(dialect, model),
        Some(Hosting::BedrockInvoke) => {
            let model = utf8_percent_encode(model, IN_PATH);
            Suffixes {
                generate: format!("/model/{model}/invoke"),
                stream: format!("/model/{model}/invoke-with-response-stream"),
                others: Vec::new(),
            }
        }
        Some(Hosting::VertexPredict) => {
            let model = utf8_percent_encode(model, WITH_VERSION);
            Suffixes {
                generate: format!("/models/{model}:rawPredict"),
                stream: format!("/models/{model}:streamRawPredict"),
                others: vec![(Operation::CountTokens, "/models/count-tokens:rawPredict".to_owned())],
            }
        }
    }
}

/// The paths of `dialect` for the provider's own name of a model, which some dialects want there.
pub fn suffixes(dialect: Dialect, model: &str) -> Suffixes {
    match dialect {
        Dialect::Chat => Suffixes::of(
            "/chat/completions",
            &[
                (Operation::Completions, "/completions"),
                (Operation::Embeddings, "/embeddings"),
                // OpenAI has none; servers that speak its dialect do.
                (Operation::Rerank, "/rerank"),
            ],
        ),
        Dialect::Messages => Suffixes::of("/v1/messages", &[(Operation::CountTokens, "/v1/messages/count_tokens")]),
        Dialect::Responses => Suffixes::of("/responses", &[]),
        Dialect::Ollama => Suffixes::of("/api/chat", &[(Operation::Embeddings, "/api/embed")]),
        Dialect::Cohere => Suffixes::of(
            "/v2/chat",
            &[(Operation::Embeddings, "/v2/embed"), (Operation::Rerank, "/v2/rerank")],
        ),
        Dialect::Converse => {
            let model = utf8_percent_encode(model, IN_PATH);
            Suffixes {
                generate: format!("/model/{model}/converse"),
                stream: format!("/model/{model}/converse-stream"),
                others: vec![(Operation::CountTokens, format!("/model/{model}/count-tokens"))],
            }
        }
        Dialect::Gemini => gemini(model),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gemini_model_stands_among_the_models_unless_it_is_tuned() {
        for (model, expected) in [
            ("gemini-3.8-flash", "/models/gemini-3.8-flash:generateContent"),
            ("models/g", "/models/g:generateContent"),
            ("tunedModels/g", "/tunedModels/g:generateContent"),
            ("a b?c/d:8b", "/models/a%20b%3Fc/d%3A8b:generateContent"),
        ] {
            assert_eq!(suffixes(Dialect::Gemini, model).generate, expected);
        }
        let stream = suffixes(Dialect::Gemini, "g").stream;
        assert_eq!(stream, "/models/g:streamGenerateContent?alt=sse");
    }

    #[test]
    fn a_model_in_the_path_is_one_segment() {
        for (model, expected) in [
            ("anthropic.claude-v1:0", "/model/anthropic.claude-v1%3A0/converse"),
            (
                "arn:aws:bedrock:eu-west-1:1:inference-profile/a_b~c",
                "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fa_b~c/converse",
            ),
            ("../x?y#z %", "/model/..%2Fx%3Fy%23z%20%25/converse"),
        ] {
            let suffixes = suffixes(Dialect::Converse, model);
            assert_eq!(suffixes.generate, expected);
            assert_eq!(suffixes.stream, format!("{expected}-stream"));
            let counts = expected.replace("/converse", "/count-tokens");
            assert_eq!(suffixes.others, [(Operation::CountTokens, counts)]);
        }
    }
}
