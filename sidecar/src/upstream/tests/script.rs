//! The other side of a connection, told what to do step by step.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A listener whose queue is full and stays so: whoever connects waits for ever. Ends when the sockets are dropped.
pub(in crate::upstream) fn full_backlog() -> (SocketAddr, impl Sized) {
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let queued = std::iter::from_fn(|| std::net::TcpStream::connect_timeout(&address, Duration::from_millis(20)).ok());
    let queued: Vec<_> = queued.take(64).collect();
    assert!(queued.len() < 64, "the queue has no end");
    (address, (listener, queued))
}

/// An upstream's end of a connection.
pub(super) struct Script<S> {
    stream: S,
    read: Vec<u8>,
}

impl Script<TcpStream> {
    pub(super) async fn accept(listener: &TcpListener) -> Self {
        Self::new(listener.accept().await.unwrap().0)
    }

    /// Ends the connection with a reset instead of an orderly close.
    pub(super) fn reset(self) {
        socket2::SockRef::from(&self.stream)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Script<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// Ends its own direction in order, and keeps listening.
    pub(super) async fn says_no_more(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    pub(super) async fn write(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    pub(super) async fn read_exactly(&mut self, count: usize) -> Vec<u8> {
        while self.read.len() < count {
            assert_ne!(
                self.stream.read_buf(&mut self.read).await.unwrap(),
                0,
                "the connection ended early"
            );
        }
        self.read.drain(..count).collect()
    }

    /// A request's head, lower case, with the empty line.
    pub(super) async fn head(&mut self) -> String {
        let end = loop {
            match self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => assert_ne!(self.stream.read_buf(&mut self.read).await.unwrap(), 0, "no whole head"),
            }
        };
        String::from_utf8(self.read.drain(..end).collect())
            .unwrap()
            .to_ascii_lowercase()
    }

    /// A whole request: head and body.
    pub(super) async fn request(&mut self) -> (String, Vec<u8>) {
        let head = self.head().await;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let body = self.read_exactly(length.expect("a length").parse().unwrap()).await;
        (head, body)
    }

    /// Takes a request and answers it with `text`.
    pub(super) async fn answer(&mut self, text: &str) {
        self.request().await;
        self.write(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        ))
        .await;
    }

    /// Returns when the other side has gone, whichever way.
    pub(super) async fn is_gone(&mut self) {
        while self.stream.read_buf(&mut self.read).await.is_ok_and(|count| count > 0) {}
    }
}
