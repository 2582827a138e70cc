//! Files → a World: where a problem is said to be, what is refused with it, and where Secrets come from.

#![cfg(test)]

use pilotfish_cli::load::{Directory, Environment, Loaded, Problem, Scope, SourceFile, load};
use pilotfish_operator::world::{InForce, ObjectName};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;

fn scope() -> Scope {
    Scope {
        namespace: "default".to_owned(),
        labels: BTreeMap::new(),
        root_namespace: "pilotfish-system".to_owned(),
    }
}

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

fn loaded(files: &[SourceFile]) -> Result<Loaded, Vec<Problem>> {
    load(files, &scope(), InForce::default(), &Environment::Read(&|_| None))
}

/// What is said of one file `f.yaml`.
fn check(text: &str, expected: &[&str]) {
    let problems = loaded(&[file("f.yaml", text)]).err().unwrap_or_default();
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(said, expected, "{text}");
}

const KEY: &str = "apiVersion: pilotfish.dev/v1alpha1\nkind: VirtualKey\n";

#[test]
fn text_that_does_not_parse_is_told_by_its_line() {
    check(
        "kind: [",
        &["f.yaml:2: did not find expected node content, while parsing a flow node"],
    );
    check("a: b\na: c\n", &["f.yaml:2: a: is written twice"]);
    let deep = format!("a: {}{}\n", "[".repeat(1_000), "]".repeat(1_000));
    check(&deep, &["f.yaml:1: is nested too deeply"]);
    check(
        &format!("{KEY}metadata:\n  name: a\n   namespace: b\n"),
        &["f.yaml:5: mapping values are not allowed in this context"],
    );
}

#[test]
fn a_merge_key_is_merged() {
    let text = format!("{KEY}metadata: {{name: a}}\nspec:\n  <<: &base {{secretName: a}}\n  disabled: true\n");
    check(&text, &[]);
}

#[test]
fn a_document_that_is_no_object_of_a_kind_is_a_problem() {
    let sentence = "a document must be an object with apiVersion and kind";
    check("just text", &[&format!("f.yaml:1: {sentence}")]);
    check(
        "# first\n---\n# second\nmodel: a\n",
        &[&format!("f.yaml:4: {sentence}")],
    );
}

#[test]
fn a_field_is_told_by_the_line_it_stands_on() {
    let text = format!(
        "# comments\n\n{KEY}metadata: {{name: a}}\nspec: {{secretName: a}}\n---\n{KEY}metadata:\n  name: b\nspec:\n  \
         secretName: b\n  models:\n  - chat\n  - \"a*b*\"\n---\n{KEY}metadata: {{name: c}}\nspec:\n  disabled: 1\n"
    );
    check(
        &text,
        &[
            "f.yaml:14: spec.models: a model name may have at most one * in it",
            "f.yaml:22: spec.disabled: must be a boolean, not an integer",
            "f.yaml:21: spec.secretName: is required",
        ],
    );
}

#[test]
fn json_is_read_as_well_and_has_lines_too() {
    let text = "{\n\t\"apiVersion\": \"pilotfish.dev/v1alpha1\",\n\t\"kind\": \"VirtualKey\",\n\t\"metadata\": {\"name\": \"a\"},\n\
                \t\"spec\": {\n\t\t\"secretName\": \"A\"\n\t}\n}\n";
    let problems = loaded(&[file("f.json", text)]).unwrap_err();
    let expected = "f.json:6: spec.secretName: must be lower-case letters, digits, - and ., and start and end with a letter or digit";
    assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

#[test]
fn every_problem_of_every_file_is_told() {
    let (one, two) = (file("one.yaml", "a: ["), file("two.yaml", "b: ["));
    assert_eq!(loaded(&[one, two]).unwrap_err().len(), 2);
}

#[test]
fn two_objects_of_one_name_are_a_problem() {
    let document = format!("{KEY}metadata: {{name: a}}\nspec: {{secretName: a}}\n");
    let named = format!("{KEY}metadata: {{name: a, namespace: default}}\nspec: {{secretName: a}}\n");
    let problems = loaded(&[file("one.yaml", &document), file("two.yaml", &named)]).unwrap_err();
    let expected = "two.yaml:1: metadata.name: VirtualKey default/a is already at one.yaml:1";
    assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

#[test]
fn other_kinds_are_left_out_and_named() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: A B}\n---\n\
                apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: yes}\n";
    let ignored = loaded(&[file("f.yaml", text)]).unwrap().ignored;
    let ignored: Vec<String> = ignored
        .iter()
        .map(|(kind, place)| format!("{kind} at {place}"))
        .collect();
    assert_eq!(ignored, ["ConfigMap at f.yaml:1", "Deployment at f.yaml:5"]);
    check(
        "apiVersion: v1\nkind: List\nitems: []\n",
        &["f.yaml:2: kind: write the items of a List as documents"],
    );
    check(
        "apiVersion: v1\nkind: RoutingPolicy\nmetadata: {name: a}\n",
        &["f.yaml:1: apiVersion: must be pilotfish.dev/v1alpha1"],
    );
}

#[test]
fn namespaces_have_the_labels_of_their_documents() {
    let text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n";
    let loaded = loaded(&[file("f.yaml", text)]).unwrap();
    let labels = loaded.world.namespace_labels("shop");
    let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(labels, ["kubernetes.io/metadata.name=shop", "team=a"]);
}

