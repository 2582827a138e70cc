use super::super::queue::Queue;
use super::*;
use crate::compile::{Finding, Reason, compile};
use crate::keys::{Kept, Trouble};
use crate::watch::Seen;
use crate::world::World;
use pilotfish_crds::key::VirtualKeyStatus;
use pilotfish_crds::status::Condition;
use pilotfish_wire::ProviderKey;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

fn name() -> ObjectName {
    ObjectName::new("shop", "team-a")
}

/// A compilation of one VirtualKey with `spec`, and of the Secret `keys` with these entries, which it made.
fn compilation(spec: Result<serde_json::Value, &str>, entries: &[(&str, &str)]) -> Compilation {
    let secret_name = ObjectName::new("shop", "keys");
    let object = Object {
        generation: 2,
        created: 0,
        labels: BTreeMap::new(),
        spec: spec
            .map(|spec| serde_json::from_value(spec).unwrap())
            .map_err(str::to_owned),
    };
    let mut world = World::default();
    world.keys.insert(name(), object);
    let mut seen = Seen::default();
    let seen_key = SeenObject {
        uid: "uid".to_owned(),
        resource_version: "7".to_owned(),
        generation: 2,
        deleting: None,
        status: Some(VirtualKeyStatus::default()),
    };
    seen.keys.insert(name(), seen_key);
    if !entries.is_empty() {
        let owner =
            json!({"apiVersion": "v", "kind": "VirtualKey", "name": "team-a", "uid": "uid", "controller": true});
        let secret = json!({"metadata": {
            "name": "keys", "creationTimestamp": "2026-11-21T12:00:00Z", "ownerReferences": [owner],
        }});
        let secret = serde_json::from_value(secret).unwrap();
        seen.secrets.insert(secret_name.clone(), Kept::of(&secret));
        let entry = |(key, value): &(&str, &str)| ((*key).to_owned(), ProviderKey::new((*value).to_owned()));
        world.secrets.insert(secret_name, entries.iter().map(entry).collect());
    }
    Compilation {
        compiled: Arc::new(compile(&world)),
        world: Arc::new(world),
        pods: Arc::default(),
        seen: Arc::new(seen),
        revisions: Arc::from([]),
    }
}

fn status(compilation: &Compilation, troubles: &Troubles) -> Status {
    let sighting = Sighting {
        tallies: Tallies::new(),
        inherited: None,
    };
    let now = Time("2026-11-21T12:00:00Z".parse().unwrap());
    let subjects = subjects(compilation, troubles);
    subjects[0].status(&sighting, &Status::default(), &now)
}

/// Why its key does not resolve, if it does not.
fn unresolved(status: &Status) -> Option<(&str, &str)> {
    let condition = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == "ResolvedRefs")?;
    (!condition.message.is_empty()).then_some((&condition.reason, &condition.message))
}

const KEY: &str = "sk-pf-0123456789012345678901234567890123456789";

#[test]
fn a_key_shows_its_start_its_end_and_when_it_is_replaced() {
    let spec = json!({
        "secretName": "keys", "expiresAt": "2027-06-30T00:00:00Z", "rotation": {"every": "1h", "overlap": "5m"},
    });
    let status = status(&compilation(Ok(spec), &[("api-key", KEY)]), &Troubles::new());
    let time = |text: &str| Some(Time(text.parse().unwrap()));
    let expected = KeyStatus {
        prefix: Some("sk-pf-012345".to_owned()),
        expires_at: time("2027-06-30T00:00:00Z"),
        rotates_at: time("2026-11-21T13:00:00Z"),
    };
    assert_eq!((status.observed_generation, status.key), (Some(2), expected));
}

