//! What is served where: the paths of both APIs, the models on offer, the telemetry port, HTTP/2.

use crate::bad_input::{KEY, Scene, model};
use anyhow::{Context, Result};
use pilotfish_provider::{Outcome, Pause, Point, Step};
use pilotfish_tests::raw::Raw;
use pilotfish_tests::{Deployment, Dialect, Launch, Policy};
use serde_json::{Value, json};

#[tokio::test]
async fn openais_paths_are_served_with_and_without_their_version() -> Result<()> {
    let scene = Scene::start().await?;
    for path in [
        "/v1/chat/completions",
        "/chat/completions",
        "/v1/chat/completions?api-version=1",
    ] {
        let answer = scene.client.post(path, scene.request(Dialect::Chat)).await?;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    for path in ["/v1/responses", "/responses"] {
        let body = json!({"model": model(Dialect::Chat), "input": "Hello"}).to_string();
        let answer = scene.client.post(path, body).await?;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.json()?["object"], "response");
    }
    assert_eq!(scene.client.send("GET", "/models").await?.status, 200);
    scene.end().await
}

#[tokio::test]
async fn azures_paths_name_the_model() -> Result<()> {
    let scene = Scene::start().await?;
    let body = json!({"messages": [{"role": "user", "content": "Hello"}]}).to_string();
    let path = |model: &str| format!("/openai/deployments/{model}/chat/completions?api-version=2024-10-21");
    let answer = scene.client.post(&path("ch%61t"), body.clone()).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let keyed = scene.client.header("api-key", KEY);
    let answer = keyed.post(&path("garbage-chat"), body).await?;
    assert_eq!(
        answer.status,
        403,
        "what is authorised is the path's: {}",
        answer.text()
    );
    scene.end().await
}

#[tokio::test]
async fn google_s_paths_are_served_and_its_models_listed() -> Result<()> {
    let scene = Scene::start().await?;
    let question = json!({"contents": [{"parts": [{"text": "Hello"}]}]}).to_string();
    for (model, version) in [("chat", "v1beta"), ("messages", "v1"), ("ch%61t", "v1beta")] {
        let path = |method: &str| format!("/{version}/models/{model}:{method}");
        let answer = scene.client.post(&path("generateContent"), question.clone()).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let said = answer.json()?["candidates"][0]["content"]["parts"][0]["text"].clone();
        assert!(said.as_str().is_some_and(|said| said.contains("Hello")), "{said}");
        let array = scene
            .client
            .post(&path("streamGenerateContent"), question.clone())
            .await?;
        assert_eq!(array.header("content-type"), Some("application/json"));
        let chunks = array.json()?;
        let texts = chunks.as_array().context("an array")?.iter();
        let texts = texts.filter_map(|chunk| chunk["candidates"][0]["content"]["parts"][0]["text"].as_str());
        assert_eq!(texts.collect::<String>(), said.as_str().unwrap_or_default());
    }
    let keyed = format!("/v1beta/models/keyed:generateContent?key={KEY}");
    let refused = scene.client.post(&keyed, question.clone()).await?;
    assert_eq!(refused.status, 403, "the key is known, and may not: {}", refused.text());
    assert_eq!(refused.json()?["error"]["status"], "PERMISSION_DENIED");
    let unserved = scene
        .client
        .post("/v1beta/models/chat:predict", question.clone())
        .await?;
    assert_eq!(
        (unserved.status, &unserved.json()?["error"]["status"]),
        (501, &json!("UNIMPLEMENTED"))
    );
    let google = scene.client.header("x-goog-api-key", "anything");
    for (client, path) in [(&scene.client, "/v1beta/models"), (&google, "/v1/models")] {
        let list = client.send("GET", path).await?.json()?;
        assert_eq!(list["models"][0]["name"], "models/chat", "{list}");
    }
    for name in ["gpt-9", "org/name"] {
        let unknown = google.send("GET", &format!("/v1/models/{name}")).await?;
        let told = &unknown.json()?["error"];
        assert_eq!((unknown.status, &told["status"]), (404, &json!("NOT_FOUND")), "{told}");
    }
    let one = scene.client.send("GET", "/v1beta/models/chat").await?.json()?;
    assert_eq!(one["displayName"], "chat");
    scene.end().await
}

