//! A fake provider that is never the bottleneck: answers made beforehand, one write each, on a thread of its own.
//!
//! It speaks every dialect, told apart by path. A plain request gets its whole answer; a streaming one gets the stream
//! that its prompt [asks for](StreamShape), at full speed or chunk by chunk on the [`metronome`]'s beat.

mod answers;
mod metronome;
mod shape;

pub(crate) use shape::StreamShape;

use crate::awake::Awake;
use crate::dialect::Dialect;
use crate::http::{Framing, Head};
use crate::marker::Clock;
use crate::request;
use answers::Answers;
use anyhow::{Context, Result, bail};
use memchr::memmem;
use metronome::{Metronome, Paced};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Room for a read: a whole large prompt in few system calls.
const READ_ROOM: usize = 192 * 1024;

/// Starts the provider for as long as the process lives, and says where it listens. It does not sleep while `awake` is
/// held.
pub(crate) fn start(clock: Clock, awake: Awake) -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("the fake upstream cannot listen")?;
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let answers = Arc::new(Answers::new());
    let metronome = Metronome::start(clock, answers.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let serving = async move {
        let listener = TcpListener::from_std(listener)?;
        let provider = Provider {
            clock,
            answers,
            metronome,
        };
        accept(listener, provider, awake).await
    };
    thread::Builder::new().name("upstream".to_owned()).spawn(move || {
        if let Err(error) = runtime.block_on(serving) {
            eprintln!("the fake upstream stopped: {error:#}");
        }
    })?;
    Ok(address)
}

/// What every connection shares.
#[derive(Clone)]
struct Provider {
    clock: Clock,
    answers: Arc<Answers>,
    metronome: Metronome,
}

async fn accept(listener: TcpListener, provider: Provider, awake: Awake) -> Result<()> {
    let mut connections = JoinSet::new();
    connections.spawn(async { match awake.keep().await {} });
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.context("cannot accept")?;
                connections.spawn(report(Connection::new(stream, provider.clone())?));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection; what goes wrong on it shows here, or the proxy's 502 would be all that one sees.
async fn report(connection: Connection) {
    if let Err(error) = connection.serve().await {
        eprintln!("the fake upstream dropped a connection: {error:#}");
    }
}

struct Connection {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    buffer: Vec<u8>,
    provider: Provider,
}

impl Connection {
    fn new(stream: TcpStream, provider: Provider) -> Result<Self> {
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        Ok(Self {
            reader,
            writer,
            buffer: Vec::new(),
            provider,
        })
    }

    async fn serve(mut self) -> Result<()> {
        while let Some(request) = self.read().await? {
            match request.stream {
                None => self.writer.write_all(self.provider.whole(&request)).await?,
                Some(shape) if shape.gap.is_zero() => self.provider.burst(&mut self.writer, &request, shape).await?,
                Some(shape) => {
                    let Some(writer) = self.provider.paced(self.writer, &request, shape).await? else {
                        return Ok(());
                    };
                    self.writer = writer;
                }
            }
        }
        Ok(())
    }

    /// The next request, or `None` when the peer has closed.
    async fn read(&mut self) -> Result<Option<Request>> {
        loop {
            if let Some((request, length)) = Request::read(&self.buffer)? {
                self.buffer.drain(..length);
                return Ok(Some(request));
            }
            self.buffer.reserve(READ_ROOM);
            // A reset is how an idle pooled connection may end when a proxy is killed between two rounds.
            if self.reader.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return Ok(None);
            }
        }
    }
}

impl Provider {
    /// A whole answer, with as much of a head as the request has.
    fn whole(&self, request: &Request) -> &[u8] {
        let answer = self.answers.of(request.dialect);
        if request.sdk {
            &answer.with_long_head
        } else {
            &answer.whole
        }
    }

    /// A whole stream in two writes: up to its first token, and the rest.
    async fn burst(&self, writer: &mut OwnedWriteHalf, request: &Request, shape: StreamShape) -> Result<()> {
        let (stream, mark) = (
            &self.answers.of(request.dialect).stream,
            self.clock.mark(Instant::now()),
        );
        writer.write_all(&stream.opening(mark)).await?;
        let mut rest = Vec::new();
        for _ in 1..shape.chunks {
            stream.append_chunk(&mut rest, mark);
        }
        rest.extend_from_slice(stream.ending(request.usage));
        Ok(writer.write_all(&rest).await?)
    }

    /// Streams by the metronome; `None` when the reader went away or did not keep up.
    async fn paced(
        &self,
        mut writer: OwnedWriteHalf,
        request: &Request,
        shape: StreamShape,
    ) -> Result<Option<OwnedWriteHalf>> {
        let now = Instant::now();
        let opening = self.answers.of(request.dialect).stream.opening(self.clock.mark(now));
        writer.write_all(&opening).await?;
        let (done, returned) = oneshot::channel();
        let (dialect, usage) = (request.dialect, request.usage);
        self.metronome.play(Paced {
            due: now + shape.gap,
            gap: shape.gap,
            left: shape.chunks - 1,
            dialect,
            usage,
            writer,
            done,
        })?;
        Ok(returned.await.ok())
    }
}

/// What a client wants, as far as this provider cares.
struct Request {
    dialect: Dialect,
    /// `None`: one whole answer.
    stream: Option<StreamShape>,
    /// A chat stream ends with its usage.
    usage: bool,
    /// An SDK asks.
    sdk: bool,
}

impl Request {
    /// Reads the request at the start of `bytes`, and its length; `None` while it is not all there.
    fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>> {
        let Some(head) = Head::read(bytes)? else {
            return Ok(None);
        };
        let Framing::Length(length) = head.framing else {
            bail!("a request body came in chunks, not by its length")
        };
        let Some(body) = bytes.get(head.length..head.length + length) else {
            return Ok(None);
        };
        let (dialect, streams) = asked_at(head.first_line)?;
        let streams = streams || memmem::find(body, br#""stream":true"#).is_some();
        let stream = StreamShape::find(body).filter(|_| streams);
        let usage = stream.is_some() && memmem::find(body, br#""include_usage":true"#).is_some();
        let sdk = request::is_from_sdk(&bytes[..head.length]);
        Ok(Some((
            Self {
                dialect,
                stream,
                usage,
                sdk,
            },
            head.length + length,
        )))
    }
}

/// The dialect, and whether the path asks for a stream.
fn asked_at(request_line: &[u8]) -> Result<(Dialect, bool)> {
    let line = std::str::from_utf8(request_line)?;
    let path = line.strip_prefix("POST ").and_then(|line| line.split(' ').next());
    path.and_then(Dialect::at)
        .with_context(|| format!("unexpected request {line:?}"))
}
