use super::table::OWNER;
use super::*;
use serde_json::json;

/// What a deployment of `provider` with `endpoint` is called at, or why it is not.
fn check(provider: &str, endpoint: serde_json::Value, expected: Result<&[(&str, &str)], &str>) {
    let spec = json!({"provider": provider, "model": "m", "endpoint": endpoint});
    let spec: ModelDeploymentSpec = serde_json::from_value(spec).unwrap();
    let found = find(provider).unwrap().endpoints(&spec);
    let spelled = |endpoint: wire::Endpoint| (format!("{:?}", endpoint.dialect), endpoint.url);
    let found = found
        .map(|endpoints| endpoints.into_iter().map(spelled).collect::<Vec<_>>())
        .map_err(|error| format!("{}: {}", error.field, error.sentence));
    let owned = |&(dialect, url): &(&str, &str)| (dialect.to_owned(), url.to_owned());
    let expected = expected
        .map(|endpoints| endpoints.iter().map(owned).collect::<Vec<_>>())
        .map_err(str::to_owned);
    assert_eq!(found, expected, "{provider}");
}

#[test]
fn a_deployment_is_called_where_the_sdk_of_each_dialect_would() {
    let none = json!({});
    check(
        "OpenAI",
        none.clone(),
        Ok(&[
            ("Chat", "https://api.openai.com/v1"),
            ("Responses", "https://api.openai.com/v1"),
        ]),
    );
    check(
        "XAI",
        none.clone(),
        Ok(&[("Responses", "https://api.x.ai/v1"), ("Chat", "https://api.x.ai/v1")]),
    );
    check(
        "Perplexity",
        none.clone(),
        Ok(&[
            ("Chat", "https://api.perplexity.ai"),
            ("Responses", "https://api.perplexity.ai/v1"),
        ]),
    );
    check(
        "Anthropic",
        none.clone(),
        Ok(&[("Messages", "https://api.anthropic.com")]),
    );
    check(
        "DeepSeek",
        none.clone(),
        Ok(&[
            ("Chat", "https://api.deepseek.com"),
            ("Messages", "https://api.deepseek.com/anthropic"),
        ]),
    );
    check("Cohere", none.clone(), Ok(&[("Cohere", "https://api.cohere.ai")]));
    check(
        "Cohere",
        json!({"dialects": [{"name": "Chat"}]}),
        Ok(&[("Chat", "https://api.cohere.ai/compatibility/v1")]),
    );
    check(
        "OpenRouter",
        none,
        Ok(&[
            ("Chat", "https://openrouter.ai/api/v1"),
            ("Messages", "https://openrouter.ai/api"),
            ("Responses", "https://openrouter.ai/api/v1"),
        ]),
    );
}

