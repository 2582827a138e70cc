//! Where providers that speak chat differ. A provider without a row is taken for a compatible server.

use crate::dialect::names::{spell, spell_exactly};
use crate::dialect::{AZURE, OPENAI, Upstream};
use std::borrow::Cow;

/// What an upstream wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Manners {
    pub(super) cap: Cap,
    /// It takes `user` and `stream_options`; otherwise it refuses fields it does not know.
    pub(super) has_openai_fields: bool,
    /// It takes `service_tier`.
    pub(super) has_tiers: bool,
    /// Its models are OpenAI's own, and take what nobody else's do.
    pub(super) is_openai: bool,
    /// What it calls a seed.
    pub(super) seed: &'static str,
    pub(super) ids: Ids,
    /// What it does with reasoning in the history.
    pub(super) echo: Echo,
    /// What stands for reasoning in a turn that called tools and has none, where such a turn is refused.
    pub(super) stand_in: Option<&'static str>,
    /// It refuses members of a message that say nothing: `"refusal":null`, as OpenAI's answers have it.
    pub(super) refuses_blanks: bool,
    /// Most stop sequences.
    pub(super) most_stops: usize,
    /// It answers with images, and takes them back.
    pub(super) draws: bool,
    /// It understands `top_k`.
    pub(super) has_top_k: bool,
}

/// Which name of the output cap an upstream knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cap {
    /// `max_tokens`.
    Older,
    /// `max_completion_tokens`.
    Newer,
    /// The newer one, except of models that are known not to reason.
    NewerWhereItReasons,
    /// The newer one of OpenAI's models, the older one of all others.
    NewerOfOpenAi,
}

/// Which tool call ids an upstream takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    /// At most so many letters, digits, `_` and `-`.
    UpTo(usize),
    /// So many letters and digits, no more and no fewer.
    Exactly(usize),
}

/// Which carrier of reasoning an upstream wants to see again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dialect) enum Echo {
    /// None: it refuses or ignores fields it does not know.
    Nothing,
    /// Unsigned text by this name: `reasoning_content`, or `reasoning` where that is what it is called today.
    Content(&'static str),
    /// The same, and fields that it does not know are refused.
    Only(&'static str),
    /// `reasoning_details`, all of it.
    Details,
}

impl Manners {
    /// What the output cap is called for this model.
    pub(super) fn cap_name(&self, upstream: &Upstream<'_>) -> &'static str {
        match self.cap {
            Cap::Older => "max_tokens",
            Cap::NewerWhereItReasons if upstream.reasons() == Some(false) => "max_tokens",
            Cap::NewerOfOpenAi if !is_openai_s(upstream.model) => "max_tokens",
            Cap::NewerOfOpenAi | Cap::Newer | Cap::NewerWhereItReasons => "max_completion_tokens",
        }
    }

    /// A call's id, or always the same one for it that is taken.
    pub(super) fn id<'i>(&self, id: &'i str) -> Cow<'i, str> {
        match self.ids {
            Ids::UpTo(longest) => spell(id, longest),
            Ids::Exactly(length) => spell_exactly(id, length),
        }
    }
}

/// By a router's name for it: `openai/gpt-5`, `openai-gpt-5`, `databricks-gpt-5`.
fn is_openai_s(model: &str) -> bool {
    let families = ["gpt-", "o1", "o3", "o4"];
    let name = model.rsplit('/').next().unwrap_or(model);
    let name = ["openai-", "databricks-"]
        .iter()
        .find_map(|maker| name.strip_prefix(maker))
        .unwrap_or(name);
    // Its open models are other servers' to run.
    if name.starts_with("gpt-oss") {
        return false;
    }
    families.iter().any(|family| name.starts_with(family))
}

/// DeepSeek's name for reasoning, which most servers took over.
const OLDER_NAME: &str = "reasoning_content";
/// OpenAI's advice to who serves its open models.
const NEWER_NAME: &str = "reasoning";

const COMPATIBLE: Manners = Manners {
    cap: Cap::Older,
    has_openai_fields: true,
    has_tiers: true,
    is_openai: false,
    seed: "seed",
    ids: Ids::UpTo(64),
    echo: Echo::Content(OLDER_NAME),
    stand_in: None,
    refuses_blanks: false,
    most_stops: 16,
    draws: false,
    has_top_k: true,
};

