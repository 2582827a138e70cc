//! The official SDKs as applications: each of their programs runs against an upstream of either dialect.
//!
//! The programs are in `tests/clients` and can be run by hand as well. What they say is checked there; here it is made
//! sure that the providers were called as they must be, and that nothing is left behind.

#![cfg(test)]

mod frameworks;
mod operations;
mod oracles;
mod program;

use anyhow::{Context, Result, ensure};
use pilotfish_provider::{Builder, Fake, Gemini, HangUp, Outcome, Pause, Point, Step};
use pilotfish_tests::bedrock::{self, Calls};
use pilotfish_tests::{Deployment, Dialect, Launch, Pilotfish, Policy};
use std::time::Duration;

/// What the programs ask for.
const MODEL: &str = "chat";
/// What the programs send as their key.
const KEY: &str = "anything";
/// The beginning of every PNG in base64.
const PICTURE: &str = "iVBORw0KGgo";

/// A sidecar before one provider.
struct Scene {
    /// What it speaks, or is.
    upstream: String,
    fake: Fake,
    pilotfish: Pilotfish,
}

impl Scene {
    /// The provider and the model as they usually are.
    async fn plain(upstream: Dialect) -> Result<Self> {
        Self::start(upstream, |builder| builder, |deployment| deployment).await
    }

    async fn start(
        upstream: Dialect,
        provider: impl FnOnce(Builder) -> Builder,
        deployment: impl FnOnce(Deployment) -> Deployment,
    ) -> Result<Self> {
        let fake = provider(upstream.provider("upstream")).start().await?;
        let deployment = deployment(Deployment::of(upstream, "upstream", &fake));
        Self::before(fake, deployment, format!("{upstream:?}")).await
    }

    /// One of Google's models.
    async fn google(model: &str, features: &str) -> Result<Self> {
        let builder = Gemini::builder().name("upstream").keys(["sk-up-upstream"]);
        let fake = builder.start().await?;
        let deployment = Deployment::of(Dialect::Chat, "upstream", &fake)
            .provider("Gemini")
            .model(model)
            .with(&format!("capabilities: {{features: {features}}}"));
        Self::before(fake, deployment, format!("Gemini, {model}")).await
    }

    async fn before(fake: Fake, deployment: Deployment, upstream: String) -> Result<Self> {
        let documents = [
            deployment.to_string(),
            Policy::named(MODEL).targets(["upstream"]).to_string(),
        ];
        let pilotfish = Launch::run(&documents).start().await?;
        Ok(Self {
            upstream,
            fake,
            pilotfish,
        })
    }

    /// A Claude in Bedrock, whose calls are signed.
    async fn in_bedrock() -> Result<Self> {
        let fake = bedrock::provider("upstream").start().await?;
        let documents = [
            bedrock::deployment("upstream", &fake, Calls::Signed),
            Policy::named(MODEL).targets(["upstream"]).to_string(),
        ];
        let pilotfish = Launch::run(&documents).start().await?;
        Ok(Self {
            upstream: "Bedrock".to_owned(),
            fake,
            pilotfish,
        })
    }

    /// Runs a program of `tests/clients` to its end. The provider must have seen nothing but good HTTP, and never the
    /// application's key; its script must be used up; the sidecar must hold nothing afterwards.
    async fn run(&self, program: &str) -> Result<()> {
        let context = || format!("{program} with an upstream of {}", self.upstream);
        let said = program::run(program, &[&self.url(program), MODEL]).await;
        said.with_context(context)?;
        ensure!(self.fake.violations().is_empty(), "{:?}", self.fake.violations());
        ensure!(!self.saw(KEY), "the application's key reached the provider");
        ensure!(self.fake.steps_left() == 0, "{} steps left", self.fake.steps_left());
        self.pilotfish.back_to_idle(&[&self.fake]).await.with_context(context)
    }

    /// The base URL as the program's SDK takes it.
    fn url(&self, program: &str) -> String {
        let path = if program.starts_with("openai") { "/v1" } else { "" };
        format!("{}{path}", self.pilotfish.url())
    }

