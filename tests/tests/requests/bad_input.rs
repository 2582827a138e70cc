//! Bad input: each has a status and an error body in the client's dialect, and leaves nothing behind.

use crate::memory;
use anyhow::{Context, Result, ensure};
use pilotfish_provider::{Fake, HangUp, Point, Step};
use pilotfish_tests::documents::virtual_key;
use pilotfish_tests::raw::{Raw, Upstream};
use pilotfish_tests::{Answer, Client, Deployment, Dialect, Launch, Pilotfish, Policy};
use serde_json::json;

pub(crate) const KEY: &str = "sk-pf-good-good-good-good-good";
const DISABLED: &str = "sk-pf-disabled-disabled-disabled";
const EXPIRED: &str = "sk-pf-expired-expired-expired-ex";
const UNKNOWN: &str = "sk-pf-unknown-unknown-unknown-un";

/// One process before a provider of each dialect, and before something that is none.
pub(crate) struct Scene {
    pub(crate) pilotfish: Pilotfish,
    pub(crate) client: Client,
    openai: Fake,
    anthropic: Fake,
    _garbage: Upstream,
}

impl Scene {
    pub(crate) async fn start() -> Result<Self> {
        let openai = Dialect::Chat.provider("openai").start().await?;
        let anthropic = Dialect::Messages.provider("anthropic").start().await?;
        let garbage = Upstream::saying("220 smtp.example ESMTP\r\n").await?;
        let documents = [
            Deployment::of(Dialect::Chat, "openai", &openai).to_string(),
            Deployment::of(Dialect::Messages, "anthropic", &anthropic).to_string(),
            Deployment::at(Dialect::Chat, "garbage-chat", &garbage.url()).to_string(),
            Deployment::at(Dialect::Messages, "garbage-messages", &garbage.url()).to_string(),
            Policy::named("chat").targets(["openai"]).to_string(),
            Policy::named("messages").targets(["anthropic"]).to_string(),
            Policy::named("garbage-chat").targets(["garbage-chat"]).to_string(),
            Policy::named("garbage-messages")
                .targets(["garbage-messages"])
                .to_string(),
            Policy::named("keyed")
                .targets(["openai"])
                .with("authentication: {require: VirtualKey}")
                .to_string(),
            virtual_key("good", KEY, "models: [chat, messages]"),
            virtual_key("disabled", DISABLED, "disabled: true"),
            virtual_key("expired", EXPIRED, "expiresAt: \"2020-01-01T00:00:00Z\""),
        ];
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?;
        Ok(Self {
            pilotfish,
            client,
            openai,
            anthropic,
            _garbage: garbage,
        })
    }

    pub(crate) fn fake(&self, dialect: Dialect) -> &Fake {
        match dialect {
            Dialect::Chat => &self.openai,
            Dialect::Messages => &self.anthropic,
        }
    }

    /// A request that would be answered.
    pub(crate) fn request(&self, dialect: Dialect) -> String {
        dialect.request(model(dialect), "Hello").to_string()
    }

    async fn connect(&self) -> Result<Raw> {
        Raw::connect(self.pilotfish.address()).await
    }

    /// Nothing is left, and good requests are answered as before.
    pub(crate) async fn end(&self) -> Result<()> {
        for dialect in Dialect::BOTH {
            let answer = self.client.post(dialect.path(), self.request(dialect)).await?;
            ensure!(answer.status == 200, "{}", answer.text());
        }
        self.pilotfish.back_to_idle(&[&self.openai, &self.anthropic]).await
    }
}

/// The model that the provider of this dialect serves.
pub(crate) fn model(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat => "chat",
        Dialect::Messages => "messages",
    }
}

/// What is expected of a refusal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    /// OpenAI's `type`, and Anthropic's.
    pub(crate) kinds: [&'static str; 2],
    pub(crate) code: Option<&'static str>,
    /// Part of the sentence.
    pub(crate) says: &'static str,
}

