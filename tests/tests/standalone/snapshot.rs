//! `pilotfish compile` makes a file, `pilotfish-sidecar --snapshot` serves it: no documents, no secrets in between.

use crate::program::{self, Program, Variables, compile};
use anyhow::{Context, Result};
use pilotfish_provider::Fake;
use pilotfish_tests::documents::virtual_key;
use pilotfish_tests::{Answer, Client, Deployment, Dialect, Launch, Pilotfish, Policy, http};
use pilotfish_wire::{Message, snapshot};
use std::ffi::OsStr;
use std::fs;
use tempfile::TempDir;

const KEY: &str = "sk-pf-0123456789abcdef";
const VARIABLES: Variables<'static> = &[
    ("PILOTFISH_SECRET_EAST_API_KEY", "sk-up-east"),
    ("PILOTFISH_SECRET_WEST_API_KEY", "sk-up-west"),
    ("PILOTFISH_SECRET_TRACE_TOKEN", "sk-trace-0123456789"),
];
/// What no snapshot holds.
const SECRETS: [&str; 4] = ["sk-up-", "sk-trace-", KEY, "c2st"];

/// East and west, one of them with a second secret among its headers; `vip` asks for a key.
fn documents(east: &Fake, west: &Fake) -> Vec<String> {
    let header = "    headers: [{name: x-trace, valueFrom: {secretKeyRef: {name: trace, key: token}}}]\n  credentials:";
    let east = Deployment::of(Dialect::Chat, "east", east).to_string();
    vec![
        east.replace("  credentials:", header),
        Deployment::of(Dialect::Messages, "west", west).to_string(),
        "kind: Secret\napiVersion: v1\nmetadata: {name: trace}\nstringData: {token: sk-trace-0123456789}\n".to_owned(),
        Policy::named("chat").targets(["east", "west"]).to_string(),
        Policy::named("vip")
            .targets(["east"])
            .with("authentication: {require: VirtualKey}")
            .to_string(),
        virtual_key("team", KEY, "models: [vip]"),
    ]
}

/// The documents in one file each, named so that they are read in this order.
fn directory<'a>(documents: impl IntoIterator<Item = &'a String>) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for (number, document) in documents.into_iter().enumerate() {
        fs::write(folder.path().join(format!("{number}.yaml")), document)?;
    }
    Ok(folder)
}

async fn compiled(directory: &TempDir, more: &[&str]) -> Result<String> {
    let file = directory.path().join(".snapshot");
    compile(directory.path(), &file, more).await?;
    Ok(fs::read_to_string(file)?)
}

struct Providers {
    east: Fake,
    west: Fake,
}

impl Providers {
    async fn start() -> Result<Self> {
        Ok(Self {
            east: Dialect::Chat.provider("east").start().await?,
            west: Dialect::Messages.provider("west").start().await?,
        })
    }

    fn documents(&self) -> Vec<String> {
        documents(&self.east, &self.west)
    }
}

#[tokio::test]
async fn a_snapshot_is_the_same_whatever_the_files_are_called_and_holds_no_secret() -> Result<()> {
    let documents = Providers::start().await?.documents();
    let scope = [
        "--namespace",
        "default",
        "--labels",
        "tier=1,app=a",
        "--root-namespace",
        "fleet",
    ];
    let text = compiled(&directory(&documents)?, &scope).await?;
    assert_eq!(compiled(&directory(documents.iter().rev())?, &scope).await?, text);
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    let first = text.lines().next().unwrap_or_default();
    let recorded = r#""scope":{"labels":"app=a,tier=1","namespace":"default","rootNamespace":"fleet"}"#;
    assert!(first.contains(recorded), "{first}");
    let other = compiled(&directory(&documents)?, &["--namespace", "other"]).await?;
    assert!(!other.contains("default/east"), "{other}");
    Ok(())
}

async fn sidecar(text: &str, variables: Variables<'_>) -> Result<Pilotfish> {
    let launch = Launch::snapshot(&snapshot::read(text)?);
    let launch = variables
        .iter()
        .fold(launch, |launch, (name, value)| launch.environment(name, value));
    launch.start().await
}

