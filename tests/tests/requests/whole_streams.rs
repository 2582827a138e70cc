//! A provider that ignores `stream` and answers whole: its client still gets the stream that it reads.

use crate::scene::Scene;
use anyhow::Result;
use pilotfish_provider::{OpenAi, Step};
use pilotfish_tests::{Dialect, in_both};
use serde_json::json;

#[tokio::test]
async fn an_answer_that_comes_whole_is_told_as_a_stream() -> Result<()> {
    in_both(async |dialect| {
        let fake = OpenAi::builder().name("east").start().await?;
        let spec = r#"provider: OpenAICompatible, model: gpt-4o, endpoint: {url: "URL/v1"}"#;
        let scene = Scene::start(fake, spec, None).await?;
        let whole = json!({"id": "c1", "object": "chat.completion", "created": 7, "model": "gpt-4o", "choices": [{"index": 0,
            "message": {"role": "assistant", "content": "I do not stream."}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}});
        scene.fake.script([Step::raw(200, "application/json", whole.to_string())]);
        let expected = ("I do not stream.".to_owned(), dialect.terminator().to_owned());
        assert_eq!(scene.streamed(dialect).await?, expected);
        scene.end().await
    })
    .await
}

#[tokio::test]
async fn an_error_that_comes_whole_is_no_stream() -> Result<()> {
    let fake = OpenAi::builder().name("east").start().await?;
    let spec = r#"provider: OpenAICompatible, model: gpt-4o, endpoint: {url: "URL/v1"}"#;
    let scene = Scene::start(fake, spec, None).await?;
    let error = json!({"error": {"message": "no such thing", "type": "invalid_request_error"}});
    scene
        .fake
        .script([Step::raw(200, "application/json", error.to_string())]);
    let answer = scene
        .client
        .ask(Dialect::Chat, &Dialect::Chat.stream_request("chat", "Hello"))
        .await?;
    assert_eq!(answer.status, 400, "{}", answer.text());
    scene.end().await
}
