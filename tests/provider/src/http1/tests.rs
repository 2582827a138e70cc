//! A raw client against a whole fake: what a script wants is what is on the wire.

use crate::record::Outcome;
use crate::{Fake, Gate, HangUp, OpenAi, Pause, Point, Step};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PLAIN: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}"#;
const STREAM: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"stream":true}"#;

struct Client {
    socket: TcpStream,
}

impl Client {
    async fn connect(fake: &Fake) -> Client {
        Client {
            socket: TcpStream::connect(fake.address()).await.unwrap(),
        }
    }

    async fn send(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).await.unwrap();
    }

    async fn post(&mut self, body: &str) {
        self.send(&request(body)).await;
    }

    /// Everything up to and with `end`.
    async fn until(&mut self, end: &str) -> String {
        let mut seen = Vec::new();
        while !seen.ends_with(end.as_bytes()) {
            seen.push(self.socket.read_u8().await.unwrap_or_else(|error| {
                panic!("{error} after {:?}", String::from_utf8_lossy(&seen));
            }));
        }
        String::from_utf8(seen).unwrap()
    }

    /// The head, then as much of the body as its `content-length` says.
    async fn answer(&mut self) -> (String, String) {
        let head = self.until("\r\n\r\n").await;
        let length = head
            .split("content-length: ")
            .nth(1)
            .unwrap()
            .split('\r')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let mut body = vec![0; length];
        self.socket.read_exact(&mut body).await.unwrap();
        (head, String::from_utf8(body).unwrap())
    }

    /// Everything up to the end of the connection, and whether that was a reset.
    async fn rest(&mut self) -> (String, bool) {
        let mut seen = Vec::new();
        let reset = self.socket.read_to_end(&mut seen).await.is_err();
        (String::from_utf8(seen).unwrap(), reset)
    }
}

fn request(body: &str) -> String {
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: fake\r\nAuthorization: Bearer k\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn fake() -> Fake {
    OpenAi::builder().start().await.unwrap()
}

/// What a client reads to the end of its connection under a step, head and body apart.
async fn under(step: Step, body: &str) -> (String, String, bool) {
    let fake = fake().await;
    fake.script([step]);
    let mut client = Client::connect(&fake).await;
    client.post(body).await;
    let (whole, reset) = client.rest().await;
    match whole.split_once("\r\n\r\n") {
        Some((head, body)) => (head.to_owned(), body.to_owned(), reset),
        None => (whole, String::new(), reset),
    }
}

/// The contents of chunks that a last chunk may or may not end.
fn chunks(body: &str) -> (Vec<String>, bool) {
    let (mut rest, mut chunks) = (body, Vec::new());
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return (chunks, true);
        }
        let (chunk, after) = after.split_at(size);
        chunks.push(chunk.to_owned());
        rest = after.strip_prefix("\r\n").unwrap();
    }
    (chunks, false)
}

/// The stream that a step makes of an answer, its connection closed after it.
async fn stream_under(step: Step) -> (Vec<String>, bool) {
    let fake = fake().await;
    fake.script([step]);
    let mut client = Client::connect(&fake).await;
    client
        .send(&request(STREAM).replace("Host:", "Connection: close\r\nHost:"))
        .await;
    let (whole, _) = client.rest().await;
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains("content-type: text/event-stream; charset=utf-8"),
        "{head}"
    );
    chunks(body)
}

