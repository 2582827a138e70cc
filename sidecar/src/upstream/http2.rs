//! One HTTP/2 connection, shared by as many exchanges as the upstream allows at once.
//!
//! hyper needs tasks here; all of them are spawned on the worker's tracker, and the two that live as long as the
//! connection end with it: when the pool has let go of it and its last stream is over, they are aborted.

use super::Gauges;
use super::MAX_HEAD;
use super::endpoint::Endpoint;
use super::error::{SendError, SendErrorKind, reason};
use super::http1::Failed;
use super::out_body::{OutBody, Progress, Sent};
use super::transport::{Counted, Transport};
use http::header::HOST;
use http::uri::{Parts, PathAndQuery};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::cell::{Cell, OnceCell, RefCell};
use std::error::Error;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;

/// More on one connection would save nothing, and a balancer in front of the upstream spreads connections.
const MOST_STREAMS: usize = 256;

/// Asked of the upstream while streams are open, so that a connection that died in silence is noticed.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// What an upstream may send before it is read. The connection's is many streams' worth, so that clients that read
/// slowly do not stop the streams of others.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

type Connection = http2::Connection<TokioIo<Transport>, OutBody, Executor>;

/// A connection in use, or idle in its pool.
pub(super) struct Http2 {
    sender: RefCell<http2::SendRequest<OutBody>>,
    /// Shared with the task that drives it, to ask for its current limit.
    connection: Rc<RefCell<Option<Connection>>>,
    in_flight: Cell<usize>,
    served: Cell<bool>,
    retired: Cell<bool>,
    /// Sweeps of the pool that found no stream on it, one after the other.
    idle_sweeps: Cell<u32>,
    /// The one that drives hyper's dispatcher, and the one that owns the socket.
    tasks: [Option<AbortHandle>; 2],
}

/// One stream's place on a connection, from before it is opened until its answer is over.
pub(super) struct Place {
    http2: Rc<Http2>,
    /// Set when the answer began before the request was over.
    still_sending: Option<Progress>,
}

/// Spawns what hyper needs on the worker's tracker. Remembers the first task: the one that owns the socket.
#[derive(Clone)]
pub(super) struct Executor {
    tasks: TaskTracker,
    gauges: Gauges,
    first: Rc<OnceCell<AbortHandle>>,
}

/// Drives hyper's dispatcher.
struct Drive(Rc<RefCell<Option<Connection>>>);

impl Http2 {
    pub(super) async fn handshake(transport: Transport, executor: Executor) -> hyper::Result<Rc<Self>> {
        let (sender, connection) = builder(executor.clone()).handshake(TokioIo::new(transport)).await?;
        let connection = Rc::new(RefCell::new(Some(connection)));
        let owner = executor.first.get().cloned();
        let driver = executor.spawn(Drive(Rc::clone(&connection)));
        Ok(Rc::new(Self {
            sender: RefCell::new(sender),
            connection,
            in_flight: Cell::new(0),
            served: Cell::new(false),
            retired: Cell::new(false),
            idle_sweeps: Cell::new(0),
            tasks: [Some(driver), owner],
        }))
    }

    /// A place for one more stream, if the upstream allows one more.
    pub(super) fn place(self: &Rc<Self>) -> Option<Place> {
        if !self.is_usable() || self.in_flight.get() >= self.most_streams() {
            return None;
        }
        self.in_flight.set(self.in_flight.get() + 1);
        Some(Place {
            http2: Rc::clone(self),
            still_sending: None,
        })
    }

    /// New streams may be opened on it, now or when others are over.
    pub(super) fn is_usable(&self) -> bool {
        !self.retired.get() && !self.sender.borrow().is_closed()
    }

    /// How many sweeps in a row, this one included, found it without a stream.
    pub(super) fn idle_sweeps(&self) -> u32 {
        let idle = if self.in_flight.get() == 0 {
            self.idle_sweeps.get() + 1
        } else {
            0
        };
        self.idle_sweeps.set(idle);
        idle
    }

    /// At least one, whatever the upstream says: hyper then waits until it allows it, and our deadlines hold.
    fn most_streams(&self) -> usize {
        let allowed = self
            .connection
            .borrow()
            .as_ref()
            .map_or(0, Connection::current_max_send_streams);
        allowed.clamp(1, MOST_STREAMS)
    }

