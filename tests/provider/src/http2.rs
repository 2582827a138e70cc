//! HTTP/2 over the `h2` crate, and what a script wants beside it.

mod wire;

use self::wire::{Passed, Wire};
use crate::http1::wait;
use crate::plan::{End, Length, Plan};
use crate::received::Protocol;
use crate::record::{Head, Outcome};
use crate::serve::{Exchange, Server};
use crate::step::{HangUp, Pause};
use crate::stream::Stream;
use bytes::{Bytes, BytesMut};
use h2::server::{Connection, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderName, HeaderValue, Request, Response};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::DuplexStream;
use tokio::task::JoinSet;

/// Room for frames on their way to the socket.
const BUFFER: usize = 256 << 10;
const MAX_HEAD: u32 = 1 << 20;

/// Serves a connection to its end.
pub(crate) async fn serve(stream: Stream, server: Arc<Server>, connection: usize) {
    let (near, far) = tokio::io::duplex(BUFFER);
    let wire = Arc::new(Wire::new());
    // Each ends when the other does: they hold the two ends of one pipe.
    tokio::join!(
        wire::carry(stream, far, &wire),
        drive(near, server, connection, Arc::clone(&wire))
    );
}

async fn drive(pipe: DuplexStream, server: Arc<Server>, number: usize, wire: Arc<Wire>) {
    let mut builder = h2::server::Builder::new();
    builder.max_header_list_size(MAX_HEAD);
    if let Some(streams) = server.max_streams {
        builder.max_concurrent_streams(streams);
    }
    let mut connection: Connection<DuplexStream, Bytes> = match builder.handshake(pipe).await {
        Ok(connection) => connection,
        Err(error) => return server.record.violation(format!("connection {number}: {error}")),
    };
    let mut streams = JoinSet::new();
    let mut opened = 0;
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                // What comes after a GOAWAY is not processed, nor is it seen.
                Some(Ok(_)) if wire.is_going() => {}
                Some(Ok((request, respond))) => {
                    let (head, body) = split(request, number, opened);
                    opened += 1;
                    let stream = ServerStream { body, respond, server: Arc::clone(&server), wire: Arc::clone(&wire) };
                    streams.spawn(stream.serve(head));
                }
                Some(Err(error)) => {
                    note(&error, &server, number);
                    break;
                }
                None => break,
            },
            Some(_) = streams.join_next(), if !streams.is_empty() => {
                if streams.is_empty() && wire.is_going() {
                    wire.hang_up(HangUp::Close);
                }
            }
            () = server.idle_connections_close(), if streams.is_empty() => connection.graceful_shutdown(),
        }
    }
    // The streams that are left see their connection gone, and record it.
    drop(connection);
    while streams.join_next().await.is_some() {}
}

/// An error of the protocol is the client's; one of the socket is nobody's.
fn note(error: &h2::Error, server: &Server, number: usize) {
    let by_us = error.is_library() || (error.is_go_away() && !error.is_remote());
    if by_us && error.reason() != Some(Reason::NO_ERROR) {
        server.record.violation(format!("connection {number}: {error}"));
    }
}

fn split(request: Request<RecvStream>, connection: usize, on_connection: usize) -> (Head, RecvStream) {
    let (parts, body) = request.into_parts();
    let target = parts
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str())
        .to_owned();
    let mut headers: Vec<(String, Bytes)> = Vec::new();
    for (name, value) in &parts.headers {
        headers.push((name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes())));
    }
    let method = parts.method.as_str().to_owned();
    (
        Head {
            connection,
            on_connection,
            protocol: Protocol::Http2,
            method,
            target,
            headers,
        },
        body,
    )
}

/// One stream, from its request's head on.
struct ServerStream {
    body: RecvStream,
    respond: SendResponse<Bytes>,
    server: Arc<Server>,
    wire: Arc<Wire>,
}

/// The client reset the stream, or the connection is gone.
struct Gone;

impl From<h2::Error> for Gone {
    fn from(_: h2::Error) -> Gone {
        Gone
    }
}

impl ServerStream {
    async fn serve(mut self, head: Head) {
        let server = Arc::clone(&self.server);
        let mut exchange = Exchange::begin(&server, head);
        if let Some(plan) = exchange.early() {
            let whole = plan.end == End::Whole;
            self.play(&exchange, plan).await;
            if whole {
                self.read_body(&mut exchange).await;
            }
            return;
        }
        if self.read_body(&mut exchange).await {
            let plan = exchange.plan();
            self.play(&exchange, plan).await;
        }
    }

