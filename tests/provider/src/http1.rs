//! HTTP/1.1, by hand: a server that can lie, stop and break off at any byte, which a well-behaved library cannot.
//!
//! Strict towards the client: whatever it does against the rules is recorded as a violation, and ends the connection.

use crate::plan::{End, Length, Plan};
use crate::received::Protocol;
use crate::record::{Head, Outcome};
use crate::serve::{Exchange, Server};
use crate::step::{HangUp, Pause};
use crate::stream::Stream;
use bytes::{Buf, Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

const MAX_HEAD: usize = 1 << 20;
const MAX_HEADERS: usize = 4096;
const MAX_BODY: usize = 128 << 20;
/// What a client may send ahead while its answer is under way.
const MAX_AHEAD: usize = 1 << 20;

/// Serves a connection to its end.
pub(crate) async fn serve(stream: Stream, server: &Server, connection: usize) {
    let (read, write) = tokio::io::split(stream);
    let mut connection = Connection {
        read,
        write,
        buffer: BytesMut::new(),
        server,
        number: connection,
        served: 0,
    };
    let end = loop {
        match connection.exchange().await {
            Ok(Next::Another) => {}
            Ok(Next::HungUp(how)) => break Some(how),
            Ok(Next::Finished) | Err(Lost::Client) => break None,
            Err(Lost::Rules(sentence)) => {
                connection.refuse(sentence).await;
                break None;
            }
        }
    };
    match end {
        // In good order: under TLS with a close_notify. The client may be gone already.
        None => drop(connection.write.shutdown().await),
        Some(HangUp::Close | HangUp::GoAway) => {}
        Some(HangUp::Reset | HangUp::ResetStream(_)) => connection.read.unsplit(connection.write).reset_on_drop(),
    }
}

struct Connection<'a> {
    read: ReadHalf<Stream>,
    write: WriteHalf<Stream>,
    /// Read and not yet used.
    buffer: BytesMut,
    server: &'a Server,
    number: usize,
    served: usize,
}

enum Next {
    Another,
    Finished,
    HungUp(HangUp),
}

/// Why there is no next request.
enum Lost {
    Client,
    Rules(String),
}

impl From<io::Error> for Lost {
    fn from(_: io::Error) -> Lost {
        Lost::Client
    }
}

fn against(rule: impl Into<String>) -> Lost {
    Lost::Rules(rule.into())
}

/// A request's head, with what it says of the connection.
struct Parsed {
    head: Head,
    framing: Framing,
    keep_alive: bool,
    expects_continue: bool,
}

#[derive(Clone, Copy)]
enum Framing {
    Empty,
    Length(usize),
    Chunked,
}

