//! A directory that changes: what a sidecar is sent, and what a person is told.

#![cfg(test)]

use pilotfish_cli::feed::{Change, Feed};
use pilotfish_cli::load::{Directory, Environment, Problem, Scope};
use pilotfish_wire::Message;
use std::collections::BTreeMap;
use std::fs;
use tempfile::TempDir;

/// A directory and the feed that reads it.
struct Served {
    folder: TempDir,
    feed: Feed,
}

impl Served {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scope = Scope {
            namespace: "default".to_owned(),
            labels: BTreeMap::new(),
            root_namespace: "pilotfish-system".to_owned(),
        };
        let feed = Feed::new(Directory::new(folder.path()), scope);
        Self { folder, feed }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn load(&mut self) -> Result<Change, Vec<Problem>> {
        self.feed.load(&Environment::Read(&|_| None))
    }

    /// What is said of a load that changes nothing.
    fn refused(&mut self) -> Vec<String> {
        self.load().unwrap_err().iter().map(ToString::to_string).collect()
    }

    /// Loads, and spells what was sent and what was said.
    fn step(&mut self) -> (Vec<String>, Vec<String>) {
        let change = self.load().unwrap();
        let spelled = |message: Message| match message {
            Message::Resource(resource) => Some(format!("{:?} {}", resource.kind, resource.name)),
            Message::Remove(remove) => Some(format!("no {:?} {}", remove.kind, remove.name)),
            _ => None,
        };
        let sent = change.batch.into_iter().flatten().filter_map(spelled).collect();
        (sent, change.notices.iter().map(ToString::to_string).collect())
    }
}

fn deployment(name: &str) -> String {
    format!(
        "apiVersion: pilotfish.dev/v1alpha1\nkind: ModelDeployment\nmetadata: {{name: {name}}}\n\
         spec: {{provider: Ollama, model: m, endpoint: {{url: \"http://{name}/v1\"}}}}\n"
    )
}