#[test]
fn a_secret_is_read_from_both_of_its_maps_and_its_values_are_never_said() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: Y2FuYXJ5, b: b2xk, c: //8=}\n\
                stringData: {b: new}\n";
    let loaded = loaded(&[file("f.yaml", text)]).unwrap();
    let said = |key| loaded.world.credential(&ObjectName::new("default", "s"), key);
    assert_eq!([said("a"), said("b")], [Ok("canary"), Ok("new")]);
    assert_eq!(said("c"), Err("key c of Secret default/s is not text".to_owned()));

    check(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  a: canary!\nstringData:\n  b: 5\n",
        &[
            "f.yaml:5: data.a: must be base64; plain text goes into stringData",
            "f.yaml:7: stringData.b: must be a string",
        ],
    );
}

fn deployment(namespace: &str, secret: &str) -> String {
    format!(
        "apiVersion: pilotfish.dev/v1alpha1\nkind: ModelDeployment\nmetadata: {{name: gpt, namespace: {namespace}}}\n\
         spec:\n  provider: OpenAI\n  model: m\n  credentials: {{secretKeyRef: {{name: {secret}, key: api-key}}}}\n"
    )
}

#[test]
fn a_credential_that_no_document_has_is_read_from_the_environment() {
    let environment = |variable: &str| (variable == "PILOTFISH_SECRET_OPEN_AI_API_KEY").then(|| "sk".to_owned());
    let files = [file("f.yaml", &deployment("ai", "open.ai"))];
    let loaded = load(&files, &scope(), InForce::default(), &Environment::Read(&environment)).unwrap();
    assert_eq!(
        loaded.world.credential(&ObjectName::new("ai", "open.ai"), "api-key"),
        Ok("sk")
    );

    let without = self::loaded(&files).unwrap();
    assert_eq!(
        without.world.credential(&ObjectName::new("ai", "open.ai"), "api-key"),
        Err("Secret ai/open.ai is in no file, and PILOTFISH_SECRET_OPEN_AI_API_KEY is not set".to_owned())
    );
}

#[test]
fn two_credentials_of_one_variable_are_refused_unless_documents_have_them() {
    let two = [deployment("ai", "open-ai"), deployment("shop", "open.ai")].join("---\n");
    check(
        &two,
        &[
            "f.yaml:9: spec: shop/open.ai/api-key and ai/open-ai/api-key would both be read from \
           PILOTFISH_SECRET_OPEN_AI_API_KEY; rename one of the Secrets",
        ],
    );
    let secret =
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: open-ai, namespace: ai}\nstringData: {api-key: k}\n";
    check(&format!("{two}{secret}"), &[]);
}

#[test]
fn only_the_files_of_the_directory_itself_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["b.yaml", "a.yml", "c.json", ".hidden.yaml", "notes.txt", "yaml"] {
        fs::write(path(name), name).unwrap();
    }
    fs::create_dir(path("below")).unwrap();
    fs::write(path("below/d.yaml"), "").unwrap();
    // As editors on Windows begin a file.
    fs::write(path("a.yml"), "\u{feff}a.yml").unwrap();
    let files = Directory::new(folder.path()).read().unwrap();
    assert_eq!(files[0].text, "a.yml");
    assert_eq!(
        files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(),
        ["a.yml", "b.yaml", "c.json"]
    );
}

#[test]
fn a_mounted_config_map_changes_when_its_link_is_swapped() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (version, text) in [("..one", "first"), ("..two", "other")] {
        fs::create_dir(path(version)).unwrap();
        fs::write(path(version).join("a.yaml"), text).unwrap();
    }
    symlink("..one", path("..data")).unwrap();
    symlink("..data/a.yaml", path("a.yaml")).unwrap();
    let directory = Directory::new(folder.path());
    let (before, read) = (directory.stamp(), directory.read().unwrap());
    assert_eq!(read, [file("a.yaml", "first")]);
    assert_eq!(directory.stamp(), before);

    symlink("..two", path("..next")).unwrap();
    fs::rename(path("..next"), path("..data")).unwrap();
    assert_ne!(directory.stamp(), before);
    assert_eq!(directory.read().unwrap(), [file("a.yaml", "other")]);
}

#[test]
fn a_directory_knows_when_something_was_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("a.yaml"), "1234").unwrap();
    let directory = Directory::new(folder.path());
    let before = directory.stamp();
    for (text, expected) in [("1234", false), ("12345", false), ("123", true), ("", true)] {
        fs::write(path("a.yaml"), text).unwrap();
        assert_eq!(directory.stamp().is_less_than(&before), expected, "{text}");
    }
    fs::rename(path("a.yaml"), path("b.yaml")).unwrap();
    assert!(directory.stamp().is_less_than(&before));
    assert!(!before.is_less_than(&Directory::new(path("absent")).stamp()));
}

#[test]
fn a_directory_or_a_file_that_cannot_be_read_is_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), [0xff, 0xfe]).unwrap();
    let problems = Directory::new(folder.path()).read().unwrap_err();
    assert_eq!(problems[0].to_string(), "a.yaml: stream did not contain valid UTF-8");
    assert!(Directory::new(folder.path().join("absent")).read().is_err());
}