impl Connection<'_> {
    async fn exchange(&mut self) -> Result<Next, Lost> {
        let parsed = self.read_head().await?;
        let mut exchange = Exchange::begin(self.server, parsed.head);
        self.served += 1;
        let next = match exchange.early() {
            Some(plan) => self.answer_early(&mut exchange, plan, parsed.framing).await?,
            None => {
                if parsed.expects_continue {
                    self.write.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
                    self.write.flush().await?;
                }
                self.finish_body(&mut exchange, parsed.framing).await?;
                let plan = exchange.plan();
                self.play(&exchange, plan, MAX_AHEAD).await?
            }
        };
        Ok(match next {
            Next::Another if !parsed.keep_alive => Next::Finished,
            next @ (Next::Another | Next::Finished | Next::HungUp(_)) => next,
        })
    }

    /// Answers first, and reads the rest of the request afterwards.
    async fn answer_early(&mut self, exchange: &mut Exchange<'_>, plan: Plan, rest: Framing) -> Result<Next, Lost> {
        let next = self.play(exchange, plan, MAX_BODY).await?;
        if matches!(next, Next::Another) {
            self.finish_body(exchange, rest).await?;
        }
        Ok(next)
    }

    async fn finish_body(&mut self, exchange: &mut Exchange<'_>, framing: Framing) -> Result<(), Lost> {
        let mut body = BytesMut::new();
        let result = self.read_body(framing, &mut body).await;
        exchange.body(body.freeze(), result.is_ok());
        result
    }

    async fn read_head(&mut self) -> Result<Parsed, Lost> {
        if self.buffer.is_empty() {
            let read = self.read.read_buf(&mut self.buffer);
            let read = tokio::select! {
                read = read => read?,
                () = self.server.idle_connections_close() => 0,
            };
            if read == 0 {
                return Err(Lost::Client);
            }
        }
        loop {
            if let Some((parsed, length)) = self.parse_head()? {
                self.buffer.advance(length);
                return Ok(parsed);
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(against("a head of more than 1 MiB"));
            }
            self.more().await?;
        }
    }

    fn parse_head(&self) -> Result<Option<(Parsed, usize)>, Lost> {
        let mut headers = vec![httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(&self.buffer) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(against(format!("a malformed head: {error}"))),
        };
        let head = Head {
            connection: self.number,
            on_connection: self.served,
            protocol: Protocol::Http1,
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            headers: owned(request.headers),
        };
        let one_dot_one = request.version == Some(1);
        if one_dot_one && all(&head, "host").len() != 1 {
            return Err(against("not exactly one host header"));
        }
        let framing = framing(&head)?;
        let connection = all(&head, "connection").join(",").to_ascii_lowercase();
        let keep_alive = one_dot_one && !connection.split(',').any(|token| token.trim() == "close");
        let expects_continue = all(&head, "expect")
            .iter()
            .any(|value| value.eq_ignore_ascii_case("100-continue"));
        Ok(Some((
            Parsed {
                head,
                framing,
                keep_alive,
                expects_continue,
            },
            length,
        )))
    }

    async fn read_body(&mut self, framing: Framing, body: &mut BytesMut) -> Result<(), Lost> {
        match framing {
            Framing::Empty => Ok(()),
            Framing::Length(length) => self.take(length, body).await,
            Framing::Chunked => self.read_chunks(body).await,
        }
    }

    async fn read_chunks(&mut self, body: &mut BytesMut) -> Result<(), Lost> {
        loop {
            let line = self.line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| against(format!("the chunk size {line:?}")))?;
            if size == 0 {
                break;
            }
            self.take(size, body).await?;
            if !self.line().await?.is_empty() {
                return Err(against("a chunk longer than its size"));
            }
        }
        // Trailers, up to the empty line.
        while !self.line().await?.is_empty() {}
        Ok(())
    }

    /// Moves `length` bytes to `into`, as they come, so that a body that ends early is recorded as far as it came.
    async fn take(&mut self, length: usize, into: &mut BytesMut) -> Result<(), Lost> {
        let mut missing = length;
        if into.len() + length > MAX_BODY {
            return Err(against("a body of more than 128 MiB"));
        }
        while missing > 0 {
            if self.buffer.is_empty() {
                self.more().await?;
            }
            let piece = self.buffer.split_to(missing.min(self.buffer.len()));
            missing -= piece.len();
            into.extend_from_slice(&piece);
        }
        Ok(())
    }

    async fn line(&mut self) -> Result<String, Lost> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.buffer.split_to(end);
                self.buffer.advance(2);
                return String::from_utf8(line.to_vec()).map_err(|_| against("a chunk header that is no text"));
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(against("a chunk header of more than 1 MiB"));
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), Lost> {
        match self.read.read_buf(&mut self.buffer).await? {
            0 => Err(Lost::Client),
            _ => Ok(()),
        }
    }

    /// Plays the plan while it watches the client, whose going away ends everything.
    async fn play(&mut self, exchange: &Exchange<'_>, plan: Plan, ahead: usize) -> Result<Next, Lost> {
        let end = plan.end;
        let played = tokio::select! {
            // A client that leaves at the very end of its answer has been answered.
            biased;
            played = write_answer(&mut self.write, exchange, plan) => played,
            gone = watch(&mut self.read, &mut self.buffer, ahead) => Err(gone),
        };
        if let Err(Lost::Rules(sentence)) = played {
            exchange.end(Outcome::BrokenOff);
            return Err(Lost::Rules(sentence));
        }
        let outcome = match (&played, end) {
            (Err(_), _) => Outcome::ClientGone,
            (Ok(()), End::HungUp(_)) => Outcome::BrokenOff,
            (Ok(()), End::Whole | End::WholeThenClose) => Outcome::Answered,
        };
        exchange.end(outcome);
        played.map(|()| match end {
            End::Whole => Next::Another,
            End::WholeThenClose => Next::Finished,
            End::HungUp(how) => Next::HungUp(how),
        })
    }

    /// The bare answer of a front end to what it cannot read.
    async fn refuse(&mut self, sentence: String) {
        self.server
            .record
            .violation(format!("connection {}: {sentence}", self.number));
        let refusal = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        // The client may be gone already; there is nobody else to tell.
        drop(self.write.write_all(refusal).await);
        drop(self.write.flush().await);
    }
}

