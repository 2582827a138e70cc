//! Wire resources → the snapshot they mean, one resource at a time, so that a bad one spoils only itself.

use super::{
    Affinity, Configuration, Deployment, Id, KEY_TENANT, Key, Pattern, Policy, Route, Rule, Snapshot, Target, Timeouts,
    Upstream, When,
};
use crate::dialect::{self, Operation};
use crate::health::Board;
use crate::meter::Meter;
use crate::pictures::Hosts;
use crate::retry;
use crate::upstream::{Credential, Endpoint, EndpointError, HeaderError, StandingHeaders};
use http::header::{HeaderName, HeaderValue};
use pilotfish_wire as wire;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::time::Instant;
use wire::{Kind, Refusal, Resource};

/// Why something that is configured cannot serve, in one sentence: the text of a 503.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken(pub String);

/// Makes snapshots, and keeps what outlives them.
pub(crate) struct Builder {
    meter: Arc<Meter>,
    budgets: HashMap<String, Arc<retry::Budget>>,
    /// The last version of each resource that could be used.
    good: BTreeMap<Id, Arc<Resource>>,
}

/// One snapshot in the making.
struct Build<'a> {
    received: &'a BTreeMap<Id, Arc<Resource>>,
    good: &'a mut BTreeMap<Id, Arc<Resource>>,
    refused: Vec<Refusal>,
}

impl Builder {
    pub(crate) fn new(meter: Arc<Meter>) -> Self {
        Self {
            meter,
            budgets: HashMap::new(),
            good: BTreeMap::new(),
        }
    }

    /// The last version of this resource that could be used.
    pub(crate) fn good(&self, id: &Id) -> Option<&Arc<Resource>> {
        self.good.get(id)
    }

    /// The snapshot that `configuration` means, and what of it could not be used. What was used before and cannot be
    /// used now stays as it was. It came into force at `since`, seconds since the Unix epoch.
    pub(crate) fn build(
        &mut self,
        configuration: &Configuration,
        since: i64,
        now: Instant,
    ) -> (Snapshot, Vec<Refusal>) {
        let received = &configuration.resources;
        self.good.retain(|id, _| received.contains_key(id));
        let mut build = Build {
            received,
            good: &mut self.good,
            refused: Vec::new(),
        };
        build.refuse_unknown_kinds();
        let credentials = build.each(Kind::Credential, |_, body: wire::Credential, version| {
            Ok(Credential::new(body.key, version))
        });
        let meter = &self.meter;
        let mut numbers = 0..;
        let deployments = build.each(Kind::Deployment, |name, body, _| {
            let number = numbers.next().unwrap_or(usize::MAX);
            deployment(name, number, &body, &credentials, meter).map(Arc::new)
        });
        let numbers = numbers.start;
        let keys = build.each(Kind::Key, |name, body, _| key(name, &body, Board::new(numbers)));
        let budgets = &mut self.budgets;
        let policies = build.each(Kind::Policy, |name, body: wire::Policy, _| {
            let budget = Arc::clone(
                budgets
                    .entry(name.to_owned())
                    .or_insert_with(|| Arc::new(retry::Budget::new(now))),
            );
            let policy = policy(name, body, &deployments, budget).map(Arc::new)?;
            for rule in &policy.rules {
                let names: Vec<&str> = rule.targets.iter().map(|target| &*target.deployment.name).collect();
                meter.failovers_among(&names);
            }
            Ok(policy)
        });
        self.budgets
            .retain(|name, _| received.contains_key(&(Kind::Policy, name.clone())));
        let routes = build.each(Kind::Routes, |_, body: wire::Routes, _| {
            Ok(routes(&body, &policies, meter))
        });
        let refused = build.refused;

        let mut snapshot = Snapshot::empty();
        snapshot.pod_board = Board::new(numbers);
        let built = deployments.values().filter_map(|deployment| deployment.as_ref().ok());
        snapshot.deployments = built.map(|deployment| Arc::clone(&deployment.name)).collect();
        snapshot.pod = configuration.pod();
        let version = HeaderValue::from_str(&configuration.version);
        snapshot.version = version.unwrap_or(HeaderValue::from_static("unnamed"));
        snapshot.since = since;
        snapshot.resources = self.good.values().cloned().collect();
        snapshot.refused.clone_from(&refused);
        for (pattern, route) in routes.into_values().flat_map(|table| table.unwrap_or_else(no_table)) {
            if pattern.is_exact() {
                snapshot.exact.entry(pattern.text.clone()).or_insert(route);
            } else {
                snapshot.patterns.push((pattern, route));
            }
        }
        let keys = keys.into_iter().filter_map(|(name, key)| {
            let unusable = |broken| unusable_key(received, name, broken, numbers);
            key.map_or_else(unusable, Some)
        });
        for (hash_key, key) in keys {
            let key = Arc::new(key);
            snapshot.hash_key = Some(hash_key);
            snapshot.tenants.insert(Arc::clone(&key.tenant));
            for hash in &key.hashes {
                snapshot.keys.insert(*hash, Arc::clone(&key));
            }
        }
        (snapshot, refused)
    }
}

