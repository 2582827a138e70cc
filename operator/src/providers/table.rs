//! The rows, one for each provider.

use super::{AZURE, KeyStyle, Provider, Tokens};
use pilotfish_crds::deployment::Dialect;
use pilotfish_wire as wire;

/// The source of a row for any server: whoever runs it knows.
pub(super) const OWNER: &str = "the server's own documentation";

/// All models, whatever they are called.
const EVERY: &[&str] = &[""];
/// What OpenAI's page of each model says of them: all others only hold conversations.
const OPENAI_COMPLETES: &[&str] = &[
    "gpt-3.5-turbo-instruct",
    "davinci-002",
    "babbage-002",
    "ft:davinci-002",
    "ft:babbage-002",
];

/// Both APIs below one root, as most servers have them: `/v1` is part of the one SDK's base URL and not of the other's.
const CHAT_AND_MESSAGES: &[(Dialect, &str)] = &[(Dialect::Chat, "/v1"), (Dialect::Messages, "")];
/// And OpenAI's newer one; chat stays the one for clients of other dialects, as all models have it.
const CHAT_MESSAGES_AND_RESPONSES: &[(Dialect, &str)] = &[
    (Dialect::Chat, "/v1"),
    (Dialect::Messages, ""),
    (Dialect::Responses, "/v1"),
];
const CHAT_AND_RESPONSES: &[(Dialect, &str)] = &[(Dialect::Chat, "/v1"), (Dialect::Responses, "/v1")];
/// Where chat is the older one, and shows no reasoning.
const RESPONSES_AND_CHAT: &[(Dialect, &str)] = &[(Dialect::Responses, "/v1"), (Dialect::Chat, "/v1")];
const CHAT: &[(Dialect, &str)] = &[(Dialect::Chat, "/v1")];
/// Chat whose base URL is the root itself.
const BARE_CHAT: &[(Dialect, &str)] = &[(Dialect::Chat, "")];
/// The same, and Responses beside it.
const BARE_CHAT_AND_BARE_RESPONSES: &[(Dialect, &str)] = &[(Dialect::Chat, ""), (Dialect::Responses, "")];
/// The same, with Responses below `/v1`.
const BARE_CHAT_AND_RESPONSES: &[(Dialect, &str)] = &[(Dialect::Chat, ""), (Dialect::Responses, "/v1")];
const MESSAGES: &[(Dialect, &str)] = &[(Dialect::Messages, "")];
/// Its own API beside the others: whoever wants that names it.
const OLLAMA: &[(Dialect, &str)] = &[
    (Dialect::Chat, "/v1"),
    (Dialect::Messages, ""),
    (Dialect::Responses, "/v1"),
    (Dialect::Ollama, ""),
];
/// Its own API, for clients of chat too: the one that it has for them takes a part of what they say, and of structured
/// output none (`json_schema` there is the schema itself). Whoever wants it names it.
/// <https://docs.cohere.com/docs/compatibility-api>
const COHERE: &[(Dialect, &str)] = &[(Dialect::Cohere, ""), (Dialect::Chat, "/compatibility/v1")];
/// The first is for all models, the second for Claude's alone.
const CONVERSE_AND_MESSAGES: &[(Dialect, &str)] = &[(Dialect::Converse, ""), (Dialect::Messages, "")];
/// Anthropic's API on a path of its own beside OpenAI's.
const CHAT_AND_SUBPATH: &[(Dialect, &str)] = &[(Dialect::Chat, "/v1"), (Dialect::Messages, "/anthropic")];
const BARE_CHAT_AND_SUBPATH: &[(Dialect, &str)] = &[(Dialect::Chat, ""), (Dialect::Messages, "/anthropic")];
const GEMINI: &[(Dialect, &str)] = &[(Dialect::Gemini, "")];
/// Google's own models, and Claude's, each of another publisher.
const GEMINI_OR_MESSAGES: &[(Dialect, &str)] = &[(Dialect::Gemini, ""), (Dialect::Messages, "")];

/// What Google's SDK puts between its base URL and the models.
const GEMINI_VERSION: &str = "/v1beta";

