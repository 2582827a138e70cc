//! What a sidecar is asked where only its own container can: with its own program, as `kubectl exec` would.

use crate::resources::{chat, key, urgent};
use crate::scene::{Scene, status};
use anyhow::{Result, ensure};
use pilotfish_provider::{Gate, Pause, Point, Step};
use pilotfish_tests::{Client, Dialect, Launch, binary};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use tokio::process::Command;

/// Runs a subcommand on this scene's sidecar: what it printed, or what it complained of.
async fn ask(scene: &Scene, arguments: &[&str]) -> Result<Result<String, String>> {
    let mut command = Command::new(binary("pilotfish-sidecar")?);
    command
        .args(arguments)
        .arg("--state")
        .arg(scene.mounts.directory.join("state"));
    let output = command.output().await?;
    Ok(match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err(String::from_utf8(output.stderr)?),
    })
}

async fn config(scene: &Scene) -> Result<Value> {
    let printed = ask(scene, &["config"]).await?.map_err(anyhow::Error::msg)?;
    for secret in ["sk-up-", "hash"] {
        ensure!(!printed.contains(secret), "{printed}");
    }
    Ok(serde_json::from_str(&printed)?)
}

/// Kind, name, and whether a body is shown.
fn shown(config: &Value) -> Vec<(String, String, bool)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let resources = config["resources"].as_array().into_iter().flatten();
    let shown = resources.map(|one| (text(&one["kind"]), text(&one["name"]), one["body"].is_object()));
    shown.collect()
}

#[tokio::test]
async fn the_configuration_in_force_is_shown_without_what_opens_something() -> Result<()> {
    let mut scene = Scene::new().await?;
    let sidecar = scene.sidecar().await?;
    let before = config(&scene).await?;
    assert_eq!(
        before,
        json!({"version": "", "tenant": "", "resources": [], "refused": []})
    );

    let mut session = scene.operator.session().await?;
    session.greet("Deployment/web", None).await?;
    session.batch(1, &chat("east", &scene.east), "v1").await?;
    session.say([urgent(Some(2), Some(key("sk-pf-team", false)))]).await?;
    session.ack().await?;
    let [credential, _, policy, routes] = <[_; 4]>::try_from(chat("east", &scene.east)).expect("there are four");
    let broken = pilotfish_wire::Resource::new(policy.kind, policy.name.clone(), &json!({"rules": 1}));
    session.batch(3, std::slice::from_ref(&broken), "v3").await?;

    let after = config(&scene).await?;
    let of = |kind: &str, name: &str, body| (kind.to_owned(), name.to_owned(), body);
    assert_eq!(
        shown(&after),
        [
            of("credential", &credential.name, false),
            of("deployment", "default/east", true),
            of("key", "default/team", false),
            of("policy", "default/chat", true),
            of("routes", &routes.name, true),
        ]
    );
    assert_eq!(after["version"], "v3");
    assert_eq!(after["tenant"], "workload/default/Deployment/web");
    assert_eq!(after["resources"][3]["version"], policy.version, "the last usable one");
    assert_eq!(after["refused"][0]["version"], broken.version);
    assert!(
        after["since"].as_str().is_some_and(|since| since.ends_with('Z')),
        "{after}"
    );
    drop(sidecar);
    Ok(())
}

#[tokio::test]
async fn the_log_is_changed_while_it_runs_and_holds_no_key_at_any_level() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (sidecar, _session) = scene.serving().await?;
    assert_eq!(ask(&scene, &["log"]).await?, Ok("info\n".to_owned()));
    for filter in [
        "loud=very",
        "debgu",
        "",
        "=",
        "info,debgu=trace",
        "info\u{1b}[31m=trace",
    ] {
        let refused = ask(&scene, &["log", filter]).await?.unwrap_err();
        assert!(
            refused.contains(&format!("the log filter {filter:?} is not one")),
            "{refused}"
        );
    }
    assert_eq!(ask(&scene, &["log", "trace"]).await?, Ok("trace\n".to_owned()));
    assert_eq!(status(&sidecar).await?, 200);
    sidecar.logged("TRACE").await?;
    assert_eq!(ask(&scene, &["log"]).await?, Ok("trace\n".to_owned()));
    let log = sidecar.log();
    for secret in ["sk-up-", crate::scene::TOKEN] {
        assert!(!log.contains(secret), "{log}");
    }
    Ok(())
}

#[tokio::test]
async fn a_sidecar_that_is_told_to_drain_finishes_what_is_open_and_ends() -> Result<()> {
    let mut scene = Scene::new().await?;
    let (mut sidecar, _session) = scene.serving().await?;
    let gate = Gate::new();
    scene
        .east
        .script([Step::normal().pause(Point::Content(2), Pause::Until(gate.clone()))]);
    let client = Client::new(&sidecar)?;
    let stream_request = Dialect::Chat.stream_request("chat", "one two three");
    let mut stream = client.stream(Dialect::Chat, &stream_request).await?;
    gate.reached(1).await;
    let told = ask(&scene, &["drain"]).await?;
    assert_eq!(told, Ok("finishing what is under way\n".to_owned()));
    assert!(!sidecar.is_ready().await?);
    gate.open();
    let events = stream.events.rest().await?;
    assert_eq!(events.last().map(|event| &*event.data), Some("[DONE]"));
    assert_eq!(sidecar.ended().await?.code(), Some(0), "{}", sidecar.log());
    let nobody = ask(&scene, &["config"]).await?.unwrap_err();
    assert!(nobody.contains("no sidecar listens at"), "{nobody}");
    Ok(())
}

#[tokio::test]
async fn the_socket_is_its_owners_and_takes_the_place_of_an_earlier_one() -> Result<()> {
    let scene = Scene::new().await?;
    let socket = scene.mounts.directory.join("state/admin.sock");
    drop(UnixListener::bind(&socket)?);
    let _sidecar = scene.sidecar().await?;
    assert!(config(&scene).await?.is_object());
    let mode = std::fs::metadata(&socket)?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    Ok(())
}

#[tokio::test]
async fn a_place_where_no_socket_can_be_keeps_nobody_from_being_served() -> Result<()> {
    let mut scene = Scene::new().await?;
    std::fs::create_dir(scene.mounts.directory.join("state/admin.sock"))?;
    let sidecar = Launch::mounts(&scene.mounts).listening().await?;
    sidecar.logged("nobody can ask this sidecar anything").await?;
    let mut session = scene.operator.session().await?;
    session.greet("Deployment/web", None).await?;
    session.batch(1, &chat("east", &scene.east), "v1").await?;
    assert_eq!(status(&sidecar).await?, 200);
    Ok(())
}
