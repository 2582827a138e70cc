use super::*;
use crate::meter::Meter;
use crate::policy::{Broken, InForce};
use pilotfish_wire::{Begin, Commit, Hello, Kind, Message, Remove, Resource, Urgent};
use serde_json::{Value, json};

/// One sidecar's receiving end, and what it answers.
struct Sidecar {
    subscription: Subscription,
    received: Received,
    in_force: Arc<InForce>,
    nonce: u64,
}

impl Sidecar {
    fn new() -> Self {
        let shared = Arc::new(Shared::new(Meter::new(), 0, Instant::now()));
        let in_force = Arc::clone(&shared.in_force);
        Self {
            subscription: Subscription::new(shared),
            received: Received::default(),
            in_force,
            nonce: 0,
        }
    }

    fn say(&mut self, message: Message) -> Option<Ack> {
        let clock = Clock {
            now: Instant::now(),
            unix_seconds: 1_800_000_000,
        };
        let said = self.received.receive(message)?;
        self.subscription.obey(self.received.configuration(), said, clock)
    }

    fn begin(&mut self) {
        self.nonce += 1;
        self.say(Message::Begin(Begin { nonce: self.nonce }));
    }

    fn commit(&mut self) -> Option<Ack> {
        self.say(Message::Commit(Commit {
            nonce: self.nonce,
            version: format!("v{}", self.nonce),
        }))
    }

    /// One whole batch; answers what was refused.
    fn batch(&mut self, resources: Vec<Resource>) -> Vec<Refusal> {
        self.begin();
        for resource in resources {
            self.say(Message::Resource(resource));
        }
        self.commit().expect("a committed batch is answered").refused
    }

    /// Why the model cannot be served, or the deployments that its first rule has and has not.
    fn serves(&self, model: &str) -> Result<(Vec<String>, Vec<String>), String> {
        let snapshot = self.in_force.load();
        let route = snapshot.route(model).ok_or("no route")?;
        let policy = route.policy.as_ref().map_err(|Broken(reason)| reason.clone())?;
        let rule = &policy.rules[0];
        let has = rule
            .targets
            .iter()
            .map(|target| target.deployment.name.to_string())
            .collect();
        let has_not = rule
            .unavailable
            .iter()
            .map(|gone| format!("{}: {}", gone.deployment, gone.reason))
            .collect();
        Ok((has, has_not))
    }
}

fn resource(kind: Kind, name: &str, body: Value) -> Resource {
    Resource::new(kind, name, &body)
}

fn deployment(url: &str) -> Resource {
    let endpoints = json!([{"dialect": "chat", "url": url, "auth": "none"}]);
    let body = json!({"provider": "openai", "model": "m", "endpoints": endpoints});
    resource(Kind::Deployment, "shop/up", body)
}

fn policy(deployments: &[&str]) -> Resource {
    let target = |name: &&str| json!({"deployment": name, "weight": 1, "tier": 0});
    let targets: Vec<Value> = deployments.iter().map(target).collect();
    let body = json!({
        "rules": [{"name": "default", "targets": targets}],
        "affinity": {"mode": "Prefer", "idleTimeoutMs": 3_600_000},
        "retry": {"attempts": 3, "budgetPercent": 20, "onAmbiguous": "Failover"},
        "onLoss": "Refuse",
        "authentication": "Pod",
    });
    resource(Kind::Policy, "shop/chat", body)
}

fn routes() -> Resource {
    resource(
        Kind::Routes,
        "routes",
        json!({"routes": [{"model": "chat", "policy": "shop/chat"}]}),
    )
}

fn all_well() -> Vec<Resource> {
    vec![deployment("http://127.0.0.1:1/v1"), policy(&["shop/up"]), routes()]
}

fn up() -> Result<(Vec<String>, Vec<String>), String> {
    Ok((vec!["shop/up".to_owned()], vec![]))
}

#[test]
fn what_was_not_committed_is_not_in_force() {
    let mut sidecar = Sidecar::new();
    sidecar.begin();
    for resource in all_well() {
        sidecar.say(Message::Resource(resource));
    }
    assert_eq!(sidecar.serves("chat"), Err("no route".to_owned()));
    sidecar.begin();
    assert_eq!(sidecar.commit().expect("an empty batch is one").refused, []);
    assert_eq!(
        sidecar.serves("chat"),
        Err("no route".to_owned()),
        "a new begin discards what was begun before"
    );
    assert_eq!(sidecar.batch(all_well()), []);
    assert_eq!(sidecar.serves("chat"), up());
}

