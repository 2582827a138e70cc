//! The web, searched by whoever has the model and can.

use crate::scene::Scene;
use anyhow::Result;
use pilotfish_provider::{Anthropic, Builder, Cohere, Gemini, OpenAi, Step};
use serde_json::{Value, json};

/// One deployment of `provider`, called in this dialect alone.
async fn of(provider: &str, builder: Builder, model: &str, dialect: &str) -> Result<Scene> {
    let fake = builder.name("east").models([model]).keys(["sk-up-1"]).start().await?;
    let endpoint = format!("dialects: [{{name: {dialect}, url: \"URL\"}}]");
    let spec = format!("provider: {provider}, model: {model}, endpoint: {{{endpoint}}}");
    Scene::start(fake, &spec, Some("sk-up-1")).await
}

async fn anthropic() -> Result<Scene> {
    of("Anthropic", Anthropic::builder(), "claude-sonnet-4-5", "Messages").await
}

async fn gemini() -> Result<Scene> {
    of("Gemini", Gemini::builder(), "gemini-2.5-flash", "Gemini").await
}

async fn responses() -> Result<Scene> {
    of("OpenAI", OpenAi::builder(), "gpt-4o", "Responses").await
}

/// What each client sends that wants the web searched.
fn wishes() -> [(&'static str, Value); 4] {
    let messages = json!([{"role": "user", "content": "What is new?"}]);
    [
        (
            "/v1/chat/completions",
            json!({"model": "chat", "messages": messages, "web_search_options": {}}),
        ),
        (
            "/v1/responses",
            json!({"model": "chat", "input": "What is new?", "tools": [{"type": "web_search"}]}),
        ),
        (
            "/v1/messages",
            json!({"model": "chat", "max_tokens": 400, "messages": messages,
                "tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
        ),
        (
            "/v1beta/models/chat:generateContent",
            json!({"contents": [{"role": "user", "parts": [{"text": "What is new?"}]}], "tools": [{"googleSearch": {}}]}),
        ),
    ]
}

#[tokio::test]
async fn every_client_has_the_web_searched_by_whoever_can() -> Result<()> {
    for (scene, tool) in [
        (
            anthropic().await?,
            json!({"type": "web_search_20250305", "name": "web_search"}),
        ),
        (gemini().await?, json!({"googleSearch": {}})),
        (responses().await?, json!({"type": "web_search"})),
    ] {
        for (path, wish) in wishes() {
            let answer = scene.client.post(path, wish.to_string()).await?;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            assert_eq!(answer.header("x-pilotfish-loss"), None, "{path}");
        }
        for sent in scene.fake.received() {
            assert_eq!(sent.json()?["tools"], json!([tool]));
        }
        scene.end().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_search_that_nobody_makes_is_refused_by_the_client_s_word_for_it() -> Result<()> {
    let words = [
        "web_search_options",
        "tools[0] (web_search)",
        "tools[0] (web_search_20250305)",
        "tools[0].googleSearch",
    ];
    let scene = of("Cohere", Cohere::builder(), "command-a-03-2025", "Cohere").await?;
    for ((path, wish), word) in wishes().into_iter().zip(words) {
        let answer = scene.client.post(path, wish.to_string()).await?;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert!(answer.text().contains(word), "{path}: {}", answer.text());
    }
    assert!(scene.targets().is_empty());
    scene.end().await
}

/// What Claude answers that found a page, whole.
fn found() -> Value {
    let page = json!({"type": "web_search_result_location", "url": "https://example.com/q", "title": "Quinces",
        "encrypted_index": "E", "cited_text": "…"});
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 2}, "content": [
            {"type": "text", "text": "Süß: "}, {"type": "text", "text": "quinces", "citations": [page]}]})
}

/// The same of Google's, which counts bytes.
fn grounded() -> Value {
    let support =
        json!({"segment": {"startIndex": 7, "endIndex": 14, "text": "quinces"}, "groundingChunkIndices": [0]});
    let chunk = json!({"web": {"uri": "https://example.com/q", "title": "Quinces"}});
    json!({"responseId": "r", "modelVersion": "g", "candidates": [{"index": 0, "finishReason": "STOP",
        "content": {"role": "model", "parts": [{"text": "Süß: quinces"}]},
        "groundingMetadata": {"groundingChunks": [chunk], "groundingSupports": [support]}}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3}})
}

#[tokio::test]
async fn the_pages_that_an_answer_is_based_on_reach_openai_s_clients() -> Result<()> {
    let page = json!({"url": "https://example.com/q", "title": "Quinces", "start_index": 5, "end_index": 12});
    for (scene, answer) in [(anthropic().await?, found()), (gemini().await?, grounded())] {
        let step = Step::raw(200, "application/json", answer.to_string());
        scene.fake.script([step.clone(), step]);
        let [chat, responses, ..] = wishes();
        let answer = scene.ask(chat.0, chat.1).await?;
        let message = &answer["choices"][0]["message"];
        assert_eq!(message["annotations"][0]["url_citation"], page, "{answer}");
        let answer = scene.ask(responses.0, responses.1).await?;
        let content = answer["output"][0]["content"].as_array().cloned().unwrap_or_default();
        let cited = content.iter().find_map(|part| part["annotations"].get(0));
        assert_eq!(
            cited.map(|cited| &cited["url"]),
            Some(&json!("https://example.com/q")),
            "{answer}"
        );
        scene.end().await?;
    }
    Ok(())
}
