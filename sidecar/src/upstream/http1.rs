//! One HTTP/1.1 connection.
//!
//! Whoever waits for an answer, or reads its body, drives the connection itself: there is no task per connection, two
//! wake-ups a request are saved, and dropping the exchange closes the socket on the spot. The price: a connection that
//! idles is not watched. That the upstream has closed it shows when it is used next (hyper looks for that before it
//! writes, and hands the request back), or at the next sweep of the pool.

use super::error::{SendError, SendErrorKind, reason};
use super::out_body::{OutBody, Sent};
use super::relay::Relay;
use super::transport::Transport;
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::borrow::Cow;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A connection between two requests, or in the hands of one.
pub(super) struct Http1 {
    sender: http1::SendRequest<OutBody>,
    running: Running,
    relay: Relay,
    heard: Rc<Cell<bool>>,
    served: bool,
    idle_sweeps: u32,
}

/// hyper's end of it; `None` once it has come to its end.
struct Running(Option<http1::Connection<TokioIo<Transport>, OutBody>>);

/// Of an answer's body.
pub(super) type Piece = hyper::Result<Frame<Bytes>>;

/// A request that got no answer.
pub(super) enum Failed {
    /// Never written: it may be sent again on another connection, whatever it is.
    Unsent(Box<Request<OutBody>>),
    /// Lost.
    Lost(SendError),
}

/// An answer's longest head, and how much of a request is handed to the system at once, bytes: a prompt of 128 KiB
/// leaves with its head in one call.
const MAX_BUFFER: usize = 160 * 1024;

impl Http1 {
    pub(super) async fn handshake(transport: Transport) -> hyper::Result<Self> {
        let heard = transport.heard();
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_BUFFER);
        let (sender, connection) = builder.handshake(TokioIo::new(transport)).await?;
        let mut http1 = Self {
            sender,
            running: Running(Some(connection)),
            relay: Relay::new(),
            heard,
            served: false,
            idle_sweeps: 0,
        };
        // It is ready for a request only after it has looked for one.
        http1.drive(&mut Context::from_waker(Waker::noop()));
        Ok(http1)
    }

    /// It has answered before.
    pub(super) fn is_reused(&self) -> bool {
        self.served
    }

    /// Sends a request and waits for the answer's head. Dropping this closes the connection.
    pub(super) async fn exchange(
        mut self: Box<Self>,
        mut request: Request<OutBody>,
        host: &HeaderValue,
    ) -> Result<(Response<Incoming>, Box<Self>), Failed> {
        self.idle_sweeps = 0;
        to_origin_form(&mut request, host);
        let progress = request.body().progress();
        self.heard.set(false);
        match self.answer(request).await {
            Ok(response) => {
                self.served = true;
                Ok((response, self))
            }
            Err(mut error) => Err(match error.take_message() {
                Some(request) if self.served => Failed::Unsent(Box::new(request)),
                Some(_) => Failed::Lost(SendError::lost(Sent::Nothing, &text(host), &reason(error.error()))),
                None => Failed::Lost(self.lost(error.error(), progress.sent(), host)),
            }),
        }
    }

    /// The next piece of the answer that this connection brings.
    pub(super) fn poll_body(&mut self, body: &mut Incoming, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
        // As with the head: only driving the connection brings a piece, so the piece needs no waker of its own.
        let mut nobody = Context::from_waker(Waker::noop());
        self.relay.poll(cx, |cx| {
            if let Poll::Ready(piece) = Pin::new(&mut *body).poll_frame(&mut nobody) {
                return Poll::Ready(piece);
            }
            self.running.drive(cx);
            Pin::new(body).poll_frame(&mut nobody)
        })
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        self.running.drive(cx);
    }

    /// The last exchange is over in both directions, and another may follow.
    pub(super) fn is_ready(&self) -> bool {
        self.running.0.is_some() && self.sender.is_ready()
    }

    /// Looks whether it has been closed meanwhile; how many sweeps in a row, this one included, found it idle if not.
    pub(super) fn idle_sweeps(&mut self) -> Option<u32> {
        // The last exchange's task is let go of, too: its waker would keep it in memory.
        self.drive(&mut Context::from_waker(Waker::noop()));
        self.idle_sweeps += 1;
        self.is_ready().then_some(self.idle_sweeps)
    }

    async fn answer(
        &mut self,
        request: Request<OutBody>,
    ) -> Result<Response<Incoming>, TrySendError<Request<OutBody>>> {
        // Only driving the connection can complete it, so it needs no waker of its own (a second wake-up per answer).
        // Unconstrained, because tokio's budget would rely on that waker.
        let mut answer = pin!(tokio::task::unconstrained(self.sender.try_send_request(request)));
        let running = &mut self.running;
        poll_fn(|cx| {
            running.drive(cx);
            answer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        })
        .await
    }

    fn lost(&self, error: &hyper::Error, sent: Sent, host: &HeaderValue) -> SendError {
        let (host, why) = (text(host), reason(error));
        let (kind, sentence) = if error.is_parse() {
            (
                SendErrorKind::Ambiguous,
                format!("{host} sent something that is no HTTP answer: {why}"),
            )
        } else if self.heard.get() {
            (
                SendErrorKind::Ambiguous,
                format!("{host} broke off within the head of its answer: {why}"),
            )
        } else if self.served {
            (
                SendErrorKind::Stale,
                format!("{host} had closed the connection that was to be used again: {why}"),
            )
        } else {
            return SendError::lost(sent, &host, &why);
        };
        SendError::new(kind, sent, sentence)
    }
}

impl Running {
    /// Lets hyper read and write as far as it can.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.0
            && Pin::new(connection).poll(cx).is_ready()
        {
            // Only dropping it tells those who still wait on it.
            self.0 = None;
        }
    }
}

fn text(host: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(host.as_bytes())
}

/// `GET /path`, with the host in its header.
fn to_origin_form(request: &mut Request<OutBody>, host: &HeaderValue) {
    if request.uri().authority().is_some() {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
    }
    request.headers_mut().insert(HOST, host.clone());
}
