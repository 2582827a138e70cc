//! A server on loopback, and what it compiles: written down, not watched.

use super::api::FakeApi;
use crate::ack::{Acked, Acks};
use crate::certs::Authority;
use crate::compile::compile;
use crate::identity::{Identity, Trusted, Verified};
use crate::lease::Leader;
use crate::metrics::Metrics;
use crate::push::{Server, Timing};
use crate::watch::{Compilation, LivePod, PodUid, Seen};
use crate::world::{Object, ObjectName, World};
use pilotfish_crds::selector::Labels;
use pilotfish_wire::ProviderKey;
use rcgen::{CertificateParams, KeyPair};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) const NAME: &str = "pilotfish-operator.pilotfish-system.svc";
/// The repository whose images are trusted here.
pub(super) const IMAGE: &str = "pilotfish/sidecar";
/// Of connections that no sidecar is served on.
pub(super) const MOST_STRANGERS: usize = 8;
/// Whatever has not happened by then has failed.
pub(super) const WITHIN: Duration = Duration::from_secs(20);

/// A running server. It ends with the test.
pub(super) struct Scene {
    pub(super) address: SocketAddr,
    pub(super) authority: Arc<Authority>,
    pub(super) acks: Arc<Acks>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) stop: CancellationToken,
    pub(super) api: FakeApi,
    pub(super) server: JoinSet<()>,
    publish: watch::Sender<Option<Arc<Compilation>>>,
    lead: watch::Sender<Leader>,
}

impl Scene {
    pub(super) async fn new() -> Self {
        Self::with(Timing::default()).await
    }

