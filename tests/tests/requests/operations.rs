//! What is asked of a model beside conversations: embeddings, counts, rankings and completions, each of whoever does it.

use crate::scene::Scene;
use anyhow::Result;
use pilotfish_provider::{Anthropic, Builder, Cohere, Gemini, Ollama, OpenAi, Step};
use pilotfish_tests::{Client, Launch, Policy};
use serde_json::{Value, json};

/// One deployment, of a provider by its name, and its model, which applications call by the same name.
/// `m`, served by this provider's `model`.
async fn of(provider: &str, builder: Builder, model: &str) -> Result<Scene> {
    let fake = builder.name("east").models([model]).keys(["sk-up-1"]).start().await?;
    let endpoint = match provider {
        // Its own API, and not the one that all clients of OpenAI's know.
        "Ollama" | "Cohere" => format!("dialects: [{{name: {provider}, url: \"URL\"}}]"),
        _ => "url: \"URL\"".to_owned(),
    };
    let spec = format!("provider: {provider}, model: {model}, endpoint: {{{endpoint}}}");
    Scene::serving("m", fake, &spec, Some("sk-up-1")).await
}

async fn openai(model: &str) -> Result<Scene> {
    of("OpenAICompatible", OpenAi::builder(), model).await
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_f64).collect()
}

/// Whoever makes them makes the same of one text; so what differs is the form.
#[tokio::test]
async fn embeddings_are_made_by_whoever_can_in_either_form() -> Result<()> {
    for (provider, builder, model, path) in [
        (
            "OpenAICompatible",
            OpenAi::builder(),
            "text-embedding-3-small",
            "/v1/embeddings",
        ),
        (
            "Gemini",
            Gemini::builder(),
            "gemini-embedding-001",
            "/v1beta/models/gemini-embedding-001:batchEmbedContents",
        ),
        ("Cohere", Cohere::builder(), "embed-v4.0", "/v2/embed"),
        ("Ollama", Ollama::builder(), "nomic-embed-text", "/api/embed"),
    ] {
        let scene = of(provider, builder, model).await?;
        let asked = json!({"model": "m", "input": ["one", "two"], "dimensions": 4});
        let answer = scene.ask("/v1/embeddings", asked).await?;
        let openai: Vec<_> = (0..2).map(|at| numbers(&answer["data"][at]["embedding"])).collect();
        assert!(openai.iter().all(|vector| vector.len() == 4), "{provider}: {answer}");
        let one = |text: &str| json!({"model": "models/m", "content": {"parts": [{"text": text}]}, "outputDimensionality": 4});
        let batch = json!({"requests": [one("one"), one("two")]});
        let answer = scene.ask("/v1beta/models/m:batchEmbedContents", batch).await?;
        let google: Vec<_> = (0..2).map(|at| numbers(&answer["embeddings"][at]["values"])).collect();
        assert_eq!(google, openai, "{provider}");
        let answer = scene.ask("/v1beta/models/m:embedContent", one("two")).await?;
        assert_eq!(numbers(&answer["embedding"]["values"]), openai[1], "{provider}");
        let targets = scene.targets();
        assert_eq!(targets[0], path);
        let single = "/v1beta/models/gemini-embedding-001:embedContent";
        assert_eq!(targets[2] == single, provider == "Gemini", "{targets:?}");
        scene.end().await?;
    }
    Ok(())
}