impl Build<'_> {
    /// Builds every resource of one kind, in order of name. One that fails is refused by name and falls back to its
    /// last good version; one that never was good stays as the sentence that says why.
    fn each<B: serde::de::DeserializeOwned, T>(
        &mut self,
        kind: Kind,
        mut build: impl FnMut(&str, B, &str) -> Result<T, String>,
    ) -> BTreeMap<String, Result<T, Broken>> {
        let mut one = |resource: &Resource| {
            unmet_feature(resource)?;
            let body = serde_json::from_str(resource.body.get()).map_err(|error| unreadable(kind, &error))?;
            build(&resource.name, body, &resource.version)
        };
        let of_kind = self.received.iter().filter(|((found, _), _)| *found == kind);
        let mut built = BTreeMap::new();
        for (id, resource) in of_kind {
            let result = match one(resource) {
                Ok(value) => {
                    self.good.insert(id.clone(), Arc::clone(resource));
                    Ok(value)
                }
                Err(reason) => {
                    let (name, version) = (resource.name.clone(), resource.version.clone());
                    self.refused.push(Refusal {
                        kind,
                        name,
                        version,
                        reason: reason.clone(),
                    });
                    let before = self.good.get(id).map(|before| one(before));
                    before.and_then(Result::ok).ok_or(Broken(reason))
                }
            };
            built.insert(id.1.clone(), result);
        }
        built
    }

    fn refuse_unknown_kinds(&mut self) {
        for ((kind, _), resource) in self.received {
            if *kind == Kind::Unknown {
                self.refused.push(Refusal {
                    kind: *kind,
                    name: resource.name.clone(),
                    version: resource.version.clone(),
                    reason: "this sidecar does not know this kind of resource; upgrade it".to_owned(),
                });
            }
        }
    }
}

/// What does not decode is told, unless it may be a part of a secret.
fn unreadable(kind: Kind, error: &serde_json::Error) -> String {
    match kind {
        Kind::Credential => "cannot be read".to_owned(),
        Kind::Deployment | Kind::Key | Kind::Policy | Kind::Routes | Kind::Unknown => {
            format!("cannot be read: {error}")
        }
    }
}

fn unmet_feature(resource: &Resource) -> Result<(), String> {
    match resource
        .requires
        .iter()
        .find(|feature| !wire::FEATURES.contains(&feature.as_str()))
    {
        Some(feature) => Err(format!(
            "this sidecar lacks the feature {feature:?}, without which it must not be used"
        )),
        None => Ok(()),
    }
}

type Credentials = BTreeMap<String, Result<Credential, Broken>>;

fn deployment(
    name: &str,
    number: usize,
    body: &wire::Deployment,
    credentials: &Credentials,
    meter: &Meter,
) -> Result<Deployment, String> {
    let find = |name: &str| credentials.get(name).and_then(|credential| credential.as_ref().ok());
    let upstream = |wire::Endpoint {
                        dialect,
                        url,
                        auth,
                        lacks,
                        query,
                        hosting,
                    }: &wire::Endpoint| {
        let standing = StandingHeaders::new(auth, body.credential.as_deref(), &body.headers, find);
        let standing = standing.map_err(|error| no_headers(&error, credentials))?;
        let endpoint = Endpoint::parse(url, body.ca_bundle.as_deref(), standing.credential_version());
        let upstream = endpoint.and_then(|endpoint| {
            upstream(
                *dialect,
                (lacks, query.as_deref(), *hosting),
                endpoint,
                standing,
                &body.model,
            )
        });
        upstream.map_err(|error| error.to_string())
    };
    let endpoints = body
        .endpoints
        .iter()
        .map(upstream)
        .collect::<Result<Vec<_>, String>>()?;
    if endpoints.is_empty() {
        return Err("it has no endpoint in a dialect that this sidecar speaks".to_owned());
    }
    Ok(Deployment {
        number,
        revision: revision(body, &endpoints),
        name: name.into(),
        header: header_of(name),
        provider: body.provider.as_str().into(),
        model: body.model.as_str().into(),
        endpoints,
        price: body.price,
        capabilities: body.capabilities.clone(),
        timeouts: body.timeouts.into(),
        series: meter.deployment(name),
    })
}