/// Each of them says so in its own description of its API.
#[test]
fn a_provider_that_speaks_chat_is_a_row_and_a_line() {
    for (provider, url) in [
        ("Baseten", "https://inference.baseten.co/v1"),
        ("Cerebras", "https://api.cerebras.ai/v1"),
        ("DashScope", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"),
        ("DeepInfra", "https://api.deepinfra.com/v1/openai"),
        ("GitHubModels", "https://models.github.ai/inference"),
        ("Groq", "https://api.groq.com/openai/v1"),
        ("HuggingFace", "https://router.huggingface.co/v1"),
        ("MiniMax", "https://api.minimax.io/v1"),
        ("Mistral", "https://api.mistral.ai/v1"),
        ("Moonshot", "https://api.moonshot.ai/v1"),
        ("Nebius", "https://api.tokenfactory.nebius.com/v1"),
        ("Novita", "https://api.novita.ai/v3/openai"),
        ("NvidiaNIM", "https://integrate.api.nvidia.com/v1"),
        ("Perplexity", "https://api.perplexity.ai"),
        ("SambaNova", "https://api.sambanova.ai/v1"),
        ("Together", "https://api.together.ai/v1"),
        ("Vercel", "https://ai-gateway.vercel.sh/v1"),
        ("XAI", "https://api.x.ai/v1"),
        ("ZAI", "https://api.z.ai/api/paas/v4"),
    ] {
        let spec = json!({"provider": provider, "model": "m"});
        let spec: ModelDeploymentSpec = serde_json::from_value(spec).unwrap();
        let endpoints = find(provider).unwrap().endpoints(&spec).unwrap();
        let chat = endpoints
            .iter()
            .find(|endpoint| endpoint.dialect == wire::Dialect::Chat);
        assert_eq!(chat.map(|endpoint| &*endpoint.url), Some(url), "{provider}");
    }
}

#[test]
fn gemini_s_models_are_below_a_version_or_a_publisher() {
    check(
        "Gemini",
        json!({}),
        Ok(&[("Gemini", "https://generativelanguage.googleapis.com/v1beta")]),
    );
    check(
        "Gemini",
        json!({"url": "http://fake/"}),
        Ok(&[("Gemini", "http://fake/v1beta")]),
    );
    let region = "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4";
    let models = format!("{region}/publishers/google");
    check("VertexAI", json!({"url": region}), Ok(&[("Gemini", &models)]));
    let both = json!({"dialects": [{"name": "Gemini"}, {"name": "Chat", "url": "https://g/v1beta/openai"}]});
    check(
        "Gemini",
        both,
        Ok(&[
            ("Gemini", "https://generativelanguage.googleapis.com/v1beta"),
            ("Chat", "https://g/v1beta/openai"),
        ]),
    );
}

#[test]
fn a_key_is_presented_as_the_provider_wants_it_for_the_dialect() {
    let key = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let url = |name: &str| json!({"name": name, "url": "http://x"});
    let presented = |provider: &str, dialect: &str, credentials: &serde_json::Value| {
        let endpoint = json!({"url": "http://x", "dialects": [url(dialect)]});
        let spec = json!({"provider": provider, "model": "m", "endpoint": endpoint, "credentials": credentials});
        let spec: ModelDeploymentSpec = serde_json::from_value(spec).unwrap();
        find(provider).unwrap().endpoints(&spec).unwrap().remove(0).auth
    };
    let header = |name: &str| wire::Auth::Header(name.to_owned());
    for (provider, dialect, expected) in [
        ("OpenAI", "Chat", wire::Auth::Bearer),
        ("Anthropic", "Messages", header("x-api-key")),
        ("AzureOpenAI", "Chat", header("api-key")),
        ("Gemini", "Gemini", header("x-goog-api-key")),
        ("Gemini", "Chat", wire::Auth::Bearer),
        ("VertexAI", "Gemini", wire::Auth::Bearer),
    ] {
        assert_eq!(presented(provider, dialect, &key), expected, "{provider} {dialect}");
        assert_eq!(presented(provider, dialect, &json!({"none": {}})), wire::Auth::None);
    }
    let headers: Vec<_> = find("Gemini").unwrap().key_headers().collect();
    assert_eq!(headers, ["x-goog-api-key", "authorization"]);
}

#[test]
fn the_urls_of_other_dialects_follow_from_the_first() {
    let vllm = json!({"url": "http://vllm:8000/v1/"});
    check(
        "VLLM",
        vllm,
        Ok(&[
            ("Chat", "http://vllm:8000/v1"),
            ("Messages", "http://vllm:8000"),
            ("Responses", "http://vllm:8000/v1"),
        ]),
    );
    check(
        "OpenAICompatible",
        json!({"url": "http://x/llm"}),
        Ok(&[("Chat", "http://x/llm")]),
    );
    check(
        "OpenAI",
        json!({"url": "http://x/llm"}),
        Ok(&[("Chat", "http://x/llm"), ("Responses", "http://x/llm")]),
    );
    check(
        "VLLM",
        json!({"url": "http://vllm:8000"}),
        Err(
            "endpoint.url: the URL for Messages cannot be derived from one that does not end in \"/v1\"; \
             list the dialects in endpoint.dialects, at least Chat",
        ),
    );
}

#[test]
fn a_list_of_dialects_restricts_and_overrides() {
    let only_chat = json!({"url": "http://vllm:8000", "dialects": [{"name": "Chat"}]});
    check("VLLM", only_chat, Ok(&[("Chat", "http://vllm:8000")]));
    let messages_first = json!({
        "url": "http://vllm:8000/v1",
        "dialects": [{"name": "Messages", "url": "http://other/"}, {"name": "Chat"}],
    });
    check(
        "VLLM",
        messages_first,
        Ok(&[("Messages", "http://other"), ("Chat", "http://vllm:8000/v1")]),
    );
    check(
        "OpenAI",
        json!({"dialects": [{"name": "Messages"}]}),
        Err("endpoint.dialects[0].url: provider OpenAI does not speak Messages unless its url is given"),
    );
}

#[test]
fn a_server_of_one_s_own_needs_an_address() {
    check(
        "Ollama",
        json!({}),
        Err("endpoint.url: provider Ollama needs a URL; which one, says https://docs.ollama.com"),
    );
}

#[test]
fn the_rows_are_in_order_and_distinct() {
    assert!(PROVIDERS.is_sorted_by(|a, b| a.name < b.name), "{}", unknown("X"));
}

#[test]
fn bedrock_is_in_its_region_and_signed_for_it_or_takes_a_key() {
    let check = |credentials: serde_json::Value, endpoint: serde_json::Value, expected: (&str, wire::Auth)| {
        let spec = json!({"provider": "Bedrock", "model": "m", "bedrock": {"region": "eu-west-1"},
            "credentials": credentials, "endpoint": endpoint});
        let spec: ModelDeploymentSpec = serde_json::from_value(spec).unwrap();
        let found = find("Bedrock").unwrap().endpoints(&spec).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].dialect, wire::Dialect::Converse);
        assert_eq!((found[0].url.as_str(), found[0].auth.clone()), expected);
    };
    let signed = wire::Auth::SigV4 {
        region: "eu-west-1".to_owned(),
        service: "bedrock".to_owned(),
    };
    let public = "https://bedrock-runtime.eu-west-1.amazonaws.com";
    check(
        json!({"secretRef": {"name": "aws"}}),
        json!({}),
        (public, signed.clone()),
    );
    check(
        json!({"secretKeyRef": {"name": "b", "key": "k"}}),
        json!({}),
        (public, wire::Auth::Bearer),
    );
    let own = json!({"url": "https://vpce-1.example/"});
    check(
        json!({"secretRef": {"name": "aws"}}),
        own,
        ("https://vpce-1.example", signed),
    );
}

