//! Tokens and cost: what the provider's invoice says, at the deployment's price.

use anyhow::{Context, Result};
use pilotfish_provider::{Fake, Tokens};
use pilotfish_tests::{Answer, Client, Deployment, Dialect, Launch, Metrics, Pilotfish, Policy};
use serde_json::{Value, json};

/// A deployment of one model, with its price in nano-USD per million tokens.
struct Row {
    name: &'static str,
    dialect: Dialect,
    model: &'static str,
    input: u64,
    output: u64,
    cached: Option<u64>,
}

const ROWS: [Row; 4] = [
    Row {
        name: "gpt",
        dialect: Dialect::Chat,
        model: "gpt-4o-mini",
        input: 37_500_000,
        output: 600_000_000,
        cached: Some(18_750_000),
    },
    Row {
        name: "thinker",
        dialect: Dialect::Chat,
        model: "gpt-5",
        input: 1_250_000_001,
        output: 10_000_000_000,
        cached: None,
    },
    Row {
        name: "embed",
        dialect: Dialect::Chat,
        model: "text-embedding-3-small",
        input: 20_000_000,
        output: 0,
        cached: None,
    },
    Row {
        name: "claude",
        dialect: Dialect::Messages,
        model: "claude-sonnet-4-5",
        input: 3_000_000_000,
        output: 15_000_000_000,
        cached: Some(300_000_000),
    },
];

/// As a person writes it: nine decimals are exact.
fn usd(nano_usd: u64) -> String {
    format!("{}.{:09}", nano_usd / 1_000_000_000, nano_usd % 1_000_000_000)
}

impl Row {
    fn documents(&self, fake: &Fake) -> [String; 2] {
        let mut price = format!(
            "inputPerMillionTokensUSD: \"{}\", outputPerMillionTokensUSD: \"{}\"",
            usd(self.input),
            usd(self.output)
        );
        if let Some(cached) = self.cached {
            price += &format!(", cachedInputPerMillionTokensUSD: \"{}\"", usd(cached));
        }
        let deployment = Deployment::of(self.dialect, self.name, fake).model(self.model);
        let deployment = deployment.with(&format!("price: {{{price}}}")).to_string();
        let key = format!("sk-up-{}", self.dialect.provider_name());
        let deployment = deployment.replace(&format!("sk-up-{}", self.name), &key);
        [deployment, Policy::named(self.name).targets([self.name]).to_string()]
    }

    /// Rounded up once to a whole nano-USD.
    fn cost(&self, tokens: Tokens) -> u64 {
        let cached = tokens.cached_input * self.cached.unwrap_or(self.input);
        let sum = (tokens.input - tokens.cached_input) * self.input + cached + tokens.output * self.output;
        sum.div_ceil(1_000_000)
    }

    fn bills(&self, fake: &Fake) -> Vec<Tokens> {
        let bills = fake.bills().into_iter().filter(|bill| bill.model == self.model);
        bills.map(|bill| bill.whole).collect()
    }
}

/// Requests that cost in every way: short, long, cached, thought about.
fn requests(client: Dialect, row: &Row) -> Vec<(&'static str, Value)> {
    if row.name == "embed" {
        let body = json!({"model": "embed", "input": ["one text", "and another one, which is longer"]});
        return vec![("/v1/embeddings", body)];
    }
    let long = "a prefix that is long enough to be kept ".repeat(120);
    let mut requests = Vec::new();
    for text in ["Hello", "What do you think of this?"] {
        requests.push((client.path(), client.request(row.name, text)));
        requests.push((client.path(), client.stream_request(row.name, text)));
    }
    // The same again: the second time it is cached, and so is the third, which is a stream.
    for stream in [false, false, true] {
        let mut request = client.request(row.name, "");
        let mut prefix = json!({"type": "text", "text": long});
        if row.dialect == Dialect::Messages || client == Dialect::Messages {
            prefix["cache_control"] = json!({"type": "ephemeral"});
        }
        request["messages"][0]["content"] = json!([prefix, {"type": "text", "text": "So?"}]);
        request["stream"] = stream.into();
        requests.push((client.path(), request));
    }
    requests
}