fn no_headers(error: &HeaderError, credentials: &Credentials) -> String {
    let missing = match error {
        HeaderError::MissingCredential(name) => credentials.get(name).map(|found| (name, found)),
        _ => None,
    };
    match missing {
        Some((name, Err(Broken(reason)))) => format!("the credential {name:?} cannot be used: {reason}"),
        Some((_, Ok(_))) | None => error.to_string(),
    }
}

/// Names where it is called and as whom.
fn revision(body: &wire::Deployment, endpoints: &[Upstream]) -> u64 {
    let urls = body.endpoints.iter().flat_map(|endpoint| [endpoint.url.as_str(), "\n"]);
    let versions = endpoints.iter().map(|endpoint| endpoint.standing.credential_version());
    let named: String = urls.chain([body.model.as_str(), "\n"]).chain(versions).collect();
    xxhash_rust::xxh3::xxh3_64(named.as_bytes())
}

/// A dialect's operations below its base URL.
fn upstream(
    dialect: wire::Dialect,
    (lacks, query, hosting): (&[wire::Service], Option<&str>, Option<wire::Hosting>),
    endpoint: Arc<Endpoint>,
    standing: StandingHeaders,
    model: &str,
) -> Result<Upstream, EndpointError> {
    let suffixes = dialect::suffixes_at(dialect, hosting, model);
    let path = |suffix: &str| endpoint.path(&with_query(suffix, query));
    Ok(Upstream {
        dialect,
        hosting,
        generate: path(&suffixes.generate)?,
        stream: path(&suffixes.stream)?,
        others: suffixes
            .others
            .into_iter()
            .filter(|(operation, _)| !lacks.iter().any(|lacked| is(*operation, *lacked)))
            .map(|(operation, suffix)| Ok((operation, path(&suffix)?)))
            .collect::<Result<_, EndpointError>>()?,
        endpoint,
        standing: Arc::new(standing),
    })
}

fn with_query<'s>(suffix: &'s str, query: Option<&str>) -> Cow<'s, str> {
    match query {
        None => suffix.into(),
        Some(query) => format!("{suffix}{}{query}", if suffix.contains('?') { '&' } else { '?' }).into(),
    }
}

fn is(operation: Operation, service: wire::Service) -> bool {
    match service {
        wire::Service::Completions => operation == Operation::Completions,
        wire::Service::Rerank => operation == Operation::Rerank,
        wire::Service::Unknown => false,
    }
}

fn header_of(name: &str) -> HeaderValue {
    HeaderValue::from_str(name).unwrap_or(HeaderValue::from_static("unnameable"))
}

fn key(name: &str, body: &wire::Key, board: Board) -> Result<([u8; 32], Key), String> {
    let wire::Key {
        hashes,
        hash_key,
        models,
        disabled,
        expires_at,
        labels,
    } = body;
    let bytes = |hex: &String| {
        blake3::Hash::from_hex(hex)
            .map(|hash| *hash.as_bytes())
            .map_err(|_| "a hash is not 64 hex digits".to_owned())
    };
    let key = Key {
        name: name.into(),
        tenant: format!("{KEY_TENANT}{name}").into(),
        hashes: hashes.iter().map(bytes).collect::<Result<_, _>>()?,
        models: models.iter().map(|model| Pattern::new(model)).collect(),
        disabled: *disabled,
        expires_at: *expires_at,
        labels: labels.clone(),
        broken: None,
        board,
    };
    Ok((bytes(hash_key)?, key))
}

/// A key that was refused and never was good. Its callers are told why, if it can be told whose they are.
fn unusable_key(
    received: &BTreeMap<Id, Arc<Resource>>,
    name: String,
    broken: Broken,
    numbers: usize,
) -> Option<([u8; 32], Key)> {
    let body = serde_json::from_str(received.get(&(Kind::Key, name.clone()))?.body.get()).ok()?;
    let (hash_key, key) = key(&name, &body, Board::new(numbers)).ok()?;
    let broken = Some(broken);
    Some((hash_key, Key { broken, ..key }))
}

