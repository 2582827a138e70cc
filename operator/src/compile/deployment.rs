//! ModelDeployments: each with its address, its key and its price, or a sentence why it cannot be called.

use super::key_file;
use super::standing::{Findings, settle};
use super::verdict::{Finding, Reason, Verdict, sentence};
use crate::world::{Generation, InForce, Object, ObjectName, World};
use crate::{models, providers, validate};
use pilotfish_crds::ModelDeploymentSpec;
use pilotfish_crds::deployment::{
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AllowedNamespaces, Capabilities, GOOGLE_KEY_FILE,
    Header, Price, SecretKeyRef, SecretRef, Timeouts,
};
use pilotfish_crds::scalar::{Duration, Usd};
use pilotfish_wire as wire;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All deployments.
#[derive(Debug, Default)]
pub(super) struct Deployments {
    /// What policies may reach, or a sentence why a deployment cannot be used.
    pub(super) usable: BTreeMap<ObjectName, Result<Deployed, String>>,
    pub(super) credentials: BTreeMap<String, Arc<Credential>>,
    pub(super) verdicts: BTreeMap<ObjectName, Verdict>,
}

/// A provider's key as a value: `push` alone makes bytes of it.
#[derive(Debug)]
pub struct Credential {
    /// `namespace/secret/key`.
    pub name: String,
    /// Hash of the key.
    pub version: String,
    /// The secret text.
    pub key: wire::ProviderKey,
}

/// A deployment that can be called.
#[derive(Debug)]
pub(super) struct Deployed {
    pub(super) resource: Arc<wire::Resource>,
    /// The names of the credentials that it needs.
    pub(super) credentials: BTreeSet<String>,
    pub(super) allowed: AllowedNamespaces,
}

/// A deployment and the texts of its credentials, by name.
struct Built<'w> {
    deployment: wire::Deployment,
    credentials: BTreeMap<String, Cow<'w, str>>,
}

impl Credential {
    fn new(name: String, text: &str) -> Self {
        Self {
            name,
            version: wire::version_of(text.as_bytes()),
            key: wire::ProviderKey::new(text.to_owned()),
        }
    }
}

pub(super) fn compile(world: &World, in_force: &mut InForce) -> Deployments {
    let mut all = Deployments::default();
    for (name, object) in &world.deployments {
        let before = world.in_force.deployments.get(name);
        let (mut verdict, serving) = settle(object, before, findings(world, name, object));
        if let Some(serving) = &serving {
            in_force.deployments.insert(name.clone(), serving.clone());
        }
        let usable = match &serving {
            Some(serving) => usable(world, name, serving, &mut all.credentials),
            None => Err(verdict.sentence()),
        };
        if let (true, Err(why)) = (verdict.held, &usable) {
            verdict.missing.push(Finding::new(Reason::InvalidSecret, why));
        }
        all.usable.insert(name.clone(), usable);
        all.verdicts.insert(name.clone(), verdict);
    }
    all
}

/// What is wrong with the object by itself, and what of the things it names is missing.
fn findings(world: &World, name: &ObjectName, object: &Object<ModelDeploymentSpec>) -> Findings {
    let spec = match &object.spec {
        Ok(spec) => spec,
        Err(why) => return Findings::undecodable(why),
    };
    let missing = spec
        .secrets()
        .filter_map(|reference| usable_text(world, name, spec, &reference).err());
    Findings {
        faults: validate::deployment(spec).into_iter().map(Finding::from).collect(),
        unresolved: missing
            .map(|sentence| Finding::new(Reason::InvalidSecret, sentence))
            .collect(),
    }
}

fn usable(
    world: &World,
    name: &ObjectName,
    serving: &Generation<ModelDeploymentSpec>,
    credentials: &mut BTreeMap<String, Arc<Credential>>,
) -> Result<Deployed, String> {
    let built = build(world, name, serving).map_err(|findings| sentence(findings.iter()))?;
    let names = built.credentials.keys().cloned().collect();
    for (credential, text) in built.credentials {
        let value = || Arc::new(Credential::new(credential.clone(), &text));
        credentials.entry(credential.clone()).or_insert_with(value);
    }
    Ok(Deployed {
        resource: Arc::new(resource(name, &built.deployment)),
        credentials: names,
        allowed: serving.spec.allowed_namespaces.clone(),
    })
}

