use super::*;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A server that gives each of `answers` to one request, in order, and the requests it was asked.
async fn asked(answers: Vec<String>) -> (Api<Sound<ConfigMap>>, JoinSet<Vec<String>>) {
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
    let request = request(&mut stream).await;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    request.split(' ').nth(1).unwrap().to_owned()
}

async fn request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(request).unwrap()
}

fn map(value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "chat", "resourceVersion": "2"}, "data": {"a": value}})
}

fn list(version: &str, next: &str, items: &[Value]) -> String {
    let metadata = json!({"resourceVersion": version, "continue": next});
    json!({"apiVersion": "v1", "kind": "ConfigMapList", "metadata": metadata, "items": items}).to_string()
}

/// In the order in which an API server writes it.
fn watch(kind: &str, object: &Value) -> String {
    format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n")
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
    let heard = super::events(api, Selection::all())
        .take(events)
        .map(short)
        .collect()
        .await;
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
async fn a_list_that_breaks_off_is_begun_anew() {
    let answers = vec![
        list("1", "next", &[map("one")]),
        "no list".to_owned(),
        list("2", "next", &[map("one")]),
        list("2", "", &[map("two")]),
    ];
    let (heard, asked) = heard(answers, 7).await;
    assert_eq!(heard[..2], ["list", "listed one"], "and not complete");
    assert!(
        heard[2].starts_with("failed to perform initial object list: "),
        "{}",
        heard[2]
    );
    assert_eq!(heard[3..], ["list", "listed one", "listed two", "complete"]);
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

#[tokio::test]
async fn a_selection_is_listed_and_watched() {
    let (api, mut serving) = asked(vec![list("1", "", &[]), String::new(), list("1", "", &[])]).await;
    let selection = Selection {
        fields: Selection::named("a").fields,
        ..Selection::labelled("x").in_pages_of(7)
    };
    let events = super::events(api, selection).take(4);
    let heard: Vec<_> = events.map(short).collect().await;
    assert_eq!(heard, ["list", "complete", "list", "complete"]);
    let asked = serving.join_next().await.unwrap().unwrap();
    let selected = "labelSelector=x%3Dtrue&fieldSelector=metadata.name%3Da";
    for (target, part) in [(&asked[0], "limit=7"), (&asked[1], "watch=true")] {
        assert!(target.contains(part), "{target}");
        let parts = selected.split('&').all(|part| target.contains(part));
        assert!(parts, "{target}");
    }
}

/// A connection that is given up after a while without a word is no failed watch: the next list tells whether anybody is
/// there.
#[tokio::test]
async fn a_watch_on_which_nothing_is_said_is_over_and_has_not_failed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut config = Config::new(url.parse().unwrap());
    config.read_timeout = Some(Duration::from_millis(300));
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let (first, _) = listener.accept().await.unwrap();
        answer(first, &list("1", "", &[map("old")])).await;
        let (mut silent, _) = listener.accept().await.unwrap();
        request(&mut silent).await;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        silent.write_all(head.as_bytes()).await.unwrap();
        let (second, _) = listener.accept().await.unwrap();
        answer(second, &list("1", "", &[map("still")])).await;
    });
    let api = Api::all(Client::try_from(config).unwrap());
    let heard: Vec<_> = super::events(api, Selection::all()).take(6).map(short).collect().await;
    let expected = ["list", "listed old", "complete", "list", "listed still", "complete"];
    assert_eq!(heard, expected);
    serving.join_all().await;
}