#[test]
fn a_commit_of_another_batch_changes_nothing() {
    let mut sidecar = Sidecar::new();
    sidecar.begin();
    let stray = Commit {
        nonce: 99,
        version: "v".to_owned(),
    };
    assert_eq!(sidecar.say(Message::Commit(stray)), None);
    assert!(!sidecar.in_force.load().is_ready());
}

#[test]
fn what_a_batch_does_not_name_stays_and_what_it_removes_goes() {
    let mut sidecar = Sidecar::new();
    sidecar.batch(all_well());
    assert_eq!(sidecar.batch(vec![deployment("http://127.0.0.1:2/v1")]), []);
    assert_eq!(sidecar.serves("chat"), up());
    sidecar.begin();
    sidecar.say(Message::Remove(Remove {
        kind: Kind::Routes,
        name: "routes".to_owned(),
    }));
    sidecar.commit().expect("answered");
    assert_eq!(sidecar.serves("chat"), Err("no route".to_owned()));
}

#[test]
fn an_unusable_resource_is_refused_alone_and_its_last_good_version_stays() {
    let mut sidecar = Sidecar::new();
    sidecar.batch(all_well());
    let bad = deployment("ftp://127.0.0.1/v1");
    let version = bad.version.clone();
    let refused = sidecar.batch(vec![bad]);
    assert_eq!(refused.len(), 1);
    assert_eq!(
        (refused[0].kind, refused[0].name.as_str(), &refused[0].version),
        (Kind::Deployment, "shop/up", &version)
    );
    assert_eq!(sidecar.serves("chat"), up());
}

#[test]
fn a_deployment_that_never_was_usable_is_named_where_it_would_serve() {
    let mut sidecar = Sidecar::new();
    let unreadable = resource(Kind::Deployment, "shop/up", json!({"provider": 7}));
    let refused = sidecar.batch(vec![unreadable, policy(&["shop/up"]), routes()]);
    assert_eq!(refused.len(), 1);
    let gone = format!("shop/up: {}", refused[0].reason);
    assert_eq!(sidecar.serves("chat"), Ok((vec![], vec![gone])));
}

#[test]
fn a_policy_without_its_deployment_is_a_sentence_for_its_names() {
    let mut sidecar = Sidecar::new();
    let refused = sidecar.batch(vec![policy(&["shop/gone"]), routes()]);
    let reason = "rule \"default\" names deployment shop/gone, which was not sent";
    assert_eq!(refused[0].reason, reason);
    assert_eq!(sidecar.serves("chat"), Err(reason.to_owned()));
}

#[test]
fn a_feature_or_a_kind_that_is_not_known_is_refused_by_name() {
    let mut sidecar = Sidecar::new();
    let mut needy = deployment("http://127.0.0.1:1/v1");
    needy.requires = vec!["time-travel".to_owned()];
    let later: Message =
        Message::decode(r#"{"resource":{"kind":"grant","name":"shop/g","version":"1","body":{}}}"#).unwrap();
    sidecar.begin();
    sidecar.say(Message::Resource(needy));
    sidecar.say(later);
    let refused = sidecar.commit().expect("answered").refused;
    let told: Vec<_> = refused
        .iter()
        .map(|refusal| (refusal.kind, refusal.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                Kind::Unknown,
                "this sidecar does not know this kind of resource; upgrade it"
            ),
            (
                Kind::Deployment,
                "this sidecar lacks the feature \"time-travel\", without which it must not be used"
            ),
        ]
    );
}

#[test]
fn what_requires_a_feature_that_is_lacking_leaves_its_good_version_in_force() {
    let mut sidecar = Sidecar::new();
    sidecar.batch(all_well());
    let needy = [
        deployment("http://127.0.0.1:9/v1").requiring("time-travel"),
        policy(&["shop/up", "shop/up"]).requiring("time-travel"),
        resource(Kind::Routes, "routes", json!({"routes": []})).requiring("time-travel"),
    ];
    let refused = sidecar.batch(needy.to_vec());
    let named: Vec<_> = refused
        .iter()
        .map(|refusal| (refusal.kind, refusal.name.as_str(), refusal.version.as_str()))
        .collect();
    let expected = needy
        .each_ref()
        .map(|needy| (needy.kind, needy.name.as_str(), needy.version.as_str()));
    assert_eq!(named, expected);
    assert_eq!(sidecar.serves("chat"), up());
    assert_eq!(sidecar.batch(all_well()), [], "what is sent without it is used again");
}