    /// Whether it came to its end.
    async fn read_body(&mut self, exchange: &mut Exchange<'_>) -> bool {
        let mut body = BytesMut::new();
        let complete = loop {
            match self.body.data().await {
                Some(Ok(piece)) => {
                    // It fails only on a stream that is gone, which the next piece tells.
                    drop(self.body.flow_control().release_capacity(piece.len()));
                    body.extend_from_slice(&piece);
                }
                Some(Err(_)) => break false,
                None => break true,
            }
        };
        exchange.body(body.freeze(), complete);
        complete
    }

    async fn play(&mut self, exchange: &Exchange<'_>, plan: Plan) {
        let end = plan.end;
        let outcome = match (self.answer(exchange, plan).await, end) {
            (Err(Gone), _) if self.wire.is_hung_up() => Outcome::BrokenOff,
            (Err(Gone), _) => Outcome::ClientGone,
            (Ok(()), End::HungUp(_)) => Outcome::BrokenOff,
            (Ok(()), End::Whole | End::WholeThenClose) => Outcome::Answered,
        };
        exchange.end(outcome);
    }

    async fn answer(&mut self, exchange: &Exchange<'_>, plan: Plan) -> Result<(), Gone> {
        let id = self.respond.stream_id().as_u32();
        unless_reset(&plan.before_head, |context| self.respond.poll_reset(context)).await?;
        if let (Some(_), End::HungUp(how)) = (plan.head_bytes, plan.end) {
            hang_up(&self.wire, id, how, |reason| self.respond.send_reset(reason));
            return Ok(());
        }
        let response = head(&plan).ok_or(Gone)?;
        let mut stream = self.respond.send_response(response, false)?;
        self.wire
            .until_passed(id, |passed| passed.head)
            .or_gone(&mut stream)
            .await?;
        exchange.head_sent(&plan);
        let mut sent = 0;
        for piece in &plan.pieces {
            unless_reset(&piece.pauses, |context| stream.poll_reset(context)).await?;
            send(&mut stream, piece.bytes.clone()).await?;
            sent += piece.bytes.len();
            self.wire
                .until_passed(id, |passed: Passed| passed.data >= sent)
                .or_gone(&mut stream)
                .await?;
            exchange.piece_sent(piece);
        }
        match plan.end {
            End::HungUp(how) => hang_up(&self.wire, id, how, |reason| stream.send_reset(reason)),
            End::Whole | End::WholeThenClose => {
                stream.send_data(Bytes::new(), true)?;
                self.wire
                    .until_passed(id, |passed| passed.end)
                    .or_gone(&mut stream)
                    .await?;
            }
        }
        Ok(())
    }
}

fn hang_up(wire: &Wire, stream: u32, how: HangUp, reset: impl FnOnce(Reason)) {
    match how {
        HangUp::Close | HangUp::Reset => wire.hang_up(how),
        HangUp::ResetStream(code) => reset(Reason::from(code)),
        HangUp::GoAway => wire.go_away_below(stream),
    }
}

/// Waits, as long as the client is there.
async fn unless_reset(
    pauses: &[Pause],
    mut poll_reset: impl FnMut(&mut Context<'_>) -> Poll<Result<Reason, h2::Error>>,
) -> Result<(), Gone> {
    tokio::select! {
        biased;
        () = wait(pauses) => Ok(()),
        _ = poll_fn(|context| poll_reset(context)) => Err(Gone),
    }
}

/// Sends a piece as the client's windows allow.
async fn send(stream: &mut SendStream<Bytes>, bytes: Bytes) -> Result<(), Gone> {
    let mut rest = bytes;
    while !rest.is_empty() {
        stream.reserve_capacity(rest.len());
        while stream.capacity() == 0 {
            poll_fn(|context| stream.poll_capacity(context)).await.ok_or(Gone)??;
        }
        let piece = rest.split_to(rest.len().min(stream.capacity()));
        stream.send_data(piece, false)?;
    }
    Ok(())
}

/// A wait for the socket that ends when the stream does.
trait OrGone: Future<Output = ()> + Sized {
    async fn or_gone(self, stream: &mut SendStream<Bytes>) -> Result<(), Gone> {
        tokio::select! {
            biased;
            () = self => Ok(()),
            _ = poll_fn(|context| stream.poll_reset(context)) => Err(Gone),
        }
    }
}

impl<F: Future<Output = ()>> OrGone for F {}

/// `None` if a script wants a header that HTTP/2 cannot carry.
fn head(plan: &Plan) -> Option<Response<()>> {
    let mut response = Response::builder().status(plan.status);
    for (name, value) in &plan.headers {
        let name = HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes()).ok()?;
        response = response.header(name, HeaderValue::from_str(value).ok()?);
    }
    if let Length::Said(length) = plan.length {
        response = response.header("content-length", length);
    }
    response.body(()).ok()
}

#[cfg(test)]
mod tests;