async fn ask(client: &Client, model: &str) -> Result<Answer> {
    client.ask(Dialect::Chat, &Dialect::Chat.request(model, "Hello")).await
}

/// Where the conversations of an application go.
async fn homes(pilotfish: &Pilotfish) -> Result<Vec<String>> {
    let mut homes = Vec::new();
    for session in 0..20 {
        let client = Client::new(pilotfish)?.header("x-pilotfish-session-id", &format!("session-{session}"));
        let answer = ask(&client, "chat").await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        homes.push(
            answer
                .header("x-pilotfish-deployment")
                .context("no deployment")?
                .to_owned(),
        );
    }
    Ok(homes)
}

#[tokio::test]
async fn a_sidecar_serves_a_snapshot_as_run_serves_its_documents() -> Result<()> {
    let providers = Providers::start().await?;
    let documents = providers.documents();
    let text = compiled(&directory(&documents)?, &[]).await?;
    let (run, sidecar) = (Launch::run(&documents).start().await?, sidecar(&text, VARIABLES).await?);
    let there = homes(&run).await?;
    assert_eq!(homes(&sidecar).await?, there);
    assert!(there.contains(&"default/east".to_owned()) && there.contains(&"default/west".to_owned()));

    for pilotfish in [&run, &sidecar] {
        let client = Client::new(pilotfish)?;
        assert_eq!(ask(&client, "vip").await?.status, 401);
        let with_key = client.header("authorization", &format!("Bearer {KEY}"));
        assert_eq!(ask(&with_key, "vip").await?.status, 200);
        assert_eq!(ask(&with_key, "chat").await?.status, 403);
        let wrong = client.header("authorization", &format!("Bearer {KEY}0"));
        assert_eq!(ask(&wrong, "vip").await?.status, 401);
    }
    let traced = providers.east.received();
    assert!(
        traced
            .iter()
            .all(|request| request.header("x-trace") == Some("sk-trace-0123456789"))
    );
    let fakes = [&providers.east, &providers.west];
    run.back_to_idle(&fakes).await?;
    sidecar.back_to_idle(&fakes).await
}

#[tokio::test]
async fn a_deployment_without_its_variable_is_refused_alone() -> Result<()> {
    let providers = Providers::start().await?;
    let text = compiled(&directory(&providers.documents())?, &[]).await?;
    let west_only = VARIABLES.iter().copied().filter(|(name, _)| name.contains("WEST"));
    let pilotfish = sidecar(&text, &west_only.collect::<Vec<_>>()).await?;
    let line = pilotfish.logged("credential not in the environment").await?;
    assert!(line.contains("PILOTFISH_SECRET_EAST_API_KEY"), "{line}");
    let line = pilotfish.logged("resource refused").await?;
    assert!(line.contains("default/east") && line.contains("is missing"), "{line}");
    assert!(homes(&pilotfish).await?.iter().all(|home| home == "default/west"));
    let client = Client::new(&pilotfish)?.header("authorization", &format!("Bearer {KEY}"));
    let answer = ask(&client, "vip").await?;
    assert_eq!(answer.status, 503);
    assert!(
        answer.text().contains("default/east: the credential"),
        "{}",
        answer.text()
    );
    Ok(())
}

/// The end of a program that must not serve, and what it says.
async fn refused(name: &str, arguments: &[&OsStr]) -> Result<String> {
    let output = program::output(name, arguments, VARIABLES).await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{name} {arguments:?}: {said}");
    for secret in SECRETS {
        assert!(!said.contains(secret), "{said}");
    }
    Ok(said)
}

