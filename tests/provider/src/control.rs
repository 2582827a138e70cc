//! A fake steered over HTTP, for those who cannot hold its handle: a port of its own, never a path of the fake's.
//!
//! `POST /script` adds steps (a list), `PUT /always` sets the standing step, `DELETE /script` forgets both;
//! `GET /received` lists what was received, `GET /bills` what it would charge, `GET /violations` what clients did wrong.

use crate::answer::{Answer, Body};
use crate::received::Received;
use crate::serve::{Provider, Server};
use crate::step::{HangUp, Pause, Point, Refusal, Step, Style};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The control of another fake, served like a provider.
pub(crate) struct Control {
    target: Arc<Server>,
}

impl Control {
    pub(crate) fn new(target: Arc<Server>) -> Control {
        Control { target }
    }

    fn answered(&self, request: &Received) -> Result<String, String> {
        match (request.method.as_str(), request.path()) {
            ("POST", "/script") => {
                let steps: Vec<StepJson> = parse(&request.body)?;
                self.target.script.extend(steps.into_iter().map(Step::from));
            }
            ("PUT", "/always") => self.target.script.stand(Some(parse::<StepJson>(&request.body)?.into())),
            ("DELETE", "/script") => self.target.script.clear(),
            ("GET", "/received") => return Ok(self.received()),
            ("GET", "/bills") => return Ok(self.bills()),
            ("GET", "/violations") => return Ok(crate::json::compact(&self.target.record.violations())),
            (method, path) => return Err(format!("no {method} {path} here")),
        }
        Ok("{}".to_owned())
    }

    fn received(&self) -> String {
        let requests = self.target.record.requests();
        crate::json::compact(&requests.iter().map(ReceivedJson::from).collect::<Vec<_>>())
    }

    fn bills(&self) -> String {
        let line = |bill: crate::Bill| {
            let whole = bill.whole;
            BillJson {
                request: bill.request,
                model: bill.model,
                input: whole.input,
                cached_input: whole.cached_input,
                cache_write_input: whole.cache_write_input,
                output: whole.output,
                reasoning: whole.reasoning,
                output_made: bill.output_made,
            }
        };
        crate::json::compact(&self.target.record.bills().into_iter().map(line).collect::<Vec<_>>())
    }
}

impl Provider for Control {
    fn answer(&self, request: &Received, _style: Style) -> Answer {
        let (status, text) = match self.answered(request) {
            Ok(json) => (200, json),
            Err(sentence) => (400, sentence),
        };
        Answer {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Body::Whole(text.into()),
            bill: None,
        }
    }

    fn refuse(&self, request: &Received, _refusal: Refusal) -> Answer {
        // Nobody scripts the control.
        self.answer(request, Style::default())
    }