/// Google takes 100 texts at once, Cohere 96; whoever comes next may take more.
#[tokio::test]
async fn a_batch_too_large_for_one_is_refused_by_name_or_goes_to_the_next() -> Result<()> {
    let asked = |count: usize| json!({"model": "m", "input": vec!["t"; count]});
    for (provider, builder, model, most) in [
        ("Gemini", Gemini::builder(), "gemini-embedding-001", 100),
        ("Cohere", Cohere::builder(), "embed-v4.0", 96),
    ] {
        let scene = of(provider, builder, model).await?;
        let answer = scene.ask("/v1/embeddings", asked(most)).await?;
        assert_eq!(answer["data"].as_array().map(Vec::len), Some(most), "{provider}");
        let answer = scene.client.post("/v1/embeddings", asked(most + 1).to_string()).await?;
        let text = answer.text();
        assert!(
            answer.status == 400 && text.contains(&format!("at most {most} texts")),
            "{text}"
        );
        assert!(text.contains("input"), "{text}");
        assert_eq!(scene.fake.received().len(), 1);
        scene.end().await?;
    }
    let large = OpenAi::builder()
        .name("large")
        .models(["text-embedding-3-small"])
        .keys(["k"])
        .start()
        .await?;
    let small = Gemini::builder()
        .name("small")
        .models(["gemini-embedding-001"])
        .keys(["k"])
        .start()
        .await?;
    let deployment = |name: &str, spec: String| {
        format!(
            "kind: ModelDeployment\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
        )
    };
    let documents = [
        deployment(
            "large",
            format!(
                "provider: OpenAICompatible, model: text-embedding-3-small, endpoint: {{url: {}}}, \
                 credentials: {{secretKeyRef: {{name: small, key: key}}}}",
                large.url()
            ),
        ),
        deployment(
            "small",
            format!(
                "provider: Gemini, model: gemini-embedding-001, endpoint: {{url: {}}}, \
                 credentials: {{secretKeyRef: {{name: small, key: key}}}}",
                small.url()
            ),
        ),
        "kind: Secret\napiVersion: v1\nmetadata: {name: small}\nstringData: {key: k}\n".to_owned(),
        Policy::named("m").in_order(["small", "large"]).to_string(),
    ];
    let pilotfish = Launch::run(&documents).start().await?;
    let answer = Client::new(&pilotfish)?
        .post("/v1/embeddings", asked(101).to_string())
        .await?;
    assert_eq!(
        (answer.status, answer.header("x-pilotfish-deployment")),
        (200, Some("default/large"))
    );
    assert!(small.received().is_empty());
    pilotfish.at_rest(&[&large, &small]).await
}

#[tokio::test]
async fn vectors_that_are_not_as_many_as_the_texts_are_no_answer() -> Result<()> {
    let scene = of("Gemini", Gemini::builder(), "gemini-embedding-001").await?;
    let two = json!({"embeddings": [{"values": [0.5]}, {"values": [0.25]}]});
    scene.fake.always(Step::raw(200, "application/json", two.to_string()));
    for (count, status) in [(1, 502), (2, 200), (3, 502)] {
        let asked = json!({"model": "m", "input": vec!["t"; count]});
        let answer = scene.client.post("/v1/embeddings", asked.to_string()).await?;
        assert_eq!(answer.status, status, "{}", answer.text());
        let told = format!("2 vectors for {count} texts");
        assert_eq!(answer.text().contains(&told), status == 502, "{}", answer.text());
    }
    scene.end().await
}

#[tokio::test]
async fn tokens_are_counted_by_whoever_can_and_guessed_by_nobody() -> Result<()> {
    let anthropic = json!({"model": "m", "system": "Be brief.", "messages": [{"role": "user", "content": "Hello"}]});
    let google = json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]});
    let wrapped = json!({"generateContentRequest": {"model": "models/m", "contents": google["contents"]}});
    for (provider, builder, model) in [
        ("Anthropic", Anthropic::builder(), "claude-sonnet-4-5"),
        ("Gemini", Gemini::builder(), "gemini-2.5-flash"),
    ] {
        let scene = of(provider, builder, model).await?;
        let counted = scene.ask("/v1/messages/count_tokens", anthropic.clone()).await?;
        assert!(
            counted["input_tokens"].as_u64().is_some_and(|count| count > 0),
            "{counted}"
        );
        for body in [&google, &wrapped] {
            let counted = scene.ask("/v1beta/models/m:countTokens", body.clone()).await?;
            assert!(
                counted["totalTokens"].as_u64().is_some_and(|count| count > 0),
                "{counted}"
            );
        }
        scene.end().await?;
    }
    let scene = openai("gpt-4o").await?;
    for (path, body) in [
        ("/v1/messages/count_tokens", anthropic),
        ("/v1beta/models/m:countTokens", google),
    ] {
        let answer = scene.client.post(path, body.to_string()).await?;
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.text().contains("counts no tokens"), "{}", answer.text());
    }
    assert!(scene.targets().is_empty());
    scene.end().await
}

