use super::*;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A server that gives each of `answers` to one request, in order, and the requests it was asked.
async fn asked(answers: Vec<String>) -> (Api<ConfigMap>, JoinSet<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::try_from(Config::new(url.parse().unwrap())).unwrap();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut requests = Vec::new();
        for body in answers {
            let (stream, _) = listener.accept().await.unwrap();
            requests.push(answer(stream, &body).await);
        }
        requests
    });
    (Api::all(client), serving)
}

/// The request's target.
async fn answer(mut stream: TcpStream, body: &str) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let request = String::from_utf8(request).unwrap();
    request.split(' ').nth(1).unwrap().to_owned()
}

fn map(value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "chat", "resourceVersion": "2"}, "data": {"a": value}})
}

fn list(version: &str, next: &str, items: &[Value]) -> String {
    let metadata = json!({"resourceVersion": version, "continue": next});
    json!({"apiVersion": "v1", "kind": "ConfigMapList", "metadata": metadata, "items": items}).to_string()
}

fn watch(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

/// An event in few words.
fn short(event: watcher::Result<Event<ConfigMap>>) -> String {
    let value = |map: ConfigMap| map.data.unwrap_or_default().remove("a").unwrap_or_default();
    match event {
        Ok(Event::Init) => "list".to_owned(),
        Ok(Event::InitApply(map)) => format!("listed {}", value(map)),
        Ok(Event::InitDone) => "complete".to_owned(),
        Ok(Event::Apply(map)) => format!("applied {}", value(map)),
        Ok(Event::Delete(map)) => format!("deleted {}", value(map)),
        Err(error) => error.to_string(),
    }
}

/// What is heard of `answers`, and what was asked for it.
async fn heard(answers: Vec<String>, events: usize) -> (Vec<String>, Vec<String>) {
    let (api, mut serving) = asked(answers).await;
    let heard = super::events(api).take(events).map(short).collect().await;
    (heard, serving.join_next().await.unwrap().unwrap())
}

#[tokio::test]
async fn after_a_watch_has_ended_everything_is_listed_again() {
    let first = [
        watch("MODIFIED", &map("pruned")),
        watch("BOOKMARK", &map("")),
        watch("DELETED", &map("gone")),
    ];
    let answers = vec![
        list("1", "", &[map("old")]),
        first.concat(),
        list("3", "", &[map("whole")]),
        watch("ADDED", &map("new")),
    ];
    let (heard, asked) = heard(answers, 9).await;
    assert_eq!(
        heard,
        [
            "list",
            "listed old",
            "complete",
            "applied pruned",
            "deleted gone",
            "list",
            "listed whole",
            "complete",
            "applied new"
        ]
    );
    let watched = |version: &str| {
        format!("/api/v1/configmaps?&watch=true&timeoutSeconds=290&allowWatchBookmarks=true&resourceVersion={version}")
    };
    let listed = "/api/v1/configmaps?&limit=500".to_owned();
    assert_eq!(asked, [listed.clone(), watched("1"), listed, watched("3")]);
}

#[tokio::test]
async fn a_list_is_told_whole_or_not_at_all() {
    let answers = vec![
        list("1", "next", &[map("one")]),
        "no list".to_owned(),
        list("2", "next", &[map("one")]),
        list("2", "", &[map("two")]),
    ];
    let (heard, asked) = heard(answers, 5).await;
    assert!(
        heard[0].starts_with("failed to perform initial object list: "),
        "{}",
        heard[0]
    );
    assert_eq!(heard[1..], ["list", "listed one", "listed two", "complete"]);
    assert_eq!(asked[1], "/api/v1/configmaps?&limit=500&continue=next");
}

#[tokio::test]
async fn a_watch_that_fails_is_followed_by_a_list() {
    let expired =
        json!({"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"});
    let answers = vec![list("1", "", &[]), watch("ERROR", &expired), list("2", "", &[])];
    let (heard, _) = heard(answers, 5).await;
    assert!(
        heard[2].starts_with("error returned by apiserver during watch: "),
        "{}",
        heard[2]
    );
    assert_eq!(
        [&heard[..2], &heard[3..]].concat(),
        ["list", "complete", "list", "complete"]
    );
}
