//! A sidecar that applies what it is sent, as the protocol says, and views by hand.

use super::*;
use pilotfish_wire::{Resource, Urgent, known_as};
use std::collections::BTreeMap;

type Has = BTreeMap<(Kind, String), String>;

/// A view of `kind/name=body` words.
fn view(words: &str) -> Arc<View> {
    let mut lines: Vec<Line> = words.split_whitespace().map(line).collect();
    lines.sort_by_key(|line| (line.resource.kind, line.resource.name.clone()));
    Arc::new(View::new(lines))
}

fn line(word: &str) -> Line {
    let (known, body) = word.split_once('=').unwrap();
    let (kind, name) = known_kind(known).unwrap();
    Line::new(Arc::new(Resource::new(kind, name, &body)))
}

/// What each next line says, until there is none.
fn drain(lanes: &mut Lanes) -> Vec<String> {
    std::iter::from_fn(|| lanes.next())
        .map(|outgoing| spelled(&outgoing))
        .collect()
}

fn decoded(outgoing: &Outgoing) -> Message {
    let line = str::from_utf8(&outgoing.line).unwrap().strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'));
    Message::decode(line).unwrap()
}

fn spelled(outgoing: &Outgoing) -> String {
    match decoded(outgoing) {
        Message::Begin(begin) => format!("begin {}", begin.nonce),
        Message::Resource(resource) => format!("{} {}", resource.name, resource.body.get()),
        Message::Remove(remove) => format!("remove {}", remove.name),
        Message::Commit(commit) => format!("commit {}", commit.nonce),
        Message::Urgent(Urgent { put, remove, .. }) => {
            let put = put.iter().map(|key| format!(" {} {}", key.name, key.body.get()));
            let remove = remove.iter().map(|key| format!(" remove {}", key.name));
            format!("urgent{}", put.chain(remove).collect::<String>())
        }
        Message::Hello(_) | Message::Unknown(_) => panic!("not of a lane"),
    }
}

fn lanes(words: &str) -> Lanes {
    Lanes::new(Hello::default(), view(words))
}

#[test]
fn only_what_changed_is_sent() {
    let mut lanes = lanes("policy/a/one=1 policy/a/two=1");
    let first = ["begin 1", "a/one \"1\"", "a/two \"1\"", "commit 1"];
    assert_eq!(drain(&mut lanes), first);
    assert!(!lanes.offer(view("policy/a/one=1 policy/a/two=2")));
    assert_eq!(drain(&mut lanes), ["begin 2", "a/two \"2\"", "commit 2"]);
    assert!(!lanes.offer(view("deployment/a/new=1 policy/a/one=1")));
    assert_eq!(
        drain(&mut lanes),
        ["begin 3", "a/new \"1\"", "remove a/two", "commit 3"]
    );
    assert!(!lanes.offer(view("deployment/a/new=1 policy/a/one=1")));
    assert!(lanes.next().is_none());
}

#[test]
fn a_sidecar_that_has_it_all_is_told_so_and_sent_nothing() {
    let wanted = view("key/a/key=1 policy/a/one=1");
    let known = wanted
        .resources()
        .iter()
        .map(|has| (known_as(has.kind, &has.name), has.version.clone()))
        .chain([("grant/of/later".to_owned(), "v".to_owned())])
        .collect();
    let hello = Hello {
        known,
        ..Hello::default()
    };
    let mut lanes = Lanes::new(hello.clone(), wanted);
    assert_eq!(drain(&mut lanes), ["begin 1", "commit 1"]);
    let mut lanes = Lanes::new(hello, view("policy/a/one=2"));
    assert_eq!(
        drain(&mut lanes),
        ["begin 1", "remove a/key", "a/one \"2\"", "commit 1"]
    );
}

#[test]
fn an_empty_configuration_is_committed_too() {
    assert_eq!(drain(&mut lanes("")), ["begin 1", "commit 1"]);
}