#[tokio::test]
async fn rankings_are_made_by_whoever_can_in_either_form() -> Result<()> {
    let asked = json!({"model": "m", "query": "capital of Norway", "top_n": 1,
        "documents": ["Paris is in France", "Oslo is the capital of Norway"]});
    for (scene, target) in [
        (openai("bge-reranker").await?, "/v1/rerank"),
        (of("Cohere", Cohere::builder(), "rerank-v3.5").await?, "/v2/rerank"),
    ] {
        for path in ["/v1/rerank", "/v2/rerank"] {
            let ranked = scene.ask(path, asked.clone()).await?;
            assert_eq!(ranked["results"][0]["index"], 1, "{ranked}");
            assert_eq!(ranked["results"].as_array().map(Vec::len), Some(1));
            // Cohere's form counts otherwise.
            assert_eq!(ranked["usage"].is_object(), path == "/v1/rerank", "{ranked}");
            assert_eq!(ranked["meta"].is_object(), path == "/v2/rerank", "{ranked}");
        }
        assert_eq!(scene.targets(), [target, target]);
        scene.end().await?;
    }
    for scene in [
        of("Anthropic", Anthropic::builder(), "claude-sonnet-4-5").await?,
        of("OpenAI", OpenAi::builder(), "gpt-4o").await?,
    ] {
        let answer = scene.client.post("/v1/rerank", asked.to_string()).await?;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("ranks no documents"), "{}", answer.text());
        assert!(scene.targets().is_empty());
        scene.end().await?;
    }
    Ok(())
}

/// The common form is answered with the documents, and may have them as objects; Cohere knows neither.
#[tokio::test]
async fn what_a_ranking_says_in_one_form_alone_is_made_up_for_or_named() -> Result<()> {
    let documents = json!([{"text": "Paris is in France"}, "Oslo is the capital of Norway"]);
    let asked = json!({"model": "m", "query": "capital of Norway", "documents": documents, "truncation": false});
    let scene = of("Cohere", Cohere::builder(), "rerank-v3.5").await?;
    let answer = scene.client.post("/v1/rerank", asked.to_string()).await?;
    assert_eq!(
        (answer.status, answer.header("x-pilotfish-loss")),
        (200, Some("truncation"))
    );
    let ranked = answer.json()?;
    let documents: Vec<_> = (0..2).map(|at| &ranked["results"][at]["document"]["text"]).collect();
    assert_eq!(documents, ["Oslo is the capital of Norway", "Paris is in France"]);
    let sent = scene.fake.received()[0].json()?;
    assert_eq!(sent["documents"][0], "Paris is in France");
    let picture = json!({"model": "m", "query": "q", "documents": [{"image": "https://example.com/a.png"}]});
    let answer = scene.client.post("/v1/rerank", picture.to_string()).await?;
    assert!(
        answer.status == 400 && answer.text().contains("documents[0]"),
        "{}",
        answer.text()
    );
    scene.end().await?;
    let scene = openai("bge-reranker").await?;
    let asked = json!({"model": "m", "query": "capital", "documents": ["a capital"], "max_tokens_per_doc": 99});
    let answer = scene.client.post("/v2/rerank", asked.to_string()).await?;
    assert_eq!(
        (answer.status, answer.header("x-pilotfish-loss")),
        (200, Some("max_tokens_per_doc"))
    );
    assert!(answer.json()?["results"][0]["document"].is_null());
    scene.end().await
}

