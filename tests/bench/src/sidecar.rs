//! The subject: the sidecar, with a configuration that uses every feature it has.

use crate::dialect::Dialect;
use crate::process::{Process, Program, free_address};
use crate::proxy::Proxy;
use crate::{CLIENT_KEY, PROVIDER_KEY};
use anyhow::{Context, Result};
use pilotfish_wire::{
    Affinity, AffinityMode, Auth, Authentication, Capabilities, Deployment, Endpoint, HeaderMatch, HeaderValue, Key,
    Kind, OnAmbiguous, OnLoss, Policy, Price, Resource, Retry, Route, Routes, Rule, Target, Timeouts, When,
    credential_variable, snapshot,
};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

/// The header that carries a conversation's id, by the policy.
pub(crate) const SESSION_HEADER: &str = "x-conversation-id";
/// Any 32 bytes, as an installation would have them.
const INSTALLATION_KEY: [u8; 32] = *b"pilotfish-bench-installation-key";
/// The deployments' key: namespace, secret, key in it.
const CREDENTIAL: &str = "bench/provider/api-key";

/// The model name whose deployments speak `dialect`.
pub(crate) fn model(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat => "harbour-chat",
        Dialect::Responses => "harbour-responses",
        Dialect::Messages => "harbour-messages",
        Dialect::Gemini => "harbour-gemini",
        Dialect::Converse => "harbour-converse",
        Dialect::Cohere => "harbour-cohere",
        Dialect::Ollama => "harbour-ollama",
    }
}

/// Starts `file` before `upstream`, with its files in `directory`.
pub(crate) fn start(file: &Path, directory: &Path, upstream: SocketAddr, core: u32) -> Result<Proxy> {
    std::fs::create_dir_all(directory)?;
    let (address, telemetry) = (free_address()?, free_address()?);
    let snapshot_file = directory.join("snapshot.jsonl");
    std::fs::write(&snapshot_file, snapshot_text(upstream))?;
    let arguments = [
        ["--snapshot".to_owned(), snapshot_file.display().to_string()],
        ["--listen".to_owned(), address.to_string()],
        ["--telemetry".to_owned(), telemetry.to_string()],
    ];
    let process = Process::start(Program {
        file: file.as_os_str(),
        arguments: arguments.concat(),
        environment: vec![(credential_variable(CREDENTIAL), PROVIDER_KEY.to_owned())],
        core,
        log: directory.join("sidecar.log"),
        readiness: telemetry,
    });
    Ok(Proxy {
        address,
        process: process.with_context(|| format!("{}", file.display()))?,
    })
}

fn snapshot_text(upstream: SocketAddr) -> String {
    let scope = [("namespace", "bench"), ("rootNamespace", "pilotfish-system")];
    let scope: BTreeMap<_, _> = scope.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let mut resources = vec![Resource::new(Kind::Key, "bench/team-a", &key())];
    for dialect in Dialect::ALL {
        resources.extend(DEPLOYMENTS.map(|row| deployment(dialect, row, upstream)));
        resources.push(Resource::new(
            Kind::Policy,
            format!("bench/{}", model(dialect)),
            &policy(dialect),
        ));
    }
    resources.push(Resource::new(Kind::Routes, "routes", &routes()));
    snapshot::write(&snapshot::batch(scope, &resources))
}

/// Name, weight and tier.
const DEPLOYMENTS: [(&str, u32, u32); 4] = [("east", 50, 0), ("west", 30, 0), ("north", 20, 0), ("reserve", 1, 1)];