#[test]
fn what_a_slow_reader_did_not_get_to_is_left_out_and_counted() {
    let mut lanes = lanes("policy/a/one=1 policy/a/two=1");
    let begun = [lanes.next(), lanes.next()].map(|outgoing| spelled(&outgoing.unwrap()));
    assert_eq!(begun, ["begin 1", "a/one \"1\""]);
    let offered = ["2", "3", "4"].map(|body| lanes.offer(view(&format!("policy/a/one={body} policy/a/two=1"))));
    assert_eq!(
        offered,
        [false, true, true],
        "the first of them replaced what had begun"
    );
    assert_eq!(
        drain(&mut lanes),
        ["a/two \"1\"", "commit 1", "begin 2", "a/one \"4\"", "commit 2"]
    );
}

#[test]
fn a_change_that_is_taken_back_before_it_was_sent_is_none() {
    let mut lanes = lanes("policy/a/one=1");
    drain(&mut lanes);
    assert!(!lanes.offer(view("policy/a/one=2")));
    assert!(lanes.offer(view("policy/a/one=1")));
    assert!(lanes.next().is_none());
}

#[test]
fn keys_come_with_the_first_batch_and_later_ahead_of_every_line() {
    let mut lanes = lanes("key/a/key=1 policy/a/one=1 policy/a/two=1");
    assert_eq!(spelled(&lanes.next().unwrap()), "begin 1");
    assert_eq!(spelled(&lanes.next().unwrap()), "a/key \"1\"");
    assert_eq!(spelled(&lanes.next().unwrap()), "a/one \"1\"");
    lanes.offer(view("key/a/key=2 key/a/new=1 policy/a/one=2 policy/a/two=1"));
    assert_eq!(spelled(&lanes.next().unwrap()), "urgent a/key \"2\" a/new \"1\"");
    assert_eq!(spelled(&lanes.next().unwrap()), "a/two \"1\"");
    lanes.offer(view("key/a/new=1 policy/a/one=3 policy/a/two=1"));
    assert_eq!(
        drain(&mut lanes),
        ["urgent remove a/key", "commit 1", "begin 2", "a/one \"3\"", "commit 2"]
    );
}

#[test]
fn a_key_that_changed_twice_before_anything_was_sent_is_sent_once() {
    let mut lanes = lanes("key/a/key=1");
    drain(&mut lanes);
    lanes.offer(view("key/a/key=2"));
    lanes.offer(view("key/a/key=3"));
    assert_eq!(drain(&mut lanes), ["urgent a/key \"3\"", "begin 2", "commit 2"]);
}

#[test]
fn many_keys_are_several_lines_and_none_is_lost() {
    let body = "x".repeat(1000);
    let keys: String = (0..200).map(|key| format!("key/a/k{key}={body} ")).collect();
    let mut lanes = lanes("");
    drain(&mut lanes);
    lanes.offer(view(&keys));
    let mut counts = Vec::new();
    for outgoing in std::iter::from_fn(|| lanes.next()) {
        if let What::Urgent(keys) = outgoing.what {
            counts.push(keys);
            assert!(outgoing.line.len() < URGENT_LINE + 4096);
        }
    }
    assert!(counts.len() > 1, "{counts:?}");
    assert_eq!(counts.iter().sum::<usize>(), 200);
}

#[test]
fn an_ack_is_for_the_view_of_its_batch() {
    let mut lanes = lanes("policy/a/one=1");
    drain(&mut lanes);
    lanes.offer(view("policy/a/one=2"));
    drain(&mut lanes);
    assert!(lanes.acknowledged(7).is_none());
    let first = lanes.acknowledged(1).unwrap();
    assert_eq!(first.version(), view("policy/a/one=1").version());
    assert!(lanes.acknowledged(1).is_none(), "said once");
    assert_eq!(
        lanes.acknowledged(2).unwrap().version(),
        view("policy/a/one=2").version()
    );
}

