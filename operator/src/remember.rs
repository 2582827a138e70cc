//! What is in force is written where Kubernetes remembers such things.
//!
//! For each generation of a ModelDeployment or RoutingPolicy that goes into force the leader creates a
//! ControllerRevision, owned by the object, with its spec; then it deletes those before it. All replicas read them, so
//! a replica, a pod or an operator that starts later serves the same (`watch/remembered.rs`). A revision's data cannot
//! be changed once it is written, hence one for each generation.

mod revision;
mod seal;
mod written;

pub(crate) use revision::Revision;
pub(crate) use seal::SealKey;
#[cfg(test)]
pub(crate) use seal::seal;
pub(crate) use written::Written;

use crate::backoff::Backoff;
use crate::events::{Occurrence, Recorder};
use crate::lease::Leadership;
use crate::metrics::{Metrics, Occasion};
use crate::watch::{Compilation, Compilations, IN_FORCE_LABEL, SeenObject};
use crate::world::{Generation, ObjectName};
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::core::ObjectMeta;
use kube::{Api, Client, Resource, ResourceExt};
use pilotfish_crds::{ModelDeployment, RoutingPolicy};
use seal::SEAL;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
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
    key: SealKey,
    mut compilations: Compilations,
    mut leadership: Leadership,
    recorder: Recorder,
    metrics: Arc<Metrics>,
) {
    let mut author = Author {
        client,
        key,
        recorder,
        failures: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
    };
    loop {
        let compilation = compilations.borrow_and_update().clone();
        let leads = leadership.borrow_and_update().is_me(Instant::now());
        match compilation.filter(|_| leads) {
            Some(compilation) => author.carry_out(plan(&compilation, key)).await,
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
fn plan(compilation: &Compilation, key: SealKey) -> Plan {
    let in_force = &compilation.compiled.in_force;
    let seen = &compilation.seen;
    let written = Written::of(&compilation.revisions);
    let mut plan = Plan::default();
    add::<ModelDeployment, _, _>(&mut plan, key, &written, &in_force.deployments, &seen.deployments);
    add::<RoutingPolicy, _, _>(&mut plan, key, &written, &in_force.policies, &seen.policies);
    plan
}

fn add<K: Resource<DynamicType = ()>, S: Serialize, T>(
    plan: &mut Plan,
    key: SealKey,
    written: &Written<'_>,
    in_force: &BTreeMap<ObjectName, Generation<S>>,
    seen: &BTreeMap<ObjectName, SeenObject<T>>,
) {
    for (name, generation) in in_force {
        let Some(object) = seen.get(name) else { continue };
        let none = OfOne::default();
        let OfOne { sealed, forged } = written.get(name, &object.uid).unwrap_or(&none);
        let forged = forged.iter().filter(|forged| !forged.is_deleting());
        plan.forged.extend(forged.map(|forged| name_of(*forged)));
        if sealed.iter().any(|revision| revision.number() == generation.number) {
            let older = sealed.iter().filter(|revision| revision.number() < generation.number);
            plan.delete.extend(older.map(|revision| name_of(*revision)));
        } else {
            plan.create.push(revision::<K>(key, name, &object.uid, generation));
        }
    }
}

fn name_of(revision: &impl ResourceExt) -> ObjectName {
    ObjectName::new(revision.namespace().unwrap_or_default(), revision.name_any())
}

fn revision<K: Resource<DynamicType = ()>>(
    key: SealKey,
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
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(written::name(uid, generation.number)),
            namespace: Some(name.namespace.clone()),
            labels: Some(BTreeMap::from([(IN_FORCE_LABEL.to_owned(), "true".to_owned())])),
            annotations: Some(BTreeMap::from([(
                SEAL.to_owned(),
                seal::seal(key, uid, generation.number, &spec),
            )])),
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
    revision::<RoutingPolicy>(key, name, uid, &Generation { number, spec })
}

/// Carries plans out.
struct Author {
    client: Client,
    key: SealKey,
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
        if Revision::read(taken, self.key).owner().is_some() {
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
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use kube::client::Body;
    use std::sync::Mutex;

    fn key() -> SealKey {
        SealKey::new([7; 32])
    }

    fn read(revisions: impl IntoIterator<Item = ControllerRevision>) -> Vec<Arc<Revision>> {
        let read = revisions.into_iter().map(|revision| Revision::read(revision, key()));
        read.map(Arc::new).collect()
    }

    #[test]
    fn what_somebody_else_wrote_counts_for_nothing_and_goes_where_it_stands_in_the_way() {
        let name = ObjectName::new("shop", "chat");
        let generation = |number| Generation {
            number,
            spec: serde_json::json!({"models": ["chat"]}),
        };
        let made = |number| revision::<RoutingPolicy>(key(), &name, "uid-1", &generation(number));
        let mut changed = made(3);
        changed.data = Some(RawExtension(serde_json::json!({"models": ["other"]})));
        let mut elsewhere = made(9);
        elsewhere.metadata.namespace = Some("evil".to_owned());
        let mut renumbered = made(3);
        renumbered.revision = 999_999;
        renumbered.metadata.name = Some("pilotfish-uid-1-999999".to_owned());
        let mut of_another = made(2);
        of_another.metadata.name = Some("pilotfish-uid-2-2".to_owned());
        of_another.metadata.owner_references.as_mut().unwrap()[0].uid = "uid-2".to_owned();
        let mut deleting = revision::<RoutingPolicy>(SealKey::new([8; 32]), &name, "uid-1", &generation(5));
        deleting.metadata.deletion_timestamp = Some(Time("2026-11-21T12:00:00Z".parse().unwrap()));
        let of_another_installation = revision::<RoutingPolicy>(SealKey::new([8; 32]), &name, "uid-1", &generation(4));
        let in_force = BTreeMap::from([(name.clone(), generation(3))]);
        let object = SeenObject::<()> {
            uid: "uid-1".to_owned(),
            resource_version: String::new(),
            generation: 3,
            deleting: None,
            status: None,
        };
        let seen = BTreeMap::from([(name.clone(), object)]);
        let mut plan = Plan::default();
        let written = read([
            changed,
            elsewhere,
            renumbered,
            of_another,
            of_another_installation,
            deleting,
        ]);
        add::<RoutingPolicy, _, _>(&mut plan, key(), &Written::of(&written), &in_force, &seen);
        let forged: Vec<String> = plan.forged.iter().map(ToString::to_string).collect();
        let expected = [
            "shop/pilotfish-uid-1-3",
            "shop/pilotfish-uid-1-999999",
            "shop/pilotfish-uid-1-4",
        ];
        assert_eq!(forged, expected);
        assert_eq!(plan.create, [made(3)]);
        assert!(plan.delete.is_empty());
    }

    /// An author whose API server answers like this, and what it was asked.
    fn author(answers: Vec<(u16, serde_json::Value)>) -> (Author, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (answers, log) = (Arc::new(Mutex::new(answers.into_iter())), Arc::clone(&asked));
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let (status, body) = answers.lock().unwrap().next().expect("no more is asked");
            log.lock().unwrap().push(request.method().to_string());
            let body = Body::from(body.to_string().into_bytes());
            let answer = http::Response::builder().status(status).body(body);
            async move { answer }
        });
        let client = Client::new(service, "default");
        let author = Author {
            recorder: Recorder::new(client.clone(), "operator-0", Metrics::new().unwrap()),
            client,
            key: key(),
            failures: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
        };
        (author, asked)
    }

    #[tokio::test]
    async fn a_conflict_is_looked_into_before_it_counts_as_written() {
        let name = ObjectName::new("shop", "chat");
        let made = sealed(key(), &name, "uid-1", 3, serde_json::json!({"models": ["chat"]}));
        let conflict = |reason: &str| {
            let status = serde_json::json!({"kind": "Status", "code": 409, "reason": reason, "status": "Failure", "message": reason});
            (409, status)
        };
        let list = |items: &[&ControllerRevision]| {
            let list = serde_json::json!({"kind": "ControllerRevisionList", "metadata": {}, "items": items});
            (200, list)
        };
        let created = (201, serde_json::to_value(&made).unwrap());
        let mut foreign = made.clone();
        foreign.metadata.annotations = None;
        foreign.metadata.labels = None;
        for (answers, asked, failures) in [
            (vec![created.clone()], "POST", 0),
            (vec![conflict("AlreadyExists"), list(&[&made])], "POST GET", 0),
            // A quota that was counted at the same moment.
            (vec![conflict("Conflict"), list(&[]), created], "POST GET POST", 0),
            (
                // And its Event.
                vec![
                    conflict("AlreadyExists"),
                    list(&[&foreign]),
                    list(&[]),
                    (201, serde_json::json!({})),
                ],
                "POST GET DELETE POST",
                1,
            ),
        ] {
            let (mut author, log) = author(answers);
            author.create(made.clone()).await;
            assert_eq!(
                (log.lock().unwrap().join(" ").as_str(), author.failures.len()),
                (asked, failures)
            );
        }
    }

    #[test]
    fn a_revision_says_whose_it_is_and_what_was_in_force() {
        let generation = Generation {
            number: 3,
            spec: serde_json::json!({"models": ["chat"]}),
        };
        let made = revision::<RoutingPolicy>(key(), &ObjectName::new("shop", "chat"), "uid-1", &generation);
        let expected = serde_json::json!({
            "apiVersion": "apps/v1", "kind": "ControllerRevision",
            "metadata": {
                "name": "pilotfish-uid-1-3", "namespace": "shop", "labels": {"pilotfish.dev/in-force": "true"},
                "annotations": {"pilotfish.dev/seal": seal::seal(key(), "uid-1", 3, &generation.spec)},
                "ownerReferences": [{
                    "apiVersion": "pilotfish.dev/v1alpha1", "kind": "RoutingPolicy", "name": "chat", "uid": "uid-1",
                    "controller": true,
                }],
            },
            "revision": 3, "data": {"models": ["chat"]},
        });
        assert_eq!(serde_json::to_value(made).unwrap(), expected);
    }

    #[test]
    fn what_is_written_is_not_written_again_and_what_is_older_goes() {
        let name = ObjectName::new("shop", "chat");
        let generation = Generation {
            number: 3,
            spec: serde_json::json!({}),
        };
        let in_force = BTreeMap::from([(name.clone(), generation.clone())]);
        let object = SeenObject::<()> {
            uid: "uid-1".to_owned(),
            resource_version: String::new(),
            generation: 3,
            deleting: None,
            status: None,
        };
        let seen = BTreeMap::from([(name.clone(), object)]);
        let planned = |numbers: &[i64]| {
            let written = numbers.iter().map(|&number| Generation {
                number,
                spec: serde_json::json!({}),
            });
            let written = read(written.map(|one| revision::<RoutingPolicy>(key(), &name, "uid-1", &one)));
            let mut plan = Plan::default();
            add::<RoutingPolicy, _, _>(&mut plan, key(), &Written::of(&written), &in_force, &seen);
            let created: Vec<_> = plan.create.iter().map(|revision| revision.revision).collect();
            let deleted: Vec<_> = plan.delete.iter().map(ToString::to_string).collect();
            (created, deleted)
        };
        assert_eq!(planned(&[]), (vec![3], vec![]));
        assert_eq!(planned(&[2]), (vec![3], vec![]));
        assert_eq!(planned(&[2, 3]), (vec![], vec!["shop/pilotfish-uid-1-2".to_owned()]));
        assert_eq!(planned(&[3]), (vec![], vec![]));
    }
}