/// OpenAI refuses unknown fields, ids over 40 characters and a fifth stop sequence; its reasoning models refuse
/// `max_tokens`.
const OPENAI_ITSELF: Manners = Manners {
    cap: Cap::Newer,
    is_openai: true,
    ids: Ids::UpTo(40),
    echo: Echo::Nothing,
    most_stops: 4,
    has_top_k: false,
    ..COMPATIBLE
};

/// OpenAI's models with their own rules, behind versions of the API of which the older know neither tiers nor the newer
/// cap: what was published before September 2024 calls it an unrecognized argument, and models that reason refuse the
/// other.
const OF_AZURE: Manners = Manners {
    cap: Cap::NewerWhereItReasons,
    has_tiers: false,
    ..OPENAI_ITSELF
};

/// Everybody's models, each with the rules of its maker.
const GITHUB: Manners = Manners {
    cap: Cap::NewerOfOpenAi,
    echo: Echo::Nothing,
    ..COMPATIBLE
};

/// Strict about fields, but takes the older cap.
const STRICT: Manners = Manners {
    cap: Cap::Older,
    is_openai: false,
    refuses_blanks: true,
    ..OPENAI_ITSELF
};

/// It refuses fields it does not know, and of ids all but this kind: "must be a-z, A-Z, 0-9, with a length of 9".
const MISTRAL: Manners = Manners {
    seed: "random_seed",
    ids: Ids::Exactly(9),
    has_openai_fields: false,
    has_tiers: false,
    ..STRICT
};

/// It answers a field that it does not know with `property '…' is unsupported`, and knows reasoning by the newer name.
/// <https://inference-docs.cerebras.ai/api-reference/chat-completions>
const CEREBRAS: Manners = Manners {
    cap: Cap::Newer,
    echo: Echo::Only(NEWER_NAME),
    ..STRICT
};

/// Reasoning is read by the newer name alone (vLLM from 0.16, Ollama in its compatible API).
const RENAMED: Manners = Manners {
    echo: Echo::Content(NEWER_NAME),
    ..COMPATIBLE
};

/// "The `reasoning_content` in the thinking mode must be passed back to the API."
/// <https://api-docs.deepseek.com/guides/thinking_mode>
const DEEPSEEK: Manners = Manners {
    stand_in: Some(""),
    ..COMPATIBLE
};

/// "thinking is enabled but reasoning_content is missing in assistant tool call message"; an empty text counts as missing.
/// <https://platform.kimi.ai/docs/guide/use-kimi-k2-thinking-model>
const MOONSHOT: Manners = Manners {
    stand_in: Some(" "),
    ..COMPATIBLE
};

/// Hosts of many makers' models whose documents know no reasoning in the history: what they do with a field that they do
/// not know depends on who serves the model.
const UNECHOED: Manners = Manners {
    echo: Echo::Nothing,
    ..COMPATIBLE
};

/// "json: unknown field". Its own models' names begin with their maker's.
const DATABRICKS: Manners = Manners {
    cap: Cap::NewerOfOpenAi,
    refuses_blanks: true,
    ..UNECHOED
};

/// "Extra inputs are not permitted, field: 'messages[2].refusal'".
const FIREWORKS: Manners = Manners {
    refuses_blanks: true,
    ..COMPATIBLE
};

/// It "expects `max_completion_tokens`", and caps at 4,096 what is asked for by the older name.
const SNOWFLAKE: Manners = Manners {
    cap: Cap::Newer,
    ..UNECHOED
};

const OPENROUTER: Manners = Manners {
    echo: Echo::Details,
    draws: true,
    ..COMPATIBLE
};

/// By the names of [`pilotfish_wire::Deployment::provider`].
const PROVIDERS: &[(&str, Manners)] = &[
    (AZURE, OF_AZURE),
    ("cerebras", CEREBRAS),
    ("cloudflare", UNECHOED),
    ("databricks", DATABRICKS),
    ("deepseek", DEEPSEEK),
    ("fireworks", FIREWORKS),
    ("github_models", GITHUB),
    ("groq", STRICT),
    ("hugging_face", UNECHOED),
    ("ibm.watsonx.ai", UNECHOED),
    ("mistral_ai", MISTRAL),
    ("moonshot", MOONSHOT),
    ("ollama", RENAMED),
    (OPENAI, OPENAI_ITSELF),
    ("openrouter", OPENROUTER),
    ("perplexity", UNECHOED),
    ("sambanova", UNECHOED),
    ("snowflake", SNOWFLAKE),
    ("vllm", RENAMED),
    ("x_ai", STRICT),
];