impl Refused {
    pub(crate) fn check(&self, answer: &Answer, dialect: Dialect) -> Result<()> {
        let Self {
            status,
            kinds,
            code,
            says,
        } = *self;
        assert_eq!(answer.status, status, "{self:?}: {}", answer.text());
        let said = answer.error(dialect)?;
        let kind = kinds[usize::from(dialect == Dialect::Messages)];
        assert_eq!((&*said.kind, said.code.as_deref()), (kind, code), "{self:?}: {said:?}");
        assert!(said.message.contains(says), "{self:?}: {said:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        for name in [
            "x-pilotfish-request-id",
            "x-request-id",
            "request-id",
            "x-pilotfish-config",
        ] {
            assert!(answer.header(name).is_some(), "{self:?}: no {name}");
        }
        Ok(())
    }
}

const INVALID: [&str; 2] = ["invalid_request_error", "invalid_request_error"];

const fn bad_request(says: &'static str) -> Refused {
    Refused {
        status: 400,
        kinds: INVALID,
        code: None,
        says,
    }
}

/// Posts `body` in both dialects: refused like this, and no provider sees it.
async fn refused(scene: &Scene, expected: Refused, body: impl Fn(Dialect) -> Vec<u8>) -> Result<()> {
    for dialect in Dialect::BOTH {
        let before = scene.fake(dialect).received().len();
        let answer = scene.client.post(dialect.path(), body(dialect)).await?;
        expected.check(&answer, dialect)?;
        assert_eq!(scene.fake(dialect).received().len(), before, "{expected:?}");
    }
    Ok(())
}

async fn malformed_json(scene: &Scene) -> Result<()> {
    for body in [
        "",
        " ",
        "{",
        "nonsense",
        "[]",
        "\"chat\"",
        "null",
        "{\"model\": \"chat\"",
        "{\"model\": \"chat\",}",
        "{\"model\": \"chat\"} {}",
        "{\"model\": \"chat\", \"x\": NaN}",
        "{\"model\": \"chat\", \"x\": 01}",
        "{'model': 'chat'}",
        "{\"model\": \"ch\nat\"}",
        "\u{feff}{\"model\": \"chat\"}",
        "{\"model\": \"\\ud800 \\q\"}",
    ] {
        let says = "the request body cannot be read";
        refused(scene, bad_request(says), |_| body.as_bytes().to_vec())
            .await
            .with_context(|| body.to_owned())?;
    }
    Ok(())
}

