//! A client and an upstream that send any bytes at all. The client sees the difference between an answer, an end and a
//! reset.

use crate::Answer;
use anyhow::{Context, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// An answer that takes longer than this never comes.
const PATIENCE: Duration = Duration::from_secs(30);
/// More headers than any answer has.
const MOST_HEADERS: usize = 128;

/// One connection.
#[derive(Debug)]
pub struct Raw {
    stream: TcpStream,
    read: BytesMut,
}

impl Raw {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            read: BytesMut::new(),
        })
    }

    /// Sends bytes. Fails when the other side has reset the connection.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.stream
            .write_all(bytes.as_ref())
            .await
            .context("it takes no more bytes")
    }

    /// Sends a head, whose lines are given without their ends, and the blank line after it.
    pub async fn head(&mut self, lines: &[&str]) -> Result<()> {
        self.send(format!("{}\r\n\r\n", lines.join("\r\n"))).await
    }

    /// Says that nothing more is sent.
    pub async fn finish(&mut self) -> Result<()> {
        Ok(self.stream.shutdown().await?)
    }

    /// Reads one answer, whose length is said or which lasts until the end. Fails when the connection is reset first.
    pub async fn answer(&mut self) -> Result<Answer> {
        let answer = async {
            let (mut answer, length) = self.answer_head().await?;
            while length.is_none_or(|length| self.read.len() < length) {
                if self.more().await? == 0 {
                    ensure!(length.is_none(), "it ended within its body: {answer:?}");
                    break;
                }
            }
            let length = length.unwrap_or(self.read.len());
            answer.body = self.read.split_to(length).freeze();
            Ok(answer)
        };
        tokio::time::timeout(PATIENCE, answer)
            .await
            .context("no answer within 30 s")?
    }

    /// Reads the head of an answer that has no body, such as 100, and returns its status.
    pub async fn answer_head_only(&mut self) -> Result<u16> {
        let head = tokio::time::timeout(PATIENCE, self.answer_head());
        Ok(head.await.context("no answer within 30 s")??.0.status)
    }

    /// Reads until the other side ends, and says what came. Fails when it resets the connection.
    pub async fn rest(&mut self) -> Result<Bytes> {
        let end = async {
            while self.more().await? > 0 {}
            Ok(self.read.split().freeze())
        };
        tokio::time::timeout(PATIENCE, end)
            .await
            .context("no end within 30 s")?
    }

    async fn answer_head(&mut self) -> Result<(Answer, Option<usize>)> {
        loop {
            if let Some((answer, length, end)) = parse(&self.read)? {
                drop(self.read.split_to(end));
                return Ok((answer, length));
            }
            if self.more().await? == 0 {
                bail!("it ended within the head of its answer: {:?}", self.read);
            }
        }
    }

    async fn more(&mut self) -> Result<usize> {
        self.stream
            .read_buf(&mut self.read)
            .await
            .with_context(|| format!("reset after {:?}", self.read))
    }
}

/// The answer's head, the length of its body and where it begins; `None` while it is not all there.
fn parse(bytes: &[u8]) -> Result<Option<(Answer, Option<usize>, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(end) = response.parse(bytes).with_context(|| format!("no HTTP: {bytes:?}"))? else {
        return Ok(None);
    };
    let mut headers = HeaderMap::new();
    for field in response.headers.iter() {
        headers.append(
            HeaderName::from_bytes(field.name.as_bytes())?,
            HeaderValue::from_bytes(field.value)?,
        );
    }
    let length = headers.get("content-length").map(|value| value.to_str()).transpose()?;
    let length = length.map(str::parse).transpose()?;
    let answer = Answer {
        status: response.code.context("a complete head has a status")?,
        headers,
        body: Bytes::new(),
    };
    Ok(Some((answer, length, end)))
}

/// Something that is no provider: it says the same to whoever sends it anything, and hangs up.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    _accepting: JoinSet<()>,
}

impl Upstream {
    /// Starts on a port that the system chooses.
    pub async fn saying(bytes: impl Into<Bytes>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, bytes) = (listener.local_addr()?, bytes.into());
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(say(stream, bytes.clone()));
            }
        });
        Ok(Self {
            address,
            _accepting: accepting,
        })
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn say(mut stream: TcpStream, bytes: Bytes) {
    let mut heard = [0; 64 * 1024];
    // Whatever goes wrong here is the other side's doing, and its test sees it.
    drop(stream.read(&mut heard).await);
    drop(stream.write_all(&bytes).await);
    drop(stream.shutdown().await);
    // Bytes that were not read would turn the end into a reset.
    while stream.read(&mut heard).await.is_ok_and(|read| read > 0) {}
}
