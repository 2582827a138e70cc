//! What is in force is written where Kubernetes remembers such things.
//!
//! For each generation of a ModelDeployment or RoutingPolicy that goes into force the leader creates a
//! ControllerRevision, owned by the object, with its spec; then it deletes those before it, but for the last that another
//! version of the operator wrote: that version may come back, and may not know what this one has written. All replicas
//! read them, so a replica, a pod or an operator that starts later serves the same (`watch/remembered.rs`). A revision's
//! data cannot be changed once it is written, hence one for each generation.
//!
//! What another key sealed is said and left alone (`remember/strangers.rs`).

mod revision;
mod seal;
mod strangers;
mod written;

pub(crate) use revision::Revision;
pub(crate) use seal::SealKey;
#[cfg(test)]
pub(crate) use seal::seal;
pub(crate) use written::Written;

use crate::backoff::Backoff;
use crate::events::{Occurrence, Recorder};
use crate::installation;
use crate::lease::Leadership;
use crate::metrics::{Metrics, Occasion};
use crate::watch::{Compilation, Compilations, IN_FORCE_LABEL, Seen, SeenObject};
use crate::world::{Generation, ObjectName};
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::core::ObjectMeta;
use kube::{Api, Client, Resource, ResourceExt};
use pilotfish_crds::{ModelDeployment, RoutingPolicy};
use revision::{OPERATOR, VERSION};
use seal::SEAL;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use strangers::Strangers;
use tokio::time::Instant;
use written::OfOne;

/// Before what could not be written is tried again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// At most, after doubling.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long the API server may take for one revision.
const PATIENCE: Duration = Duration::from_secs(5);
/// The name exists, or something else was changed at the same moment.
const CONFLICT: u16 = 409;
/// The name is gone, which is no error.
const NOT_FOUND: u16 = 404;

type Revisions = Api<ControllerRevision>;

/// By whom revisions are written.
#[derive(Clone, Debug)]
pub(crate) struct Scribe {
    /// What they are sealed with.
    pub(crate) key: SealKey,
    /// Where the operator runs.
    pub(crate) namespace: String,
}

/// What is to be done so that the cluster remembers what is in force.
#[derive(Debug, Default)]
struct Plan {
    /// They have our names and not our seal.
    forged: Vec<ObjectName>,
    create: Vec<ControllerRevision>,
    /// Namespace and name.
    delete: Vec<ObjectName>,
}

impl Plan {
    /// Of all revisions that it is about.
    fn names(&self) -> impl Iterator<Item = ObjectName> {
        let gone = self.forged.iter().chain(&self.delete).cloned();
        gone.chain(self.create.iter().map(name_of))
    }
}

/// Writes and deletes revisions while this replica leads, for as long as it is polled.
pub(crate) async fn run(
    client: Client,
    scribe: Scribe,
    mut compilations: Compilations,
    mut leadership: Leadership,
    recorder: Recorder,
    metrics: Arc<Metrics>,
) {
    let mut author = Author {
        client,
        scribe,
        recorder,
        failures: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
    };
    let mut strangers = Strangers::default();
    loop {
        let compilation = compilations.borrow_and_update().clone();
        let leads = leadership.borrow_and_update().is_me(Instant::now());
        let written = compilation.as_ref().map(|known| Written::of(&known.revisions));
        if let Some((known, written)) = compilation.as_ref().zip(written.as_ref()) {
            let foreign = strangers.look(written, &known.seen, &author.scribe);
            metrics.foreign_revisions.set(foreign);
        }
        for occurrence in strangers.news(leads, &author.scribe) {
            let secret = installation::reference(&author.scribe.namespace);
            author.recorder.record(&secret, &occurrence).await;
        }
        let plan = compilation.as_ref().zip(written).filter(|_| leads);
        match plan.map(|(known, written)| plan_of(known, &written, &author.scribe)) {
            Some(plan) => author.carry_out(plan).await,
            None => author.failures.retain(|_| false),
        }
        let failures = i64::try_from(author.failures.len()).unwrap_or(i64::MAX);
        metrics.unremembered.set(failures);
        tokio::select! {
            changed = compilations.changed() => if changed.is_err() { return },
            changed = leadership.changed() => if changed.is_err() { return },
            () = author.failures.due() => {}
        }
    }
}