/// In alphabetical order, which is the order in which people are shown them.
pub(super) const PROVIDERS: &[Provider] = &[
    hosted(
        "Anthropic",
        "anthropic",
        "https://api.anthropic.com",
        MESSAGES,
        "https://platform.claude.com/docs",
    )
    .with_x_api_key(),
    own("AnthropicCompatible", "anthropic_compatible", MESSAGES, OWNER).with_x_api_key(),
    account(
        AZURE,
        "azure.ai.openai",
        BARE_CHAT_AND_BARE_RESPONSES,
        "https://learn.microsoft.com/azure/ai-foundry/openai",
    )
    .with_key(KeyStyle::ApiKey),
    hosted(
        "Baseten",
        "baseten",
        "https://inference.baseten.co",
        CHAT,
        "https://docs.baseten.co",
    ),
    hosted(
        "Bedrock",
        "aws.bedrock",
        "https://bedrock-runtime.{region}.amazonaws.com",
        CONVERSE_AND_MESSAGES,
        "https://docs.aws.amazon.com/bedrock/latest/APIReference",
    )
    .signed_for("bedrock")
    .hosting_claude(wire::Hosting::BedrockInvoke),
    hosted(
        "Cerebras",
        "cerebras",
        "https://api.cerebras.ai",
        CHAT,
        "https://inference-docs.cerebras.ai",
    )
    .completing(EVERY),
    account(
        "Cloudflare",
        "cloudflare",
        BARE_CHAT,
        "https://developers.cloudflare.com/workers-ai",
    ),
    hosted(
        "Cohere",
        "cohere",
        "https://api.cohere.ai",
        COHERE,
        "https://docs.cohere.com",
    )
    .keeping_back(&[Dialect::Chat]),
    hosted(
        "DashScope",
        "dashscope",
        "https://dashscope-intl.aliyuncs.com/compatible-mode",
        CHAT,
        "https://www.alibabacloud.com/help/en/model-studio",
    ),
    account("Databricks", "databricks", BARE_CHAT, "https://docs.databricks.com"),
    hosted(
        "DeepInfra",
        "deepinfra",
        "https://api.deepinfra.com/v1/openai",
        BARE_CHAT,
        "https://deepinfra.com/docs",
    )
    .completing(EVERY),
    hosted(
        "DeepSeek",
        "deepseek",
        "https://api.deepseek.com",
        BARE_CHAT_AND_SUBPATH,
        "https://api-docs.deepseek.com",
    ),
    hosted(
        "Fireworks",
        "fireworks",
        "https://api.fireworks.ai/inference",
        CHAT_AND_MESSAGES,
        "https://docs.fireworks.ai",
    )
    .completing(EVERY)
    .ranking(),
    hosted(
        "Gemini",
        "gcp.gemini",
        "https://generativelanguage.googleapis.com",
        GEMINI,
        "https://ai.google.dev/api",
    )
    .with_key(KeyStyle::XGoogApiKey)
    .with_keys(&[(Dialect::Chat, KeyStyle::Bearer)]),
    hosted(
        "GitHubModels",
        "github_models",
        "https://models.github.ai/inference",
        BARE_CHAT,
        "https://docs.github.com/en/rest/models",
    ),
    hosted(
        "Groq",
        "groq",
        "https://api.groq.com/openai",
        CHAT_AND_RESPONSES,
        "https://console.groq.com/docs",
    ),
    hosted(
        "HuggingFace",
        "hugging_face",
        "https://router.huggingface.co",
        CHAT,
        "https://huggingface.co/docs/inference-providers",
    ),
    own("LMStudio", "lm_studio", CHAT, "https://lmstudio.ai/docs").completing(EVERY),
    own(
        "LlamaCpp",
        "llama_cpp",
        CHAT_MESSAGES_AND_RESPONSES,
        "https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
    )
    .completing(EVERY)
    .ranking(),
    hosted(
        "MiniMax",
        "minimax",
        "https://api.minimax.io",
        CHAT_AND_SUBPATH,
        "https://platform.minimax.io/docs",
    ),
    hosted(
        "Mistral",
        "mistral_ai",
        "https://api.mistral.ai",
        CHAT,
        "https://docs.mistral.ai/api",
    ),
    hosted(
        "Moonshot",
        "moonshot",
        "https://api.moonshot.ai",
        CHAT,
        "https://platform.moonshot.ai/docs",
    ),
    hosted(
        "Nebius",
        "nebius",
        "https://api.tokenfactory.nebius.com",
        CHAT,
        "https://docs.tokenfactory.nebius.com",
    ),
    hosted(
        "Novita",
        "novita",
        "https://api.novita.ai/v3/openai",
        BARE_CHAT,
        "https://novita.ai/docs",
    ),
    hosted(
        "NvidiaNIM",
        "nvidia_nim",
        "https://integrate.api.nvidia.com",
        CHAT,
        "https://docs.api.nvidia.com/nim",
    )
    .completing(EVERY),
    own("Ollama", "ollama", OLLAMA, "https://docs.ollama.com").completing(EVERY),
    hosted(
        "OpenAI",
        "openai",
        "https://api.openai.com",
        CHAT_AND_RESPONSES,
        "https://platform.openai.com/docs/api-reference",
    )
    .completing(OPENAI_COMPLETES),
    own("OpenAICompatible", "openai_compatible", BARE_CHAT, OWNER)
        .completing(EVERY)
        .ranking(),
    hosted(
        "OpenRouter",
        "openrouter",
        "https://openrouter.ai/api",
        CHAT_MESSAGES_AND_RESPONSES,
        "https://openrouter.ai/docs",
    )
    .completing(EVERY)
    .ranking(),
    hosted(
        "Perplexity",
        "perplexity",
        "https://api.perplexity.ai",
        BARE_CHAT_AND_RESPONSES,
        "https://docs.perplexity.ai",
    ),
    own("SGLang", "sglang", CHAT_AND_RESPONSES, "https://docs.sglang.ai")
        .completing(EVERY)
        .ranking(),
    hosted(
        "SambaNova",
        "sambanova",
        "https://api.sambanova.ai",
        CHAT,
        "https://docs.sambanova.ai",
    ),
    account("Snowflake", "snowflake", BARE_CHAT, "https://docs.snowflake.com"),
    hosted(
        "Together",
        "together_ai",
        "https://api.together.ai",
        CHAT,
        "https://docs.together.ai",
    )
    .completing(EVERY)
    .ranking(),
    own("VLLM", "vllm", CHAT_MESSAGES_AND_RESPONSES, "https://docs.vllm.ai")
        .completing(EVERY)
        .ranking(),
    hosted(
        "Vercel",
        "vercel",
        "https://ai-gateway.vercel.sh",
        CHAT,
        "https://vercel.com/docs/ai-gateway",
    ),
    account(
        "VertexAI",
        "gcp.vertex_ai",
        GEMINI_OR_MESSAGES,
        "https://cloud.google.com/vertex-ai/generative-ai/docs",
    )
    .with_gemini_at("/publishers/google")
    .hosting_claude(wire::Hosting::VertexPredict)
    .with_tokens_of(Tokens::Google),
    account(
        "Watsonx",
        "ibm.watsonx.ai",
        BARE_CHAT,
        "https://www.ibm.com/docs/en/watsonx/saas",
    )
    .completing(EVERY)
    .with_tokens_of(Tokens::Ibm),
    hosted(
        "XAI",
        "x_ai",
        "https://api.x.ai",
        RESPONSES_AND_CHAT,
        "https://docs.x.ai",
    ),
    hosted(
        "ZAI",
        "z_ai",
        "https://api.z.ai/api/paas/v4",
        BARE_CHAT,
        "https://docs.z.ai",
    ),
];

/// A provider of the public internet: it has an address, and wants a key.
const fn hosted(
    name: &'static str,
    slug: &'static str,
    root: &'static str,
    dialects: &'static [(Dialect, &'static str)],
    source: &'static str,
) -> Provider {
    Provider {
        root: Some(root),
        ..account(name, slug, dialects, source)
    }
}

/// A server of the user's own: somewhere, and with a key or without.
const fn own(
    name: &'static str,
    slug: &'static str,
    dialects: &'static [(Dialect, &'static str)],
    source: &'static str,
) -> Provider {
    Provider {
        name,
        slug,
        source,
        root: None,
        dialects,
        kept_back: &[],
        gemini: GEMINI_VERSION,
        key: KeyStyle::Bearer,
        keys: &[],
        needs_key: false,
        tokens: None,
        claude: None,
        completes: &[],
        ranks: false,
        aws_service: None,
    }
}

/// A provider of the public internet where each account has an address of its own.
const fn account(
    name: &'static str,
    slug: &'static str,
    dialects: &'static [(Dialect, &'static str)],
    source: &'static str,
) -> Provider {
    Provider {
        needs_key: true,
        ..own(name, slug, dialects, source)
    }
}
