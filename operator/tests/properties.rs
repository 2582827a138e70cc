//! What holds for every World.

#![cfg(test)]

mod support;

use pilotfish_crds::{ModelDeploymentSpec, RoutingPolicySpec};
use pilotfish_operator::world::{Object, ObjectName, Pod, World};
use pilotfish_operator::{compile, push, validate};
use pilotfish_wire::{self as wire, Kind, ProviderKey};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::{goldens, printed, world};

/// The documents of all goldens together.
fn documents() -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(goldens())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    let text = |path: &std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    let documents = files
        .iter()
        .map(text)
        .flat_map(|text| text.split("\n---\n").map(str::to_owned).collect::<Vec<_>>());
    // Of objects with one name in several goldens the first stays, so that no order of application can matter.
    let mut seen = std::collections::BTreeSet::new();
    let metadata = |document: &String| {
        let value: Value = serde_yaml::from_str(document).unwrap();
        format!(
            "{} {} {}",
            value["kind"], value["metadata"]["namespace"], value["metadata"]["name"]
        )
    };
    documents
        .filter(|document| document.contains("kind: Pod\n") || seen.insert(metadata(document)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_world_in_any_order_gives_the_same_bytes(shuffled in Just(documents()).prop_shuffle()) {
        let (ordered, shuffled) = (world(&documents().join("\n---\n")), world(&shuffled.join("\n---\n")));
        let pods: Vec<Pod> = ordered.pods.iter().cloned().collect();
        prop_assert_eq!(printed(&compile(&shuffled), &pods), printed(&compile(&ordered), &pods));
    }
}

/// Something, or nothing at all.
fn maybe(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), value.prop_map(|value| value)]
}

/// An object without the fields that are null.
fn object(fields: Vec<(&'static str, Value)>) -> Value {
    Value::Object(
        fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(k, v)| (k.to_owned(), v))
            .collect(),
    )
}

fn duration() -> impl Strategy<Value = Value> {
    select(vec!["2s", "1h30m", "0s", "0m0ms", "99999h", "soon"]).prop_map(Value::from)
}

fn money() -> impl Strategy<Value = Value> {
    select(vec!["0", "3.00", "0.000000001", "999999", "-1", "1e9"]).prop_map(Value::from)
}

fn url() -> impl Strategy<Value = Value> {
    let urls = [
        "http://a",
        "https://a.b:8443/v1/",
        "http://[::1]:9/v1",
        "ftp://a",
        "http://u@a",
        "https://a?b",
        "http://a:99999",
    ];
    select(urls.to_vec()).prop_map(Value::from)
}

