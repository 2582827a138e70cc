//! SDKs for JavaScript, and frameworks that speak by SDKs: each program runs once, and asks one sidecar for models of
//! providers of every kind. Nothing but the base URL is changed.

use super::{KEY, program};
use anyhow::{Result, ensure};
use pilotfish_provider::{Builder, Fake, Gemini, Step};
use pilotfish_tests::bedrock::{self, Calls};
use pilotfish_tests::{Deployment, Dialect, Launch, Pilotfish, Policy};

/// What a program asks for; each is answered by a provider that is spoken to in this dialect.
const MODELS: [&str; 5] = ["chat", "responses", "messages", "gemini", "converse"];

/// One sidecar before all of them.
struct House {
    fakes: Vec<Fake>,
    pilotfish: Pilotfish,
}

impl House {
    async fn open() -> Result<Self> {
        let openai = |name| Dialect::Chat.provider(name);
        let claude = |name| Dialect::Messages.provider(name);
        let mut house = Vec::new();
        for (name, builder) in [
            ("chat", openai("chat").reasoning_content()),
            ("responses", openai("responses")),
            ("messages", claude("messages")),
            ("gemini", Gemini::builder().name("gemini").keys(["sk-up-gemini"])),
            ("converse", bedrock::provider("converse")),
        ] {
            house.push(guest(name, builder).await?);
        }
        let (fakes, mut documents): (Vec<Fake>, Vec<String>) = house.into_iter().unzip();
        documents.extend(MODELS.map(|model| Policy::named(model).targets([model]).to_string()));
        let pilotfish = Launch::run(&documents).start().await?;
        Ok(Self { fakes, pilotfish })
    }

    /// Runs a program to its end with these models. Every provider must have been asked, with nothing but good HTTP and
    /// never with the application's key; the sidecar must hold nothing afterwards.
    async fn receive(&self, program: &str, models: &[&str]) -> Result<()> {
        let url = self.pilotfish.url().to_string();
        let arguments: Vec<&str> = std::iter::once(&*url).chain(models.iter().copied()).collect();
        program::run(program, &arguments).await?;
        for (fake, name) in self.fakes.iter().zip(MODELS) {
            let received = fake.received();
            ensure!(fake.violations().is_empty(), "{name}: {:?}", fake.violations());
            ensure!(
                received.is_empty() != models.contains(&name),
                "{name}: {} requests",
                received.len()
            );
            let tells = received.iter().any(|request| request.mentions(KEY));
            ensure!(!tells, "the application's key reached {name}");
            // What these give back without its signature, the sidecar had kept; a supervisor makes up calls of its own.
            let lacks = received
                .iter()
                .any(|request| request.mentions("skip_thought_signature"));
            ensure!(
                !lacks || program.starts_with("langgraph"),
                "{name}: a signature was missing"
            );
        }
        self.pilotfish
            .back_to_idle(&self.fakes.iter().collect::<Vec<_>>())
            .await
    }
}

/// A provider, its events in several pieces, and the deployment that calls it.
async fn guest(name: &str, builder: Builder) -> Result<(Fake, String)> {
    let fake = builder.start().await?;
    fake.always(Step::normal().split(61));
    let features = |features: &str| format!("capabilities: {{features: [Tools, Vision, {features}]}}");
    let newer = |dialect: &str| {
        let deployment = Deployment::of(Dialect::Chat, name, &fake).model("gpt-5");
        deployment.speaking(dialect).with(&features("Reasoning"))
    };
    let document = match name {
        "chat" => newer("Chat").to_string(),
        "responses" => newer("Responses").to_string(),
        "messages" => Deployment::of(Dialect::Messages, name, &fake)
            .with(&features("ReasoningBudget"))
            .to_string(),
        "gemini" => Deployment::of(Dialect::Chat, name, &fake)
            .provider("Gemini")
            .model("gemini-3.8-flash")
            .with(&features("Reasoning"))
            .to_string(),
        _ => bedrock::deployment(name, &fake, Calls::Signed),
    };
    Ok((fake, document))
}

/// A program before every provider.
async fn everywhere(program: &str) -> Result<()> {
    House::open().await?.receive(program, &MODELS).await
}

#[tokio::test]
async fn the_openai_sdk_for_javascript_speaks_to_every_upstream() -> Result<()> {
    everywhere("openai.mjs").await
}

#[tokio::test]
async fn the_anthropic_sdk_for_javascript_speaks_to_every_upstream() -> Result<()> {
    everywhere("anthropic.mjs").await
}

#[tokio::test]
async fn the_google_sdk_for_javascript_speaks_to_every_upstream() -> Result<()> {
    everywhere("google.mjs").await
}

#[tokio::test]
async fn the_ai_sdk_of_vercel_speaks_to_every_upstream() -> Result<()> {
    everywhere("vercel.mjs").await
}

#[tokio::test]
async fn langchain_speaks_to_every_upstream() -> Result<()> {
    everywhere("langchain_chat.py").await
}

#[tokio::test]
async fn agents_of_langgraph_work_with_every_upstream() -> Result<()> {
    everywhere("langgraph_agents.py").await
}

/// It takes seconds to be imported alone.
#[tokio::test]
async fn litellm_is_a_client_of_any_upstream() -> Result<()> {
    House::open()
        .await?
        .receive("litellm_client.py", &["chat", "messages", "gemini"])
        .await
}
