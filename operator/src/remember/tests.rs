//! What is planned and carried out.

use super::*;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::client::Body;
use std::sync::Mutex;

fn key() -> SealKey {
    SealKey::new([7; 32])
}

fn scribe() -> Scribe {
    scribe_with([7; 32])
}

fn scribe_with(key: [u8; 32]) -> Scribe {
    Scribe {
        key: SealKey::new(key),
        namespace: "pilotfish-system".to_owned(),
    }
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
    let made = |number| revision::<RoutingPolicy>(&scribe(), &name, "uid-1", &generation(number));
    let mut changed = made(3);
    changed.data = Some(RawExtension(serde_json::json!({"models": ["other"]})));
    let mut elsewhere = made(9);
    elsewhere.metadata.namespace = Some("evil".to_owned());
    let mut renumbered = made(3);
    renumbered.revision = 999_999;
    renumbered.metadata.name = Some(written::name("uid-1", &key().id(), 999_999));
    let mut of_another = made(2);
    of_another.metadata.name = Some(written::name("uid-2", &key().id(), 2));
    of_another.metadata.owner_references.as_mut().unwrap()[0].uid = "uid-2".to_owned();
    let mut deleting = made(5);
    deleting.data = None;
    deleting.metadata.deletion_timestamp = Some(Time("2026-11-21T12:00:00Z".parse().unwrap()));
    let of_another_installation = revision::<RoutingPolicy>(&scribe_with([8; 32]), &name, "uid-1", &generation(4));
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
    add::<RoutingPolicy, _, _>(&mut plan, &scribe(), &Written::of(&written), &in_force, &seen);
    let forged: Vec<String> = plan.forged.iter().map(ToString::to_string).collect();
    let expected = [3, 999_999].map(|number| format!("shop/pilotfish-uid-1-{}-{number}", key().id()));
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
        scribe: scribe(),
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
    let made = revision::<RoutingPolicy>(&scribe(), &ObjectName::new("shop", "chat"), "uid-1", &generation);
    let expected = serde_json::json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision",
        "metadata": {
            "name": format!("pilotfish-uid-1-{}-3", key().id()), "namespace": "shop", "labels": {"pilotfish.dev/in-force": "true"},
            "annotations": {
                "pilotfish.dev/seal": seal::seal(key(), "uid-1", 3, &generation.spec),
                "pilotfish.dev/operator": "pilotfish-system", "pilotfish.dev/version": env!("CARGO_PKG_VERSION"),
            },
            "ownerReferences": [{
                "apiVersion": "pilotfish.dev/v1alpha1", "kind": "RoutingPolicy", "name": "chat", "uid": "uid-1",
                "controller": true,
            }],
        },
        "revision": 3, "data": {"models": ["chat"]},
    });
    assert_eq!(serde_json::to_value(made).unwrap(), expected);
}

/// The object `shop/chat`, whose third generation is in force, and what is planned where these were `written` of it.
fn planned(written: impl IntoIterator<Item = ControllerRevision>) -> (Vec<i64>, Vec<i64>) {
    let name = ObjectName::new("shop", "chat");
    let spec = serde_json::json!({});
    let in_force = BTreeMap::from([(name.clone(), Generation { number: 3, spec })]);
    let seen = BTreeMap::from([(name, object::<()>())]);
    let written = read(written);
    let mut plan = Plan::default();
    add::<RoutingPolicy, _, _>(&mut plan, &scribe(), &Written::of(&written), &in_force, &seen);
    assert!(plan.forged.is_empty(), "{:?}", plan.forged);
    let number = |name: ObjectName| name.name.rsplit_once('-').unwrap().1.parse::<i64>().unwrap();
    let created = plan.create.iter().map(|revision| revision.revision);
    (created.collect(), plan.delete.into_iter().map(number).collect())
}

fn object<T>() -> SeenObject<T> {
    SeenObject {
        uid: "uid-1".to_owned(),
        resource_version: String::new(),
        generation: 3,
        deleting: None,
        status: None,
    }
}