    /// Whether any request that reached the provider holds this text.
    fn saw(&self, text: &str) -> bool {
        self.fake.received().iter().any(|request| request.mentions(text))
    }
}

/// Talks, looks at pictures, and leaves a stream that would go on for ever.
async fn talks(program: &str) -> Result<()> {
    for upstream in Dialect::BOTH {
        let scene = Scene::plain(upstream).await?;
        let endless = Step::normal().pause(Point::Content(3), Pause::Forever);
        scene.fake.script([endless.for_body("a long story")]);
        scene.run(program).await?;
        assert!(scene.saw(PICTURE), "no picture reached {upstream:?}");
        let left = scene.fake.received();
        let left = left.iter().find(|request| request.mentions("a long story"));
        let left = left.context("the story was asked for")?.number;
        assert_eq!(scene.fake.ended(left).await?.outcome, Outcome::ClientGone);
    }
    Ok(())
}

/// Speaks Responses to a provider that has them, and to those that do not.
async fn responds(program: &str) -> Result<()> {
    for (upstream, dialect) in [
        (Dialect::Chat, "Responses"),
        (Dialect::Chat, "Chat"),
        (Dialect::Messages, "Messages"),
    ] {
        let speaks = |deployment: Deployment| deployment.speaking(dialect);
        let scene = Scene::start(upstream, |builder| builder, speaks).await?;
        scene.fake.always(Step::normal().split(61));
        scene
            .run(program)
            .await
            .with_context(|| format!("spoken to in {dialect}"))?;
    }
    Ok(())
}