fn deployment(dialect: Dialect, (place, ..): (&str, u32, u32), upstream: SocketAddr) -> Resource {
    let header = |name: &str| Auth::Header(name.to_owned());
    let (provider, path, auth) = match dialect {
        Dialect::Chat | Dialect::Responses => ("openai", "/v1", Auth::Bearer),
        Dialect::Messages => ("anthropic", "", header("x-api-key")),
        Dialect::Gemini => ("gcp.gemini", "/v1beta", header("x-goog-api-key")),
        // With Bedrock's own keys: a signature costs the same whatever is translated.
        Dialect::Converse => ("aws.bedrock", "", Auth::Bearer),
        Dialect::Cohere => ("cohere", "", Auth::Bearer),
        Dialect::Ollama => ("ollama", "", Auth::None),
    };
    let credential = (auth != Auth::None).then(|| CREDENTIAL.to_owned());
    let body = Deployment {
        generation: 1,
        provider: provider.to_owned(),
        model: "tide-1-large".to_owned(),
        endpoints: vec![Endpoint {
            dialect: dialect.on_the_wire(),
            url: format!("http://{upstream}{path}"),
            auth,
            lacks: Vec::new(),
            query: None,
            hosting: None,
        }],
        credential,
        headers: BTreeMap::from([("x-harbour-place".to_owned(), HeaderValue::Value(place.to_owned()))]),
        ca_bundle: None,
        price: Some(Price {
            input: 3_000_000_000,
            output: 15_000_000_000,
            cached_input: Some(300_000_000),
        }),
        capabilities: Capabilities {
            context_tokens: Some(2_000_000),
            max_output_tokens: Some(64_000),
            features: Some(vec!["Tools".to_owned(), "Vision".to_owned()]),
            ..Capabilities::default()
        },
        timeouts: timeouts(),
    };
    Resource::new(Kind::Deployment, deployment_name(dialect, place), &body)
}

fn deployment_name(dialect: Dialect, place: &str) -> String {
    format!("bench/{}-{place}", model(dialect))
}

/// Three rules of which the last one matches, after the others were looked at.
fn policy(dialect: Dialect) -> Policy {
    let rule = |name: &str, when: Option<When>| Rule {
        name: name.to_owned(),
        when,
        targets: DEPLOYMENTS
            .map(|(place, weight, tier)| Target {
                deployment: deployment_name(dialect, place),
                weight,
                tier,
            })
            .into(),
        unavailable: Vec::new(),
    };
    let canary = HeaderMatch {
        name: "x-harbour-canary".to_owned(),
        value: "yes".to_owned(),
    };
    Policy {
        generation: 1,
        rules: vec![
            rule(
                "canary",
                Some(When {
                    headers: vec![canary],
                    ..When::default()
                }),
            ),
            rule(
                "long-context",
                Some(When {
                    min_input_tokens: Some(100_000),
                    ..When::default()
                }),
            ),
            rule("default", None),
        ],
        affinity: Affinity {
            mode: AffinityMode::Prefer,
            headers: vec![SESSION_HEADER.to_owned()],
            idle_timeout_ms: 3_600_000,
        },
        retry: Retry {
            attempts: 3,
            budget_percent: 20,
            on_ambiguous: OnAmbiguous::Failover,
        },
        timeouts: timeouts(),
        on_loss: OnLoss::Warn,
        fetch_images: Vec::new(),
        authentication: Authentication::VirtualKey,
    }
}

fn timeouts() -> Timeouts {
    Timeouts {
        connect_ms: Some(2_000),
        first_token_ms: Some(20_000),
        idle_ms: Some(60_000),
        attempt_ms: Some(120_000),
        total_ms: Some(600_000),
    }
}

fn routes() -> Routes {
    let route = |model: &str, dialect| Route {
        model: model.to_owned(),
        policy: format!("bench/{}", self::model(dialect)),
    };
    let exact = Dialect::ALL.map(|dialect| route(model(dialect), dialect));
    Routes {
        routes: exact.into_iter().chain([route("gpt-*", Dialect::Chat)]).collect(),
    }
}

fn key() -> Key {
    let hex = |bytes: &[u8; 32]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Key {
        hashes: vec![
            blake3::keyed_hash(&INSTALLATION_KEY, CLIENT_KEY.as_bytes())
                .to_hex()
                .to_string(),
        ],
        hash_key: hex(&INSTALLATION_KEY),
        models: vec!["harbour-*".to_owned()],
        disabled: false,
        expires_at: None,
        labels: BTreeMap::from([("team".to_owned(), "a".to_owned())]),
    }
}
