//! VirtualKeys: the hashes of what their Secrets hold.

use super::verdict::{Finding, Reason, Verdict};
use crate::validate;
use crate::world::{Object, ObjectName, World};
use pilotfish_crds::VirtualKeySpec;
use pilotfish_wire as wire;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What every key of ours starts with. Only such strings are looked up.
pub(crate) const PREFIX: &str = "sk-pf-";
/// The shortest key, prefix included, that is worth the name.
const SHORTEST: usize = 22;
/// The entry of the Secret that holds the key.
pub(crate) const CURRENT: &str = "api-key";
/// The entry that holds the one before it, while both are taken.
pub(crate) const PREVIOUS: &str = "previous-api-key";

/// All keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) resources: BTreeMap<ObjectName, Arc<wire::Resource>>,
    pub(super) verdicts: BTreeMap<ObjectName, Verdict>,
}

/// The hashes that are taken, and by whom, so that one key never means two callers of a namespace.
type Taken = BTreeMap<(String, String), ObjectName>;

/// The oldest first: who had a key first keeps it.
pub(super) fn compile(world: &World) -> Keys {
    let mut by_age: Vec<_> = world.keys.iter().collect();
    by_age.sort_by_key(|(name, object)| (object.created, *name));
    let mut all = Keys::default();
    let mut taken = Taken::new();
    for (name, object) in by_age {
        let (verdict, body) = judge(world, &mut taken, name, object);
        if let Some(body) = body {
            let resource = wire::Resource::new(wire::Kind::Key, name.to_string(), &body);
            all.resources.insert(name.clone(), Arc::new(resource));
        }
        all.verdicts.insert(name.clone(), verdict);
    }
    all
}

fn judge(
    world: &World,
    taken: &mut Taken,
    name: &ObjectName,
    object: &Object<VirtualKeySpec>,
) -> (Verdict, Option<wire::Key>) {
    let mut verdict = Verdict {
        generation: object.generation,
        ..Verdict::default()
    };
    let spec = match &object.spec {
        Ok(spec) => spec,
        Err(why) => {
            verdict.faults.push(Finding::new(Reason::Undecodable, why));
            return (verdict, None);
        }
    };
    verdict.faults = validate::key(spec).into_iter().map(Finding::from).collect();
    if !verdict.faults.is_empty() {
        return (verdict, None);
    }
    let hashes = hashes(world, taken, name, spec, &mut verdict.unresolved);
    if hashes.is_empty() {
        return (verdict, None);
    }
    verdict.in_force = Some(object.generation);
    (verdict, Some(body(world, object, spec, hashes)))
}

/// The hashes of the key and of the one before it. What is wrong with one does not spoil the other.
fn hashes(
    world: &World,
    taken: &mut Taken,
    name: &ObjectName,
    spec: &VirtualKeySpec,
    unresolved: &mut Vec<Finding>,
) -> Vec<String> {
    let secret = ObjectName::new(&name.namespace, &spec.secret_name);
    let has_previous = world
        .secrets
        .get(&secret)
        .is_some_and(|entries| entries.contains(PREVIOUS));
    let entries = [(CURRENT, true), (PREVIOUS, has_previous)];
    let mut hashes = Vec::new();
    for (entry, _) in entries.into_iter().filter(|(_, wanted)| *wanted) {
        match hash(world, taken, name, &secret, entry) {
            Ok(hash) if hashes.contains(&hash) => {}
            Ok(hash) => hashes.push(hash),
            Err(finding) => unresolved.push(finding),
        }
    }
    hashes
}

fn hash(
    world: &World,
    taken: &mut Taken,
    name: &ObjectName,
    secret: &ObjectName,
    entry: &str,
) -> Result<String, Finding> {
    let invalid = |sentence: String| Finding::new(Reason::InvalidSecret, sentence);
    let text = world.caller_key(secret, entry).map_err(invalid)?;
    if !is_key(text) {
        let wanted = format!("must start with {PREFIX} and have at least {SHORTEST} characters and no space");
        return Err(invalid(format!("key {entry} of Secret {secret} {wanted}")));
    }
    let hash = world.installation_key.hash(text);
    let owner = taken
        .entry((name.namespace.clone(), hash.clone()))
        .or_insert_with(|| name.clone());
    if owner != name {
        let sentence = format!("key {entry} of Secret {secret} is already that of VirtualKey {owner}");
        return Err(Finding::new(Reason::KeyInUse, sentence));
    }
    Ok(hash)
}

/// Whether `text`, without white space around it, can be a key of a caller.
pub(crate) fn is_key(text: &str) -> bool {
    text.starts_with(PREFIX) && text.len() >= SHORTEST && !text.contains(' ')
}

fn body(world: &World, object: &Object<VirtualKeySpec>, spec: &VirtualKeySpec, hashes: Vec<String>) -> wire::Key {
    let VirtualKeySpec {
        secret_name: _,
        models,
        disabled,
        expires_at,
        rotation: _,
    } = spec;
    wire::Key {
        hashes,
        hash_key: world.installation_key.to_hex(),
        models: models.clone(),
        disabled: *disabled,
        expires_at: expires_at.as_ref().map(|time| time.0.as_second()),
        labels: object.labels.clone(),
    }
}
