//! How a fake is set up.

use crate::anthropic;
use crate::azure;
use crate::bedrock;
use crate::cohere;
use crate::fake::{Fake, Listen};
use crate::gemini;
use crate::model::Model;
use crate::ollama;
use crate::openai::{self, ReasoningField};
use crate::serve::Provider;
use crate::token;
use std::net::SocketAddr;

/// A fake with OpenAI's API.
#[derive(Clone, Copy, Debug)]
pub struct OpenAi;

/// A fake with Anthropic's API.
#[derive(Clone, Copy, Debug)]
pub struct Anthropic;

/// A fake with Amazon Bedrock's API. A key `id:secret` is a pair that signs calls, any other an API key.
#[derive(Clone, Copy, Debug)]
pub struct Bedrock;

/// A fake with Azure OpenAI's API, by its older paths and by its newer ones.
#[derive(Clone, Copy, Debug)]
pub struct Azure;

impl Azure {
    /// One that accepts any key and has the deployments `gpt-4o` and `gpt-5`.
    pub fn builder() -> Builder {
        Builder::new(Shape::Azure, "azure").models(["gpt-4o", "gpt-5"])
    }
}

/// A fake that gives out tokens, as Google and IBM Cloud do.
#[derive(Clone, Copy, Debug)]
pub struct TokenEndpoint;

impl TokenEndpoint {
    /// Of its keys those that are RSA public keys (PKCS #1 in base64) check what service accounts sign, the others are
    /// API keys. Its one model is how long a token lives, in seconds.
    pub fn builder() -> Builder {
        Builder::new(Shape::Tokens, "tokens").models(["3600"])
    }
}

/// A fake with Google's Gemini API.
#[derive(Clone, Copy, Debug)]
pub struct Gemini;

impl Gemini {
    /// One that accepts any key and knows `gemini-2.5-flash` and `gemini-3.8-flash`.
    pub fn builder() -> Builder {
        let models = ["gemini-2.5-flash", "gemini-3.8-flash"];
        Builder::new(Shape::Gemini, "gemini").models(models)
    }
}

impl OpenAi {
    /// One that accepts any key and knows `gpt-4o`, `gpt-4o-mini`, `gpt-5` and `text-embedding-3-small`.
    pub fn builder() -> Builder {
        let models = ["gpt-4o", "gpt-4o-mini", "gpt-5", "text-embedding-3-small"];
        Builder::new(Shape::OpenAi, "openai").models(models)
    }
}

/// A fake with Mistral's API, as far as it differs from OpenAI's in what it refuses.
#[derive(Clone, Copy, Debug)]
pub struct Mistral;

impl Mistral {
    /// One that accepts any key and knows `mistral-large-latest`.
    pub fn builder() -> Builder {
        let mut builder = Builder::new(Shape::OpenAi, "mistral").models(["mistral-large-latest"]);
        builder.settings.is_mistral = true;
        builder
    }
}

impl Anthropic {
    /// One that accepts any key and knows `claude-sonnet-4-5`, `claude-haiku-4-5` and `claude-opus-5-5`.
    pub fn builder() -> Builder {
        let models = ["claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-5-5"];
        Builder::new(Shape::Anthropic, "anthropic").models(models)
    }
}

/// A fake with Ollama's own API.
#[derive(Clone, Copy, Debug)]
pub struct Ollama;

impl Ollama {
    /// One that asks for no key and knows `llama3.2` and `qwen3`, of which the second thinks.
    pub fn builder() -> Builder {
        Builder::new(Shape::Ollama, "ollama").models(["llama3.2", "qwen3"])
    }
}

/// A fake with Cohere's own API.
#[derive(Clone, Copy, Debug)]
pub struct Cohere;

impl Cohere {
    /// One that accepts any key and knows `command-a-03-2025`, `command-a-reasoning-08-2025`, which thinks, and
    /// `command-a-vision-07-2025`, which sees.
    pub fn builder() -> Builder {
        let models = [
            "command-a-03-2025",
            "command-a-reasoning-08-2025",
            "command-a-vision-07-2025",
        ];
        Builder::new(Shape::Cohere, "cohere").models(models)
    }
}

impl Bedrock {
    /// One that accepts any API key and knows a Claude (`us.anthropic.claude-sonnet-4-5-20250929-v1:0`) and a Nova
    /// (`amazon.nova-pro-v1:0`).
    pub fn builder() -> Builder {
        let models = ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-pro-v1:0"];
        Builder::new(Shape::Bedrock, "bedrock").models(models)
    }
}

/// What a fake will be.
#[derive(Clone, Debug)]
pub struct Builder {
    shape: Shape,
    settings: Settings,
    listen: Listen,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    OpenAi,
    Anthropic,
    Azure,
    Tokens,
    Bedrock,
    Gemini,
    Ollama,
    Cohere,
}