/// Asks, and gives back what the answer's header says it cost, nano-USD, if it is no stream.
async fn ask(client: &Client, path: &str, request: &Value) -> Result<Option<u64>> {
    let answer: Answer = client.post(path, request.to_string()).await?;
    assert_eq!(answer.status, 200, "{request}: {}", answer.text());
    let cost = answer.header("x-pilotfish-cost").map(|cost| cost.replace('.', ""));
    Ok(cost.map(|cost| cost.parse()).transpose()?)
}

fn check(row: &Row, bills: &[Tokens], requests: usize, metrics: &Metrics) {
    let name = format!("default/{}", row.name);
    let of = |kind| metrics.sum("pilotfish_tokens_total", &[("deployment", &name), ("kind", kind)]);
    let sum = |field: fn(&Tokens) -> u64| bills.iter().map(field).sum::<u64>() as f64;
    let (input, output) = (sum(|tokens| tokens.input), sum(|tokens| tokens.output));
    assert_eq!(bills.len(), requests, "{name}");
    assert_eq!(of("input"), input, "{name}");
    assert_eq!(of("cached_input"), sum(|tokens| tokens.cached_input), "{name}");
    assert_eq!(of("output"), output, "{name}");
    assert_eq!(of("reasoning"), sum(|tokens| tokens.reasoning), "{name}");

    let cost = metrics.sum("pilotfish_cost_usd_total", &[("deployment", &name)]);
    let expected = bills.iter().map(|tokens| row.cost(*tokens)).sum::<u64>() as f64 / 1e9;
    assert!((cost - expected).abs() < 1e-12, "{name}: {cost} is not {expected}");

    let of = |kind| [("gen_ai_response_model", row.model), ("gen_ai_token_type", kind)];
    for (kind, sum) in [("input", input), ("output", output)] {
        assert_eq!(metrics.sum("gen_ai_client_token_usage_sum", &of(kind)), sum, "{name}");
        assert_eq!(
            metrics.sum("gen_ai_client_token_usage_count", &of(kind)),
            requests as f64,
            "{name}"
        );
    }
    let answered = metrics.sum("pilotfish_requests_total", &[("deployment", &name), ("code", "200")]);
    assert_eq!(answered, requests as f64, "{name}");
}

async fn start(chat: &Fake, messages: &Fake) -> Result<Pilotfish> {
    let documents = ROWS.iter().flat_map(|row| match row.dialect {
        Dialect::Chat => row.documents(chat),
        Dialect::Messages => row.documents(messages),
    });
    Launch::run(&documents.collect::<Vec<_>>()).start().await
}

#[tokio::test]
async fn tokens_and_cost_are_those_of_the_providers_invoice() -> Result<()> {
    let (chat, messages) = (
        Dialect::Chat.provider("OpenAI").start().await?,
        Dialect::Messages.provider("Anthropic").start().await?,
    );
    let pilotfish = start(&chat, &messages).await?;
    let client = Client::new(&pilotfish)?;
    for row in &ROWS {
        let fake = match row.dialect {
            Dialect::Chat => &chat,
            Dialect::Messages => &messages,
        };
        let clients = if row.name == "embed" {
            &Dialect::BOTH[..1]
        } else {
            &Dialect::BOTH[..]
        };
        let mut asked = 0;
        for (path, request) in clients.iter().flat_map(|client| requests(*client, row)) {
            let said = ask(&client, path, &request).await?;
            asked += 1;
            let bill = row.bills(fake).last().copied().context("no bill")?;
            assert!(
                said.is_none_or(|said| said == row.cost(bill)),
                "{request}: {said:?} {bill:?}"
            );
            assert_eq!(said.is_none(), request["stream"] == true, "{request}");
        }
        let settled = |metrics: &Metrics| metrics.sum("pilotfish_requests_in_flight", &[]) == 0.0;
        let metrics = pilotfish.metrics_until(settled).await?;
        check(row, &row.bills(fake), asked, &metrics);
    }
    // Or nothing was tested.
    let (chat_cached, claude_cached) = (ROWS[0].bills(&chat), ROWS[3].bills(&messages));
    assert!(chat_cached.iter().any(|tokens| tokens.cached_input > 0));
    assert!(
        claude_cached
            .iter()
            .any(|tokens| tokens.cached_input > 0 && tokens.cached_input < tokens.input)
    );
    assert!(ROWS[1].bills(&chat).iter().any(|tokens| tokens.reasoning > 0));
    pilotfish.back_to_idle(&[&chat, &messages]).await
}
