//! Where a dialect's operations are, below its base URL.

use super::Dialect;

/// What stands behind a base URL for each operation of a dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suffixes {
    /// A whole answer.
    pub generate: String,
    /// A streamed one.
    pub stream: String,
    /// Only where the dialect has them.
    pub embeddings: Option<String>,
}

impl Suffixes {
    /// Those of a dialect whose requests name the model in their bodies.
    fn of(generate: &str, embeddings: Option<&str>) -> Self {
        Self {
            generate: generate.to_owned(),
            stream: generate.to_owned(),
            embeddings: embeddings.map(str::to_owned),
        }
    }
}

/// The paths of `dialect` for the provider's own name of a model, which some dialects want there.
pub fn suffixes(dialect: Dialect, _model: &str) -> Suffixes {
    match dialect {
        Dialect::Chat => Suffixes::of("/chat/completions", Some("/embeddings")),
        Dialect::Messages => Suffixes::of("/v1/messages", None),
    }
}