#[tokio::test]
async fn a_request_is_recorded_as_it_came() {
    let fake = fake().await;
    let mut client = Client::connect(&fake).await;
    client
        .send("POST /v1/chat/completions?x=1 HTTP/1.1\r\nhOsT: a\r\nX-B: 1\r\nx-a:  two \r\nX-B: 3\r\n")
        .await;
    client
        .send("Transfer-Encoding: chunked\r\n\r\n3;ext=1\r\n{\"m\r\n4\r\no\": \r\n0\r\nTrailer: x\r\n\r\n")
        .await;
    client.answer().await;
    client.post(PLAIN).await;
    client.answer().await;

    let seen = fake.arrived(2).await.unwrap();
    assert_eq!(
        (seen[0].target.as_str(), seen[0].path()),
        ("/v1/chat/completions?x=1", "/v1/chat/completions")
    );
    let headers: Vec<(&str, &[u8])> = seen[0]
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_ref()))
        .collect();
    let expected: [(&str, &[u8]); 5] = [
        ("hOsT", b"a"),
        ("X-B", b"1"),
        ("x-a", b"two"),
        ("X-B", b"3"),
        ("Transfer-Encoding", b"chunked"),
    ];
    assert_eq!(headers, expected);
    assert_eq!((seen[0].body.as_ref(), seen[0].complete), (b"{\"mo\": ".as_ref(), true));
    assert_eq!(seen[1].body, PLAIN);
    assert_eq!(
        seen.iter()
            .map(|request| (request.connection, request.on_connection))
            .collect::<Vec<_>>(),
        [(0, 0), (0, 1)]
    );
    assert!(seen[1].mentions("Bearer k") && !seen[0].mentions("Bearer k"));
    assert_eq!(fake.connections().accepted, 1);
    assert_eq!(fake.violations(), [""; 0]);
}

#[tokio::test]
async fn statuses_and_headers_are_as_scripted() {
    let fake = fake().await;
    fake.script([
        Step::status(503).header("Retry-After", "2").without_header("alt-svc"),
        Step::rate_limited(Duration::from_secs(2)),
        Step::raw(200, "text/html", "<html>").times(2),
    ]);
    let mut client = Client::connect(&fake).await;
    let expected = [
        (
            "HTTP/1.1 503 Service Unavailable\r\n",
            "Retry-After: 2\r\n",
            "overloaded",
        ),
        (
            "HTTP/1.1 429 Too Many Requests\r\n",
            "retry-after: 2\r\n",
            "rate_limit_exceeded",
        ),
        ("HTTP/1.1 200 OK\r\n", "content-type: text/html\r\n", "<html>"),
        ("HTTP/1.1 200 OK\r\n", "content-type: text/html\r\n", "<html>"),
        ("HTTP/1.1 200 OK\r\n", "alt-svc: ", "Echo from gpt-4o: hi"),
    ];
    for (line, header, part) in expected {
        client.post(PLAIN).await;
        let (head, body) = client.answer().await;
        assert!(
            head.starts_with(line) && head.contains(header) && body.contains(part),
            "{head}{body}"
        );
        assert!(!(head.contains("alt-svc") && head.contains("Retry-After")), "{head}");
    }
    assert_eq!(fake.steps_left(), 0);
    assert_eq!(fake.bills().len(), 1, "only the last one reached a model");
}

#[tokio::test]
async fn an_exchange_is_broken_off_at_the_very_place() {
    let whole = under(Step::normal().header("connection", "close").content_length(9999), PLAIN).await;
    let (head, body, reset) = whole;
    assert!(
        head.ends_with("content-length: 9999") && body.ends_with("}\n") && !reset,
        "a length that promises more"
    );

    for how in [HangUp::Close, HangUp::Reset] {
        let was_reset = how == HangUp::Reset;
        let at = |point| under(Step::normal().hang_up(point, how), PLAIN);
        assert_eq!(at(Point::BeforeHead).await, (String::new(), String::new(), was_reset));
        if !was_reset {
            // What is sent before a reset may be lost with it.
            assert_eq!(at(Point::HeadByte(12)).await.0, "HTTP/1.1 200");
            let (head, cut, _) = at(Point::Byte(5)).await;
            assert!(
                head.contains("content-length: ") && Some(cut.as_str()) == body.get(..5),
                "{head}{cut}"
            );
            assert_eq!(at(Point::AfterHead).await.1, "");
            assert_eq!(at(Point::End).await.1.len(), body.len());
        }
    }
}

