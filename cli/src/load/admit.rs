//! One document → one object, if it may be one: what an API server does before it stores it.

use super::document::Document;
use super::metadata::{self, Metadata};
use super::{DEFAULT_NAMESPACE, Problem, Scope, schema, secret};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{CustomResourceDefinition, JSONSchemaProps};
use pilotfish_crds::selector::Labels;
use pilotfish_crds::{GROUP, ModelDeploymentSpec, RoutingPolicySpec, VERSION, VirtualKeySpec, definitions};
use pilotfish_operator::validate::{self, Fault};
use pilotfish_operator::world::{Object, ObjectName, Secret};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Said of a plain word that kubectl takes for a boolean or another number than it says here.
const AMBIGUOUS: &str = "put this in quotes, kubectl would read it as something else";

/// What a document is.
#[derive(Debug)]
pub(super) enum Admitted {
    Deployment(Box<Object<ModelDeploymentSpec>>),
    Policy(Box<Object<RoutingPolicySpec>>),
    Key(Object<VirtualKeySpec>),
    Secret(Secret),
    Namespace(Labels),
    /// Of no kind that matters here.
    Ignored,
}

/// The schema of each of our kinds.
static SCHEMAS: LazyLock<BTreeMap<String, JSONSchemaProps>> = LazyLock::new(|| {
    let entry = |definition: CustomResourceDefinition| {
        let version = definition.spec.versions.into_iter().next()?;
        Some((definition.spec.names.kind, version.schema?.open_api_v3_schema?))
    };
    definitions().into_iter().filter_map(entry).collect()
});

/// Judges `document` by itself.
pub(super) fn admit(mut document: Document, scope: &Scope) -> Result<(Document, Admitted), Vec<Problem>> {
    if !document.value.is_object() || document.kind.is_empty() || document.api_version.is_empty() {
        return Err(vec![
            document.problem("", "a document must be an object with apiVersion and kind"),
        ]);
    }
    let admitted = match (document.api_version.as_str(), document.kind.as_str()) {
        ("v1", "Secret") => {
            identify(&mut document)?;
            Admitted::Secret(secret::read(&document)?)
        }
        ("v1", "Namespace") => Admitted::Namespace(identify(&mut document)?.labels),
        ("v1", "List") => return Err(vec![document.problem("kind", "write the items of a List as documents")]),
        _ if is_ours(&document) => custom(&mut document, scope)?,
        _ => Admitted::Ignored,
    };
    Ok((document, admitted))
}

/// Of our group, or of a kind of ours that was put into another one by mistake.
fn is_ours(document: &Document) -> bool {
    document.api_version.split('/').next() == Some(GROUP) || SCHEMAS.contains_key(&document.kind)
}

fn custom(document: &mut Document, scope: &Scope) -> Result<Admitted, Vec<Problem>> {
    let version = format!("{GROUP}/{VERSION}");
    if document.api_version != version {
        return Err(vec![document.problem("apiVersion", format!("must be {version}"))]);
    }
    let root = scope.root_namespace.as_str();
    match document.kind.as_str() {
        "ModelDeployment" => {
            object(document, |spec, _| validate::deployment(spec)).map(|object| Admitted::Deployment(Box::new(object)))
        }
        "RoutingPolicy" => object(document, |spec, name| validate::policy(spec, name, root))
            .map(|object| Admitted::Policy(Box::new(object))),
        "VirtualKey" => object(document, |spec, _| validate::key(spec)).map(Admitted::Key),
        other => {
            let known: Vec<&str> = SCHEMAS.keys().map(String::as_str).collect();
            let sentence = format!("no kind {other} in {version}; known: {}", known.join(", "));
            Err(vec![document.problem("kind", sentence)])
        }
    }
}

/// Metadata and schema together, and when both are right what `validate` has to say of the spec and its namespace.
fn object<S: DeserializeOwned>(
    document: &mut Document,
    validate: impl Fn(&S, &str) -> Vec<Fault>,
) -> Result<Object<S>, Vec<Problem>> {
    let (metadata, mut problems) = match identify(document) {
        Ok(metadata) => (metadata, Vec::new()),
        Err(problems) => (Metadata::default(), problems),
    };
    let (spec, faults) = checked_spec(document);
    problems.extend(told(document, faults));
    if !problems.is_empty() {
        return Err(problems);
    }
    let spec = serde_json::from_value(spec).map_err(|error| vec![document.problem("spec", error.to_string())])?;
    let faults = validate(&spec, &document.name.namespace);
    if !faults.is_empty() {
        return Err(told(document, faults));
    }
    Ok(Object {
        generation: metadata.generation,
        created: metadata.created,
        labels: metadata.labels,
        spec: Ok(spec),
    })
}

/// Reads the metadata and gives the document its name.
fn identify(document: &mut Document) -> Result<Metadata, Vec<Problem>> {
    let ambiguous = document.ambiguous().iter().map(|field| Fault {
        path: field.clone(),
        sentence: AMBIGUOUS.to_owned(),
    });
    let ambiguous: Vec<Fault> = ambiguous.collect();
    let metadata = match metadata::read(&document.value) {
        Ok(metadata) if ambiguous.is_empty() => metadata,
        Ok(_) => return Err(told(document, ambiguous)),
        Err(faults) => return Err(told(document, ambiguous.into_iter().chain(faults).collect())),
    };
    let namespace = metadata.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
    document.name = ObjectName::new(namespace, &metadata.name);
    Ok(metadata)
}

/// The spec with its defaults, and what the schema has against the document.
fn checked_spec(document: &Document) -> (Value, Vec<Fault>) {
    let mut body = document.value.clone();
    if let Some(fields) = body.as_object_mut() {
        // `status` is the server's: what somebody saved with the rest means nothing.
        fields.retain(|field, _| !["apiVersion", "kind", "metadata", "status"].contains(&field.as_str()));
    }
    let faults = SCHEMAS
        .get(&document.kind)
        .map(|schema| schema::check("", schema, &mut body))
        .unwrap_or_default();
    (body["spec"].take(), faults)
}

fn told(document: &Document, faults: Vec<Fault>) -> Vec<Problem> {
    faults
        .into_iter()
        .map(|fault| document.problem(fault.path, fault.sentence))
        .collect()
}