#[test]
fn a_key_is_looked_at_again_when_it_expires() {
    let next_look = |expires: &str| {
        let spec = json!({"secretName": "keys", "expiresAt": expires});
        let (compilation, troubles) = (compilation(Ok(spec), &[("api-key", KEY)]), Troubles::new());
        let mut queue = Queue::default();
        let begun = Instant::now();
        queue.look(&subjects(&compilation, &troubles), &[]);
        queue.next_look().map(|next| next - begun)
    };
    let in_ten_seconds = Timestamp::from_second(Timestamp::now().as_second() + 10).unwrap();
    let next = next_look(&in_ten_seconds.to_string()).unwrap();
    assert!(
        next > Duration::from_secs(5) && next < Duration::from_secs(11),
        "{next:?}"
    );
    assert_eq!(next_look("2026-01-01T00:00:00Z"), None);
    // A clock that is set meanwhile is noticed.
    assert!(next_look("2099-01-01T00:00:00Z").unwrap() <= Duration::from_secs(61));
}

#[test]
fn what_stands_in_the_way_of_a_secret_is_said_instead_of_what_follows() {
    let spec = json!({"secretName": "keys"});
    let trouble = |explains_a_missing_key| {
        let trouble = Trouble {
            finding: Finding::new(Reason::SecretNotOwned, "the trouble"),
            explains_a_missing_key,
        };
        Troubles::from([(name(), trouble)])
    };
    let without = "Secret shop/keys does not exist or lacks the label pilotfish.dev/credentials: \"true\"";
    let cases: [(&[_], _, _); 4] = [
        (&[], Troubles::new(), Some(("InvalidSecret", without))),
        (&[], trouble(true), Some(("SecretNotOwned", "the trouble"))),
        // The Secret has come since.
        (&[("api-key", KEY)], trouble(true), None),
        (
            &[("api-key", KEY)],
            trouble(false),
            Some(("SecretNotOwned", "the trouble")),
        ),
    ];
    for (entries, troubles, expected) in cases {
        let status = status(&compilation(Ok(spec.clone()), entries), &troubles);
        assert_eq!(unresolved(&status), expected);
    }
}

#[test]
fn a_key_that_cannot_be_read_has_a_status_and_what_is_written_of_it_is_unknown() {
    let compilation = compilation(Err("spec.later is not known"), &[]);
    let troubles = Troubles::new();
    assert_eq!(subjects(&compilation, &troubles)[0].written, None);
    let status = status(&compilation, &troubles);
    let accepted = &status.conditions[0];
    assert_eq!(
        (accepted.reason.as_str(), accepted.message.as_str()),
        ("Undecodable", "spec.later is not known")
    );
    assert_eq!(status.key, KeyStatus::default());
}

#[test]
fn what_is_being_deleted_says_so_and_keeps_its_other_conditions() {
    let mut compilation = compilation(Ok(json!({"secretName": "keys"})), &[("api-key", KEY)]);
    let before = status(&compilation, &Troubles::new());
    let mut seen = Seen::clone(&compilation.seen);
    let key = seen.keys.get_mut(&name()).unwrap();
    (key.generation, key.deleting) = (3, Some(vec!["example.com/audit".to_owned()]));
    let world = World::default();
    compilation.seen = Arc::new(seen);
    (compilation.compiled, compilation.world) = (Arc::new(compile(&world)), Arc::new(world));
    let troubles = Troubles::new();
    let now = Time("2026-11-22T12:00:00Z".parse().unwrap());
    let sighting = Sighting {
        tallies: Tallies::new(),
        inherited: None,
    };
    let after = subjects(&compilation, &troubles)[0].status(&sighting, &before, &now);
    assert_eq!(after.observed_generation, Some(3));
    let said = |status: &Status| -> Vec<String> {
        let spelled = |one: &Condition| {
            format!(
                "{} {} {}: {}",
                one.observed_generation, one.type_, one.reason, one.message
            )
        };
        status.conditions.iter().map(spelled).collect()
    };
    let programmed = "3 Programmed Deleting: it is being deleted and serves nothing; it waits for example.com/audit";
    assert_eq!(
        said(&after),
        [programmed, "2 Accepted Accepted: ", "2 ResolvedRefs ResolvedRefs: "]
    );
    assert_eq!(after.key, KeyStatus::default());
}
