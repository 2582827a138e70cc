//! Who made a model, and what of a request only its makers' models take: Converse has one form for what all have in
//! common, and passes the rest on in the form that the maker's own API has.
//!
//! The maker is the part of a model id before its first full stop, behind a region: `us.anthropic.claude-…`. An ARN of
//! a foundation model or of an inference profile ends in such an id; that of a profile of one's own tells nothing.

/// What is peculiar to a maker's models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Maker {
    /// They think as Claude does, and take its fields.
    pub(super) is_anthropic: bool,
    pub(super) top_k: TopK,
    /// Prompts have cache points.
    pub(super) caches: bool,
    /// Tools have them too.
    pub(super) caches_tools: bool,
}

/// Where `top_k` goes among the additional fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TopK {
    /// A field of this name.
    Field(&'static str),
    /// `inferenceConfig.topK`.
    Nova,
    None,
}

/// Nothing is known, so nothing is assumed; cache points are what the client asked for.
const UNKNOWN: Maker = Maker {
    is_anthropic: false,
    top_k: TopK::None,
    caches: true,
    caches_tools: true,
};

/// A maker whose models have the common form alone.
const PLAIN: Maker = Maker {
    caches: false,
    caches_tools: false,
    ..UNKNOWN
};

/// From the model parameters and the table of supported features in Bedrock's user guide.
const MAKERS: &[(&str, Maker)] = &[
    ("ai21", PLAIN),
    (
        "amazon",
        Maker {
            top_k: TopK::Nova,
            caches: true,
            ..PLAIN
        },
    ),
    (
        "anthropic",
        Maker {
            is_anthropic: true,
            top_k: TopK::Field("top_k"),
            ..UNKNOWN
        },
    ),
    (
        "cohere",
        Maker {
            top_k: TopK::Field("k"),
            ..PLAIN
        },
    ),
    ("deepseek", PLAIN),
    ("google", PLAIN),
    ("meta", PLAIN),
    ("minimax", PLAIN),
    (
        "mistral",
        Maker {
            top_k: TopK::Field("top_k"),
            ..PLAIN
        },
    ),
    ("moonshot", PLAIN),
    ("moonshotai", PLAIN),
    ("nvidia", PLAIN),
    ("openai", PLAIN),
    ("qwen", PLAIN),
    ("writer", PLAIN),
    ("zai", PLAIN),
];

/// What the id says about who made the model.
pub(super) fn of(model: &str) -> Maker {
    let id = model.rsplit('/').next().unwrap_or(model);
    // The region is one part, and short; a maker's name is the first part that is known.
    let named = id
        .split('.')
        .take(2)
        .find_map(|part| MAKERS.iter().find(|(name, _)| *name == part));
    named.map_or(UNKNOWN, |(_, maker)| *maker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maker_is_read_off_every_form_of_an_id() {
        for model in [
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "global.anthropic.claude-opus-5-5",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        ] {
            assert!(of(model).is_anthropic, "{model}");
        }
        assert_eq!(of("us.amazon.nova-pro-v1:0").top_k, TopK::Nova);
        assert_eq!(of("meta.llama4-scout-17b-instruct-v1:0"), PLAIN);
        for model in [
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/k3jx0a9",
            "something.else.anthropic",
            "",
        ] {
            assert_eq!(of(model), UNKNOWN, "{model}");
        }
    }
}
