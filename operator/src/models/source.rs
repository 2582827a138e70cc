//! Where the facts of the capability table come from.

/// Something published.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// As a page names it.
    pub(super) name: &'static str,
    pub(super) url: &'static str,
}

const fn source(name: &'static str, url: &'static str) -> Source {
    Source { name, url }
}

/// Of the versions 1.106 to 1.109, as it was in November 2026.
pub(super) static LITELLM: Source = source(
    "LiteLLM's model table",
    "https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json",
);
pub(super) static AMAZON_CACHING: Source = source(
    "Amazon Bedrock: prompt caching",
    "https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html",
);
pub(super) static AMAZON_NOVA: Source = source(
    "Amazon Nova: models",
    "https://docs.aws.amazon.com/nova/latest/userguide/what-is-nova.html",
);
pub(super) static ANTHROPIC_MODELS: Source = source(
    "Anthropic: models",
    "https://platform.claude.com/docs/en/about-claude/models/overview",
);
pub(super) static ANTHROPIC_OUTPUTS: Source = source(
    "Anthropic: structured outputs",
    "https://platform.claude.com/docs/en/build-with-claude/structured-outputs",
);
pub(super) static ANTHROPIC_THINKING: Source = source(
    "Anthropic: extended thinking",
    "https://platform.claude.com/docs/en/build-with-claude/extended-thinking",
);
pub(super) static COHERE_MODELS: Source = source("Cohere: models", "https://docs.cohere.com/docs/models");
pub(super) static COHERE_CHAT: Source = source("Cohere: chat", "https://docs.cohere.com/reference/chat");
pub(super) static DEEPSEEK_JSON: Source = source(
    "DeepSeek: JSON output",
    "https://api-docs.deepseek.com/guides/json_mode",
);
pub(super) static DEEPSEEK_CARDS: Source = source("DeepSeek's model cards", "https://huggingface.co/deepseek-ai");
pub(super) static GOOGLE_THINKING: Source =
    source("Google: thinking", "https://ai.google.dev/gemini-api/docs/thinking");
pub(super) static GOOGLE_MODELS: Source = source("Google: models", "https://ai.google.dev/gemini-api/docs/models");
pub(super) static GEMMA_CARDS: Source = source("Google: Gemma", "https://ai.google.dev/gemma/docs/core");
pub(super) static META_CARDS: Source = source("Meta's model cards", "https://huggingface.co/meta-llama");
pub(super) static MICROSOFT_CARDS: Source = source("Microsoft's model cards", "https://huggingface.co/microsoft");
pub(super) static MINIMAX_CARDS: Source = source("MiniMax's model cards", "https://huggingface.co/MiniMaxAI");
pub(super) static MISTRAL_MODELS: Source = source(
    "Mistral: models",
    "https://docs.mistral.ai/getting-started/models/models_overview/",
);
pub(super) static MOONSHOT_CARDS: Source = source("Moonshot's model cards", "https://huggingface.co/moonshotai");
pub(super) static OPENAI_CACHING: Source = source(
    "OpenAI: prompt caching",
    "https://platform.openai.com/docs/guides/prompt-caching",
);
pub(super) static OPENAI_CHAT: Source = source(
    "OpenAI: chat completions",
    "https://platform.openai.com/docs/api-reference/chat/create",
);
pub(super) static OPENAI_FILES: Source =
    source("OpenAI: PDF files", "https://platform.openai.com/docs/guides/pdf-files");
pub(super) static OPENAI_LATEST: Source = source(
    "OpenAI: using the latest model",
    "https://platform.openai.com/docs/guides/latest-model",
);
pub(super) static OPENAI_MODELS: Source = source("OpenAI: models", "https://platform.openai.com/docs/models");
pub(super) static OPENAI_OUTPUTS: Source = source(
    "OpenAI: structured outputs",
    "https://platform.openai.com/docs/guides/structured-outputs",
);
pub(super) static OPENAI_REASONING: Source = source(
    "OpenAI: reasoning models",
    "https://platform.openai.com/docs/guides/reasoning",
);
pub(super) static OPENAI_OPEN: Source = source("OpenAI's open models", "https://huggingface.co/openai");
pub(super) static QWEN_CARDS: Source = source("Qwen's model cards", "https://huggingface.co/Qwen");
pub(super) static XAI_MODELS: Source = source("xAI: models", "https://docs.x.ai/docs/models");
pub(super) static XAI_REASONING: Source = source("xAI: reasoning", "https://docs.x.ai/docs/guides/reasoning");
pub(super) static ZAI_CARDS: Source = source("Z.ai's model cards", "https://huggingface.co/zai-org");
