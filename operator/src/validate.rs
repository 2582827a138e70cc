//! What is wrong with one document by itself.
//!
//! Three judges say the same: the API server evaluates the CEL rules of [`pilotfish_crds::rules`], the webhook and
//! `pilotfish run` call these functions, and `compile` calls them once more for what slipped past both. A rule is
//! decided here as CEL decides it there, and its sentence is the rule's own.

mod deployment;
mod key;
mod policy;

pub use deployment::deployment;
pub use key::key;
pub use policy::policy;

use pilotfish_crds::rules::Rule;
use pilotfish_crds::scalar::Duration;
use pilotfish_crds::selector::{Expression, Labels, Operator, Selector};
use pilotfish_crds::{label, rules};

/// Something wrong at one place of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field: `spec.rules[0].targets`.
    pub path: String,
    /// What must hold there, for a person.
    pub sentence: String,
}

/// Collects the faults of one document.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    /// Notes `sentence` at `path`.
    fn push(&mut self, path: impl Into<String>, sentence: impl Into<String>) {
        self.0.push(Fault {
            path: path.into(),
            sentence: sentence.into(),
        });
    }

    /// Notes the rule's sentence at `path` unless it `holds`.
    fn check(&mut self, holds: bool, path: impl Into<String>, rule: Rule) {
        if !holds {
            self.push(path, rule.1);
        }
    }

    /// The durations of an object at `path`, by field.
    fn durations(&mut self, path: &str, fields: &[(&str, &Option<Duration>)]) {
        for (field, duration) in fields {
            if let Some(duration) = duration {
                self.duration(format!("{path}.{field}"), duration);
            }
        }
    }

    /// A duration at `path`.
    fn duration(&mut self, path: impl Into<String>, duration: &Duration) {
        let zero = duration.milliseconds() == Some(0);
        self.check(!zero, path, rules::DURATION_ABOVE_ZERO);
    }

    /// A selector at `path`.
    fn selector(&mut self, path: &str, selector: &Selector) {
        let Selector {
            match_labels,
            match_expressions,
        } = selector;
        self.labels(&format!("{path}.matchLabels"), match_labels);
        for (index, expression) in match_expressions.iter().enumerate() {
            self.expression(&format!("{path}.matchExpressions[{index}]"), expression);
        }
    }

    /// Labels that are asked for at `path`.
    fn labels(&mut self, path: &str, labels: &Labels) {
        self.check(labels.keys().all(|key| label::is_key(key)), path, rules::LABEL_KEYS);
        let is_each_a_value = labels.values().all(|value| label::is_value(value));
        self.check(is_each_a_value, path, rules::LABEL_VALUES);
    }

    /// One expression of a selector.
    fn expression(&mut self, path: &str, expression: &Expression) {
        let Expression { key, operator, values } = expression;
        self.check(label::is_key(key), format!("{path}.key"), rules::LABEL_KEY);
        let has_its_values = values.is_empty() != wants_values(*operator);
        self.check(has_its_values, path, rules::EXPRESSION_VALUES);
        let is_each_a_value = values.iter().all(|value| label::is_value(value));
        self.check(is_each_a_value, format!("{path}.values"), rules::LABEL_VALUE_LIST);
    }

    /// A list of model names or patterns at `path`.
    fn models(&mut self, path: &str, models: &[String]) {
        let one_star = models.iter().all(|model| model.matches('*').count() <= 1);
        self.check(one_star, path, rules::ONE_STAR);
    }
}

fn wants_values(operator: Operator) -> bool {
    match operator {
        Operator::In | Operator::NotIn => true,
        Operator::Exists | Operator::DoesNotExist => false,
    }
}

/// As [`rules::HEADER_NAME_IN_LOWER_CASE`], for a name that is not empty.
fn is_lower_case_header(name: &str) -> bool {
    let punctuation = "!#$%&'*+.^_|~-";
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || punctuation.contains(c))
}