/// Whether a provider wants to see reasoning again that nobody signed.
pub(in crate::dialect) fn wants_reasoning(provider: &str) -> bool {
    echo(provider) != Echo::Nothing
}

/// What a provider does with reasoning in the history.
pub(in crate::dialect) fn echo(provider: &str) -> Echo {
    manners(provider).echo
}

/// What stands for reasoning in a turn that called tools, at a provider that refuses one without: its name, and a text.
pub(in crate::dialect) fn stand_in(provider: &str) -> Option<(&'static str, &'static str)> {
    let manners = manners(provider);
    match manners.echo {
        Echo::Content(name) | Echo::Only(name) => Some((name, manners.stand_in?)),
        Echo::Nothing | Echo::Details => None,
    }
}

/// Whether members of a message that say nothing are refused.
pub(in crate::dialect) fn refuses_blanks(provider: &str) -> bool {
    manners(provider).refuses_blanks
}

/// By which name a provider takes reasoning where it refuses all others; `Some(None)`: by none.
pub(in crate::dialect) fn only_carrier(provider: &str) -> Option<Option<&'static str>> {
    match echo(provider) {
        Echo::Nothing => Some(None),
        Echo::Only(name) => Some(Some(name)),
        Echo::Content(_) | Echo::Details => None,
    }
}

/// Whether a provider takes `stream_options`; who does not tells the usage without being asked.
pub(in crate::dialect) fn is_asked_for_usage(provider: &str) -> bool {
    manners(provider).has_openai_fields
}

/// A call's id where bytes pass through: only what the provider would refuse is another one.
pub(in crate::dialect) fn passed_id<'i>(provider: &str, id: &'i str) -> Cow<'i, str> {
    let manners = manners(provider);
    match manners.ids {
        Ids::UpTo(longest) if id.len() <= longest || manners == COMPATIBLE => Cow::Borrowed(id),
        Ids::UpTo(_) | Ids::Exactly(_) => manners.id(id),
    }
}

/// The manners of a provider.
pub(super) fn manners(provider: &str) -> Manners {
    let row = PROVIDERS.iter().find(|(name, _)| *name == provider);
    row.map_or(COMPATIBLE, |(_, manners)| *manners)
}

#[cfg(test)]
mod tests {
    use super::PROVIDERS;

    /// They take what a compatible server takes, or are not spoken to in chat.
    const OTHERS: &[&str] = &[
        "anthropic",
        "anthropic_compatible",
        "aws.bedrock",
        "baseten",
        "cohere",
        "dashscope",
        "deepinfra",
        "gcp.gemini",
        "gcp.vertex_ai",
        "llama_cpp",
        "lm_studio",
        "minimax",
        "nebius",
        "novita",
        "nvidia_nim",
        "openai_compatible",
        "sglang",
        "together_ai",
        "vercel",
        "z_ai",
    ];

    /// The operator's rows are read as text: the sidecar links nothing of it.
    #[test]
    fn every_provider_has_manners_or_was_found_to_need_none() {
        let rows = include_str!("../../../../../operator/src/providers/table.rs");
        let literals: Vec<&str> = rows.split('"').skip(1).step_by(2).collect();
        let is_name = |name: &str| name.starts_with(|c: char| c.is_ascii_uppercase());
        let is_slug = |slug: &str| slug.starts_with(|c: char| c.is_ascii_lowercase()) && !slug.contains([':', '/']);
        let slugs = literals.windows(2).filter(|pair| is_name(pair[0]) && is_slug(pair[1]));
        let slugs: Vec<&str> = slugs.map(|pair| pair[1]).collect();
        assert!(slugs.len() > 35, "{slugs:?}");
        for slug in slugs {
            let known = PROVIDERS.iter().any(|(name, _)| *name == slug) || OTHERS.contains(&slug);
            assert!(known, "what does {slug} refuse that a compatible server takes?");
        }
    }
}