    fn error_event(&self, _request: &Received, _status: u16) -> Bytes {
        Bytes::new()
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// A step, key by key as the methods of `Step`; without any key the answer a request deserves.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct StepJson {
    status: Option<u16>,
    rate_limited_ms: Option<u64>,
    spend_limit: bool,
    context_overflow: bool,
    unknown_model: bool,
    raw: Option<RawJson>,
    wire: Option<String>,
    times: Option<usize>,
    for_path: Option<String>,
    for_body: Option<String>,
    reused_connection: Option<bool>,
    headers: BTreeMap<String, Option<String>>,
    padded_head: Option<usize>,
    content_length: Option<u64>,
    early: bool,
    pauses: Vec<PauseJson>,
    pace_ms: Option<u64>,
    split: Option<usize>,
    hang_up: Option<HangUpJson>,
    error_event: Option<(usize, u16)>,
    insert: Option<(usize, String)>,
    comments: Option<String>,
    crlf: bool,
    cr: bool,
    without_terminator: bool,
    interleaved: bool,
    usage_everywhere: bool,
    unknown_fields: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawJson {
    status: u16,
    content_type: String,
    body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PauseJson {
    at: PointJson,
    /// Absent: until the client goes away.
    ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HangUpJson {
    at: PointJson,
    how: HowJson,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PointJson {
    BeforeBody,
    BeforeHead,
    HeadByte(usize),
    AfterHead,
    Byte(usize),
    Event(usize),
    Content(usize),
    End,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum HowJson {
    Close,
    Reset,
    ResetStream(u32),
    GoAway,
}

impl From<PointJson> for Point {
    fn from(point: PointJson) -> Point {
        match point {
            PointJson::BeforeBody => Point::BeforeBody,
            PointJson::BeforeHead => Point::BeforeHead,
            PointJson::HeadByte(byte) => Point::HeadByte(byte),
            PointJson::AfterHead => Point::AfterHead,
            PointJson::Byte(byte) => Point::Byte(byte),
            PointJson::Event(event) => Point::Event(event),
            PointJson::Content(event) => Point::Content(event),
            PointJson::End => Point::End,
        }
    }
}

impl From<HowJson> for HangUp {
    fn from(how: HowJson) -> HangUp {
        match how {
            HowJson::Close => HangUp::Close,
            HowJson::Reset => HangUp::Reset,
            HowJson::ResetStream(code) => HangUp::ResetStream(code),
            HowJson::GoAway => HangUp::GoAway,
        }
    }
}

impl From<StepJson> for Step {
    fn from(json: StepJson) -> Step {
        let mut step = reply(&json);
        step.times = json.times.unwrap_or(1);
        step.fits.path = json.for_path;
        step.fits.body = json.for_body;
        step.fits.reused = json.reused_connection;
        step.style.interleaved = json.interleaved;
        step.style.usage_everywhere = json.usage_everywhere;
        step.style.unknown_fields = json.unknown_fields;
        step.stream.error = json.error_event;
        step.stream.insert = json.insert.map(|(after, text)| (after, text.into()));
        step.stream.comment = json.comments;
        step.stream.line_end = json.crlf.then_some("\r\n").or(json.cr.then_some("\r"));
        step.stream.without_terminator = json.without_terminator;
        step = step.padded_head(json.padded_head.unwrap_or(0));
        step.delivery.headers.extend(json.headers);
        step.delivery.early = json.early;
        step.delivery.content_length = json.content_length;
        step.delivery.pace = json.pace_ms.map(Duration::from_millis);
        step.delivery.split = json.split;
        for PauseJson { at, ms } in json.pauses {
            step = step.pause(
                at.into(),
                ms.map_or(Pause::Forever, |ms| Pause::For(Duration::from_millis(ms))),
            );
        }
        match json.hang_up {
            Some(HangUpJson { at, how }) => step.hang_up(at.into(), how.into()),
            None => step,
        }
    }
}

fn reply(json: &StepJson) -> Step {
    if let Some(raw) = &json.raw {
        return Step::raw(raw.status, &raw.content_type, raw.body.clone());
    }
    if let Some(bytes) = &json.wire {
        return Step::wire(bytes.clone());
    }
    match (json.status, json.rate_limited_ms) {
        (Some(status), _) => Step::status(status),
        (None, Some(ms)) => Step::rate_limited(Duration::from_millis(ms)),
        _ if json.spend_limit => Step::spend_limit(),
        _ if json.context_overflow => Step::context_overflow(),
        _ if json.unknown_model => Step::unknown_model(),
        _ => Step::normal(),
    }
}

#[derive(Serialize)]
struct ReceivedJson {
    number: usize,
    connection: usize,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
    complete: bool,
}

impl From<&Received> for ReceivedJson {
    fn from(received: &Received) -> ReceivedJson {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ReceivedJson {
            number: received.number,
            connection: received.connection,
            method: received.method.clone(),
            target: received.target.clone(),
            headers: received
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
            body: text(&received.body),
            complete: received.complete,
        }
    }
}

#[derive(Serialize)]
struct BillJson {
    request: usize,
    model: String,
    input: u64,
    cached_input: u64,
    cache_write_input: u64,
    output: u64,
    reasoning: u64,
    output_made: u64,
}

#[cfg(test)]
mod tests {
    use crate::OpenAi;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    /// The answer to one request on a connection of its own.
    async fn ask(address: std::net::SocketAddr, method: &str, path: &str, body: &str) -> String {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer k\r\n");
        let request = format!(
            "{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_script_comes_over_http_as_well() {
        let fake = OpenAi::builder().start().await.unwrap();
        let control = fake.control("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let script = r#"[{"status":503,"headers":{"retry-after":"2","alt-svc":null}},
            {"wire":"nonsense"},{"raw":{"status":200,"content_type":"text/plain","body":"hello"},"times":2}]"#;
        assert!(
            ask(control.address(), "POST", "/script", script)
                .await
                .starts_with("HTTP/1.1 200 ")
        );
        let models = || ask(fake.address(), "GET", "/v1/models", "");
        let first = models().await;
        assert!(first.starts_with("HTTP/1.1 503 ") && first.contains("retry-after: 2") && !first.contains("alt-svc"));
        assert_eq!(models().await, "nonsense");
        assert!(models().await.ends_with("hello"));
        assert!(
            ask(control.address(), "DELETE", "/script", "")
                .await
                .starts_with("HTTP/1.1 200 ")
        );
        assert!(models().await.contains("gpt-4o"));

        let received = ask(control.address(), "GET", "/received", "").await;
        assert_eq!(received.matches("/v1/models").count(), 4, "{received}");
        assert!(
            ask(control.address(), "PUT", "/always", r#"{"statsu":1}"#)
                .await
                .contains("unknown field `statsu`")
        );
        assert!(
            ask(control.address(), "GET", "/script", "")
                .await
                .contains("no GET /script here")
        );
        assert_eq!(fake.received().len(), 4, "the control is not the fake");
    }
}