#[tokio::test]
async fn a_damaged_snapshot_is_refused_with_a_sentence() -> Result<()> {
    let providers = Providers::start().await?;
    let directory = directory(&providers.documents())?;
    let text = compiled(&directory, &[]).await?;
    let cut = text.lines().take(4).collect::<Vec<_>>().join("\n");
    let later = text.replace("\"revision\":", "\"later\":");
    let file = directory.path().join("damaged");
    for (damaged, sentence) in [
        (
            text.replacen("default/east", "default/eost", 1),
            "it was altered or damaged",
        ),
        (later, "it was altered or damaged"),
        (cut, "the snapshot ends without its checksum; it was cut short"),
        (
            String::new(),
            "the snapshot ends without its checksum; it was cut short",
        ),
        (text.replacen('{', "\u{fffd}", 1), "it was altered or damaged"),
    ] {
        fs::write(&file, damaged)?;
        let said = refused("pilotfish-sidecar", &[OsStr::new("--snapshot"), file.as_os_str()]).await?;
        assert!(
            said.contains("damaged is not used") && said.contains(sentence),
            "{said}"
        );
    }
    fs::remove_file(&file)?;
    let said = refused("pilotfish-sidecar", &[OsStr::new("--snapshot"), file.as_os_str()]).await?;
    assert!(said.contains("cannot read") && said.contains("No such file"), "{said}");
    Ok(())
}

#[tokio::test]
async fn two_credentials_that_would_share_a_variable_are_refused() -> Result<()> {
    let providers = Providers::start().await?;
    let named = |name: &str| {
        let deployment = Deployment::of(Dialect::Chat, name, &providers.east).to_string();
        deployment
            .split_once("---\n")
            .map(|(_, deployment)| deployment.to_owned())
            .unwrap_or_default()
    };
    let documents = [
        named("a-b"),
        named("a.b"),
        Policy::named("chat").targets(["a-b", "a.b"]).to_string(),
    ];
    let directory = directory(&documents)?;
    let sentence = "would both be read from PILOTFISH_SECRET_A_B_API_KEY; rename one of the Secrets";
    for verb in ["run", "compile"] {
        let said = refused("pilotfish", &[OsStr::new(verb), directory.path().as_os_str()]).await?;
        assert!(
            said.contains("default/a-b/api-key") && said.contains("default/a.b/api-key"),
            "{said}"
        );
        assert!(said.contains(sentence) && said.contains(".yaml:"), "{said}");
    }

    // A snapshot that no `compile` of ours has made.
    let text = compiled(&self::directory(&providers.documents())?, &[]).await?;
    let resources = snapshot::read(&text)?.into_iter().filter_map(|message| match message {
        Message::Resource(resource) => Some(resource),
        _ => None,
    });
    let clash = |body: &str| body.replace("default/trace/token", "other/east/api.key");
    let resources = resources.map(|mut resource| {
        let body = clash(resource.body.get());
        resource.body = serde_json::from_str(&body).expect("it was JSON and is");
        resource
    });
    let resources: Vec<_> = resources.collect();
    let file = directory.path().join("clash");
    fs::write(&file, snapshot::write(&snapshot::batch(Default::default(), &resources)))?;
    let said = refused("pilotfish-sidecar", &[OsStr::new("--snapshot"), file.as_os_str()]).await?;
    assert!(
        said.contains("would both be read from PILOTFISH_SECRET_EAST_API_KEY"),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn a_sidecar_without_the_file_it_was_started_with_serves_on() -> Result<()> {
    let providers = Providers::start().await?;
    let directory = directory(&providers.documents())?;
    let text = compiled(&directory, &[]).await?;
    let file = directory.path().join("snapshot");
    fs::write(&file, text)?;
    let arguments = [OsStr::new("--snapshot"), file.as_os_str()];
    let program = Program::start("pilotfish-sidecar", &arguments, VARIABLES).await?;
    fs::remove_file(&file)?;
    let http = http()?;
    while http.get(program.telemetry("/readyz")).send().await?.status() != 200 {
        tokio::task::yield_now().await;
    }
    let url = format!("http://{}{}", program.address, Dialect::Chat.path());
    let request = Dialect::Chat.request("chat", "Hello").to_string();
    assert_eq!(http.post(url).body(request).send().await?.status(), 200);
    Ok(())
}