/// What differs between what is in force and what is written down.
fn plan_of(compilation: &Compilation, written: &Written<'_>, scribe: &Scribe) -> Plan {
    let in_force = &compilation.compiled.in_force;
    let Seen {
        deployments, policies, ..
    } = &*compilation.seen;
    let mut plan = Plan::default();
    add::<ModelDeployment, _, _>(&mut plan, scribe, written, &in_force.deployments, deployments);
    add::<RoutingPolicy, _, _>(&mut plan, scribe, written, &in_force.policies, policies);
    plan
}

fn add<K: Resource<DynamicType = ()>, S: Serialize, T>(
    plan: &mut Plan,
    scribe: &Scribe,
    written: &Written<'_>,
    in_force: &BTreeMap<ObjectName, Generation<S>>,
    seen: &BTreeMap<ObjectName, SeenObject<T>>,
) {
    for (name, generation) in in_force {
        let Some(object) = seen.get(name) else { continue };
        let none = OfOne::default();
        let OfOne { sealed, forged, .. } = written.get(name, &object.uid).unwrap_or(&none);
        let forged = forged.iter().filter(|forged| !forged.is_deleting());
        plan.forged.extend(forged.map(|forged| name_of(*forged)));
        if sealed.iter().any(|revision| revision.number() == generation.number) {
            plan.delete.extend(superseded(sealed, generation.number).map(name_of));
        } else {
            plan.create.push(revision::<K>(scribe, name, &object.uid, generation));
        }
    }
}

/// Those before `number` of `sealed`, the newest first, that nobody will read any more.
fn superseded<'a>(sealed: &[&'a Revision], number: i64) -> impl Iterator<Item = &'a Revision> {
    let (spare, older): (Vec<_>, Vec<_>) = sealed
        .iter()
        .copied()
        .filter(move |revision| revision.number() < number)
        .partition(|revision| revision.is_of_another_version());
    older.into_iter().chain(spare.into_iter().skip(1))
}

fn name_of(revision: &impl ResourceExt) -> ObjectName {
    ObjectName::new(revision.namespace().unwrap_or_default(), revision.name_any())
}

fn revision<K: Resource<DynamicType = ()>>(
    scribe: &Scribe,
    name: &ObjectName,
    uid: &str,
    generation: &Generation<impl Serialize>,
) -> ControllerRevision {
    let owner = OwnerReference {
        api_version: K::api_version(&()).into_owned(),
        kind: K::kind(&()).into_owned(),
        name: name.name.clone(),
        uid: uid.to_owned(),
        controller: Some(true),
        block_owner_deletion: None,
    };
    let spec = serde_json::to_value(&generation.spec).expect("specs have string keys and no failing serialisers");
    let annotations = [
        (SEAL, seal::seal(scribe.key, uid, generation.number, &spec)),
        (OPERATOR, scribe.namespace.clone()),
        (VERSION, env!("CARGO_PKG_VERSION").to_owned()),
    ];
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(written::name(uid, &scribe.key.id(), generation.number)),
            namespace: Some(name.namespace.clone()),
            labels: Some(BTreeMap::from([(IN_FORCE_LABEL.to_owned(), "true".to_owned())])),
            annotations: Some(annotations.map(|(name, value)| (name.to_owned(), value)).into()),
            owner_references: Some(vec![owner]),
            ..ObjectMeta::default()
        },
        revision: generation.number,
        data: Some(RawExtension(spec)),
    }
}

/// A revision of a RoutingPolicy as we write it, for the tests of those who read it.
#[cfg(test)]
pub(crate) fn sealed(
    key: SealKey,
    name: &ObjectName,
    uid: &str,
    number: i64,
    spec: serde_json::Value,
) -> ControllerRevision {
    let scribe = Scribe {
        key,
        namespace: "pilotfish-system".to_owned(),
    };
    revision::<RoutingPolicy>(&scribe, name, uid, &Generation { number, spec })
}

/// Carries plans out.
struct Author {
    client: Client,
    scribe: Scribe,
    recorder: Recorder,
    /// By the revision.
    failures: Backoff<ObjectName>,
}

impl Author {
    /// All of it, whatever becomes of each: a namespace that takes nothing, for its quota or because it is being deleted,
    /// must not keep the others from being remembered.
    async fn carry_out(&mut self, plan: Plan) {
        let names: BTreeSet<_> = plan.names().collect();
        self.failures.retain(|name| names.contains(name));
        for name in plan.forged {
            tracing::warn!(revision = %name, "a ControllerRevision with our name lacks our seal and is deleted");
            self.delete(name).await;
        }
        for revision in plan.create {
            self.create(revision).await;
        }
        for name in plan.delete {
            self.delete(name).await;
        }
    }