#[test]
fn what_a_provider_does_not_do_with_a_model_is_said() {
    use wire::Service::{Completions, Rerank};
    for (provider, model, expected) in [
        ("OpenAI", "gpt-4o", &[Completions, Rerank][..]),
        ("OpenAI", "gpt-3.5-turbo-instruct-0914", &[Rerank]),
        ("Groq", "m", &[Completions, Rerank]),
        ("Cerebras", "m", &[Rerank]),
        ("VLLM", "m", &[]),
    ] {
        let spec = json!({"provider": provider, "model": model, "endpoint": {"url": "http://x/v1"}});
        let spec: ModelDeploymentSpec = serde_json::from_value(spec).unwrap();
        let endpoints = find(provider).unwrap().endpoints(&spec).unwrap();
        let lacks = |endpoint: &wire::Endpoint| match endpoint.dialect {
            wire::Dialect::Chat => endpoint.lacks == expected,
            _ => endpoint.lacks.is_empty(),
        };
        assert!(endpoints.iter().all(lacks), "{provider} {model}: {endpoints:?}");
    }
}

#[test]
fn claude_is_called_in_its_own_dialect_where_others_host_it() {
    let called = |spec: serde_json::Value| {
        let spec: ModelDeploymentSpec = serde_json::from_value(spec).unwrap();
        let endpoints = find(&spec.provider).unwrap().endpoints(&spec).unwrap();
        let shown = |endpoint: wire::Endpoint| {
            let (dialect, hosting) = (endpoint.dialect, endpoint.hosting);
            format!("{dialect:?} {hosting:?} {}", endpoint.url)
        };
        endpoints.into_iter().map(shown).collect::<Vec<_>>()
    };
    let bedrock = |model: &str, messages: &str| {
        called(json!({"provider": "Bedrock", "model": model, "bedrock": {"region": "r", "messages": messages}}))
    };
    let host = "https://bedrock-runtime.r.amazonaws.com";
    let converse = format!("Converse None {host}");
    assert_eq!(bedrock("amazon.nova-pro-v1:0", "Invoke"), [converse.as_str()]);
    let claude = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let invoked = format!("Messages Some(BedrockInvoke) {host}");
    assert_eq!(bedrock(claude, "Invoke"), [converse.clone(), invoked]);
    let native = format!("Messages None {host}/anthropic");
    assert_eq!(bedrock(claude, "Native"), [converse, native]);
    let vertex = |model: &str| called(json!({"provider": "VertexAI", "model": model, "endpoint": {"url": "http://x"}}));
    let predicted = "Messages Some(VertexPredict) http://x/publishers/anthropic";
    assert_eq!(vertex("claude-opus-4-5@20251101"), [predicted]);
    assert_eq!(vertex("gemini-2.5-pro"), ["Gemini None http://x/publishers/google"]);
}

#[test]
fn azure_s_older_paths_name_the_deployment_and_the_version() {
    let spec = json!({"provider": "AzureOpenAI", "model": "my gpt", "azure": {"apiVersion": "2024-10-21"},
        "endpoint": {"url": "https://r.openai.azure.com/"}});
    let spec: ModelDeploymentSpec = serde_json::from_value(spec).unwrap();
    let endpoints = find("AzureOpenAI").unwrap().endpoints(&spec).unwrap();
    let called: Vec<_> = endpoints
        .iter()
        .map(|endpoint| (endpoint.dialect, &*endpoint.url, endpoint.query.as_deref()))
        .collect();
    let url = "https://r.openai.azure.com/openai/deployments/my%20gpt";
    assert_eq!(called, [(wire::Dialect::Chat, url, Some("api-version=2024-10-21"))]);
}

/// In the order in which people are shown them, each once, and each with the place where its facts come from.
#[test]
fn every_row_says_where_it_is_taken_from() {
    assert!(
        PROVIDERS.is_sorted_by_key(|provider| provider.name),
        "in alphabetical order"
    );
    for provider in PROVIDERS {
        let said = provider.source == OWNER || provider.source.starts_with("https://");
        assert!(said && !provider.dialects.is_empty(), "{}", provider.name);
        assert_eq!(find(provider.name).unwrap().slug, provider.slug);
    }
    let slugs: std::collections::BTreeSet<_> = PROVIDERS.iter().map(|provider| provider.slug).collect();
    assert_eq!(slugs.len(), PROVIDERS.len());
}