    pub(super) async fn with(timing: Timing) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (publish, lead) = (watch::Sender::new(None), watch::Sender::new(Leader::default()));
        let (metrics, api) = (Metrics::new().unwrap(), FakeApi::start().await);
        let trusted = Arc::new(Trusted::new(&[format!("{IMAGE}:1")]));
        let identity = Identity::new(api.client(), trusted, publish.subscribe(), Arc::clone(&metrics));
        let address = listener.local_addr().unwrap();
        let server = Server {
            authority: Authority::ready(vec![NAME.to_owned()]),
            identity: Arc::new(identity),
            compilations: publish.subscribe(),
            acks: Arc::default(),
            leadership: lead.subscribe(),
            metrics: Arc::clone(&metrics),
            now,
            stop: CancellationToken::new(),
            views: Arc::default(),
            most_strangers: MOST_STRANGERS,
            timing,
        };
        let (authority, acks, stop) = (server.authority.clone(), server.acks.clone(), server.stop.clone());
        let mut running = JoinSet::new();
        running.spawn(Arc::new(server).serve(listener));
        Self {
            address,
            authority,
            acks,
            metrics,
            stop,
            api,
            server: running,
            publish,
            lead,
        }
    }

    /// Compiles `words` ([`world`]) and publishes it.
    pub(super) fn publish(&self, words: &str) {
        self.publish.send_replace(Some(Arc::new(compilation(words))));
    }

    /// Another replica leads, and takes sidecars at `address`.
    pub(super) fn follow(&self, address: &str) {
        self.lead.send_replace(Leader::new(None, Some(address.to_owned())));
    }

    /// This replica leads.
    pub(super) fn lead(&self) {
        let until = Instant::now() + WITHIN;
        self.lead
            .send_replace(Leader::new(Some(until), Some("here:1".to_owned())));
    }

    /// A key, and a certificate of ours for it and the pod.
    pub(super) fn certificate(&self, verified: &Verified) -> (String, KeyPair) {
        certificate(&self.authority, verified)
    }

    /// What the sidecar of `uid` acknowledged, once it is of the view whose version this is.
    pub(super) async fn acked(&self, uid: &str, version: &str) -> Arc<Acked> {
        let uid = PodUid::new(uid);
        let mut changed = self.acks.changed();
        let is_it = |acked: &Arc<Acked>| acked.view.version() == version;
        let acked = async {
            loop {
                if let Some(acked) = self.acks.of(&uid).filter(is_it) {
                    return acked;
                }
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(WITHIN, acked).await.expect("acknowledged in time")
    }

    /// Waits until the sum of the series that begin so is at least `least`. Metrics tell nobody when they change.
    pub(super) async fn counted(&self, series: &str, least: u64) {
        let counted = async {
            while self.count(series) < least {
                tokio::task::yield_now().await;
            }
        };
        let in_time = tokio::time::timeout(WITHIN, counted).await;
        in_time.unwrap_or_else(|_| panic!("{series} is {} and not {least}", self.count(series)));
    }

    /// The sum of the series that begin so.
    pub(super) fn count(&self, series: &str) -> u64 {
        let text = self.metrics.exposition(Instant::now()).unwrap();
        let values = text.lines().filter_map(|line| {
            let (name, value) = line.strip_prefix("pilotfish_operator_")?.rsplit_once(' ')?;
            name.starts_with(series).then(|| value.parse::<u64>().unwrap())
        });
        values.sum()
    }
}

pub(super) fn certificate(authority: &Authority, verified: &Verified) -> (String, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let request = CertificateParams::default().serialize_request(&key).unwrap();
    let pem = authority.certify(request.pem().unwrap().as_bytes(), &verified.uris(), now());
    (pem.unwrap(), key)
}

pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// One object a line:
///
/// ```text
/// deployment shop/east MODEL [KEY]    with a credential, if there is a KEY
/// policy shop/chat east               answers for its own name
/// key shop/team sk-pf-…
/// pod shop/web UID [WHY]              whose sidecar is refused, if it says why
/// ```
fn compilation(words: &str) -> Compilation {
    let mut world = World::default();
    let mut pods = BTreeMap::new();
    for line in words.lines() {
        let line: Vec<&str> = line.split_whitespace().collect();
        let [kind, name, what, ref more @ ..] = line[..] else {
            continue;
        };
        let (namespace, name) = name.split_once('/').unwrap();
        let name = ObjectName::new(namespace, name);
        match kind {
            "deployment" => deployment(&mut world, name, what, more.first().copied()),
            "policy" => {
                let targets = json!([{"deploymentRef": {"name": what}}]);
                let spec = json!({"models": [name.name], "rules": [{"name": "only", "targets": targets}]});
                world.policies.insert(name, object(spec));
            }
            "key" => {
                let spec = json!({"secretName": name.name});
                let secret = [("api-key".to_owned(), ProviderKey::new(what.to_owned()))];
                world.secrets.insert(name.clone(), secret.into());
                world.keys.insert(name, object(spec));
            }
            "pod" => {
                let refused = (!more.is_empty()).then(|| more.join(" ").into());
                let pod = LivePod { refused, ..live(name) };
                world.pods.insert(pod.scope());
                pods.insert(PodUid::new(what), pod);
            }
            other => panic!("no kind {other} here"),
        }
    }
    Compilation {
        compiled: Arc::new(compile(&world)),
        world: Arc::new(world),
        pods: Arc::new(pods),
        seen: Arc::new(Seen::default()),
        revisions: [].into(),
    }
}

fn deployment(world: &mut World, name: ObjectName, model: &str, key: Option<&str>) {
    let credentials = match key {
        None => json!({"none": {}}),
        Some(key) => {
            let secret = [("api-key".to_owned(), ProviderKey::new(key.to_owned()))];
            world.secrets.insert(name.clone(), secret.into());
            json!({"secretKeyRef": {"name": name.name, "key": "api-key"}})
        }
    };
    let spec = json!({"provider": "OpenAI", "model": model, "credentials": credentials});
    world.deployments.insert(name, object(spec));
}

fn object<S: DeserializeOwned>(spec: Value) -> Object<S> {
    Object {
        generation: 1,
        created: 0,
        labels: Labels::new(),
        spec: Ok(serde_json::from_value(spec).unwrap()),
    }
}

fn live(name: ObjectName) -> LivePod {
    LivePod {
        labels: Labels::from([("pilotfish.dev/sidecar".to_owned(), "true".to_owned())]),
        terminating: false,
        has_sidecar: true,
        refused: None,
        name,
    }
}

/// A pod as injection makes it.
pub(super) fn pod(namespace: &str, name: &str, uid: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "namespace": namespace,
            "name": name,
            "uid": uid,
            "labels": {"pilotfish.dev/sidecar": "true"},
        },
        "spec": {
            "containers": [{"name": "app"}],
            "initContainers": [{
                "name": "pilotfish",
                "image": format!("{IMAGE}:2"),
                "volumeMounts": [{"name": "token", "mountPath": "/t"}],
            }],
            "volumes": [{
                "name": "token",
                "projected": {"sources": [{"serviceAccountToken": {"audience": "pilotfish.dev", "path": "token"}}]},
            }],
        },
        "status": {"phase": "Running"},
    })
}
