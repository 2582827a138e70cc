//! One cache per kind of object, and the streams that fill them, each with a backoff of its own.
//!
//! A list that fails leaves its cache as it was: nothing shrinks because an API server is away. What nobody reads is
//! dropped before it is cached.

use super::labelled::Labelled;
use super::pods::Carrier;
use super::relisting::{Selection, events, mapped};
use super::sound::Sound;
use super::strict::Strict;
use crate::identity::Trusted;
use crate::remember::{Revision, SealKey};
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::{self, Lookup, Store};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, Resource};
use pilotfish_crds::{ModelDeployment, RoutingPolicy, VirtualKey};
use serde::de::DeserializeOwned;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

/// The label without which a Secret is not ours to read.
pub const CREDENTIALS_LABEL: &str = "pilotfish.dev/credentials";
/// The label of pods that carry a sidecar.
pub const SIDECAR_LABEL: &str = "pilotfish.dev/sidecar";
/// The label of ControllerRevisions that remember what is in force.
pub const IN_FORCE_LABEL: &str = "pilotfish.dev/in-force";

/// Objects of one page of a list of what may be as large as the API server lets it be.
const SMALL_PAGE: u32 = 20;

/// An object of ours that may not be readable.
pub(super) type Guarded<K> = DeserializeGuard<Strict<K>>;

/// What of the cluster is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Watched {
    /// ModelDeployments.
    ModelDeployment,
    /// RoutingPolicies.
    RoutingPolicy,
    /// VirtualKeys.
    VirtualKey,
    /// Secrets with [`CREDENTIALS_LABEL`].
    Secret,
    /// Pods with [`SIDECAR_LABEL`].
    Pod,
    /// Names and labels of Namespaces.
    Namespace,
    /// ControllerRevisions with [`IN_FORCE_LABEL`].
    ControllerRevision,
}

/// All that is watched.
pub const WATCHED: [Watched; 7] = [
    Watched::ModelDeployment,
    Watched::RoutingPolicy,
    Watched::VirtualKey,
    Watched::Secret,
    Watched::Pod,
    Watched::Namespace,
    Watched::ControllerRevision,
];

impl Watched {
    /// As it stands in paths.
    pub(super) fn resource(self) -> &'static str {
        match self {
            Self::ModelDeployment => "modeldeployments",
            Self::RoutingPolicy => "routingpolicies",
            Self::VirtualKey => "virtualkeys",
            Self::Secret => "secrets",
            Self::Pod => "pods",
            Self::Namespace => "namespaces",
            Self::ControllerRevision => "controllerrevisions",
        }
    }

    /// The kind's name, for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ModelDeployment => "ModelDeployment",
            Self::RoutingPolicy => "RoutingPolicy",
            Self::VirtualKey => "VirtualKey",
            Self::Secret => "Secret",
            Self::Pod => "Pod",
            Self::Namespace => "Namespace",
            Self::ControllerRevision => "ControllerRevision",
        }
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happened to a cache.
#[derive(Debug)]
pub enum Progress {
    /// A list began or goes on; the cache is as it was.
    Listing,
    /// A list is complete and is the cache now.
    Listed,
    /// One object came, changed or went.
    Changed,
    /// The watch failed and will be tried again.
    Failed(watcher::Error),
}

/// The caches.
#[derive(Clone)]
pub struct Stores {
    pub(super) deployments: Store<Guarded<ModelDeployment>>,
    pub(super) policies: Store<Guarded<RoutingPolicy>>,
    pub(super) keys: Store<Guarded<VirtualKey>>,
    pub(super) secrets: Store<Labelled>,
    pub(super) pods: Store<Carrier>,
    /// By whom their sidecars are judged.
    pub(super) trusted: Arc<Trusted>,
    pub(super) namespaces: Store<PartialObjectMeta<Namespace>>,
    pub(super) revisions: Store<Revision>,
}

/// What the caches are filled from.
pub type Streams = Vec<BoxStream<'static, (Watched, Progress)>>;

/// The caches, empty, and the streams that fill them while they are polled. What is in force is sealed with `key`,
/// and sidecars are judged by `trusted`.
pub(crate) fn open(client: &Client, key: SealKey, trusted: Arc<Trusted>) -> (Stores, Streams) {
    let labelled = Selection::labelled;
    // Whoever may write them in one namespace decides how much there is of them.
    let guarded = |label: &str| labelled(label).in_pages_of(SMALL_PAGE);
    let (deployments, first) = ours(client, Watched::ModelDeployment);
    let (policies, second) = ours(client, Watched::RoutingPolicy);
    let (keys, third) = ours(client, Watched::VirtualKey);
    let raw = events(Api::<Sound<Labelled>>::all(client.clone()), guarded(CREDENTIALS_LABEL));
    let (secrets, fourth) = cached(Watched::Secret, raw, |_| {});
    let raw = events(Api::<Sound<Pod>>::all(client.clone()), labelled(SIDECAR_LABEL));
    let raw = raw.map_ok(|event| mapped(event, Carrier::read));
    let (pods, fifth) = cached(Watched::Pod, raw, |_| {});
    let raw = events(
        Api::<Sound<PartialObjectMeta<Namespace>>>::all(client.clone()),
        Selection::all(),
    );
    let (namespaces, sixth) = cached(Watched::Namespace, raw, without_annotations);
    let raw = events(
        Api::<Sound<ControllerRevision>>::all(client.clone()),
        guarded(IN_FORCE_LABEL),
    );
    let read = move |revision| Revision::read(revision, key);
    let raw = raw.map_ok(move |event| mapped(event, read));
    let (revisions, seventh) = cached(Watched::ControllerRevision, raw, |_| {});
    let stores = Stores {
        deployments,
        policies,
        keys,
        secrets,
        pods,
        trusted,
        namespaces,
        revisions,
    };
    (stores, vec![first, second, third, fourth, fifth, sixth, seventh])
}

fn ours<K>(client: &Client, kind: Watched) -> (Store<Guarded<K>>, BoxStream<'static, (Watched, Progress)>)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + fmt::Debug + Send + Sync + 'static,
{
    let raw = events(Api::<Sound<Guarded<K>>>::all(client.clone()), Selection::all());
    cached(kind, raw, without_annotations)
}

fn cached<K, S>(
    kind: Watched,
    stream: S,
    strip: impl Fn(&mut K) + Send + 'static,
) -> (Store<K>, BoxStream<'static, (Watched, Progress)>)
where
    K: Resource + Lookup + Clone + fmt::Debug + Send + Sync + 'static,
    <K as Lookup>::DynamicType: Default + Eq + Hash + Clone + Send + Sync,
    S: futures::Stream<Item = watcher::Result<Event<K>>> + Send + 'static,
{
    let (store, writer) = reflector::store();
    let stripped = stream.default_backoff().modify(move |object: &mut K| {
        object.meta_mut().managed_fields = None;
        strip(object);
    });
    let progress = reflector::reflector(writer, stripped).map(move |event| {
        let progress = match event {
            Ok(Event::Init | Event::InitApply(_)) => Progress::Listing,
            Ok(Event::InitDone) => Progress::Listed,
            Ok(Event::Apply(_) | Event::Delete(_)) => Progress::Changed,
            Err(error) => Progress::Failed(error),
        };
        (kind, progress)
    });
    (store, progress.boxed())
}

fn without_annotations(object: &mut impl Resource) {
    object.meta_mut().annotations = None;
}