#[test]
fn a_policy_that_requires_what_is_lacking_and_never_served_is_the_sentence() {
    let mut sidecar = Sidecar::new();
    let needy = policy(&["shop/up"]).requiring("time-travel");
    let refused = sidecar.batch(vec![deployment("http://127.0.0.1:1/v1"), needy, routes()]);
    let reason = "this sidecar lacks the feature \"time-travel\", without which it must not be used";
    assert_eq!(refused[0].reason, reason);
    assert_eq!(sidecar.serves("chat"), Err(reason.to_owned()));
}

#[test]
fn without_a_usable_table_of_routes_every_name_answers_with_the_sentence() {
    let mut sidecar = Sidecar::new();
    let refused = sidecar.batch(vec![routes().requiring("time-travel")]);
    assert_eq!(sidecar.serves("anything"), Err(refused[0].reason.clone()));
}

#[test]
fn an_unusable_credential_is_told_where_it_would_be_presented_and_never_quoted() {
    let mut sidecar = Sidecar::new();
    let name = "shop/up/key";
    let endpoints = json!([{"dialect": "chat", "url": "http://127.0.0.1:1/v1", "auth": "bearer"}]);
    let up = json!({"provider": "openai", "model": "m", "endpoints": endpoints, "credential": name});
    let up = resource(Kind::Deployment, "shop/up", up);
    for (credential, expected) in [
        (json!({"key": 123_456_789}), "cannot be read"),
        (json!({"secret": "sk-canary"}), "cannot be read"),
    ] {
        let refused = sidecar.batch(vec![resource(Kind::Credential, name, credential), up.clone()]);
        let told: Vec<_> = refused.iter().map(|refusal| refusal.reason.as_str()).collect();
        let where_presented = format!("the credential \"{name}\" cannot be used: {expected}");
        assert_eq!(told, [expected, &where_presented]);
    }
}

#[test]
fn a_key_that_requires_what_is_lacking_is_known_and_told_to_be_unusable() {
    let mut sidecar = Sidecar::new();
    sidecar.batch(vec![key("a", false).requiring("time-travel"), key("b", false)]);
    let snapshot = sidecar.in_force.load_full();
    let broken = |name: &str| snapshot.key(name).map(|key| key.broken.is_some());
    assert_eq!((broken("a"), broken("b")), (Some(true), Some(false)));
    // What was usable once stays so.
    sidecar.batch(vec![key("b", true).requiring("time-travel")]);
    assert_eq!(holds(&sidecar, "b"), Some(false));
}

/// A key whose string is its name.
fn key(name: &str, disabled: bool) -> Resource {
    let hash_key = [7; 32];
    let hash = blake3::keyed_hash(&hash_key, name.as_bytes()).to_hex().to_string();
    let hash_key = blake3::Hash::from_bytes(hash_key).to_hex().to_string();
    let body = json!({"hashes": [hash], "hashKey": hash_key, "disabled": disabled});
    resource(Kind::Key, name, body)
}

fn urgent(nonce: Option<u64>, put: Vec<Resource>, remove: &[&str]) -> Message {
    let gone = |name: &&str| Remove {
        kind: Kind::Key,
        name: (*name).to_owned(),
    };
    let remove = remove.iter().map(gone).collect();
    Message::Urgent(Urgent { nonce, put, remove })
}

/// Whether the key is known, and disabled.
fn holds(sidecar: &Sidecar, name: &str) -> Option<bool> {
    sidecar.in_force.load().key(name).map(|key| key.disabled)
}

#[test]
fn an_urgent_key_is_in_force_at_once_and_keeps_the_version() {
    let mut sidecar = Sidecar::new();
    sidecar.batch(all_well());
    let since = sidecar.in_force.load().since;
    assert_eq!(sidecar.say(urgent(None, vec![key("a", false)], &[])), None);
    assert_eq!(holds(&sidecar, "a"), Some(false));
    let ack = sidecar
        .say(urgent(Some(77), vec![key("b", true)], &["a"]))
        .expect("asked for");
    assert_eq!((ack.nonce, ack.version.as_str(), ack.refused), (77, "v1", vec![]));
    assert_eq!((holds(&sidecar, "a"), holds(&sidecar, "b")), (None, Some(true)));
    assert_eq!(sidecar.in_force.load().since, since);
    assert_eq!(sidecar.serves("chat"), up());
    sidecar.batch(vec![]);
    assert_eq!(holds(&sidecar, "b"), Some(true), "the next batch counts it in");
}