#[tokio::test]
async fn a_connection_closed_before_the_body_leaves_it_unread() {
    let fake = fake().await;
    fake.script([Step::normal().hang_up(Point::BeforeBody, HangUp::Close)]);
    let mut client = Client::connect(&fake).await;
    client
        .send("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n")
        .await;
    assert_eq!(client.rest().await, (String::new(), false));
    let seen = fake.arrived(1).await.unwrap();
    assert_eq!((seen[0].body.len(), seen[0].complete), (0, false));
    assert_eq!(fake.ended(0).await.unwrap().outcome, Outcome::BrokenOff);
    assert!(fake.bills().is_empty());
}

#[tokio::test]
async fn an_early_refusal_comes_before_the_body() {
    let fake = fake().await;
    fake.script([Step::status(413).early()]);
    let mut client = Client::connect(&fake).await;
    client
        .send("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
        .await;
    assert!(client.answer().await.0.starts_with("HTTP/1.1 413 "));
    client.send("late").await;
    client.post(PLAIN).await;
    assert!(
        client.answer().await.0.starts_with("HTTP/1.1 200 "),
        "the connection goes on behind the late body"
    );
    assert_eq!(fake.received()[0].body, "late");
}

#[tokio::test]
async fn a_length_that_promises_less_leaves_the_rest_for_the_next_answer() {
    let fake = fake().await;
    fake.script([Step::raw(200, "application/json", "{}HTTP/1.1 200 OK").content_length(2)]);
    let mut client = Client::connect(&fake).await;
    client.post(PLAIN).await;
    assert_eq!(client.answer().await.1, "{}");
    assert_eq!(client.until("OK").await, "HTTP/1.1 200 OK");
    client.post(PLAIN).await;
    assert!(client.answer().await.0.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn every_event_is_a_chunk_and_splits_are_exact() {
    let (events, ended) = stream_under(Step::normal()).await;
    assert!(
        ended && events.len() == 7 && events.iter().all(|event| event.starts_with("data: ")),
        "{events:?}"
    );
    assert_eq!(events[6], "data: [DONE]\n\n");

    let (bytes, ended) = stream_under(Step::normal().split(1)).await;
    assert!(ended && bytes.iter().all(|chunk| chunk.len() == 1));
    assert_eq!(bytes.len(), events.concat().len());
    let (pieces, _) = stream_under(Step::normal().split(100)).await;
    assert!(pieces.iter().rev().skip(1).all(|chunk| chunk.len() == 100));
}

#[tokio::test]
async fn streams_are_edited_as_scripted() {
    let done = "data: [DONE]\n\n";
    let (events, ended) = stream_under(Step::normal().without_terminator()).await;
    assert!(ended && events.len() == 6 && events[5] != done);

    let (events, _) = stream_under(Step::normal().crlf()).await;
    assert!(
        events
            .iter()
            .all(|event| event.ends_with("\r\n\r\n") && event.matches('\n').count() == 2),
        "{events:?}"
    );
    let (events, _) = stream_under(Step::normal().cr()).await;
    assert!(
        events
            .iter()
            .all(|event| event.ends_with("\r\r") && !event.contains('\n')),
        "{events:?}"
    );
    let (events, _) = stream_under(Step::normal().comments("keep-alive")).await;
    assert!(
        events.iter().all(|event| event.starts_with(": keep-alive\n\ndata: ")),
        "{events:?}"
    );

    let (events, _) = stream_under(Step::normal().insert(1, "data: {\"id\":\n\n")).await;
    assert_eq!((events.len(), events[2].as_str()), (8, "data: {\"id\":\n\n"));

    let error = r#"data: {"error":{"message":"The engine is currently overloaded, please try again later.","type":"server_error","param":null,"code":null}}"#;
    for (after, place) in [(0, 1), (2, 3)] {
        let (events, ended) = stream_under(Step::normal().error_event(after, 503)).await;
        assert!(ended && events.len() == place + 1, "{events:?}");
        assert_eq!(events[place].trim_end(), error);
    }
    let (events, _) = stream_under(Step::normal().unknown_fields()).await;
    assert!(events[1].contains("x_unknown"), "{events:?}");
}

#[tokio::test]
async fn a_stream_is_cut_behind_an_event_or_within_one() {
    let (_, body, _) = under(Step::normal().hang_up(Point::Content(2), HangUp::Close), STREAM).await;
    let (events, ended) = chunks(&body);
    assert!(!ended && events.len() == 3, "{events:?}");
    let (_, body, _) = under(Step::normal().hang_up(Point::Event(1), HangUp::Close), STREAM).await;
    assert_eq!(chunks(&body).0.len(), 1);
    let (_, body, _) = under(Step::normal().hang_up(Point::Byte(10), HangUp::Close), STREAM).await;
    assert_eq!(chunks(&body), (vec!["data: {\"id".to_owned()], false));
    let (_, body, _) = under(Step::normal().hang_up(Point::End, HangUp::Close), STREAM).await;
    assert_eq!(chunks(&body).0.last().unwrap(), "data: [DONE]\n\n");
    assert!(!chunks(&body).1, "all but the last chunk");
}

#[tokio::test]
async fn a_gate_holds_an_answer_at_any_point() {
    for (point, seen_before) in [
        (Point::BeforeHead, ""),
        (Point::AfterHead, "\r\n\r\n"),
        (Point::Content(1), " from"),
    ] {
        let fake = fake().await;
        let gate = Gate::new();
        fake.script([Step::normal().pause(point, Pause::Until(gate.clone()))]);
        let mut client = Client::connect(&fake).await;
        client.post(STREAM).await;
        gate.reached(1).await;
        let sent = fake.sent(0).unwrap();
        assert_eq!(sent.status != 0, point != Point::BeforeHead, "{point:?}");
        assert_eq!(sent.body.ends_with(b"\n\n"), point == Point::Content(1), "{point:?}");
        gate.open();
        let whole = client.until("0\r\n\r\n").await;
        assert!(whole.contains(seen_before), "{whole}");
        assert_eq!(fake.ended(0).await.unwrap().outcome, Outcome::Answered);
        let body = whole.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(
            chunks(body).0.concat(),
            fake.sent(0).unwrap().body,
            "what was sent is recorded"
        );
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_at_once_and_pays_for_what_was_made() {
    let fake = fake().await;
    let gate = Gate::new();
    fake.script([
        Step::never(),
        Step::normal().pause(Point::Content(2), Pause::Until(gate.clone())),
    ]);
    let mut client = Client::connect(&fake).await;
    client.post(STREAM).await;
    fake.arrived(1).await.unwrap();
    drop(client);
    assert_eq!(fake.ended(0).await.unwrap().outcome, Outcome::ClientGone);

    let mut client = Client::connect(&fake).await;
    client.post(STREAM).await;
    gate.reached(1).await;
    drop(client);
    let ended = fake.ended(1).await.unwrap();
    assert_eq!(ended.outcome, Outcome::ClientGone);
    assert!(ended.after > Duration::ZERO);
    let bills: Vec<(u64, u64)> = fake
        .bills()
        .iter()
        .map(|bill| (bill.whole.output, bill.output_made))
        .collect();
    assert_eq!(bills, [(5, 0), (5, 3)]);
    assert_eq!(
        fake.connections_until(|connections| connections.open == 0)
            .await
            .unwrap()
            .accepted,
        2
    );
}

#[tokio::test]
async fn a_step_waits_for_the_request_it_fits() {
    let fake = fake().await;
    fake.script([
        Step::closed_unanswered().on_reused_connection(),
        Step::status(500).for_body("canary"),
        Step::status(404).for_path("/v1/models"),
    ]);
    let mut client = Client::connect(&fake).await;
    client.post(PLAIN).await;
    assert!(
        client.answer().await.0.starts_with("HTTP/1.1 200 "),
        "a fresh connection is not a reused one"
    );
    client.post(PLAIN).await;
    assert_eq!(client.rest().await, (String::new(), false));
    let mut client = Client::connect(&fake).await;
    client.post(&PLAIN.replace("hi", "a canary")).await;
    assert!(client.answer().await.0.starts_with("HTTP/1.1 500 "));
    client.post(PLAIN).await;
    assert!(client.answer().await.0.starts_with("HTTP/1.1 200 "));
    client.send("GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(client.answer().await.0.starts_with("HTTP/1.1 404 "));

    fake.always(Step::status(503));
    for _ in 0..2 {
        client.post(PLAIN).await;
        assert!(client.answer().await.0.starts_with("HTTP/1.1 503 "));
    }
    fake.recover();
    client.post(PLAIN).await;
    assert!(client.answer().await.0.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn idle_connections_close_and_busy_ones_do_not() {
    let fake = fake().await;
    let gate = Gate::new();
    fake.script([
        Step::normal(),
        Step::normal().pause(Point::BeforeHead, Pause::Until(gate.clone())),
    ]);
    let (mut idle, mut busy) = (Client::connect(&fake).await, Client::connect(&fake).await);
    idle.post(PLAIN).await;
    idle.answer().await;
    busy.post(PLAIN).await;
    gate.reached(1).await;
    fake.connections_until(|connections| connections.open == 2)
        .await
        .unwrap();
    fake.close_idle_connections();
    assert_eq!(idle.rest().await, (String::new(), false));
    gate.open();
    busy.answer().await;
}

#[tokio::test]
async fn what_breaks_the_rules_is_refused_and_recorded() {
    let table = [
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "content-length",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "content-length",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
            "content-length",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
            "transfer-encoding",
        ),
        ("GET / HTTP/1.1\r\n\r\n", "not exactly one host header"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "not exactly one host header",
        ),
        ("GET / HTTP/1.1\r\nHo st: a\r\n\r\n", "a malformed head"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "the chunk size \"zz\"",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
            "a chunk longer than its size",
        ),
    ];
    for (bytes, rule) in table {
        let fake = fake().await;
        let mut client = Client::connect(&fake).await;
        client.send(bytes).await;
        assert!(client.rest().await.0.starts_with("HTTP/1.1 400 "), "{bytes}");
        assert!(fake.violations()[0].contains(rule), "{bytes}: {:?}", fake.violations());
    }
}

#[tokio::test]
async fn a_body_that_ends_early_is_recorded_as_far_as_it_came() {
    let fake = fake().await;
    let mut client = Client::connect(&fake).await;
    client
        .send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhal")
        .await;
    drop(client);
    assert_eq!(fake.ended(0).await.unwrap().outcome, Outcome::ClientGone);
    assert!(fake.received().is_empty(), "it was never whole");
}

#[tokio::test]
async fn a_client_that_expects_to_be_told_to_go_on_is_told() {
    let fake = fake().await;
    let mut client = Client::connect(&fake).await;
    let (head, body) = request(PLAIN)
        .split_once("\r\n\r\n")
        .map(|(head, body)| (head.to_owned(), body.to_owned()))
        .unwrap();
    client.send(&format!("{head}\r\nExpect: 100-continue\r\n\r\n")).await;
    assert_eq!(client.until("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send(&body).await;
    assert!(client.answer().await.0.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_large_head_is_as_large_as_it_should_be() {
    let (head, _, _) = under(
        Step::normal().padded_head(600_000).hang_up(Point::End, HangUp::Close),
        PLAIN,
    )
    .await;
    assert!(head.len() > 600_000);
}

#[tokio::test]
async fn an_answer_can_be_no_http_at_all() {
    let fake = fake().await;
    fake.script([Step::wire(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
    )]);
    let mut client = Client::connect(&fake).await;
    client.post(PLAIN).await;
    let (whole, reset) = client.rest().await;
    assert!(whole.ends_with("\r\n\r\nxyz\r\n") && !reset, "{whole}");
}

#[tokio::test]
async fn a_stopped_fake_frees_its_port_for_the_next() {
    let first = fake().await;
    let address = first.address();
    let mut client = Client::connect(&first).await;
    first.stop().await;
    assert_eq!(client.rest().await.0, "");
    assert!(TcpStream::connect(address).await.is_err());
    let second = OpenAi::builder().start_on(address).await.unwrap();
    let mut client = Client::connect(&second).await;
    client.post(PLAIN).await;
    assert!(client.answer().await.0.starts_with("HTTP/1.1 200 "));
}
