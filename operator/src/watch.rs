//! Cluster → World → [`Compilation`]: one stream per kind, each with a backoff of its own, debounced.
//!
//! Nothing is published before every kind has been listed once. A list that fails keeps what was there; one object that
//! cannot be read spoils only itself (`strict.rs`). What is published last is what counts: a reader that was busy misses
//! the compilations in between and nothing else.

mod debounce;
mod hearing;
mod labelled;
mod pods;
mod read;
pub(crate) mod relisting;
mod remembered;
pub(crate) mod sound;
mod stores;
mod strict;

pub use hearing::{AllSeries, client};
pub use pods::{LivePod, PodUid, SIDECAR_CONTAINER};
pub use read::Installation;
pub(crate) use stores::open;
pub use stores::{CREDENTIALS_LABEL, IN_FORCE_LABEL, Progress, SIDECAR_LABEL, Stores, Streams, WATCHED, Watched};

use crate::compile::{Compiled, compile};
use crate::keys::Kept;
use crate::metrics::Metrics;
use crate::remember::Revision;
use crate::world::{ObjectName, World};
use debounce::Debounce;
use futures::StreamExt;
use futures::stream::select_all;
use pilotfish_crds::deployment::ModelDeploymentStatus;
use pilotfish_crds::key::VirtualKeyStatus;
use pilotfish_crds::policy::RoutingPolicyStatus;
use read::{Cluster, Fingerprint};
use remembered::Memory;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::Instant;

/// A World, compiled, and what of the cluster is needed beside it.
#[derive(Clone, Debug)]
pub struct Compilation {
    /// What was compiled.
    pub world: Arc<World>,
    /// What it compiled to. The same pointer as before: nothing that matters has changed.
    pub compiled: Arc<Compiled>,
    /// The live pods that are to carry a sidecar, those included that are being deleted, or whose sidecar is refused.
    pub pods: Arc<BTreeMap<PodUid, LivePod>>,
    /// Our objects as the API server last had them.
    pub seen: Arc<Seen>,
    /// What is remembered of what is in force.
    pub revisions: Arc<[Arc<Revision>]>,
}

/// Our objects, apart from what they compile to.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// ModelDeployments.
    pub deployments: BTreeMap<ObjectName, SeenObject<ModelDeploymentStatus>>,
    /// RoutingPolicies.
    pub policies: BTreeMap<ObjectName, SeenObject<RoutingPolicyStatus>>,
    /// VirtualKeys.
    pub keys: BTreeMap<ObjectName, SeenObject<VirtualKeyStatus>>,
    /// The labelled Secrets, as far as they may hold a caller's key.
    pub secrets: BTreeMap<ObjectName, Kept>,
}

/// An object as the API server last had it.
#[derive(Clone, Debug)]
pub struct SeenObject<S> {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// `metadata.generation`.
    pub generation: i64,
    /// It is being deleted, and waits for these finalizers.
    pub deleting: Option<Vec<String>>,
    /// Its status; `None` also where the object cannot be read.
    pub status: Option<S>,
}

/// Where compilations are read. `None` until every kind has been listed.
pub type Compilations = watch::Receiver<Option<Arc<Compilation>>>;

/// The series of all that is watched.
pub fn series(metrics: &Metrics) -> AllSeries {
    let of = |watched: Watched| (watched, metrics.watch(watched.as_str(), Instant::now()));
    WATCHED.into_iter().map(of).collect()
}

/// Keeps `publish` up to date for as long as it is polled.
pub async fn run(
    stores: Stores,
    streams: Streams,
    installation: Installation,
    metrics: Arc<Metrics>,
    series: AllSeries,
    publish: watch::Sender<Option<Arc<Compilation>>>,
) {
    let mut streams = select_all(streams);
    let mut trust = stores.trusted.changed();
    let mut publisher = Publisher::new(stores, installation, Arc::clone(&metrics), publish);
    let mut unlisted: BTreeSet<Watched> = WATCHED.into_iter().collect();
    let mut debounce = Debounce::default();
    loop {
        let due = debounce.due().filter(|_| unlisted.is_empty());
        let wait = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some((watched, progress)) = streams.next() => {
                let Some((_, series)) = series.get(watched as usize) else { continue };
                match progress {
                    Progress::Listing => {}
                    Progress::Failed(error) => {
                        series.failures.inc();
                        tracing::warn!(%watched, %error, "watch failed and will be tried again");
                        continue;
                    }
                    Progress::Listed => {
                        series.listed.set(1);
                        unlisted.remove(&watched);
                        debounce.touch(Instant::now());
                    }
                    Progress::Changed => debounce.touch(Instant::now()),
                }
                series.heard(Instant::now());
            }
            Ok(()) = trust.changed() => debounce.touch(Instant::now()),
            () = wait => {
                let begun = Instant::now();
                publisher.publish();
                debounce.looked(begun, Instant::now());
            }
        }
    }
}

/// Compiles the caches, if anything in them asks for it.
struct Publisher {
    stores: Stores,
    installation: Installation,
    publish: watch::Sender<Option<Arc<Compilation>>>,
    metrics: Arc<Metrics>,
    memory: Memory,
    fingerprint: Fingerprint,
}

impl Publisher {
    fn new(
        stores: Stores,
        installation: Installation,
        metrics: Arc<Metrics>,
        publish: watch::Sender<Option<Arc<Compilation>>>,
    ) -> Self {
        Self {
            stores,
            installation,
            publish,
            metrics,
            memory: Memory::default(),
            fingerprint: Fingerprint::default(),
        }
    }

    fn publish(&mut self) {
        let cluster = read::cluster(&self.stores);
        let mut fingerprint = read::fingerprint(&self.stores, &cluster, &self.memory);
        let before = self
            .publish
            .borrow()
            .clone()
            .filter(|_| fingerprint == self.fingerprint);
        let (world, compiled) = match before {
            Some(before) => (Arc::clone(&before.world), Arc::clone(&before.compiled)),
            None => {
                let compiled = self.compile(&cluster);
                // Compiling the same World again puts nothing else in force.
                fingerprint.in_force = read::numbers(&self.stores, &cluster.seen, &self.memory);
                compiled
            }
        };
        self.fingerprint = fingerprint;
        self.publish.send_replace(Some(Arc::new(Compilation {
            world,
            compiled,
            pods: Arc::new(cluster.pods),
            seen: Arc::new(cluster.seen),
            revisions: self.stores.revisions.state().into(),
        })));
    }

    fn compile(&mut self, cluster: &Cluster) -> (Arc<World>, Arc<Compiled>) {
        let begun = Instant::now();
        let world = read::world(&self.stores, cluster, &self.installation, &self.memory);
        let compiled = compile(&world);
        self.metrics.compile_seconds.observe(begun.elapsed().as_secs_f64());
        self.memory = Memory {
            in_force: compiled.in_force.clone(),
            deployments: read::uids(&cluster.seen.deployments),
            policies: read::uids(&cluster.seen.policies),
        };
        tracing::debug!(
            deployments = world.deployments.len(),
            policies = world.policies.len(),
            keys = world.keys.len(),
            pods = cluster.pods.len(),
            "compiled"
        );
        (Arc::new(world), Arc::new(compiled))
    }
}

#[cfg(test)]
mod tests;