    fn failure(&self, error: &hyper::Error, sent: Sent, host: &str) -> SendError {
        let cause = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
        let remote = cause.filter(|cause| cause.is_remote());
        if remote.is_some_and(|cause| cause.is_reset() && cause.reason() == Some(h2::Reason::REFUSED_STREAM)) {
            let sentence = format!("{host} refused the stream before it processed any of it");
            return SendError::new(SendErrorKind::NotProcessed, sent, sentence);
        }
        // The streams it did process end on their own, or with the connection.
        if remote.is_some_and(h2::Error::is_go_away) {
            self.retired.set(true);
            let sentence = format!("{host} is closing the connection and did not process the request");
            return SendError::new(SendErrorKind::NotProcessed, sent, sentence);
        }
        SendError::lost(sent, host, &reason(error))
    }
}

impl Drop for Http2 {
    fn drop(&mut self) {
        for task in self.tasks.iter().flatten() {
            task.abort();
        }
    }
}

impl Place {
    /// Another stream has been answered on this connection before.
    pub(super) fn is_reused(&self) -> bool {
        self.http2.served.get()
    }

    /// Opens the stream and waits for the answer's head. Dropping this resets the stream.
    pub(super) async fn exchange(
        mut self,
        mut request: Request<OutBody>,
        endpoint: &Endpoint,
    ) -> Result<(Response<Incoming>, Self), Failed> {
        to_absolute_form(&mut request, endpoint);
        let progress = request.body().progress();
        let reused = self.is_reused();
        let answer = self.http2.sender.borrow_mut().try_send_request(request);
        match answer.await {
            Ok(response) => {
                self.http2.served.set(true);
                self.still_sending = (progress.sent() != Sent::Whole).then_some(progress);
                Ok((response, self))
            }
            Err(error) => Err(self.failed(error, reused, progress.sent(), endpoint.authority())),
        }
    }

    fn failed(&self, mut error: TrySendError<Request<OutBody>>, reused: bool, sent: Sent, host: &str) -> Failed {
        match error.take_message() {
            None => Failed::Lost(self.http2.failure(error.error(), sent, host)),
            Some(request) => {
                self.http2.retired.set(true);
                if reused {
                    return Failed::Unsent(Box::new(request));
                }
                Failed::Lost(SendError::lost(Sent::Nothing, host, &reason(error.error())))
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.http2.in_flight.set(self.http2.in_flight.get() - 1);
        // hyper goes on sending a body whose answer is over, for as long as the upstream leaves it waiting. Such a
        // connection takes no more streams, and its end frees the body.
        if self
            .still_sending
            .as_ref()
            .is_some_and(|progress| progress.sent() != Sent::Whole)
        {
            self.http2.retired.set(true);
        }
    }
}

impl Executor {
    pub(super) fn new(tasks: TaskTracker, gauges: Gauges) -> Self {
        Self {
            tasks,
            gauges,
            first: Rc::default(),
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) -> AbortHandle {
        let counted = Counted::new(&self.gauges.tasks);
        let task = async move {
            let _counted = counted;
            task.await;
        };
        self.tasks.spawn_local(task).abort_handle()
    }
}

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Executor {
    fn execute(&self, task: F) {
        let handle = self.spawn(task);
        self.first.get_or_init(|| handle);
    }
}

impl Future for Drive {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut slot = self.0.borrow_mut();
        if let Some(connection) = slot.as_mut()
            && Pin::new(connection).poll(cx).is_pending()
        {
            return Poll::Pending;
        }
        // Requests that still wait in it are handed back.
        slot.take();
        Poll::Ready(())
    }
}

fn builder(executor: Executor) -> http2::Builder<Executor> {
    let mut builder = http2::Builder::new(executor);
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MAX_HEAD)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}

/// `:scheme` and `:authority` come from the URI, and replace the `Host` header.
fn to_absolute_form(request: &mut Request<OutBody>, endpoint: &Endpoint) {
    request.headers_mut().remove(HOST);
    let path = request.uri().path_and_query().cloned();
    let mut parts = Parts::default();
    parts.scheme = Some(endpoint.scheme());
    parts.authority = Some(endpoint.authority.clone());
    parts.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    *request.uri_mut() = Uri::from_parts(parts).expect("a scheme, an authority and a path make a URI");
}