fn policy(target: &str) -> String {
    format!(
        "apiVersion: pilotfish.dev/v1alpha1\nkind: RoutingPolicy\nmetadata: {{name: chat}}\n\
         spec: {{models: [chat], rules: [{{name: all, targets: [{{deploymentRef: {{name: {target}}}}}]}}]}}\n"
    )
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn only_what_changed_is_sent() {
    let mut served = Served::new();
    served.write("a.yaml", &deployment("a"));
    served.write("chat.yaml", &policy("a"));
    let all = strings(&["Deployment default/a", "Policy default/chat", "Routes routes"]);
    assert_eq!(served.step(), (all, vec![]));
    assert_eq!(served.step(), (vec![], vec![]));

    served.write("b.yaml", &deployment("b"));
    assert_eq!(served.step(), (vec![], vec![]), "nobody routes to it yet");
    served.write("chat.yaml", &policy("b"));
    let changed = strings(&["Deployment default/b", "Policy default/chat", "no Deployment default/a"]);
    assert_eq!(served.step(), (changed, vec![]));
}

#[test]
fn a_load_with_one_bad_document_changes_nothing_and_deletes_nothing() {
    let mut served = Served::new();
    served.write("a.yaml", &deployment("a"));
    served.write("chat.yaml", &policy("a"));
    served.step();

    fs::remove_file(served.folder.path().join("chat.yaml")).unwrap();
    served.write("a.yaml", &deployment("a").replace("model", "modle"));
    let problems = served.load().unwrap_err();
    assert!(
        problems[0]
            .to_string()
            .starts_with("a.yaml:4: spec.modle: unknown field"),
        "{problems:?}"
    );

    served.write("a.yaml", &deployment("a"));
    assert_eq!(
        served.step(),
        (
            strings(&["Routes routes", "no Deployment default/a", "no Policy default/chat"]),
            vec![]
        )
    );
}

#[test]
fn an_edit_that_does_not_resolve_is_held_and_said_once() {
    let mut served = Served::new();
    served.write("a.yaml", &deployment("a"));
    served.write("chat.yaml", &policy("a"));
    served.step();

    served.write("chat.yaml", &format!("\n{}", policy("typo")));
    let held = "chat.yaml:2: RoutingPolicy default/chat is held back, what served before it stays in force: \
                deployment default/typo does not exist";
    assert_eq!(served.step(), (vec![], strings(&[held])));
    served.write("other.yaml", &deployment("other"));
    assert_eq!(served.step(), (vec![], vec![]));

    served.write("typo.yaml", &deployment("typo"));
    let changed = strings(&[
        "Deployment default/typo",
        "Policy default/chat",
        "no Deployment default/a",
    ]);
    assert_eq!(served.step(), (changed, vec![]));
}

#[test]
fn a_policy_that_never_resolved_is_served_and_said() {
    let mut served = Served::new();
    served.write("chat.yaml", &policy("absent"));
    let said = "chat.yaml:1: RoutingPolicy default/chat: deployment default/absent does not exist";
    assert_eq!(
        served.step(),
        (strings(&["Policy default/chat", "Routes routes"]), strings(&[said]))
    );
}

#[test]
fn a_file_that_is_empty_now_deletes_nothing() {
    let mut served = Served::new();
    served.write("a.yaml", &deployment("a"));
    served.write("empty.yaml", "");
    served.write("chat.yaml", &policy("a"));
    served.step();

    for emptied in ["", " \n\n"] {
        served.write("chat.yaml", emptied);
        let said = "chat.yaml: is empty and held documents before; delete the file to delete them";
        assert_eq!(served.refused(), [said]);
    }
    // What was moved to another file is not lost.
    served.write("moved.yaml", &policy("a"));
    assert_eq!(served.step(), (vec![], vec![]));
    served.write("chat.yaml", &policy("a"));
    fs::remove_file(served.folder.path().join("moved.yaml")).unwrap();
    served.step();
    // A file of comments says that somebody meant it.
    served.write("chat.yaml", "# nothing for now\n");
    let gone = strings(&["Routes routes", "no Deployment default/a", "no Policy default/chat"]);
    assert_eq!(served.step(), (gone, vec![]));
}

fn keyed(key: &str) -> String {
    format!(
        "apiVersion: pilotfish.dev/v1alpha1\nkind: ModelDeployment\nmetadata: {{name: a}}\n\
         spec: {{provider: OpenAI, model: m, credentials: {{secretKeyRef: {{name: s, key: {key}}}}}}}\n"
    )
}

fn secret(key: &str, text: &str) -> String {
    format!("\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{{key}: {text}}}\n")
}

#[test]
fn a_credential_in_use_is_not_replaced_by_one_that_is_unusable() {
    let mut served = Served::new();
    served.write("a.yaml", &keyed("k"));
    served.write("s.yaml", &secret("k", "sk-1"));
    served.write("chat.yaml", &policy("a"));
    served.step();

    for (text, why) in [
        (secret("k", "''"), "key k of Secret default/s is empty"),
        (
            secret("k", "\"sk\\u0007\""),
            "key k of Secret default/s has a character that no header can carry",
        ),
        (secret("other", "sk-1"), "Secret default/s has no key k"),
    ] {
        served.write("s.yaml", &text);
        let said = format!("s.yaml:2: {why}, and is in use; delete the Secret to stop using it");
        assert_eq!(served.refused(), [said]);
    }
    // Both sides of a new key's name at once are no mistake, nor is another text.
    served.write("a.yaml", &keyed("other"));
    let sent = served.step().0;
    assert!(sent.contains(&"Credential default/s/other".to_owned()), "{sent:?}");
    served.write("s.yaml", &secret("other", "sk-2"));
    assert_eq!(served.step().0, ["Credential default/s/other"]);
    fs::remove_file(served.folder.path().join("s.yaml")).unwrap();
    let sent = served.step().0;
    assert!(sent.contains(&"no Credential default/s/other".to_owned()), "{sent:?}");
}

#[test]
fn a_credential_that_was_never_usable_refuses_nothing() {
    let mut served = Served::new();
    served.write("a.yaml", &keyed("k"));
    served.write("s.yaml", &secret("k", "''"));
    served.write("chat.yaml", &policy("a"));
    let (sent, said) = served.step();
    assert_eq!(sent, ["Policy default/chat", "Routes routes"]);
    assert!(said[0].contains("key k of Secret default/s is empty"), "{said:?}");
    served.write("s.yaml", &format!("{} # still\n", secret("k", "''")));
    assert_eq!(served.step(), (vec![], vec![]));
}
