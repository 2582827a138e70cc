//! What a fake knows of a model, as data: its limits, and what it refuses.

/// A model that a fake offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    pub(crate) name: String,
    pub(crate) answers_as: String,
    pub(crate) context_tokens: u64,
    pub(crate) max_output_tokens: u64,
    pub(crate) traits: Traits,
}

/// What sets models apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Components of an embedding; 0 for a model that talks.
    pub(crate) dimensions: usize,
    /// OpenAI: thinks before it answers, and refuses the parameters that this excludes.
    pub(crate) reasons: bool,
    /// OpenAI: thinks only when asked, and takes those parameters while it does not.
    pub(crate) rests: bool,
    /// OpenAI: takes images and files, and can be held to a schema.
    pub(crate) sees: bool,
    pub(crate) thinking: Thinking,
    /// Anthropic: takes temperature, top_p and top_k.
    pub(crate) samples: bool,
    /// Anthropic: lets a tool be forced.
    pub(crate) forced_tools: bool,
    /// Anthropic: continues a last message of the assistant.
    pub(crate) prefills: bool,
    /// Anthropic: takes system messages within the conversation.
    pub(crate) late_system: bool,
    /// The shortest prefix that is cached.
    pub(crate) cache_minimum: u64,
}

/// How Anthropic's models think, and whether Google's sign what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// With a budget, when asked.
    Manual,
    /// As they see fit, when asked; a budget is taken too.
    ManualOrAdaptive,
    /// As they see fit, always.
    Always,
}

const TALKS: Traits = Traits {
    dimensions: 0,
    reasons: false,
    rests: false,
    sees: true,
    thinking: Thinking::Manual,
    samples: true,
    forced_tools: true,
    prefills: true,
    late_system: false,
    cache_minimum: 1024,
};
const REASONS: Traits = Traits { reasons: true, ..TALKS };
const RESTS: Traits = Traits { rests: true, ..REASONS };
const READS: Traits = Traits { sees: false, ..TALKS };
const ADAPTS: Traits = Traits {
    thinking: Thinking::ManualOrAdaptive,
    prefills: false,
    ..TALKS
};
const ALWAYS_THINKS: Traits = Traits {
    thinking: Thinking::Always,
    ..TALKS
};
const NEWEST: Traits = Traits {
    thinking: Thinking::Always,
    samples: false,
    forced_tools: false,
    prefills: false,
    late_system: true,
    cache_minimum: 512,
    ..TALKS
};

struct Row {
    prefix: &'static str,
    answers_as: Option<&'static str>,
    context: u64,
    output: u64,
    traits: Traits,
}

const fn row(prefix: &'static str, context: u64, output: u64, traits: Traits) -> Row {
    Row {
        prefix,
        answers_as: None,
        context,
        output,
        traits,
    }
}

const fn dated(prefix: &'static str, answers_as: &'static str, context: u64, output: u64, traits: Traits) -> Row {
    Row {
        prefix,
        answers_as: Some(answers_as),
        context,
        output,
        traits,
    }
}

/// The first row whose prefix fits; a model of no known family talks.
const FAMILIES: &[Row] = &[
    dated("gpt-4o-mini", "gpt-4o-mini-2024-07-18", 128_000, 16_384, TALKS),
    dated("gpt-4o", "gpt-4o-2024-08-06", 128_000, 16_384, TALKS),
    dated("gpt-4.1", "gpt-4.1-2025-04-14", 1_047_576, 32_768, TALKS),
    row("gpt-3.5-turbo", 16_385, 4_096, READS),
    row("gpt-5.1", 400_000, 128_000, RESTS),
    row("gpt-5.2", 400_000, 128_000, RESTS),
    row("gpt-5", 400_000, 128_000, REASONS),
    row("gpt-6", 1_050_000, 128_000, REASONS),
    row("o1", 200_000, 100_000, REASONS),
    row("o3", 200_000, 100_000, REASONS),
    row("o4", 200_000, 100_000, REASONS),
    row(
        "text-embedding-3-large",
        8_191,
        0,
        Traits {
            dimensions: 3072,
            ..TALKS
        },
    ),
    row(
        "text-embedding",
        8_191,
        0,
        Traits {
            dimensions: 1536,
            ..TALKS
        },
    ),
    dated(
        "claude-sonnet-4-5",
        "claude-sonnet-4-5-20250929",
        200_000,
        64_000,
        TALKS,
    ),
    dated(
        "claude-haiku-4-5",
        "claude-haiku-4-5-20251001",
        200_000,
        64_000,
        Traits {
            cache_minimum: 4096,
            ..TALKS
        },
    ),
    dated(
        "claude-opus-4-5",
        "claude-opus-4-5-20251101",
        200_000,
        64_000,
        Traits {
            cache_minimum: 4096,
            ..TALKS
        },
    ),
    row("claude-opus-4", 1_000_000, 128_000, ADAPTS),
    row("claude-sonnet-4", 1_000_000, 64_000, ADAPTS),
    row("claude-opus-5-5", 1_000_000, 128_000, NEWEST),
    row("claude-fable-5", 1_000_000, 128_000, NEWEST),
    row("claude-mythos-5", 1_000_000, 128_000, NEWEST),
    row("claude", 200_000, 64_000, ADAPTS),
    row("gemini-3", 1_048_576, 65_536, ALWAYS_THINKS),
    row("gemini", 1_048_576, 65_536, TALKS),
    row("", 128_000, 16_384, TALKS),
];

impl Model {
    /// A model with what is known of its family; of an unknown one: 128,000 tokens of context, 16,384 of output, no
    /// reasoning.
    pub fn named(name: &str) -> Model {
        let row = FAMILIES
            .iter()
            .find(|row| name.starts_with(row.prefix))
            .expect("the last row fits every name");
        // Only the bare alias stands for a dated model; a longer name is one already.
        let answers_as = row.answers_as.filter(|_| name == row.prefix).unwrap_or(name);
        Model {
            name: name.to_owned(),
            answers_as: answers_as.to_owned(),
            context_tokens: row.context,
            max_output_tokens: row.output,
            traits: row.traits,
        }
    }

    /// Another context window, in tokens.
    pub fn context(mut self, tokens: u64) -> Model {
        self.context_tokens = tokens;
        self
    }

    /// Another limit of the output, in tokens.
    pub fn max_output(mut self, tokens: u64) -> Model {
        self.max_output_tokens = tokens;
        self
    }

    /// Another shortest prefix that is cached, in tokens.
    pub fn cache_minimum(mut self, tokens: u64) -> Model {
        self.traits.cache_minimum = tokens;
        self
    }

    /// Another name in its answers.
    pub fn answers_as(mut self, name: &str) -> Model {
        self.answers_as = name.to_owned();
        self
    }
}

impl From<&str> for Model {
    fn from(name: &str) -> Model {
        Model::named(name)
    }
}