/// Reasons in Responses, before each provider that has something of its own to be given back.
async fn reasons_in_responses(program: &str) -> Result<()> {
    let budget = |deployment: Deployment| {
        let features = "capabilities: {features: [Tools, ReasoningBudget]}";
        deployment.speaking("Messages").with(features)
    };
    let scene = Scene::start(Dialect::Messages, |builder| builder, budget).await?;
    scene.run(program).await?;
    assert!(scene.saw(r#""signature":"#), "no signature came back");
    let model = |deployment: Deployment| deployment.speaking("Responses").model("gpt-5");
    let scene = Scene::start(Dialect::Chat, |builder| builder, model).await?;
    scene.run(program).await?;
    assert!(scene.saw(r#""encrypted_content":"#), "nothing encrypted came back");
    let model = |deployment: Deployment| deployment.speaking("Chat").model("gpt-5");
    let scene = Scene::start(Dialect::Chat, Builder::reasoning_content, model).await?;
    scene.run(program).await
}

/// Reasons in another dialect, before a provider that is spoken to in Responses.
async fn reasons_for_responses(program: &str) -> Result<()> {
    let model = |deployment: Deployment| {
        let features = "capabilities: {features: [Tools, Reasoning]}";
        deployment.speaking("Responses").model("gpt-5").with(features)
    };
    let scene = Scene::start(Dialect::Chat, |builder| builder, model).await?;
    scene.run(program).await?;
    assert!(scene.saw(r#""encrypted_content":"#), "nothing encrypted came back");
    Ok(())
}

/// Fails while Responses are spoken, with each kind of provider.
async fn fails_in_responses(program: &str) -> Result<()> {
    let broken = |how| Step::normal().hang_up(Point::Content(3), how);
    for (upstream, dialect) in [
        (Dialect::Chat, "Responses"),
        (Dialect::Chat, "Chat"),
        (Dialect::Messages, "Messages"),
    ] {
        let speaks = |deployment: Deployment| deployment.speaking(dialect);
        let scene = Scene::start(upstream, |builder| builder, speaks).await?;
        scene.fake.script([
            Step::context_overflow().for_body("too long for it"),
            Step::status(500).for_body("broken once"),
            broken(HangUp::Reset).for_body("resets in the middle"),
            broken(HangUp::Close).for_body("closes in the middle"),
            Step::normal().error_event(3, 529).for_body("fails in the middle"),
        ]);
        scene
            .run(program)
            .await
            .with_context(|| format!("spoken to in {dialect}"))?;
    }
    Ok(())
}

/// Speaks another dialect to a provider that is spoken to in Responses.
async fn is_answered_in_responses(program: &str) -> Result<()> {
    let speaks = |deployment: Deployment| deployment.speaking("Responses");
    let scene = Scene::start(Dialect::Chat, |builder| builder, speaks).await?;
    scene.fake.always(Step::normal().split(61));
    scene.run(program).await
}

/// Calls tools; their arguments come in turns where the dialect allows it, and every event in several pieces.
async fn calls_tools(program: &str) -> Result<()> {
    for upstream in Dialect::BOTH {
        let scene = Scene::plain(upstream).await?;
        scene.fake.always(Step::normal().interleaved().split(61));
        scene.run(program).await?;
        // Anthropic's runner of tools has its provider hold the conversation, where that is its own.
        let threads = upstream == Dialect::Messages && program.starts_with("anthropic");
        assert_eq!(scene.saw("previous_message_id"), threads, "{program}, {upstream:?}");
    }
    Ok(())
}

/// Thinks. Anthropic's shape insists on its signatures, OpenAI's stands for a compatible server that shows reasoning.
async fn thinks(program: &str) -> Result<()> {
    let budget = |deployment: Deployment| deployment.with("capabilities: {features: [Tools, ReasoningBudget]}");
    let scene = Scene::start(Dialect::Messages, |builder| builder, budget).await?;
    scene.run(program).await?;
    for echoed in [r#""signature":"#, r#""redacted_thinking""#] {
        assert!(scene.saw(echoed), "{program} never gave back {echoed}");
    }
    let model = |deployment: Deployment| deployment.model("gpt-5");
    let scene = Scene::start(Dialect::Chat, Builder::reasoning_content, model).await?;
    scene.run(program).await
}

/// Fails in every way that the phrases of the program name, exactly as often as the program expects.
async fn fails(program: &str) -> Result<()> {
    let (moment, hour) = (Duration::from_secs(1), Duration::from_secs(3600));
    let broken = |how| Step::normal().hang_up(Point::Content(3), how);
    for upstream in Dialect::BOTH {
        let scene = Scene::plain(upstream).await?;
        scene.fake.script([
            Step::context_overflow().for_body("too long for it"),
            Step::rate_limited(moment).for_body("limited for a moment"),
            Step::status(500).for_body("broken both times").times(4),
            Step::status(500).for_body("broken once"),
            broken(HangUp::Reset).for_body("resets in the middle"),
            broken(HangUp::Close).for_body("closes in the middle"),
            Step::normal().error_event(3, 529).for_body("fails in the middle"),
            Step::never().for_body("never answers"),
            Step::rate_limited(hour).for_body("limited for an hour"),
        ]);
        scene.run(program).await?;
    }
    Ok(())
}

const OLDER: &str = "[Tools, Vision, ReasoningBudget]";
const NEWEST: &str = "[Tools, Vision, Reasoning]";

/// Talks in Google's dialect; one stream breaks off, and one is left.
#[tokio::test]
async fn the_google_sdk_talks_to_every_upstream() -> Result<()> {
    for scene in [
        Scene::plain(Dialect::Chat).await?,
        Scene::plain(Dialect::Messages).await?,
        Scene::google("gemini-2.5-flash", OLDER).await?,
    ] {
        let broken = Step::normal().hang_up(Point::Content(3), HangUp::Reset);
        scene.fake.script([broken.for_body("closes in the middle")]);
        scene.run("google_chat.py").await?;
        assert!(scene.saw(PICTURE), "no picture reached {}", scene.upstream);
    }
    Ok(())
}

/// Calls tools in Google's dialect, and gives thoughts back to models that sign them.
#[tokio::test]
async fn the_google_sdk_runs_tools_for_every_upstream() -> Result<()> {
    let budget = |deployment: Deployment| deployment.with("capabilities: {features: [Tools, ReasoningBudget]}");
    for (scene, echoed) in [
        (Scene::plain(Dialect::Chat).await?, r#""tool_call_id":"#),
        (
            Scene::start(Dialect::Messages, |builder| builder, budget).await?,
            r#""signature":"#,
        ),
        (
            Scene::google("gemini-2.5-flash", OLDER).await?,
            r#""functionResponse":"#,
        ),
        (
            Scene::google("gemini-3.8-flash", NEWEST).await?,
            r#""thoughtSignature":"#,
        ),
    ] {
        scene.fake.always(Step::normal().split(61));
        scene.run("google_tools.py").await?;
        assert!(scene.saw(echoed), "{} never got back {echoed}", scene.upstream);
    }
    Ok(())
}

/// The other SDKs before Google's models.
#[tokio::test]
async fn the_other_sdks_talk_to_google_s_models() -> Result<()> {
    let scene = Scene::google("gemini-2.5-flash", OLDER).await?;
    scene.run("openai_chat.py").await?;
    let scene = Scene::google("gemini-3.8-flash", NEWEST).await?;
    for program in ["openai_reasoning.py", "anthropic_reasoning.py"] {
        scene.run(program).await?;
    }
    assert!(scene.saw(r#""thoughtSignature":"#), "no signature came back");
    assert!(!scene.saw("skip_thought_signature"), "a signature was missing");
    Ok(())
}

#[tokio::test]
async fn the_openai_sdk_talks_to_either_upstream() -> Result<()> {
    talks("openai_chat.py").await
}

#[tokio::test]
async fn the_anthropic_sdk_talks_to_either_upstream() -> Result<()> {
    talks("anthropic_messages.py").await
}

#[tokio::test]
async fn the_openai_sdk_runs_tools_for_either_upstream() -> Result<()> {
    calls_tools("openai_tools.py").await
}

#[tokio::test]
async fn the_anthropic_sdk_runs_tools_for_either_upstream() -> Result<()> {
    calls_tools("anthropic_tools.py").await
}

#[tokio::test]
async fn the_openai_sdk_gives_reasoning_back_to_either_upstream() -> Result<()> {
    thinks("openai_reasoning.py").await
}

#[tokio::test]
async fn the_anthropic_sdk_gives_thinking_back_to_either_upstream() -> Result<()> {
    thinks("anthropic_reasoning.py").await
}

#[tokio::test]
async fn the_openai_sdk_raises_what_either_upstream_fails_with() -> Result<()> {
    fails("openai_failures.py").await
}

#[tokio::test]
async fn the_anthropic_sdk_raises_what_either_upstream_fails_with() -> Result<()> {
    fails("anthropic_failures.py").await
}

#[tokio::test]
async fn both_sdks_run_tools_for_a_model_in_bedrock() -> Result<()> {
    for program in ["openai_tools.py", "anthropic_tools.py"] {
        let scene = Scene::in_bedrock().await?;
        scene.fake.always(Step::normal().split(61));
        scene.run(program).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_anthropic_sdk_gives_thinking_back_to_a_model_in_bedrock() -> Result<()> {
    let scene = Scene::in_bedrock().await?;
    scene.run("anthropic_reasoning.py").await?;
    for echoed in [r#""signature":"#, r#""type":"redacted_thinking""#] {
        assert!(scene.saw(echoed), "{echoed} was never given back");
    }
    Ok(())
}

#[tokio::test]
async fn the_openai_sdk_speaks_responses_to_any_upstream() -> Result<()> {
    responds("openai_responses.py").await
}

#[tokio::test]
async fn the_openai_sdk_runs_tools_for_an_upstream_of_responses() -> Result<()> {
    is_answered_in_responses("openai_tools.py").await
}

#[tokio::test]
async fn the_anthropic_sdk_runs_tools_for_an_upstream_of_responses() -> Result<()> {
    is_answered_in_responses("anthropic_tools.py").await
}

#[tokio::test]
async fn the_openai_sdk_gives_reasoning_back_in_responses() -> Result<()> {
    reasons_in_responses("openai_responses_reasoning.py").await
}

#[tokio::test]
async fn the_openai_sdk_raises_what_fails_in_responses() -> Result<()> {
    fails_in_responses("openai_responses_failures.py").await
}

#[tokio::test]
async fn the_anthropic_sdk_gives_thinking_back_to_an_upstream_of_responses() -> Result<()> {
    reasons_for_responses("anthropic_reasoning.py").await
}
