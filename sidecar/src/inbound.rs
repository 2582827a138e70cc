//! One connection from an application: accepted, served, drained.

use crate::meter::Meter;
use crate::pipeline::{self, Worker};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::cell::Cell;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A head, or the silence between two requests, may take this long.
const HEAD_TIMEOUT: Duration = Duration::from_secs(90);
/// A client that takes nothing of its answer for this long is let go.
const WRITE_TIMEOUT: Duration = Duration::from_secs(120);
/// Longest head, and how much of a body is read at once, bytes. A longer head is hyper's bare 431.
const MAX_BUFFER: usize = 256 * 1024;
/// Longest head of an HTTP/2 request, bytes.
const MAX_HEADER_LIST: u32 = 64 * 1024;
/// Most headers of one request.
const MAX_HEADERS: usize = 100;

/// Runs hyper's own tasks among ours, so that they are counted and waited for.
#[derive(Clone)]
pub(crate) struct LocalExecutor(pub TaskTracker);

impl<F> hyper::rt::Executor<F> for LocalExecutor
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        drop(self.0.spawn_local(future));
    }
}

/// Serves one connection until it ends, or until `stop`, after which the request in hand still ends.
pub(crate) async fn serve(worker: Rc<Worker>, stream: TcpStream, stop: CancellationToken) {
    let _open = Open::new(&worker.shared.meter);
    if let Ok(address) = stream.local_addr() {
        worker.pools.serves_at(address);
    }
    let mut builder = auto::Builder::new(LocalExecutor(worker.tasks.clone()));
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_BUFFER)
        .max_headers(MAX_HEADERS);
    builder
        .http2()
        .max_header_list_size(MAX_HEADER_LIST)
        .max_concurrent_streams(256);
    let length_seen = Rc::new(Cell::new(false));
    let io = Watched {
        stream,
        length_seen: Rc::clone(&length_seen),
        tail: [0; TAIL],
        tail_len: 0,
        silent: true,
        stall: None,
    };
    let service = service_fn(move |request| {
        let (worker, length_seen) = (Rc::clone(&worker), length_seen.take());
        async move { Ok::<_, std::convert::Infallible>(pipeline::serve(worker, request, length_seen).await) }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

/// Counts a connection for as long as it is open.
struct Open(Arc<Meter>);

impl Open {
    fn new(meter: &Arc<Meter>) -> Self {
        meter.connections_in.inc();
        Self(Arc::clone(meter))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections_in.dec();
    }
}

/// hyper drops `Content-Length` silently when a request is also chunked, which two parsers in a row may read as two
/// different requests. The name is therefore looked for in the bytes themselves, once per request.
struct Watched {
    stream: TcpStream,
    length_seen: Rc<Cell<bool>>,
    /// The end of the last read, for a name that is split between two.
    tail: [u8; TAIL],
    tail_len: usize,
    /// Nothing has been read yet.
    silent: bool,
    /// Runs while the other side keeps us waiting.
    stall: Option<Pin<Box<Sleep>>>,
}

const LENGTH: &[u8] = b"\ncontent-length";
const TAIL: usize = LENGTH.len() - 1;

impl Watched {
    fn watch(&mut self, read: &[u8]) {
        if self.length_seen.get() {
            self.tail_len = 0;
            return;
        }
        // Only what could complete a name that began before.
        let mut seam = [0; TAIL * 2];
        let head = &read[..read.len().min(TAIL)];
        let joined = self.tail_len + head.len();
        seam[..self.tail_len].copy_from_slice(&self.tail[..self.tail_len]);
        seam[self.tail_len..joined].copy_from_slice(head);
        if names_length(&seam[..joined]) || names_length(read) {
            self.length_seen.set(true);
            self.tail_len = 0;
            return;
        }
        let last = if read.len() >= TAIL {
            &read[read.len() - TAIL..]
        } else {
            &seam[joined.saturating_sub(TAIL)..joined]
        };
        self.tail_len = last.len();
        self.tail[..last.len()].copy_from_slice(last);
    }

    /// An error once the other side has kept us waiting for too long; the wait begins with the first call.
    fn poll_stall(&mut self, cx: &mut Context<'_>, longest: Duration) -> Poll<io::Error> {
        let stall = self.stall.get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        ready!(stall.as_mut().poll(cx));
        Poll::Ready(io::Error::new(
            io::ErrorKind::TimedOut,
            "the client keeps the connection waiting",
        ))
    }

    /// The outcome of a write, or the end of patience with a client that does not read.
    fn written<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match outcome {
            Poll::Pending => self.poll_stall(cx, WRITE_TIMEOUT).map(Err),
            Poll::Ready(_) => {
                self.stall = None;
                outcome
            }
        }
    }
}

/// A valid JSON body has no raw line break before this name, so only a head can hold it.
fn names_length(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', bytes).any(|at| {
        bytes
            .get(at..at + LENGTH.len())
            .is_some_and(|name| name.eq_ignore_ascii_case(LENGTH))
    })
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            // hyper's own timer begins with the first bytes.
            Poll::Pending if self.silent => return self.poll_stall(cx, HEAD_TIMEOUT).map(Err),
            read => ready!(read)?,
        }
        if std::mem::take(&mut self.silent) {
            self.stall = None;
        }
        self.watch(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_header_is_seen_however_it_is_spelled_and_nothing_else() {
        for (bytes, expected) in [
            (&b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"[..], true),
            (b"POST / HTTP/1.1\r\nCONTENT-LENGTH : 5\r\n\r\n", true),
            (b"POST / HTTP/1.1\r\nx-content-length: 5\r\n\r\n", false),
            (b"{\"text\": \"\\ncontent-length\"}", false),
            (b"", false),
        ] {
            assert_eq!(names_length(bytes), expected, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