#[test]
fn what_is_urgent_outlives_what_an_open_batch_says_of_it() {
    let mut sidecar = Sidecar::new();
    sidecar.batch(vec![key("a", false), key("b", false)]);
    sidecar.begin();
    sidecar.say(Message::Resource(key("a", false)));
    sidecar.say(urgent(None, vec![key("a", true)], &["b"]));
    assert_eq!((holds(&sidecar, "a"), holds(&sidecar, "b")), (Some(true), None));
    sidecar.say(Message::Resource(key("b", false)));
    sidecar.say(Message::Resource(key("c", false)));
    sidecar.commit().expect("answered");
    assert_eq!(
        ["a", "b", "c"].map(|name| holds(&sidecar, name)),
        [Some(true), None, Some(false)]
    );
}

#[test]
fn nothing_but_keys_is_urgent() {
    let mut sidecar = Sidecar::new();
    sidecar.batch(all_well());
    let elsewhere = deployment("http://127.0.0.1:9/v1");
    let ack = sidecar
        .say(urgent(Some(9), vec![elsewhere, key("a", false)], &[]))
        .expect("asked for");
    let told: Vec<_> = ack.refused.iter().map(|refusal| refusal.reason.as_str()).collect();
    assert_eq!(told, ["this sidecar takes nothing but keys outside a batch"]);
    assert_eq!(holds(&sidecar, "a"), Some(false));
    assert_eq!(sidecar.batch(vec![]), [], "what was not taken is no state");
}

#[test]
fn a_key_before_the_first_configuration_makes_nobody_ready() {
    let mut sidecar = Sidecar::new();
    sidecar.say(urgent(None, vec![key("a", false)], &[]));
    assert!(!sidecar.in_force.load().is_ready());
    sidecar.batch(all_well());
    assert_eq!(holds(&sidecar, "a"), Some(false));
}

#[test]
fn a_batch_that_changes_nothing_leaves_the_snapshot_and_repeats_what_was_refused() {
    let mut sidecar = Sidecar::new();
    let unreadable = resource(Kind::Deployment, "shop/up", json!({"provider": 7}));
    let refused = sidecar.batch(vec![unreadable.clone(), policy(&["shop/up"]), routes()]);
    let before = sidecar.in_force.load_full();
    sidecar.begin();
    sidecar.say(Message::Resource(unreadable));
    let again = Commit {
        nonce: sidecar.nonce,
        version: "v1".to_owned(),
    };
    let ack = sidecar.say(Message::Commit(again)).expect("answered");
    assert_eq!(ack.refused, refused);
    assert!(Arc::ptr_eq(&before, &sidecar.in_force.load_full()));
}

fn hello(sidecar: &mut Sidecar, workload: &str) {
    let said = [("namespace", "shop"), ("workload", workload)];
    let scope = said.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    sidecar.say(Message::Hello(Hello {
        scope,
        ..Hello::default()
    }));
}

#[test]
fn whom_the_pod_was_verified_as_holds_from_the_next_commit_on() {
    let mut sidecar = Sidecar::new();
    let pod = |sidecar: &Sidecar| sidecar.in_force.load().pod.to_string();
    hello(&mut sidecar, "Deployment/web");
    sidecar.batch(all_well());
    assert_eq!(pod(&sidecar), "workload/shop/Deployment/web");
    let pinned = sidecar.in_force.load_full();
    hello(&mut sidecar, "Deployment/api");
    assert_eq!(pod(&sidecar), "workload/shop/Deployment/web");
    sidecar.batch(vec![]);
    assert_eq!(pod(&sidecar), "workload/shop/Deployment/api");
    assert_eq!(&*pinned.pod, "workload/shop/Deployment/web", "a request sees one");
    assert!(!sidecar.in_force.load().knows("workload/shop/Deployment/web", "shop/up"));
}

#[test]
fn what_is_known_is_what_was_sent_used_or_not() {
    let mut sidecar = Sidecar::new();
    let needy = policy(&["shop/up"]).requiring("time-travel");
    let (sent, needy_version) = (deployment("http://127.0.0.1:1/v1"), needy.version.clone());
    let later = r#"{"resource":{"kind":"grant","name":"shop/g","version":"1","body":{}}}"#;
    sidecar.begin();
    for message in [sent.clone(), needy].map(Message::Resource) {
        sidecar.say(message);
    }
    sidecar.say(Message::decode(later).unwrap());
    assert!(sidecar.received.known().is_empty(), "nothing is committed");
    sidecar.commit().expect("answered");
    let expected = [
        ("deployment/shop/up", sent.version),
        ("policy/shop/chat", needy_version),
    ];
    let expected = expected.map(|(name, version)| (name.to_owned(), version));
    assert_eq!(sidecar.received.known(), expected.into());
}