/// What both shapes are told.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) speaks_as: Option<String>,
    pub(crate) keys: Vec<String>,
    pub(crate) models: Vec<Model>,
    pub(crate) reasoning_field: Option<ReasoningField>,
    /// OpenAI's shape: refuses what Mistral refuses, in its words.
    pub(crate) is_mistral: bool,
    /// OpenAI's shape: refuses `stream_options`, as Databricks does before some models.
    pub(crate) refuses_stream_options: bool,
    /// OpenAI's shape: refuses turns that called tools and say nothing of what was reasoned.
    pub(crate) demands_reasoning: bool,
}

impl Settings {
    /// Whether a key is one of ours; without any, every key is.
    pub(crate) fn accepts(&self, key: &str) -> bool {
        self.keys.is_empty() || self.keys.iter().any(|known| known == key)
    }

    /// By the name in a request: its own, or the dated one it answers with.
    pub(crate) fn model(&self, name: &str) -> Option<&Model> {
        self.models
            .iter()
            .find(|model| model.name == name || model.answers_as == name)
    }

    /// Who says that it echoes.
    pub(crate) fn name_for<'a>(&'a self, model: &'a Model) -> &'a str {
        self.speaks_as.as_deref().unwrap_or(&model.name)
    }
}

impl Builder {
    fn new(shape: Shape, name: &str) -> Builder {
        let settings = Settings {
            name: name.to_owned(),
            speaks_as: None,
            keys: Vec::new(),
            models: Vec::new(),
            reasoning_field: None,
            is_mistral: false,
            refuses_stream_options: false,
            demands_reasoning: false,
        };
        Builder {
            shape,
            settings,
            listen: Listen::default(),
        }
    }

    /// Tells this fake from others: its ids differ from theirs, and it names itself in what it says.
    pub fn name(mut self, name: &str) -> Builder {
        name.clone_into(&mut self.settings.name);
        self.settings.speaks_as = Some(name.to_owned());
        self
    }

    /// The keys it accepts; without any it accepts every key, but not none.
    pub fn keys<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Builder {
        self.settings.keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// The models it knows.
    pub fn models<M: Into<Model>>(mut self, models: impl IntoIterator<Item = M>) -> Builder {
        self.settings.models = models.into_iter().map(Into::into).collect();
        self
    }

    /// OpenAI's shape: shows reasoning as `reasoning_content`, as DeepSeek, SGLang and others do.
    pub fn reasoning_content(mut self) -> Builder {
        self.settings.reasoning_field = Some(ReasoningField::ReasoningContent);
        self
    }

    /// OpenAI's shape: knows no `stream_options`, and says so as a server written in Go does.
    pub fn refusing_stream_options(mut self) -> Builder {
        self.settings.refuses_stream_options = true;
        self
    }

    /// OpenAI's shape: shows reasoning as `reasoning_content`, and refuses turns that called tools without, as DeepSeek
    /// and Moonshot do of models that think. An empty text counts as missing, as it does for Moonshot.
    pub fn demanding_reasoning(mut self) -> Builder {
        self.settings.demands_reasoning = true;
        self.reasoning_content()
    }

    /// OpenAI's shape: shows reasoning as `reasoning`, as Groq, OpenRouter and newer vLLM do.
    pub fn reasoning(mut self) -> Builder {
        self.settings.reasoning_field = Some(ReasoningField::Reasoning);
        self
    }

    /// Serves TLS with a certificate of its own; HTTP/2 or HTTP/1.1, as the client likes.
    pub fn tls(mut self) -> Builder {
        self.listen.protocols = Some(vec!["h2", "http/1.1"]);
        self
    }

    /// Serves TLS, HTTP/1.1 only.
    pub fn tls_http1(mut self) -> Builder {
        self.listen.protocols = Some(vec!["http/1.1"]);
        self
    }

    /// HTTP/2: so many streams at once on a connection.
    pub fn max_concurrent_streams(mut self, streams: u32) -> Builder {
        self.listen.max_streams = Some(streams);
        self
    }

    #[cfg(test)]
    pub(crate) fn settings(self) -> Settings {
        self.settings
    }

    /// Starts on a loopback port that the system chooses.
    pub async fn start(self) -> anyhow::Result<Fake> {
        let (provider, base_path): (Box<dyn Provider>, _) = match self.shape {
            Shape::OpenAi => (Box::new(openai::OpenAi::new(self.settings)), "/v1"),
            Shape::Anthropic => (Box::new(anthropic::Anthropic::new(self.settings)), ""),
            Shape::Azure => (Box::new(azure::Azure::new(self.settings)), ""),
            Shape::Tokens => (Box::new(token::Tokens::new(self.settings)), ""),
            Shape::Bedrock => (Box::new(bedrock::Bedrock::new(self.settings)), ""),
            Shape::Gemini => (Box::new(gemini::Gemini::new(self.settings)), ""),
            Shape::Ollama => (Box::new(ollama::Ollama::new(self.settings)), ""),
            Shape::Cohere => (Box::new(cohere::Cohere::new(self.settings)), ""),
        };
        Fake::start(provider, base_path, self.listen).await
    }

    /// Starts at this address.
    pub async fn start_on(mut self, address: SocketAddr) -> anyhow::Result<Fake> {
        self.listen.address = address;
        self.start().await
    }
}
