//! The three CustomResourceDefinitions, as they are installed.

use crate::{ModelDeployment, RoutingPolicy, VirtualKey};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
    JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use std::collections::BTreeMap;

/// Formats that an API server knows. It warns at every other one, and schemars invents some (`uint32`).
const KNOWN_FORMATS: [&str; 3] = ["int32", "int64", "date-time"];

/// A column of `kubectl get`: its title, its type and where its value is.
type Column = (&'static str, &'static str, &'static str);

const DEPLOYMENT_COLUMNS: &[Column] = &[
    ("Provider", "string", ".spec.provider"),
    ("Model", "string", ".spec.model"),
];
const POLICY_COLUMNS: &[Column] = &[("Models", "string", ".spec.models")];
const KEY_COLUMNS: &[Column] = &[
    ("Prefix", "string", ".status.prefix"),
    ("Disabled", "boolean", ".spec.disabled"),
    ("Expires", "string", ".spec.expiresAt"),
];
/// What follows the columns of each kind. Conditions are found by their type: their order means nothing.
const COMMON_COLUMNS: &[Column] = &[
    (
        "Accepted",
        "string",
        r#".status.conditions[?(@.type=="Accepted")].status"#,
    ),
    (
        "Resolved",
        "string",
        r#".status.conditions[?(@.type=="ResolvedRefs")].status"#,
    ),
    (
        "Programmed",
        "string",
        r#".status.conditions[?(@.type=="Programmed")].status"#,
    ),
    ("Sidecars", "integer", ".status.sidecars.programmed"),
    ("Age", "date", ".metadata.creationTimestamp"),
];

/// All definitions, in the order in which the chart lists them.
pub fn definitions() -> Vec<CustomResourceDefinition> {
    vec![
        finished(ModelDeployment::crd(), DEPLOYMENT_COLUMNS),
        finished(RoutingPolicy::crd(), POLICY_COLUMNS),
        finished(VirtualKey::crd(), KEY_COLUMNS),
    ]
}

/// Without its definition a cluster loses every object of a kind, so Helm is told to leave it when a chart goes.
fn finished(mut definition: CustomResourceDefinition, columns: &[Column]) -> CustomResourceDefinition {
    let keep = ("helm.sh/resource-policy".to_owned(), "keep".to_owned());
    definition.metadata.annotations = Some(BTreeMap::from([keep]));
    for version in &mut definition.spec.versions {
        version.additional_printer_columns = Some(columns.iter().chain(COMMON_COLUMNS).map(column).collect());
        let schema = version
            .schema
            .as_mut()
            .and_then(|validation| validation.open_api_v3_schema.as_mut());
        if let Some(schema) = schema {
            schema.title = None;
            finish_schema(schema);
        }
    }
    definition
}

fn column(&(title, type_, path): &Column) -> CustomResourceColumnDefinition {
    CustomResourceColumnDefinition {
        name: title.to_owned(),
        type_: type_.to_owned(),
        json_path: path.to_owned(),
        ..CustomResourceColumnDefinition::default()
    }
}

/// An absent field and an explicit null mean the same here. The API server drops a null where it is not `nullable`;
/// where it is, CEL's `has` would take it for a value.
fn finish_schema(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    // A comment's line breaks are those of the source, which `kubectl explain` would keep.
    schema.description = schema.description.take().map(|text| text.replace('\n', " "));
    if schema
        .format
        .as_deref()
        .is_some_and(|format| !KNOWN_FORMATS.contains(&format))
    {
        schema.format = None;
    }
    schema
        .properties
        .iter_mut()
        .flat_map(BTreeMap::values_mut)
        .for_each(finish_schema);
    match schema.items.as_mut() {
        Some(JSONSchemaPropsOrArray::Schema(items)) => {
            finish_schema(items);
            // The list has a description of its own, and `kubectl explain` prints both.
            items.description = None;
        }
        Some(JSONSchemaPropsOrArray::Schemas(items)) => items.iter_mut().for_each(finish_schema),
        None => {}
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = schema.additional_properties.as_mut() {
        finish_schema(values);
    }
}