fn selector() -> impl Strategy<Value = Value> {
    let operators = select(vec!["In", "NotIn", "Exists", "DoesNotExist"]);
    (operators, subsequence(vec!["x", "y"], 0..=2)).prop_map(|(operator, values)| {
        json!({"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "k", "operator": operator, "values": values}]})
    })
}

fn endpoint() -> impl Strategy<Value = Value> {
    let dialects = subsequence(vec!["Chat", "Messages"], 0..=2).prop_shuffle();
    let headers = select(vec!["x-a", "host", "X-B", "authorization"]);
    (maybe(url()), dialects, maybe(url()), headers, any::<[bool; 2]>()).prop_map(
        |(url, dialects, of_dialect, header, [value, from])| {
            let dialect = |name: &&str| object(vec![("name", json!(name)), ("url", of_dialect.clone())]);
            let dialects: Vec<Value> = dialects.iter().map(dialect).collect();
            let value = if value { json!("v") } else { Value::Null };
            let from = if from {
                json!({"secretKeyRef": {"name": "s", "key": "k"}})
            } else {
                Value::Null
            };
            let headers = json!([object(vec![
                ("name", json!(header)),
                ("value", value),
                ("valueFrom", from)
            ])]);
            object(vec![("url", url), ("dialects", json!(dialects)), ("headers", headers)])
        },
    )
}

fn deployment() -> impl Strategy<Value = ModelDeploymentSpec> {
    let provider = select(vec![
        "OpenAI",
        "Anthropic",
        "VLLM",
        "OpenAICompatible",
        "Ollama",
        "Nobody",
    ]);
    let key = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let credentials = select(vec![
        key.clone(),
        json!({"none": {}}),
        json!({}),
        json!({"none": {}, "secretKeyRef": {"name": "s", "key": "k"}}),
    ]);
    let price = (money(), money(), maybe(money())).prop_map(|(input, output, cached)| {
        object(vec![
            ("inputPerMillionTokensUSD", input),
            ("outputPerMillionTokensUSD", output),
            ("cachedInputPerMillionTokensUSD", cached),
        ])
    });
    let allowed = (select(vec!["Same", "All", "Selector"]), maybe(selector()))
        .prop_map(|(from, selector)| object(vec![("from", json!(from)), ("selector", selector)]));
    let capabilities = (1..9i64, 1..9i64).prop_map(|(a, b)| json!({"contextTokens": a, "maxOutputTokens": b}));
    let timeouts = (maybe(duration()), maybe(duration())).prop_map(|(a, b)| object(vec![("connect", a), ("idle", b)]));
    (
        provider,
        maybe(endpoint()),
        maybe(credentials),
        maybe(price),
        allowed,
        maybe(capabilities),
        maybe(timeouts),
    )
        .prop_map(
            |(provider, endpoint, credentials, price, allowed, capabilities, timeouts)| {
                let spec = object(vec![
                    ("provider", json!(provider)),
                    ("model", json!("m")),
                    ("endpoint", endpoint),
                    ("credentials", credentials),
                    ("price", price),
                    ("allowedNamespaces", allowed),
                    ("capabilities", capabilities),
                    ("timeouts", timeouts),
                ]);
                serde_json::from_value(spec).unwrap()
            },
        )
}

fn rule() -> impl Strategy<Value = Value> {
    let when = select(vec![
        json!({}),
        json!({"tags": ["t"]}),
        json!({"headers": [{"name": "X", "value": ""}]}),
    ]);
    let target = (select(vec!["d", "e"]), maybe(Just(json!("ai"))), 0..3i32, 0..2i32).prop_map(
        |(name, namespace, weight, tier)| {
            let reference = object(vec![("name", json!(name)), ("namespace", namespace)]);
            json!({"deploymentRef": reference, "weight": weight, "tier": tier})
        },
    );
    (maybe(when), prop::collection::vec(target, 1..4))
        .prop_map(|(when, targets)| object(vec![("name", json!("r")), ("when", when), ("targets", json!(targets))]))
}

fn policy() -> impl Strategy<Value = RoutingPolicySpec> {
    let models = subsequence(vec!["a", "b*", "*", "c*d", "*e*"], 1..=5);
    let selected = || maybe(selector().prop_map(|selector| json!({"selector": selector})));
    let rules = prop::collection::vec(rule(), 1..4);
    let affinity = (duration(), select(vec!["x-id", "X-Id"]))
        .prop_map(|(idle, header)| json!({"idleTimeout": idle, "headers": [header]}));
    (models, selected(), selected(), rules, maybe(affinity)).prop_map(
        |(models, namespaces, workloads, rules, affinity)| {
            let spec = object(vec![
                ("models", json!(models)),
                ("namespaces", namespaces),
                ("workloads", workloads),
                ("rules", json!(rules)),
                ("affinity", affinity),
            ]);
            serde_json::from_value(spec).unwrap()
        },
    )
}

/// A World of two deployments in `ai` and a policy in `namespace`, with everything there that they may name.
fn world_of(deployments: [ModelDeploymentSpec; 2], policy: &RoutingPolicySpec, namespace: &str) -> World {
    let mut world = World {
        root_namespace: "root".to_owned(),
        ..World::default()
    };
    let secret = [("k".to_owned(), ProviderKey::new("text".to_owned()))].into();
    world.secrets.insert(ObjectName::new("ai", "s"), secret);
    for (name, spec) in ["d", "e"].into_iter().zip(deployments) {
        world.deployments.insert(ObjectName::new("ai", name), written(spec));
    }
    world
        .policies
        .insert(ObjectName::new(namespace, "p"), written(policy.clone()));
    world
}

fn written<S>(spec: S) -> Object<S> {
    Object {
        generation: 1,
        created: 0,
        labels: BTreeMap::new(),
        spec: Ok(spec),
    }
}

/// Every body decodes as what its kind says.
fn decodes(resource: &wire::Resource) -> bool {
    let body = resource.body.get();
    match resource.kind {
        Kind::Credential => serde_json::from_str::<wire::Credential>(body).is_ok(),
        Kind::Deployment => serde_json::from_str::<wire::Deployment>(body).is_ok(),
        Kind::Key => serde_json::from_str::<wire::Key>(body).is_ok(),
        Kind::Policy => serde_json::from_str::<wire::Policy>(body).is_ok(),
        Kind::Routes => serde_json::from_str::<wire::Routes>(body).is_ok(),
        Kind::Unknown => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_admitted_compiles_and_what_is_not_is_told(
        one in deployment(),
        two in deployment(),
        policy in policy(),
        namespace in select(vec!["ai", "shop", "root"]),
    ) {
        let world = world_of([one.clone(), two.clone()], &policy, namespace);
        let compiled = compile(&world);
        for (name, spec) in [("d", one), ("e", two)] {
            let verdict = &compiled.deployment_verdicts[&ObjectName::new("ai", name)];
            let admitted = validate::deployment(&spec).is_empty();
            prop_assert_eq!(admitted, verdict.in_force.is_some(), "{:?} {}", spec, verdict.sentence());
            prop_assert_ne!(admitted, !verdict.sentence().is_empty());
        }
        let pod = Pod { namespace: namespace.to_owned(), labels: BTreeMap::from([("a".to_owned(), "b".to_owned())]) };
        let resources = push::resources(&compiled.for_pod(&pod));
        prop_assert!(resources.iter().all(|resource| decodes(resource)));

        let verdict = &compiled.policy_verdicts[&ObjectName::new(namespace, "p")];
        let admitted = validate::policy(&policy, namespace, "root").is_empty();
        prop_assert_eq!(admitted, verdict.faults.is_empty());
        let answers = resources.iter().any(|resource| resource.kind == Kind::Policy);
        prop_assert!(admitted || !answers);
    }
}