fn owned(headers: &[httparse::Header<'_>]) -> Vec<(String, Bytes)> {
    headers
        .iter()
        .map(|header| (header.name.to_owned(), Bytes::copy_from_slice(header.value)))
        .collect()
}

fn all(head: &Head, name: &str) -> Vec<String> {
    let found = head
        .headers
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name));
    found
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        .collect()
}

fn framing(head: &Head) -> Result<Framing, Lost> {
    let lengths = all(head, "content-length");
    let codings = all(head, "transfer-encoding");
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => Ok(Framing::Empty),
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => length
            .parse()
            .map(Framing::Length)
            .map_err(|_| against(format!("the content-length {length:?}"))),
        _ => Err(against(format!(
            "content-length {lengths:?} with transfer-encoding {codings:?}"
        ))),
    }
}

/// Reads ahead until the client goes away. Never returns while the client waits for its answer.
async fn watch(read: &mut ReadHalf<Stream>, buffer: &mut BytesMut, ahead: usize) -> Lost {
    loop {
        match read.read_buf(buffer).await {
            Ok(0) | Err(_) => return Lost::Client,
            Ok(_) if buffer.len() > ahead => {
                return against(format!("more than {ahead} bytes sent before the answer came"));
            }
            Ok(_) => {}
        }
    }
}

async fn write_answer(write: &mut WriteHalf<Stream>, exchange: &Exchange<'_>, plan: Plan) -> Result<(), Lost> {
    wait(&plan.before_head).await;
    let head = head(&plan);
    if let Some(bytes) = plan.head_bytes {
        write.write_all(head.get(..bytes).unwrap_or(&head)).await?;
        write.flush().await?;
        return Ok(());
    }
    write.write_all(&head).await?;
    write.flush().await?;
    exchange.head_sent(&plan);
    for piece in &plan.pieces {
        wait(&piece.pauses).await;
        write_piece(write, &piece.bytes, plan.length).await?;
        exchange.piece_sent(piece);
    }
    if plan.length == Length::Open && plan.end == End::Whole {
        write.write_all(b"0\r\n\r\n").await?;
        write.flush().await?;
    }
    Ok(())
}

async fn write_piece(write: &mut WriteHalf<Stream>, bytes: &Bytes, length: Length) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    match length {
        Length::Said(_) => write.write_all(bytes).await?,
        Length::Open => {
            let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
            write.write_all(&chunk).await?;
        }
    }
    write.flush().await
}

fn head(plan: &Plan) -> Bytes {
    if let Some(bytes) = &plan.wire {
        return bytes.clone();
    }
    let reason = http::StatusCode::from_u16(plan.status)
        .ok()
        .and_then(|status| status.canonical_reason());
    let mut head = format!("HTTP/1.1 {} {}\r\n", plan.status, reason.unwrap_or_default());
    for (name, value) in &plan.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match plan.length {
        Length::Said(length) => head.push_str(&format!("content-length: {length}\r\n")),
        Length::Open => head.push_str("transfer-encoding: chunked\r\n"),
    }
    head.push_str("\r\n");
    head.into()
}

/// Waits the pauses out, one after the other.
pub(crate) async fn wait(pauses: &[Pause]) {
    for pause in pauses {
        match pause {
            Pause::Forever => std::future::pending::<()>().await,
            Pause::For(time) => tokio::time::sleep(*time).await,
            Pause::Until(gate) => gate.pass().await,
        }
    }
}

#[cfg(test)]
mod tests;
