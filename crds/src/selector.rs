//! Labels, and which of them are meant.
//!
//! Kubernetes' own LabelSelector has no bounds in its schema, and an unbounded list makes every CEL rule around it too
//! expensive to be admitted. This one has the same form and the same meaning, with bounds.

use crate::rules;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

/// Which labels an object must have. Every part that is set must hold; an empty selector takes everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Selector {
    /// Labels that must be there with exactly these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "labels_schema")]
    pub match_labels: Labels,
    /// Further requirements, all of which must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub match_expressions: Vec<Expression>,
}

/// One requirement on one label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::EXPRESSION_VALUES)]
pub struct Expression {
    /// The label.
    #[schemars(length(min = 1, max = 317))]
    #[x_kube(validation = rules::LABEL_KEY)]
    pub key: String,
    /// How its value is compared: In, NotIn (also true when the label is absent), Exists or DoesNotExist.
    pub operator: Operator,
    /// The values for In and NotIn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(max = 63)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    #[x_kube(validation = rules::LABEL_VALUE_LIST)]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Operator {
    /// The label is there and its value is listed.
    In,
    /// The label is absent or its value is not listed.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
}

impl Selector {
    /// The labels it asks for; no other one makes a difference.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let expressions = self.match_expressions.iter().map(|expression| &expression.key);
        self.match_labels.keys().chain(expressions).map(String::as_str)
    }

    /// Whether an object with these labels is meant.
    pub fn matches(&self, labels: &Labels) -> bool {
        let all_equal = self
            .match_labels
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value));
        all_equal
            && self
                .match_expressions
                .iter()
                .all(|expression| expression.matches(labels))
    }
}

impl Expression {
    fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        let listed = value.is_some_and(|value| self.values.contains(value));
        match self.operator {
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// A map of at most 16 labels such as Kubernetes allows.
pub(crate) fn labels_schema(_: &mut SchemaGenerator) -> Schema {
    let validations = [rules::LABEL_KEYS, rules::LABEL_VALUES]
        .map(|(rule, message)| serde_json::json!({"rule": rule, "message": message}));
    json_schema!({
        "type": "object",
        "maxProperties": 16,
        "additionalProperties": {"type": "string", "maxLength": 63},
        "x-kubernetes-validations": validations,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(operator: Operator, values: &[&str]) -> Selector {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        let expression = Expression {
            key: "tier".to_owned(),
            operator,
            values,
        };
        Selector {
            match_expressions: vec![expression],
            ..Selector::default()
        }
    }

    #[test]
    fn a_selector_means_what_it_means_elsewhere_in_kubernetes() {
        let gold = Labels::from([("tier".to_owned(), "gold".to_owned())]);
        let none = Labels::new();
        let by_label = Selector {
            match_labels: gold.clone(),
            ..Selector::default()
        };
        let cases = [
            (Selector::default(), true, true),
            (by_label, true, false),
            (expression(Operator::In, &["gold", "silver"]), true, false),
            (expression(Operator::In, &["silver"]), false, false),
            (expression(Operator::NotIn, &["gold"]), false, true),
            (expression(Operator::Exists, &[]), true, false),
            (expression(Operator::DoesNotExist, &[]), false, true),
        ];
        for (selector, takes_gold, takes_none) in cases {
            assert_eq!(
                (selector.matches(&gold), selector.matches(&none)),
                (takes_gold, takes_none),
                "{selector:?}"
            );
        }
    }
}
