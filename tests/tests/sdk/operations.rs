//! What SDKs ask beside conversations: counts, embeddings and rankings, of providers of every kind that has them.

use super::{KEY, program};
use anyhow::{Result, ensure};
use pilotfish_provider::{Anthropic, Bedrock, Builder, Cohere, Fake, Gemini, Ollama, OpenAi};
use pilotfish_tests::{Launch, Pilotfish, Policy};

/// A provider: what a program calls its model, its name in a document, and the model.
struct Guest {
    name: &'static str,
    provider: &'static str,
    /// Its own API, where others are preferred.
    dialect: Option<&'static str>,
    fake: Builder,
    model: &'static str,
}

impl Guest {
    fn new(name: &'static str, provider: &'static str, fake: Builder, model: &'static str) -> Self {
        Self {
            name,
            provider,
            dialect: None,
            fake,
            model,
        }
    }

    fn speaking(self, dialect: &'static str) -> Self {
        Self {
            dialect: Some(dialect),
            ..self
        }
    }

    /// The provider, and what is written of it.
    async fn arrive(self) -> Result<(&'static str, Fake, String)> {
        let Self {
            name, provider, model, ..
        } = self;
        let key = format!("sk-up-{name}");
        let fake = self.fake.name(name).models([model]).keys([key.clone()]);
        let fake = fake.start().await?;
        let endpoint = match self.dialect {
            Some(dialect) => format!("dialects: [{{name: {dialect}, url: {:?}}}]", fake.url()),
            None => format!("url: {:?}", fake.url()),
        };
        let region = match provider {
            "Bedrock" => "  bedrock: {region: us-east-1}\n",
            _ => "",
        };
        let document = format!(
            "kind: Secret\napiVersion: v1\nmetadata: {{name: {name}}}\nstringData: {{key: {key}}}\n---\n\
             kind: ModelDeployment\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {{name: {name}}}\nspec:\n  \
             provider: {provider}\n  model: {model:?}\n  endpoint: {{{endpoint}}}\n{region}  \
             credentials: {{secretKeyRef: {{name: {name}, key: key}}}}\n"
        );
        Ok((name, fake, document))
    }
}

/// Runs programs before all of these. A provider must have been asked exactly when it is able to answer, with nothing but
/// good HTTP and never with the application's key.
async fn run(programs: &[&str], able: Vec<Guest>, unable: Vec<Guest>) -> Result<()> {
    let able_count = able.len();
    let (mut fakes, mut documents) = (Vec::new(), Vec::new());
    for guest in able.into_iter().chain(unable) {
        let (name, fake, document) = guest.arrive().await?;
        documents.extend([document, Policy::named(name).targets([name]).to_string()]);
        fakes.push((name, fake));
    }
    let pilotfish: Pilotfish = Launch::run(&documents).start().await?;
    let url = pilotfish.url().to_string();
    let models = fakes.iter().map(|(name, _)| *name);
    let arguments: Vec<&str> = std::iter::once(&*url).chain(models).collect();
    for program in programs {
        let before: Vec<usize> = fakes.iter().map(|(_, fake)| fake.received().len()).collect();
        program::run(program, &arguments).await?;
        for (number, (name, fake)) in fakes.iter().enumerate() {
            let received = fake.received();
            ensure!(fake.violations().is_empty(), "{name}: {:?}", fake.violations());
            let asked = received.len() > before[number];
            ensure!(asked == (number < able_count), "{program}: was {name} asked? {asked}");
            let tells = received.iter().any(|request| request.mentions(KEY));
            ensure!(!tells, "the application's key reached {name}");
        }
    }
    let fakes: Vec<&Fake> = fakes.iter().map(|(_, fake)| fake).collect();
    pilotfish.back_to_idle(&fakes).await
}

const CLAUDE_IN_BEDROCK: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// Their makers count, and Bedrock for Claude, for clients of either; nobody guesses for the others.
#[tokio::test]
async fn sdks_count_tokens_where_somebody_counts() -> Result<()> {
    let able = vec![
        Guest::new("anthropic", "Anthropic", Anthropic::builder(), "claude-sonnet-4-5"),
        Guest::new("gemini", "Gemini", Gemini::builder(), "gemini-2.5-flash"),
        Guest::new("bedrock", "Bedrock", Bedrock::builder(), CLAUDE_IN_BEDROCK),
    ];
    let unable = vec![Guest::new("openai", "OpenAI", OpenAi::builder(), "gpt-4o")];
    run(&["counts.py", "counts.mjs"], able, unable).await
}

#[tokio::test]
async fn sdks_get_embeddings_of_every_maker() -> Result<()> {
    let able = vec![
        Guest::new("openai", "OpenAI", OpenAi::builder(), "text-embedding-3-small"),
        // Google's SDK takes names that begin with "gemini" for models that make one vector of several contents.
        Guest::new("google", "Gemini", Gemini::builder(), "gemini-embedding-001"),
        Guest::new("cohere", "Cohere", Cohere::builder(), "embed-v4.0").speaking("Cohere"),
        Guest::new("ollama", "Ollama", Ollama::builder(), "nomic-embed-text").speaking("Ollama"),
    ];
    run(&["embeddings.py", "embeddings.mjs"], able, Vec::new()).await
}

/// There are two kinds of servers that rank.
#[tokio::test]
async fn the_cohere_sdk_gets_rankings() -> Result<()> {
    let able = vec![
        Guest::new("cohere", "Cohere", Cohere::builder(), "rerank-v3.5"),
        Guest::new("compatible", "OpenAICompatible", OpenAi::builder(), "bge-reranker"),
    ];
    run(&["cohere_rerank.py"], able, Vec::new()).await
}