/// What a sidecar must not overlook is required of it.
fn resource(name: &ObjectName, deployment: &wire::Deployment) -> wire::Resource {
    let wire::Deployment { endpoints, .. } = deployment;
    let needs = [
        (
            wire::TOKENS,
            endpoints
                .iter()
                .any(|endpoint| matches!(endpoint.auth, wire::Auth::Token(_))),
        ),
        (wire::QUERY, endpoints.iter().any(|endpoint| endpoint.query.is_some())),
        (
            wire::HOSTING,
            endpoints.iter().any(|endpoint| endpoint.hosting.is_some()),
        ),
    ];
    let plain = wire::Resource::new(wire::Kind::Deployment, name.to_string(), deployment);
    let needed = needs.into_iter().filter(|(_, needed)| *needed);
    needed.fold(plain, |resource, (feature, _)| resource.requiring(feature))
}

/// The deployment as a sidecar is to have it. What the schema and `validate` rule out is still an answer here, and no
/// panic.
fn build<'w>(
    world: &'w World,
    name: &ObjectName,
    serving: &Generation<ModelDeploymentSpec>,
) -> Result<Built<'w>, Vec<Finding>> {
    let spec = &serving.spec;
    let invalid = |sentence| vec![Finding::new(Reason::Invalid, sentence)];
    let provider = providers::find(&spec.provider).ok_or_else(|| invalid(providers::unknown(&spec.provider)))?;
    let endpoints = provider
        .endpoints(spec)
        .map_err(|error| invalid(format!("spec.{}: {}", error.field, error.sentence)))?;
    let credentials = credentials(world, name, spec)?;
    let deployment = wire::Deployment {
        generation: serving.number,
        provider: provider.slug.to_owned(),
        model: spec.model.clone(),
        endpoints,
        credential: presented(name, spec),
        headers: headers(name, spec),
        ca_bundle: spec.endpoint.as_ref().and_then(|endpoint| endpoint.ca_bundle.clone()),
        price: spec.price.as_ref().and_then(price),
        capabilities: capabilities(&spec.model, spec.capabilities.as_ref()),
        timeouts: spec.timeouts.as_ref().map(timeouts).unwrap_or_default(),
    };
    Ok(Built {
        deployment,
        credentials,
    })
}

/// The texts of all credentials that `spec` names, or everything that is missing of them.
fn credentials<'w>(
    world: &'w World,
    name: &ObjectName,
    spec: &ModelDeploymentSpec,
) -> Result<BTreeMap<String, Cow<'w, str>>, Vec<Finding>> {
    let mut found = BTreeMap::new();
    let mut missing = Vec::new();
    for reference in spec.secrets() {
        match usable_text(world, name, spec, &reference) {
            Ok(text) => {
                found.insert(credential_name(name, &reference), Cow::Borrowed(text));
            }
            Err(sentence) => missing.push(Finding::new(Reason::InvalidSecret, sentence)),
        }
    }
    if !missing.is_empty() {
        return Err(missing);
    }
    if let Some(secret) = aws_secret(spec) {
        // Together they are one credential, and nothing needs them one by one.
        let [id, key, token] = [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN].map(|key| secret.at(key));
        let text = |reference: &SecretKeyRef| text_of(world, name, reference).ok();
        let keys = wire::AwsKeys {
            access_key_id: text(&id).unwrap_or_default().to_owned(),
            secret_access_key: wire::ProviderKey::new(text(&key).unwrap_or_default().to_owned()),
            session_token: text(&token).map(|token| wire::ProviderKey::new(token.to_owned())),
        };
        [id, key]
            .iter()
            .for_each(|one| drop(found.remove(&credential_name(name, one))));
        found.insert(secret_name(name, secret), Cow::Owned(keys.to_text()));
    }
    Ok(found)
}

/// The name of the credential that the provider is presented.
fn presented(name: &ObjectName, spec: &ModelDeploymentSpec) -> Option<String> {
    let said = spec.credentials.as_ref()?;
    let key = said.secret_key_ref.as_ref();
    let key_file = || said.secret_ref.as_ref().map(|secret| secret.at(GOOGLE_KEY_FILE));
    let whole = || aws_secret(spec).map(|secret| secret_name(name, secret));
    key.map(|reference| credential_name(name, reference))
        .or_else(whole)
        .or_else(|| Some(credential_name(name, &key_file()?)))
}

/// The Secret with the keys of an AWS account.
fn aws_secret(spec: &ModelDeploymentSpec) -> Option<&SecretRef> {
    let said = spec.credentials.as_ref().filter(|_| spec.bedrock.is_some())?;
    said.secret_ref.as_ref()
}

/// `namespace/secret`: all its keys together.
fn secret_name(name: &ObjectName, secret: &SecretRef) -> String {
    format!("{}/{}", name.namespace, secret.name)
}