#[tokio::test]
async fn completions_pass_through_whole_and_streamed() -> Result<()> {
    let scene = openai("gpt-3.5-turbo-instruct").await?;
    let asked = json!({"model": "m", "prompt": "Once upon a time", "max_tokens": 9});
    for path in ["/v1/completions", "/openai/deployments/m/completions?api-version=1"] {
        let answer = scene.ask(path, asked.clone()).await?;
        assert_eq!(answer["choices"][0]["text"], "Once upon a time and so on");
    }
    let mut streamed = asked;
    streamed["stream"] = true.into();
    let answer = scene.client.post("/v1/completions", streamed.to_string()).await?;
    let text = answer.text();
    assert!(text.ends_with("data: [DONE]\n\n") && !text.contains("usage"), "{text}");
    let sent: Value = serde_json::from_slice(&scene.fake.received()[2].body)?;
    assert_eq!(sent["stream_options"], json!({"include_usage": true}));
    scene.end().await
}

/// One user's message there, and the text that follows here.
#[tokio::test]
async fn completions_are_made_of_conversations_where_there_are_no_others() -> Result<()> {
    for (provider, builder, model, path) in [
        ("OpenAI", OpenAi::builder(), "gpt-4o", "/v1/chat/completions"),
        ("Anthropic", Anthropic::builder(), "claude-sonnet-4-5", "/v1/messages"),
        (
            "Gemini",
            Gemini::builder(),
            "gemini-2.5-flash",
            "/v1beta/models/gemini-2.5-flash:generateContent",
        ),
        ("Cohere", Cohere::builder(), "command-a-03-2025", "/v2/chat"),
        ("Ollama", Ollama::builder(), "llama3.2", "/api/chat"),
    ] {
        let scene = of(provider, builder, model).await?;
        let mut asked = json!({"model": "m", "prompt": "Once upon a time", "max_tokens": 400});
        let answer = scene.ask("/v1/completions", asked.clone()).await?;
        assert_eq!(answer["object"], "text_completion", "{provider}");
        let echo = "Echo from east: Once upon a time";
        assert_eq!(answer["choices"][0]["text"], echo, "{provider}: {answer}");
        assert_eq!(answer["choices"][0]["finish_reason"], "stop", "{provider}");
        assert!(
            answer["usage"]["completion_tokens"].as_u64() > Some(0),
            "{provider}: {answer}"
        );
        asked["stream"] = true.into();
        asked["stream_options"] = json!({"include_usage": true});
        let streamed = scene.client.post("/v1/completions", asked.to_string()).await?.text();
        assert!(streamed.ends_with("data: [DONE]\n\n"), "{provider}: {streamed}");
        let chunks = streamed
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
        let chunks: Vec<Value> = chunks.collect();
        let text: String = chunks
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["text"].as_str())
            .collect();
        assert_eq!(text, echo, "{provider}");
        assert!(
            chunks.iter().all(|chunk| chunk["object"] == "text_completion"),
            "{provider}: {streamed}"
        );
        assert!(
            chunks.last().is_some_and(|last| last["usage"].is_object()),
            "{provider}: {streamed}"
        );
        assert_eq!(scene.targets()[0], path);
        scene.end().await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_no_conversation_can_say_of_a_completion_is_refused_by_name() -> Result<()> {
    let scene = of("Anthropic", Anthropic::builder(), "claude-sonnet-4-5").await?;
    for (field, value) in [
        ("suffix", json!("the end")),
        ("echo", json!(true)),
        ("best_of", json!(2)),
        ("logprobs", json!(0)),
        ("n", json!(2)),
        ("prompt", json!(["one", "two"])),
        ("prompt", json!([1, 2])),
    ] {
        let mut asked = json!({"model": "m", "prompt": "Once"});
        asked[field] = value;
        let answer = scene.client.post("/v1/completions", asked.to_string()).await?;
        assert_eq!(answer.status, 400, "{field}: {}", answer.text());
        assert!(answer.text().contains(field), "{field}: {}", answer.text());
    }
    assert!(scene.targets().is_empty());
    scene.end().await
}
