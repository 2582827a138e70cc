//! The table of good and bad documents, judged on the path that `pilotfish run` takes.

#![cfg(test)]

use pilotfish_cli::load::{Environment, Problem, Scope, SourceFile, load};
use pilotfish_crds::definitions;
use pilotfish_operator::compile;
use pilotfish_operator::providers;
use pilotfish_operator::world::InForce;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A document and the comments that introduce it, by their keys.
struct Case {
    comments: BTreeMap<String, String>,
    text: String,
}

impl Case {
    fn comment(&self, key: &str) -> &str {
        self.comments
            .get(key)
            .unwrap_or_else(|| panic!("no {key:?} in {}", self.text))
    }
}

/// The cases of a file: its documents without what stands before the first.
fn cases(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures/api")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    text.split("\n---\n")
        .skip(1)
        .filter(|part| part.contains("# case: "))
        .map(case)
        .collect()
}

fn case(text: &str) -> Case {
    let comment = |line: &str| {
        let (key, value) = line.strip_prefix("# ")?.split_once(": ")?;
        Some((key.to_owned(), value.to_owned()))
    };
    Case {
        comments: text.lines().map_while(comment).collect(),
        text: text.to_owned(),
    }
}

fn scope() -> Scope {
    Scope {
        namespace: "default".to_owned(),
        labels: BTreeMap::new(),
        root_namespace: "pilotfish-system".to_owned(),
    }
}

fn judged(text: &str) -> Result<pilotfish_cli::load::Loaded, Vec<Problem>> {
    let file = SourceFile {
        name: "case.yaml".to_owned(),
        text: text.to_owned(),
    };
    load(&[file], &scope(), InForce::default(), &Environment::Read(&|_| None))
}

#[test]
fn a_bad_document_has_one_problem_at_its_field() {
    let bad = cases("bad.yaml");
    assert!(bad.len() >= 40, "only {} bad documents", bad.len());
    for case in &bad {
        let problems = judged(&case.text).err().unwrap_or_default();
        // Another row of the provider table shall change no fixture.
        let table = providers::unknown("");
        let table = table.split_once("known: ").unwrap().1;
        let said: Vec<_> = problems
            .iter()
            .map(|problem| (problem.field.as_str(), problem.sentence.replace(table, "…")))
            .collect();
        let expected = (case.comment("field"), case.comment("says").to_owned());
        assert_eq!(said, [expected], "{}", case.text);
    }
}

#[test]
fn a_good_document_is_taken_and_none_of_it_panics_the_compiler() {
    for case in cases("good.yaml") {
        let loaded = judged(&case.text).unwrap_or_else(|problems| panic!("{problems:?} in {}", case.text));
        assert_eq!(loaded.places.len(), 1, "{}", case.comment("case"));
        let compiled = compile(&loaded.world);
        let verdicts = compiled
            .deployment_verdicts
            .values()
            .chain(compiled.policy_verdicts.values());
        let verdicts: Vec<_> = verdicts.chain(compiled.key_verdicts.values()).collect();
        assert!(verdicts.iter().all(|verdict| verdict.faults.is_empty()), "{verdicts:?}");
    }
}

#[test]
fn all_good_documents_make_one_world() {
    let documents: Vec<_> = cases("good.yaml").into_iter().map(|case| case.text).collect();
    let loaded = judged(&documents.join("\n---\n")).unwrap();
    assert_eq!(loaded.places.len(), documents.len());
}

/// The messages of all CEL rules below `schema`.
fn messages(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            let rules = fields.get("x-kubernetes-validations").and_then(Value::as_array);
            found.extend(
                rules
                    .into_iter()
                    .flatten()
                    .map(|rule| rule["message"].as_str().unwrap().to_owned()),
            );
            fields.values().for_each(|value| messages(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| messages(item, found)),
        _ => {}
    }
}

#[test]
fn every_rule_of_the_schema_has_its_bad_document() {
    let mut rules = Vec::new();
    messages(&serde_json::to_value(definitions()).unwrap(), &mut rules);
    assert!(rules.len() > 20);
    let bad = cases("bad.yaml");
    let of_both = |case: &&Case| !case.comments.contains_key("server says") && !case.comments.contains_key("judge");
    let said: Vec<&str> = bad.iter().filter(of_both).map(|case| case.comment("says")).collect();
    for rule in rules {
        assert!(said.contains(&rule.as_str()), "no bad document for {rule:?}");
    }
}
