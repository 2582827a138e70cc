//! Where a dialect's operations are, below its base URL.

use super::Dialect;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but what RFC 3986 does not reserve: AWS signs it so, and an ARN's slashes are part of the model.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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
pub fn suffixes(dialect: Dialect, model: &str) -> Suffixes {
    match dialect {
        Dialect::Chat => Suffixes::of("/chat/completions", Some("/embeddings")),
        Dialect::Messages => Suffixes::of("/v1/messages", None),
        Dialect::Converse => {
            let model = utf8_percent_encode(model, IN_PATH);
            Suffixes {
                generate: format!("/model/{model}/converse"),
                stream: format!("/model/{model}/converse-stream"),
                embeddings: None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        }
    }
}