#[test]
fn a_stream_that_ended_in_a_batch_leaves_nothing_of_it_behind() {
    let mut sidecar = Sidecar::new();
    sidecar.batch(all_well());
    sidecar.begin();
    sidecar.say(Message::Resource(policy(&["shop/gone"])));
    sidecar.received.reopen();
    assert_eq!(sidecar.commit(), None);
    assert_eq!(sidecar.batch(vec![]), []);
    assert_eq!(sidecar.serves("chat"), up());
}

#[test]
fn two_streams_side_by_side_do_not_mix() {
    let mut sidecar = Sidecar::new();
    sidecar.batch(all_well());
    let mut other = Received::after(sidecar.received.configuration().clone());
    assert!(other.configuration().same_as(sidecar.received.configuration()));
    for message in [
        Message::Begin(Begin { nonce: 1 }),
        Message::Resource(key("a", false)),
        Message::Commit(Commit {
            nonce: 1,
            version: "w1".to_owned(),
        }),
    ] {
        other.receive(message);
    }
    assert!(!other.configuration().same_as(sidecar.received.configuration()));
    assert_eq!(holds(&sidecar, "a"), None);
    assert!(!sidecar.received.known().contains_key("key/a"));
}

/// Replays in another process what a copy says.
fn restarted(sidecar: &Sidecar) -> Sidecar {
    let good = |id: &_| sidecar.subscription.builder.good(id);
    let mut again = Sidecar::new();
    for message in last_good::messages(sidecar.received.configuration(), good) {
        again.say(message);
    }
    again
}

#[test]
fn a_copy_leaves_a_restarted_sidecar_as_it_was() {
    let mut sidecar = Sidecar::new();
    hello(&mut sidecar, "Deployment/web");
    sidecar.batch([all_well(), vec![key("a", false)]].concat());
    let same = |sidecar: &Sidecar| {
        let again = restarted(sidecar);
        assert!(again.received.configuration().same_as(sidecar.received.configuration()));
        assert_eq!(again.subscription.refused, sidecar.subscription.refused);
        assert_eq!(again.serves("chat"), sidecar.serves("chat"));
        assert_eq!(holds(&again, "a"), holds(sidecar, "a"));
        let (before, after) = (sidecar.in_force.load(), again.in_force.load());
        assert_eq!((&after.version, &after.pod), (&before.version, &before.pod));
    };
    same(&sidecar);
    sidecar.batch(vec![
        policy(&["shop/up"]).requiring("time-travel"),
        deployment("ftp://127.0.0.1/v1"),
    ]);
    assert_eq!(sidecar.serves("chat"), up(), "what was good serves on");
    same(&sidecar);
    sidecar.say(urgent(None, vec![key("a", true)], &[]));
    same(&sidecar);
}

#[test]
fn both_strings_of_a_rotating_key_are_the_same_tenant() {
    let hash_key = [7; 32];
    let hash = |text: &str| blake3::keyed_hash(&hash_key, text.as_bytes()).to_hex().to_string();
    let body = json!({
        "hashes": [hash("sk-pf-new"), hash("sk-pf-old")],
        "hashKey": blake3::Hash::from_bytes(hash_key).to_hex().to_string(),
    });
    let mut sidecar = Sidecar::new();
    assert_eq!(sidecar.batch(vec![resource(Kind::Key, "shop/team", body)]), []);
    let snapshot = sidecar.in_force.load();
    let tenant = |text: &str| snapshot.key(text).map(|key| key.tenant.to_string());
    assert_eq!(tenant("sk-pf-new"), Some("key/shop/team".to_owned()));
    assert_eq!(tenant("sk-pf-old"), tenant("sk-pf-new"));
    assert_eq!(tenant("sk-pf-none"), None);
}

#[test]
fn the_version_in_force_is_the_batchs() {
    let mut sidecar = Sidecar::new();
    sidecar.batch(all_well());
    assert_eq!(sidecar.in_force.load().version, "v1");
    sidecar.batch(vec![]);
    assert_eq!(sidecar.in_force.load().version, "v2");
}