#[tokio::test]
async fn embeddings_go_where_there_are_some() -> Result<()> {
    let embeds = Dialect::Chat.provider("embeds").start().await?;
    let talks = Dialect::Messages.provider("talks").start().await?;
    let documents = [
        Deployment::of(Dialect::Chat, "embeds", &embeds)
            .model("text-embedding-3-small")
            .to_string(),
        Deployment::of(Dialect::Messages, "talks", &talks).to_string(),
        Policy::named("embed").in_order(["talks", "embeds"]).to_string(),
        Policy::named("chat").in_order(["talks"]).to_string(),
    ];
    let pilotfish = Launch::run(&documents).start().await?;
    let client = pilotfish_tests::Client::new(&pilotfish)?;
    for path in ["/v1/embeddings", "/embeddings"] {
        let request = json!({"model": "embed", "input": ["one", "two"]});
        let answer = client.post(path, request.to_string()).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/embeds"));
        assert_eq!(answer.json()?["data"].as_array().context("a list")?.len(), 2);
    }
    let request = json!({"model": "chat", "input": "one"});
    let refused = client.post("/v1/embeddings", request.to_string()).await?;
    let said = refused.error(Dialect::Chat)?;
    assert_eq!(
        (refused.status, said.code.as_deref()),
        (400, Some("unsupported_by_deployment"))
    );
    assert!(said.message.contains("default/talks: has no embeddings"), "{said:?}");
    pilotfish.at_rest(&[&embeds, &talks]).await
}

#[tokio::test]
async fn a_model_that_cannot_embed_still_talks() -> Result<()> {
    let talks = Dialect::Chat.provider("talks").start().await?;
    let documents = [
        Deployment::of(Dialect::Chat, "talks", &talks).to_string(),
        Policy::named("chat").targets(["talks"]).to_string(),
    ];
    let pilotfish = Launch::run(&documents).start().await?;
    let client = pilotfish_tests::Client::new(&pilotfish)?;
    let embed = json!({"model": "chat", "input": "one"}).to_string();
    for _ in 0..3 {
        let refused = client.post("/v1/embeddings", embed.clone()).await?;
        assert_eq!(refused.status, 502, "{}", refused.text());
        let said = refused.error(Dialect::Chat)?.message;
        assert!(said.contains("not allowed to generate embeddings"), "{said}");
    }
    assert_eq!(
        client.post("/v1/embeddings", embed).await?.status,
        503,
        "it is not asked again"
    );
    let answer = client
        .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
        .await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    pilotfish.at_rest(&[&talks]).await
}

/// The values of `id` in a list of models.
fn ids(list: &Value) -> Vec<&str> {
    let models = list["data"].as_array().into_iter().flatten();
    models.filter_map(|model| model["id"].as_str()).collect()
}

#[tokio::test]
async fn the_models_on_offer_are_listed_in_both_shapes() -> Result<()> {
    let scene = Scene::start().await?;
    let anthropic = scene.client.header("anthropic-version", "2023-06-01");
    let keyed = scene.client.header("x-api-key", KEY);

    let list = scene.client.send("GET", "/v1/models").await?.json()?;
    assert_eq!(list["object"], "list");
    assert_eq!(ids(&list), ["chat", "garbage-chat", "garbage-messages", "messages"]);
    assert_eq!(list["data"][0]["object"], "model");
    let list = anthropic.send("GET", "/v1/models").await?.json()?;
    assert_eq!(
        (&list["has_more"], &list["first_id"], &list["last_id"]),
        (&json!(false), &json!("chat"), &json!("messages"))
    );
    assert_eq!(list["data"][0]["type"], "model");
    assert_eq!(
        ids(&keyed.send("GET", "/v1/models").await?.json()?),
        ["chat", "messages"]
    );

    let one = scene.client.send("GET", "/v1/models/chat").await?.json()?;
    assert_eq!((&one["id"], &one["object"]), (&json!("chat"), &json!("model")));
    let one = anthropic.send("GET", "/v1/models/chat").await?.json()?;
    assert_eq!((&one["id"], &one["type"]), (&json!("chat"), &json!("model")));
    let unknown = anthropic.send("GET", "/v1/models/gpt-9").await?;
    assert_eq!(
        (unknown.status, &*unknown.error(Dialect::Messages)?.kind),
        (404, "not_found_error")
    );
    for (client, name) in [(&scene.client, "gpt-9"), (&keyed, "garbage-chat")] {
        let answer = client.send("GET", &format!("/v1/models/{name}")).await?;
        assert_eq!(answer.error(Dialect::Chat)?.code.as_deref(), Some("model_not_found"));
        assert_eq!(answer.status, 404);
    }
    let head = scene.client.send("HEAD", "/v1/models").await?;
    assert_eq!((head.status, head.body.len()), (200, 0));
    scene.end().await
}