#[test]
fn a_sidecar_that_never_acknowledges_costs_no_memory() {
    let mut lanes = lanes("");
    for body in 0..100 {
        lanes.offer(view(&format!("policy/a/one={body}")));
        drain(&mut lanes);
    }
    assert_eq!(lanes.unacknowledged.len(), MOST_UNACKNOWLEDGED);
    assert!(lanes.acknowledged(lanes.nonce).is_some());
}

/// What the protocol asks of a sidecar.
#[derive(Default)]
struct Sidecar {
    has: Has,
    /// Of the open batch: what it changes, and what an urgent line has said since.
    batch: Option<Has>,
    removed: Vec<(Kind, String)>,
    urgent: BTreeMap<(Kind, String), Option<String>>,
    version: String,
}

impl Sidecar {
    fn receive(&mut self, outgoing: &Outgoing) {
        match decoded(outgoing) {
            Message::Begin(_) => {
                self.batch = Some(Has::new());
                self.removed.clear();
                self.urgent.clear();
            }
            Message::Resource(resource) => {
                let batch = self.batch.as_mut().unwrap();
                batch.insert((resource.kind, resource.name), resource.version);
            }
            Message::Remove(remove) => self.removed.push((remove.kind, remove.name)),
            Message::Urgent(urgent) => {
                let put = urgent
                    .put
                    .into_iter()
                    .map(|key| ((key.kind, key.name), Some(key.version)));
                let remove = urgent.remove.into_iter().map(|key| ((key.kind, key.name), None));
                for (id, version) in put.chain(remove) {
                    self.apply(&id, version.as_ref());
                    self.urgent.insert(id, version);
                }
            }
            Message::Commit(commit) => self.commit(commit.version),
            Message::Hello(_) | Message::Unknown(_) => panic!("not of a lane"),
        }
    }

    fn commit(&mut self, version: String) {
        self.has.extend(self.batch.take().unwrap());
        for id in std::mem::take(&mut self.removed) {
            self.has.remove(&id);
        }
        for (id, version) in std::mem::take(&mut self.urgent) {
            self.apply(&id, version.as_ref());
        }
        self.version = version;
        let have = self
            .has
            .iter()
            .map(|((kind, name), version)| (*kind, name.as_str(), version.as_str()));
        assert_eq!(
            self.version,
            version_of(have),
            "a commit names what is in force after it"
        );
    }

    fn apply(&mut self, id: &(Kind, String), version: Option<&String>) {
        match version {
            Some(version) => drop(self.has.insert(id.clone(), version.clone())),
            None => drop(self.has.remove(id)),
        }
    }
}

fn version_of<'a>(names: impl Iterator<Item = Named<'a>>) -> String {
    pilotfish_wire::snapshot::version_of_names(names)
}

/// Any view, any moment: in the end the sidecar has the newest one, and keys are there before anything else is.
#[test]
fn whatever_changes_whenever_the_sidecar_ends_with_the_newest() {
    for seed in 0..500 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut any = || {
            let mut words = String::new();
            for (kind, name) in ["policy", "key", "deployment", "key"].iter().zip(0..) {
                for body in 0..3 {
                    if random.bool() {
                        continue;
                    }
                    words.push_str(&format!("{kind}/a/{name}{body}={} ", random.u8(0..3)));
                }
            }
            (view(&words), random.usize(0..8))
        };
        let (first, _) = any();
        let mut lanes = Lanes::new(Hello::default(), first);
        let mut sidecar = Sidecar::default();
        for _ in 0..20 {
            let (next, lines) = any();
            for _ in 0..lines {
                let Some(outgoing) = lanes.next() else { break };
                sidecar.receive(&outgoing);
            }
            lanes.offer(next);
        }
        while let Some(outgoing) = lanes.next() {
            sidecar.receive(&outgoing);
        }
        let newest: Has = lanes
            .newest
            .resources()
            .iter()
            .map(|has| ((has.kind, has.name.clone()), has.version.clone()))
            .collect();
        assert_eq!(sidecar.has, newest, "seed {seed}");
        assert_eq!(sidecar.version, lanes.newest.version(), "seed {seed}");
    }
}