async fn wrong_model_fields(scene: &Scene) -> Result<()> {
    for (body, says) in [
        (r#"{"messages": []}"#, "model is missing"),
        (
            r#"{"model": "chat", "messages": [], "model": "chat"}"#,
            "model must occur only once",
        ),
        (
            r#"{"model": "chat", "messages": [], "mod\u0065l": "messages"}"#,
            "model must occur only once",
        ),
        (r#"{"model": null}"#, "model must be a string"),
        (r#"{"model": 4}"#, "model must be a string"),
        (r#"{"model": ""}"#, "model must not be empty"),
        (r#"{"model": "chat", "stream": "yes"}"#, "stream must be true or false"),
    ] {
        refused(scene, bad_request(says), |_| body.as_bytes().to_vec()).await?;
    }
    Ok(())
}

/// A name is repeated in the error: the longest that is taken is no longer than one in a policy may be.
async fn endless_model_name(scene: &Scene) -> Result<()> {
    let says = "model must not be longer than 256 bytes";
    for (length, expected) in [
        (256, None),
        (257, Some(bad_request(says))),
        (20 << 20, Some(bad_request(says))),
    ] {
        let body = format!("{{\"model\": \"{}\"}}", "m".repeat(length));
        match expected {
            Some(expected) => refused(scene, expected, |_| body.clone().into_bytes()).await?,
            None => {
                let answer = scene.client.post(Dialect::Chat.path(), body).await?;
                assert_eq!(answer.status, 404, "{}", answer.text());
            }
        }
    }
    Ok(())
}

async fn nesting(scene: &Scene) -> Result<()> {
    const LEVELS: usize = 20_000;
    let deep = |open: &str, close: &str| {
        format!(
            "{{\"model\": \"chat\", \"messages\": {}{}}}",
            open.repeat(LEVELS),
            close.repeat(LEVELS)
        )
    };
    for body in [
        deep("[", "]"),
        deep("{\"a\":", "}"),
        deep("[{\"a\":", "}]"),
        deep("[", ""),
    ] {
        let says = "the request body cannot be read";
        refused(scene, bad_request(says), |_| body.clone().into_bytes()).await?;
    }
    Ok(())
}

async fn invalid_utf8(scene: &Scene) -> Result<()> {
    for bytes in [&b"\xff"[..], b"\xc3\x28", b"\xed\xa0\x80", b"\xf0\x9f"] {
        let body = [
            &b"{\"model\": \"chat\", \"messages\": [{\"role\": \"user\", \"content\": \""[..],
            bytes,
            b"\"}]}",
        ]
        .concat();
        refused(scene, bad_request("the request body cannot be read"), |_| body.clone()).await?;
    }
    Ok(())
}

async fn unknown_model(scene: &Scene) -> Result<()> {
    let expected = Refused {
        status: 404,
        kinds: ["invalid_request_error", "not_found_error"],
        code: Some("model_not_found"),
        says: "on offer: chat, garbage-chat, garbage-messages",
    };
    refused(scene, expected, |dialect| {
        dialect.request("gpt-9", "Hello").to_string().into_bytes()
    })
    .await?;
    // With a key: what this key may ask for.
    let client = scene.client.header("x-api-key", KEY);
    for dialect in Dialect::BOTH {
        let answer = client.ask(dialect, &dialect.request("gpt-9", "Hello")).await?;
        let says = "no policy offers the model \"gpt-9\" here; on offer: chat, messages";
        Refused { says, ..expected }.check(&answer, dialect)?;
        assert!(!answer.text().contains("garbage"), "{}", answer.text());
    }
    Ok(())
}

async fn wrong_keys(scene: &Scene) -> Result<()> {
    let unauthorised = |code, says| Refused {
        status: 401,
        kinds: ["authentication_error", "authentication_error"],
        code: Some(code),
        says,
    };
    let headers = [
        ("authorization", "Bearer "),
        ("x-api-key", ""),
        ("api-key", ""),
        ("x-goog-api-key", ""),
    ];
    for (key, expected) in [
        (UNKNOWN, unauthorised("invalid_api_key", "is not known here")),
        (DISABLED, unauthorised("key_disabled", "default/disabled is disabled")),
        (EXPIRED, unauthorised("key_expired", "default/expired has expired")),
    ] {
        for (name, scheme) in headers {
            let client = scene.client.header(name, &format!("{scheme}{key}"));
            for dialect in Dialect::BOTH {
                let answer = client.post(dialect.path(), scene.request(dialect)).await?;
                expected.check(&answer, dialect)?;
                assert!(!answer.text().contains(key), "a key in an answer");
            }
        }
    }
    for dialect in Dialect::BOTH {
        let keyed = dialect.request("keyed", "Hello");
        let answer = scene
            .client
            .header("authorization", "Bearer anything")
            .ask(dialect, &keyed)
            .await?;
        unauthorised("key_required", "asks for a virtual key").check(&answer, dialect)?;
        let answer = scene
            .client
            .header("authorization", &format!("Bearer {KEY}"))
            .ask(dialect, &keyed)
            .await?;
        let forbidden = Refused {
            status: 403,
            kinds: ["permission_error", "permission_error"],
            code: Some("model_not_allowed"),
            says: "may not ask for the model \"keyed\"",
        };
        forbidden.check(&answer, dialect)?;
    }
    let log = scene.pilotfish.log();
    assert!(
        [KEY, UNKNOWN, DISABLED, EXPIRED].iter().all(|key| !log.contains(key)),
        "a key in the log"
    );
    Ok(())
}

async fn wrong_methods(scene: &Scene) -> Result<()> {
    let expected = |says| Refused {
        status: 405,
        kinds: INVALID,
        code: Some("method_not_supported"),
        says,
    };
    for (method, path, allow, dialect) in [
        ("GET", "/v1/chat/completions", "POST", Dialect::Chat),
        ("PUT", "/chat/completions", "POST", Dialect::Chat),
        ("DELETE", "/v1/embeddings", "POST", Dialect::Chat),
        ("PATCH", "/v1/messages", "POST", Dialect::Messages),
        ("OPTIONS", "/v1/messages", "POST", Dialect::Messages),
        ("POST", "/v1/models", "GET, HEAD", Dialect::Chat),
        ("BREW", "/v1/models/chat", "GET, HEAD", Dialect::Chat),
    ] {
        let answer = scene.client.send(method, path).await?;
        expected("this path takes").check(&answer, dialect)?;
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
    Ok(())
}

async fn unknown_paths(scene: &Scene) -> Result<()> {
    let expected = Refused {
        status: 404,
        kinds: ["invalid_request_error", "not_found_error"],
        code: Some("unknown_url"),
        says: "unknown path",
    };
    for path in [
        "/",
        "/v1",
        "/v2/chat/completions",
        "/messages",
        "/v1/chat/completions/",
        "/metrics",
    ] {
        for method in ["GET", "POST"] {
            expected.check(&scene.client.send(method, path).await?, Dialect::Chat)?;
        }
    }
    Ok(())
}

async fn encoded_bodies(scene: &Scene) -> Result<()> {
    let expected = Refused {
        status: 415,
        kinds: INVALID,
        code: Some("unsupported_content_encoding"),
        says: "send it as plain JSON",
    };
    for encoding in ["gzip", "br", "GZIP", "identity, gzip", "zstd", "x-unknown"] {
        let client = scene.client.header("content-encoding", encoding);
        for dialect in Dialect::BOTH {
            expected.check(&client.post(dialect.path(), scene.request(dialect)).await?, dialect)?;
        }
    }
    let client = scene.client.header("content-encoding", "identity");
    let plain = client.post(Dialect::Chat.path(), scene.request(Dialect::Chat)).await?;
    assert_eq!(plain.status, 200, "{}", plain.text());
    Ok(())
}

async fn length_and_chunked(scene: &Scene) -> Result<()> {
    let expected = Refused {
        status: 400,
        kinds: INVALID,
        code: Some("ambiguous_length"),
        says: "both a content-length and a transfer-encoding",
    };
    for dialect in Dialect::BOTH {
        for lengths in [
            ["content-length: 5", "transfer-encoding: chunked"],
            ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ] {
            let body = scene.request(dialect);
            let mut raw = scene.connect().await?;
            let first = format!("POST {} HTTP/1.1", dialect.path());
            raw.head(&[&*first, "host: pilotfish", lengths[0], lengths[1]]).await?;
            raw.send(format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())).await?;
            expected.check(&raw.answer().await?, dialect)?;
        }
    }
    Ok(())
}

async fn too_many_headers(scene: &Scene) -> Result<()> {
    // 600 KiB of them, and more than anybody sends: hyper's own refusals, which have no body.
    let long = [format!("x-long: {}", "h".repeat(600 * 1024))];
    let several: Vec<String> = (0..600)
        .map(|number| format!("x-{number}: {}", "h".repeat(1024)))
        .collect();
    let many: Vec<String> = (0..200).map(|number| format!("x-{number}: h")).collect();
    for headers in [&long[..], &several, &many] {
        let mut raw = scene.connect().await?;
        raw.send("POST /v1/chat/completions HTTP/1.1\r\nhost: pilotfish\r\n")
            .await?;
        for header in headers {
            // It may have had enough before the last of them.
            if raw.send(format!("{header}\r\n")).await.is_err() {
                break;
            }
        }
        drop(raw.send("\r\n").await);
        let answer = raw.answer().await?;
        assert_eq!((answer.status, &*answer.body), (431, &b""[..]));
    }
    Ok(())
}

async fn no_http(scene: &Scene) -> Result<()> {
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello over TLS"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost : x\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"POST /v1/chat/completions HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\nhello!",
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\r\n\r\n",
    ] {
        let mut raw = scene.connect().await?;
        raw.send(bytes).await?;
        let answer = raw.answer().await?;
        assert_eq!(
            (answer.status, &*answer.body),
            (400, &b""[..]),
            "{}",
            bytes.escape_ascii()
        );
        assert_eq!(raw.rest().await?, "", "and the connection ends");
    }
    Ok(())
}

async fn cut_bodies(scene: &Scene) -> Result<()> {
    let expected = Refused {
        status: 400,
        kinds: INVALID,
        code: Some("body_incomplete"),
        says: "ended early or was framed wrongly",
    };
    for dialect in Dialect::BOTH {
        let first = format!("POST {} HTTP/1.1", dialect.path());
        // Framed wrongly: told, and the connection cannot go on.
        for chunks in ["5\r\nhello6\r\n", "zz\r\nhello", "5;", "ffffffffffffffffff\r\n"] {
            let mut raw = scene.connect().await?;
            raw.head(&[&*first, "host: pilotfish", "transfer-encoding: chunked"])
                .await?;
            raw.send(chunks).await?;
            raw.finish().await?;
            if let Ok(answer) = raw.answer().await {
                expected.check(&answer, dialect)?;
            }
        }
        // Half a body and a client that goes.
        let mut raw = scene.connect().await?;
        raw.head(&[&*first, "host: pilotfish", "content-length: 100000"])
            .await?;
        raw.send("{\"model\": ").await?;
        scene
            .pilotfish
            .metrics_until(|metrics| metrics.sum("pilotfish_requests_in_flight", &[]) > 0.0)
            .await?;
        drop(raw);
    }
    Ok(())
}

async fn misbehaving_upstreams(scene: &Scene) -> Result<()> {
    let bad_gateway = Refused {
        status: 502,
        kinds: ["server_error", "api_error"],
        code: Some("upstream_error"),
        says: "default/",
    };
    let timeout = Refused {
        status: 504,
        kinds: ["server_error", "timeout_error"],
        code: Some("upstream_timeout"),
        says: "within 0.3 s",
    };
    for dialect in Dialect::BOTH {
        for (step, expected) in [
            (Step::raw(200, "application/json", "{]"), bad_gateway),
            (Step::closed_unanswered().on_fresh_connection(), bad_gateway),
            (Step::normal().hang_up(Point::Byte(10), HangUp::Reset), bad_gateway),
            (Step::normal().content_length(1_000_000), bad_gateway),
        ] {
            // A new connection each time, and a success, or the breaker would have its say.
            scene.fake(dialect).close_idle_connections();
            scene
                .fake(dialect)
                .connections_until(|connections| connections.open == 0)
                .await?;
            scene.fake(dialect).script([step]);
            let answer = scene.client.post(dialect.path(), scene.request(dialect)).await?;
            expected.check(&answer, dialect)?;
            assert_eq!(
                scene.client.post(dialect.path(), scene.request(dialect)).await?.status,
                200
            );
        }
        scene.fake(dialect).script([Step::never()]);
        let hasty = scene.client.header("x-pilotfish-timeout", "300ms");
        let answer = hasty.post(dialect.path(), scene.request(dialect)).await?;
        timeout.check(&answer, dialect)?;
        let garbage = format!("garbage-{}", model(dialect));
        let answer = scene.client.ask(dialect, &dialect.request(&garbage, "Hello")).await?;
        bad_gateway.check(&answer, dialect)?;
    }
    Ok(())
}

/// Runs one part by itself and looks whether it left anything.
macro_rules! alone {
    ($($name:ident: $part:path;)*) => {$(
        #[tokio::test]
        async fn $name() -> Result<()> {
            let scene = Scene::start().await?;
            $part(&scene).await?;
            scene.end().await
        }
    )*};
}

alone! {
    malformed_json_is_refused: malformed_json;
    a_model_field_that_is_not_one_name_is_refused: wrong_model_fields;
    an_endless_model_name_is_refused: endless_model_name;
    twenty_thousand_levels_of_nesting_are_refused: nesting;
    invalid_utf8_is_refused: invalid_utf8;
    an_unknown_model_is_told_what_is_on_offer: unknown_model;
    a_key_that_does_not_hold_is_refused: wrong_keys;
    a_wrong_method_is_told_the_right_one: wrong_methods;
    an_unknown_path_is_refused_in_openais_shape: unknown_paths;
    an_encoded_body_is_refused: encoded_bodies;
    length_and_chunked_together_are_refused: length_and_chunked;
    too_many_headers_are_refused: too_many_headers;
    what_is_not_http_is_refused: no_http;
    a_body_that_is_cut_is_refused: cut_bodies;
    an_upstream_that_misbehaves_is_told_in_the_clients_dialect: misbehaving_upstreams;
    a_body_that_is_too_long_is_refused: memory::too_long;
    a_refused_client_that_still_sends_gets_its_answer: memory::early_refusals;
    bodies_beyond_the_pool_are_refused_for_a_while: memory::pool;
}

/// What a sidecar may occupy after all of it.
const RESIDENT: u64 = 200 * 1024 * 1024;

#[tokio::test]
async fn after_all_of_it_one_process_holds_nothing_and_is_small() -> Result<()> {
    let scene = Scene::start().await?;
    malformed_json(&scene).await?;
    wrong_model_fields(&scene).await?;
    endless_model_name(&scene).await?;
    nesting(&scene).await?;
    invalid_utf8(&scene).await?;
    unknown_model(&scene).await?;
    wrong_keys(&scene).await?;
    wrong_methods(&scene).await?;
    unknown_paths(&scene).await?;
    encoded_bodies(&scene).await?;
    length_and_chunked(&scene).await?;
    too_many_headers(&scene).await?;
    no_http(&scene).await?;
    cut_bodies(&scene).await?;
    misbehaving_upstreams(&scene).await?;
    memory::too_long(&scene).await?;
    memory::early_refusals(&scene).await?;
    memory::pool(&scene).await?;
    scene.end().await?;
    let resident = scene.pilotfish.resident()?;
    ensure!(resident < RESIDENT, "{} MiB", resident >> 20);
    Ok(())
}

#[tokio::test]
async fn invented_models_add_no_series() -> Result<()> {
    let scene = Scene::start().await?;
    let series = |metrics: &pilotfish_tests::Metrics| metrics.count("pilotfish_requests_total", &[]);
    for dialect in Dialect::BOTH {
        scene.client.ask(dialect, &dialect.request("warm-up", "Hello")).await?;
    }
    let before = series(&scene.pilotfish.metrics().await?);
    for number in 0..50 {
        let request = json!({"model": format!("invented-{number}"), "messages": []});
        assert_eq!(scene.client.ask(Dialect::Chat, &request).await?.status, 404);
    }
    let metrics = scene.pilotfish.metrics().await?;
    assert_eq!(series(&metrics), before);
    let others = [("model", "other"), ("code", "404"), ("dialect", "chat")];
    assert_eq!(metrics.sum("pilotfish_requests_total", &others), 51.0);
    scene.end().await
}