#[tokio::test]
async fn the_telemetry_port_serves_three_paths_and_the_other_none_of_them() -> Result<()> {
    let scene = Scene::start().await?;
    let telemetry = format!("http://{}", scene.pilotfish.telemetry());
    let http = reqwest::Client::builder()
        .tls_certs_only([])
        .pool_max_idle_per_host(0)
        .build()?;
    for (method, path, status) in [
        ("GET", "/readyz", 200),
        ("GET", "/livez", 200),
        ("HEAD", "/metrics", 200),
        ("GET", "/metrics", 200),
        ("GET", "/", 404),
        ("GET", "/debug", 404),
        ("GET", "/v1/models", 404),
        ("POST", "/readyz", 405),
        ("POST", "/v1/chat/completions", 405),
    ] {
        let answer = http
            .request(method.parse()?, format!("{telemetry}{path}"))
            .send()
            .await?;
        assert_eq!(answer.status(), status, "{method} {path}");
        if status == 405 {
            assert_eq!(answer.headers()["allow"], "GET, HEAD");
        }
    }
    for path in ["/metrics", "/readyz", "/livez"] {
        assert_eq!(scene.client.send("GET", path).await?.status, 404);
    }
    scene.end().await
}

#[tokio::test]
async fn http2_without_tls_is_served_and_its_streams_are_cancelled_one_by_one() -> Result<()> {
    let scene = Scene::start().await?;
    let http = reqwest::Client::builder()
        .tls_certs_only([])
        .http2_prior_knowledge()
        .build()?;
    for dialect in Dialect::BOTH {
        let post = |body: String| {
            http.post(format!("{}{}", scene.pilotfish.url(), dialect.path()))
                .body(body)
        };
        let answer = post(scene.request(dialect)).send().await?;
        assert_eq!(
            (answer.version(), answer.status()),
            (reqwest::Version::HTTP_2, reqwest::StatusCode::OK)
        );
        answer.bytes().await?;
        let refused = post("{".to_owned()).send().await?;
        assert_eq!(refused.status(), 400);
        refused.bytes().await?;

        let number = scene.fake(dialect).received().len();
        scene
            .fake(dialect)
            .script([Step::normal().pause(Point::Content(1), Pause::Forever)]);
        let stream = dialect.stream_request(model(dialect), "Hello").to_string();
        let mut answer = post(stream).send().await?;
        assert!(answer.chunk().await?.is_some());
        drop(answer);
        assert_eq!(scene.fake(dialect).ended(number).await?.outcome, Outcome::ClientGone);
        // The connection serves on.
        assert_eq!(post(scene.request(dialect)).send().await?.status(), 200);
    }
    let metrics = scene.pilotfish.metrics().await?;
    assert_eq!(metrics.sum("pilotfish_connections", &[("side", "downstream")]), 1.0);
    drop(http);
    scene.end().await
}

#[tokio::test]
async fn requests_on_one_connection_are_answered_in_their_order() -> Result<()> {
    let scene = Scene::start().await?;
    let mut raw = Raw::connect(scene.pilotfish.address()).await?;
    let one = |dialect: Dialect, body: &str| {
        let (path, length) = (dialect.path(), body.len());
        format!("POST {path} HTTP/1.1\r\nhost: pilotfish\r\ncontent-length: {length}\r\n\r\n{body}")
    };
    let all = [
        one(Dialect::Chat, &scene.request(Dialect::Chat)),
        one(Dialect::Messages, "{"),
        "GET /v1/models HTTP/1.1\r\nhost: pilotfish\r\n\r\n".to_owned(),
        one(Dialect::Messages, &scene.request(Dialect::Messages)),
    ];
    raw.send(all.concat()).await?;
    for status in [200, 400, 200, 200] {
        let answer = raw.answer().await?;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    drop(raw);
    scene.end().await
}