fn made(scribe: &Scribe, number: i64, version: &str) -> ControllerRevision {
    let spec = serde_json::json!({});
    let name = ObjectName::new("shop", "chat");
    let mut made = revision::<RoutingPolicy>(scribe, &name, "uid-1", &Generation { number, spec });
    let annotations = made.metadata.annotations.as_mut().unwrap();
    annotations.insert(VERSION.to_owned(), version.to_owned());
    made
}

#[test]
fn what_is_written_is_not_written_again_and_what_is_older_goes() {
    let of_ours = |numbers: &[i64]| {
        let made = |&number: &i64| made(&scribe(), number, env!("CARGO_PKG_VERSION"));
        planned(numbers.iter().map(made).collect::<Vec<_>>())
    };
    assert_eq!(of_ours(&[]), (vec![3], vec![]));
    assert_eq!(of_ours(&[2]), (vec![3], vec![]));
    assert_eq!(of_ours(&[2, 3]), (vec![], vec![2]));
    assert_eq!(of_ours(&[1, 2, 3]), (vec![], vec![2, 1]));
    assert_eq!(of_ours(&[3]), (vec![], vec![]));
}

#[test]
fn the_last_that_another_version_wrote_is_kept_for_its_return() {
    let of = |versions: &[(i64, &str)]| {
        let made = |&(number, version): &(i64, &str)| made(&scribe(), number, version);
        planned(versions.iter().map(made).collect::<Vec<_>>())
    };
    let ours = env!("CARGO_PKG_VERSION");
    assert_eq!(of(&[(1, "former"), (2, "former"), (3, ours)]), (vec![], vec![1]));
    assert_eq!(of(&[(1, "former"), (2, ours), (3, ours)]), (vec![], vec![2]));
    assert_eq!(of(&[(1, "former"), (2, "later"), (3, ours)]), (vec![], vec![1]));
    assert_eq!(of(&[(2, "former"), (3, "former")]), (vec![], vec![]));
}

#[test]
fn what_another_key_sealed_is_left_counted_and_in_nobodys_way() {
    let former = scribe_with([8; 32]);
    let elsewhere = Scribe {
        namespace: "other\u{1b}[31m".to_owned(),
        ..scribe_with([9; 32])
    };
    let of_theirs = [(&former, 3), (&former, 2), (&elsewhere, 3)].map(|(by, number)| made(by, number, "0"));
    assert_eq!(planned(of_theirs.clone()), (vec![3], vec![]));

    let policies = BTreeMap::from([(ObjectName::new("shop", "chat"), object())]);
    let seen = Seen {
        policies,
        ..Seen::default()
    };
    let mut strangers = Strangers::default();
    let theirs = read(of_theirs);
    assert_eq!(strangers.look(&Written::of(&theirs), &seen, &scribe()), 3);
    let told: Vec<_> = strangers.told.iter().map(|(_, operator)| operator.as_str()).collect();
    assert!(
        told.contains(&"pilotfish-system") && told.contains(&"other\u{fffd}[31m"),
        "{told:?}"
    );
    let events = |strangers: &mut Strangers, leads| -> Vec<String> {
        let news = strangers.news(leads, &scribe());
        news.into_iter().map(|occurrence| occurrence.note).collect()
    };
    assert!(events(&mut strangers, false).is_empty(), "another replica leads");
    let told = events(&mut strangers, true);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.iter()
            .any(|note| note.starts_with("what is in force was sealed with a former key"))
    );
    assert!(
        told.iter()
            .any(|note| note.ends_with("(its operator is in namespace other\u{fffd}[31m)")),
        "{told:?}"
    );
    assert!(events(&mut strangers, true).is_empty(), "once");
    assert_eq!(
        strangers.look(&Written::of(&theirs), &Seen::default(), &scribe()),
        0,
        "of no object"
    );
    assert!(strangers.told.is_empty());
}
