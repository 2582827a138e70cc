use super::{Stamp, translate_request, translate_response};
use crate::dialect::{Asked, ClientDialect, Dialect, Grade, InPath, Loss, Operation, Ranking, Upstream};
use pilotfish_wire::Capabilities;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

mod finishes;
mod properties;

/// A request, what it becomes or why not, what gets lost on the way; perhaps its answer, and what that becomes.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    client: ClientDialect,
    upstream: Dialect,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(default = "openai_or_anthropic", skip_serializing_if = "String::is_empty")]
    provider: String,
    #[serde(default = "upstream_model", skip_serializing_if = "is_upstream_model")]
    model: String,
    #[serde(default, skip_serializing_if = "is_unknown")]
    capabilities: Capabilities,
    request: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    losses: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
}

fn openai_or_anthropic() -> String {
    String::new()
}

fn upstream_model() -> String {
    "upstream-model".to_owned()
}

fn is_upstream_model(model: &str) -> bool {
    model == upstream_model()
}

/// The model is in the path where the dialect has it there. A ranking is translated from the form that is not the upstream's.
fn in_path(client: ClientDialect, upstream: Dialect) -> InPath<'static> {
    InPath {
        model: (client == ClientDialect::Gemini).then(|| "asked-model".into()),
        ranking: match upstream {
            Dialect::Chat => Ranking::Cohere,
            _ => Ranking::Common,
        },
        ..InPath::default()
    }
}

fn is_unknown(capabilities: &Capabilities) -> bool {
    *capabilities == Capabilities::default()
}

impl Golden {
    fn asks(&self) -> Operation {
        match self.operation.as_deref() {
            None => Operation::Generate,
            Some("embeddings") => Operation::Embeddings,
            Some("embedOne") => Operation::EmbedOne,
            Some("completions") => Operation::Completions,
            Some("countTokens") => Operation::CountTokens,
            Some("rerank") => Operation::Rerank,
            Some(other) => panic!("no operation {other}"),
        }
    }

    /// The same with what really happens.
    fn run(self) -> Self {
        let mut ran = Self {
            sent: None,
            refused: None,
            losses: vec![],
            answered: None,
            failed: None,
            usage: None,
            ..self
        };
        let body = serde_json::to_vec(&ran.request).unwrap();
        let asked = Asked::read(ran.client, ran.asks(), in_path(ran.client, ran.upstream), &body).unwrap();
        let provider = match (&*ran.provider, ran.upstream) {
            ("", Dialect::Chat) => "openai",
            ("", Dialect::Messages) => "anthropic",
            ("", Dialect::Responses) => "openai",
            ("", Dialect::Converse) => "aws.bedrock",
            ("", Dialect::Ollama) => "ollama",
            ("", Dialect::Cohere) => "cohere",
            ("", Dialect::Gemini) => "gcp.gemini",
            (provider, _) => provider,
        };
        let upstream = Upstream {
            dialect: ran.upstream,
            provider,
            model: &ran.model,
            capabilities: &ran.capabilities,
        };
        let stamp = Stamp {
            request_id: "req1",
            created: 1_800_000_000,
        };
        let translated = match translate_request(&asked, &upstream, stamp) {
            Ok(translated) => translated,
            Err(refusal) => {
                ran.refused = Some(format!("{refusal} [{}]", refusal.param.as_deref().unwrap_or_default()));
                return ran;
            }
        };
        ran.sent = Some(serde_json::from_slice(&translated.body).unwrap());
        ran.losses = translated.losses.iter().map(shown).collect();
        if let Some(answer) = &ran.answer {
            match translate_response(&translated.exchange, &serde_json::to_vec(answer).unwrap()) {
                Ok(answer) => {
                    ran.losses.extend(answer.losses.iter().map(shown));
                    ran.answered = Some(serde_json::from_slice(&answer.body).unwrap());
                    ran.usage = answer.usage.map(|usage| format!("{usage:?}"));
                }
                Err(fault) => ran.failed = Some(format!("{:?}: {}", fault.class, fault.message)),
            }
        }
        ran
    }
}

fn shown(loss: &Loss) -> String {
    let grade = match loss.grade {
        Grade::Hint => "hint",
        Grade::Meaning => "meaning",
    };
    format!("{grade}: {}: {}", loss.field, loss.why)
}

fn goldens() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dialect/translate/goldens");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// `PILOTFISH_UPDATE_GOLDENS=1` writes what happens instead of judging it: for a look at the difference.
#[test]
fn every_golden_translates_as_it_says() {
    let update = std::env::var_os("PILOTFISH_UPDATE_GOLDENS").is_some();
    let files = goldens();
    assert!(files.len() >= 20, "only {} goldens", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let read =
            || serde_json::from_str::<Golden>(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let ran = serde_json::to_value(read().run()).unwrap();
        if update {
            std::fs::write(&file, serde_json::to_string_pretty(&ran).unwrap() + "\n").unwrap();
        } else {
            assert_eq!(ran, serde_json::to_value(read()).unwrap(), "{}", file.display());
        }
    }
}