/// The text, if it is of the kind that is needed there.
fn usable_text<'w>(
    world: &'w World,
    name: &ObjectName,
    spec: &ModelDeploymentSpec,
    reference: &SecretKeyRef,
) -> Result<&'w str, String> {
    let text = text_of(world, name, reference)?;
    let whole = spec.credentials.as_ref().and_then(|said| said.secret_ref.as_ref());
    let is_key_file = spec.bedrock.is_none() && whole.is_some_and(|secret| secret.at(GOOGLE_KEY_FILE) == *reference);
    match key_file::fault(text).filter(|_| is_key_file) {
        Some(fault) => {
            let secret = ObjectName::new(&name.namespace, &reference.name);
            Err(format!("{} of Secret {secret} {fault}", reference.key))
        }
        None => Ok(text),
    }
}

fn text_of<'w>(world: &'w World, name: &ObjectName, reference: &SecretKeyRef) -> Result<&'w str, String> {
    let secret = ObjectName::new(&name.namespace, &reference.name);
    world.credential(&secret, &reference.key)
}

/// `namespace/secret/key`: two deployments with one key share it.
fn credential_name(name: &ObjectName, reference: &SecretKeyRef) -> String {
    format!("{}/{}/{}", name.namespace, reference.name, reference.key)
}

fn headers(name: &ObjectName, spec: &ModelDeploymentSpec) -> BTreeMap<String, wire::HeaderValue> {
    let value = |header: &Header| match (&header.value_from, &header.value) {
        (Some(source), _) => wire::HeaderValue::Credential(credential_name(name, &source.secret_key_ref)),
        (None, value) => wire::HeaderValue::Value(value.clone().unwrap_or_default()),
    };
    let headers = spec.endpoint.iter().flat_map(|endpoint| &endpoint.headers);
    headers
        .map(|header| (header.name.to_ascii_lowercase(), value(header)))
        .collect()
}

fn price(price: &Price) -> Option<wire::Price> {
    Some(wire::Price {
        input: price.input.nanos()?,
        output: price.output.nanos()?,
        cached_input: price.cached_input.as_ref().and_then(Usd::nanos),
    })
}

/// What the deployment says, and for the rest what is known of the model.
fn capabilities(model: &str, said: Option<&Capabilities>) -> wire::Capabilities {
    let known = models::known(model);
    let Some(said) = said else { return known };
    let count = |tokens: Option<i64>| tokens.and_then(|tokens| u64::try_from(tokens).ok());
    wire::Capabilities {
        context_tokens: count(said.context_tokens).or(known.context_tokens),
        max_output_tokens: count(said.max_output_tokens).or(known.max_output_tokens),
        features: said.features.as_deref().map(words).or(known.features),
        refuses: said.refuses.as_deref().map_or(known.refuses, words),
        reasoning_efforts: said.reasoning_efforts.as_deref().map_or(known.reasoning_efforts, words),
        default_reasoning_effort: said
            .default_reasoning_effort
            .and_then(|effort| words(&[effort]).pop())
            .or(known.default_reasoning_effort),
        reasoning_tokens: known.reasoning_tokens,
        thinks_silently: said.thinks_silently.unwrap_or(known.thinks_silently),
        cached_from_tokens: count(said.cached_from_tokens).or(known.cached_from_tokens),
    }
}

/// As the API spells them.
fn words<T: Serialize>(values: &[T]) -> Vec<String> {
    let word = |value| match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Some(word),
        Ok(_) | Err(_) => None,
    };
    values.iter().filter_map(word).collect()
}

fn timeouts(timeouts: &Timeouts) -> wire::Timeouts {
    let Timeouts {
        connect,
        first_token,
        idle,
        attempt,
    } = timeouts;
    let milliseconds = |duration: &Option<Duration>| duration.as_ref().and_then(Duration::milliseconds);
    wire::Timeouts {
        connect_ms: milliseconds(connect),
        first_token_ms: milliseconds(first_token),
        idle_ms: milliseconds(idle),
        attempt_ms: milliseconds(attempt),
        total_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_deployment_says_of_its_model_goes_before_what_is_known() {
        let known = models::known("claude-sonnet-4-5");
        assert_eq!(known.max_output_tokens, Some(64_000));
        assert_eq!(capabilities("claude-sonnet-4-5", None), known);
        let said: Capabilities =
            serde_json::from_value(serde_json::json!({"maxOutputTokens": 9, "refuses": ["Sampling"], "features": []}))
                .unwrap();
        let expected = wire::Capabilities {
            max_output_tokens: Some(9),
            refuses: vec!["Sampling".to_owned()],
            features: Some(vec![]),
            ..known
        };
        assert_eq!(capabilities("claude-sonnet-4-5", Some(&said)), expected);
        assert_eq!(capabilities("my-own", None), wire::Capabilities::default());
    }
}