    async fn create(&mut self, revision: ControllerRevision) {
        let name = name_of(&revision);
        if !self.failures.is_due(&name, Instant::now()) {
            return;
        }
        let api = Revisions::namespaced(self.client.clone(), &name.namespace);
        let created = self.ask_for(&api, &name, &revision).await;
        let Some((error, is_news)) = self.note(name, created) else {
            return;
        };
        if let Some(regarding) = regarding(&revision).filter(|_| is_news) {
            let note = format!("serves, and would be forgotten if every replica of the operator restarted: {error}");
            let occasion = Occasion::Unremembered;
            self.recorder.record(&regarding, &Occurrence { occasion, note }).await;
        }
    }

    async fn ask_for(&self, api: &Revisions, name: &ObjectName, revision: &ControllerRevision) -> Result<(), String> {
        let params = PostParams::default();
        if answered(CONFLICT, api.create(&params, revision)).await?.is_some() {
            return Ok(());
        }
        // Its name is taken: by itself, which the watch has yet to show, or by somebody else. Or a quota was counted at the
        // same moment, which is a conflict, too.
        let only = ListParams::default().fields(&format!("metadata.name={}", name.name));
        match answer(api.list(&only)).await?.items.into_iter().next() {
            Some(taken) => self.make_room(api, name, taken).await,
            None => answer(api.create(&params, revision)).await.map(drop),
        }
    }

    /// What somebody else wrote goes, though it has not even our label.
    async fn make_room(&self, api: &Revisions, name: &ObjectName, taken: ControllerRevision) -> Result<(), String> {
        let (why, is_going) = (
            in_the_way(name, taken.finalizers()),
            taken.metadata.deletion_timestamp.is_some(),
        );
        if Revision::read(taken, self.scribe.key).is_ours() {
            return Ok(());
        }
        if !is_going {
            tracing::warn!(revision = %name, "a ControllerRevision with our name lacks our seal and is deleted");
            answered(NOT_FOUND, api.delete(&name.name, &DeleteParams::default())).await?;
        }
        Err(why)
    }

    async fn delete(&mut self, name: ObjectName) {
        if self.failures.is_due(&name, Instant::now()) {
            let api = Revisions::namespaced(self.client.clone(), &name.namespace);
            let deleted = answered(NOT_FOUND, api.delete(&name.name, &DeleteParams::default())).await;
            self.note(name, deleted.map(drop));
        }
    }

    /// What became of the revision `name`: its failure, and whether it is the first.
    fn note(&mut self, name: ObjectName, outcome: Result<(), String>) -> Option<(String, bool)> {
        let Err(error) = outcome else {
            self.failures.succeeded(&name);
            return None;
        };
        tracing::warn!(revision = %name, error, "what is in force could not be written down and will be tried again");
        Some((error, self.failures.failed(name, Instant::now())))
    }
}

/// The object whose generation a revision holds.
fn regarding(revision: &ControllerRevision) -> Option<ObjectReference> {
    let owner = revision.metadata.owner_references.as_ref()?.first()?.clone();
    Some(ObjectReference {
        api_version: Some(owner.api_version),
        kind: Some(owner.kind),
        namespace: revision.namespace(),
        name: Some(owner.name),
        uid: Some(owner.uid),
        ..ObjectReference::default()
    })
}

/// What is to be done about somebody else's object, which has been asked to go.
fn in_the_way(name: &ObjectName, finalizers: &[String]) -> String {
    let why = format!("ControllerRevision {name} is in the way, which the operator did not write, and is deleted");
    match finalizers {
        [] => why,
        waits => format!("{why} once its finalizers are removed: {}", waits.join(", ")),
    }
}

async fn answer<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, String> {
    in_time(call).await?.map_err(|error| error.to_string())
}

/// `None` where the API server answers with `code`.
async fn answered<T>(code: u16, call: impl Future<Output = kube::Result<T>>) -> Result<Option<T>, String> {
    match in_time(call).await? {
        Ok(answer) => Ok(Some(answer)),
        Err(kube::Error::Api(status)) if status.code == code => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

async fn in_time<T>(call: impl Future<Output = T>) -> Result<T, String> {
    let late = |_| format!("the API server did not answer within {PATIENCE:?}");
    tokio::time::timeout(PATIENCE, call).await.map_err(late)
}

#[cfg(test)]
mod tests;
