//! Where providers that speak chat differ. A provider without a row is taken for a compatible server.

/// What an upstream wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manners {
    /// The name of the output cap.
    pub(super) max_output: &'static str,
    /// It takes `user`, `service_tier` and `stream_options`; otherwise it refuses fields it does not know.
    pub(super) has_openai_fields: bool,
    /// It is OpenAI itself, and takes what nobody else does.
    pub(super) is_openai: bool,
    /// What it calls a seed.
    pub(super) seed: &'static str,
    /// Longest tool call id.
    pub(super) longest_id: usize,
    /// What it does with reasoning in the history.
    pub(super) echo: Echo,
    /// Most stop sequences.
    pub(super) most_stops: usize,
    /// It answers with images, and takes them back.
    pub(super) draws: bool,
    /// It understands `top_k`.
    pub(super) has_top_k: bool,
}

/// Which carrier of reasoning an upstream wants to see again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dialect) enum Echo {
    /// None: it refuses or ignores fields it does not know.
    Nothing,
    /// `reasoning_content`, unsigned text.
    Content,
    /// `reasoning_details`, all of it.
    Details,
}

const COMPATIBLE: Manners = Manners {
    max_output: "max_tokens",
    has_openai_fields: true,
    is_openai: false,
    seed: "seed",
    longest_id: 64,
    echo: Echo::Content,
    most_stops: 16,
    draws: false,
    has_top_k: true,
};

/// OpenAI refuses unknown fields, ids over 40 characters and a fifth stop sequence; its reasoning models refuse
/// `max_tokens`.
const OPENAI: Manners = Manners {
    max_output: "max_completion_tokens",
    is_openai: true,
    longest_id: 40,
    echo: Echo::Nothing,
    most_stops: 4,
    has_top_k: false,
    ..COMPATIBLE
};

/// Strict about fields, but takes the older cap.
const STRICT: Manners = Manners {
    max_output: "max_tokens",
    is_openai: false,
    ..OPENAI
};

/// By the names of [`pilotfish_wire::Deployment::provider`].
const PROVIDERS: &[(&str, Manners)] = &[
    ("groq", STRICT),
    ("mistral_ai", MISTRAL),
    ("openai", OPENAI),
    ("openrouter", OPENROUTER),
    ("x_ai", STRICT),
];

/// Its ids are nine letters and digits, and it refuses fields it does not know.
const MISTRAL: Manners = Manners {
    longest_id: 9,
    seed: "random_seed",
    has_openai_fields: false,
    ..STRICT
};

const OPENROUTER: Manners = Manners {
    echo: Echo::Details,
    draws: true,
    ..COMPATIBLE
};

/// Whether a provider wants to see reasoning again that nobody signed.
pub(in crate::dialect) fn wants_reasoning(provider: &str) -> bool {
    echo(provider) != Echo::Nothing
}

/// What a provider does with reasoning in the history.
pub(in crate::dialect) fn echo(provider: &str) -> Echo {
    manners(provider).echo
}

/// The manners of a provider.
pub(super) fn manners(provider: &str) -> Manners {
    let row = PROVIDERS.iter().find(|(name, _)| *name == provider);
    row.map_or(COMPATIBLE, |(_, manners)| *manners)
}