type Deployments = BTreeMap<String, Result<Arc<Deployment>, Broken>>;

fn policy(
    name: &str,
    body: wire::Policy,
    deployments: &Deployments,
    retry_budget: Arc<retry::Budget>,
) -> Result<Policy, String> {
    let wire::Policy {
        generation: _,
        rules,
        affinity,
        retry,
        timeouts,
        on_loss,
        fetch_images,
        authentication,
    } = body;
    let mut named = Vec::new();
    let rules = rules
        .into_iter()
        .map(|rule| self::rule(rule, deployments, &mut named))
        .collect::<Result<_, _>>()?;
    let header_name = |name: String| {
        name.parse()
            .map_err(|_| format!("affinity header {name:?} is not a header name"))
    };
    Ok(Policy {
        header: header_of(name),
        rules,
        deployments: named,
        affinity: Affinity {
            mode: affinity.mode,
            headers: affinity
                .headers
                .into_iter()
                .map(header_name)
                .collect::<Result<_, _>>()?,
            idle_timeout: std::time::Duration::from_millis(affinity.idle_timeout_ms),
        },
        retry,
        retry_budget,
        timeouts: Timeouts::from(timeouts),
        on_loss,
        fetch_images: Hosts::new(fetch_images),
        authentication,
    })
}

fn rule(rule: wire::Rule, deployments: &Deployments, named: &mut Vec<Arc<Deployment>>) -> Result<Rule, String> {
    let wire::Rule {
        name,
        when,
        targets,
        mut unavailable,
    } = rule;
    let mut usable = Vec::with_capacity(targets.len());
    for wire::Target {
        deployment,
        weight,
        tier,
    } in targets
    {
        match deployments.get(&deployment) {
            Some(Ok(found)) => {
                let index = named
                    .iter()
                    .position(|known| known.name == found.name)
                    .unwrap_or_else(|| {
                        named.push(Arc::clone(found));
                        named.len() - 1
                    });
                usable.push(Target {
                    deployment: Arc::clone(found),
                    index,
                    weight,
                    tier,
                });
            }
            Some(Err(Broken(reason))) => unavailable.push(wire::Unavailable {
                deployment,
                reason: reason.clone(),
            }),
            None => {
                return Err(format!(
                    "rule {name:?} names deployment {deployment}, which was not sent"
                ));
            }
        }
    }
    usable.sort_by_key(|target| target.tier);
    Ok(Rule {
        name: name.into(),
        when: when.map(self::when).transpose()?,
        targets: usable,
        unavailable,
    })
}

fn when(when: wire::When) -> Result<When, String> {
    let wire::When {
        min_input_tokens,
        headers,
        key_labels,
        model_prefix,
        tags,
    } = when;
    let header = |wire::HeaderMatch { name, value }| {
        let parsed = HeaderName::try_from(&name).map_err(|_| format!("{name:?} is not a header name"))?;
        Ok::<_, String>((parsed, value.into()))
    };
    Ok(When {
        min_input_tokens,
        headers: headers.into_iter().map(header).collect::<Result<_, _>>()?,
        key_labels,
        model_prefix: model_prefix.map(Into::into),
        tags,
    })
}

/// Without a table of routes every name is answered by the sentence that says why.
fn no_table(broken: Broken) -> Vec<(Pattern, Arc<Route>)> {
    let route = Route {
        label: "*".into(),
        policy: Err(broken),
        series: Vec::new(),
    };
    vec![(Pattern::new("*"), Arc::new(route))]
}

fn routes(
    body: &wire::Routes,
    policies: &BTreeMap<String, Result<Arc<Policy>, Broken>>,
    meter: &Arc<Meter>,
) -> Vec<(Pattern, Arc<Route>)> {
    let one = |wire::Route { model, policy }: &wire::Route| {
        let policy = match policies.get(policy) {
            Some(found) => found.clone(),
            None => Err(Broken(format!("policy {policy} was not sent"))),
        };
        let series = |policy: &Arc<Policy>| {
            let one = |to: &Arc<Deployment>| meter.route(model, &to.name, &to.provider, &to.model);
            policy.deployments.iter().map(one).collect()
        };
        let series = policy.as_ref().map(series).unwrap_or_default();
        (
            Pattern::new(model),
            Arc::new(Route {
                label: model.as_str().into(),
                policy,
                series,
            }),
        )
    };
    body.routes.iter().map(one).collect()
}
