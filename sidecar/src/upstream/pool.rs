//! The connections to one endpoint, of one worker.

use super::connect::connect;
use super::endpoint::Endpoint;
use super::error::{ConnectError, ConnectFailure, reason};
use super::http1::Http1;
use super::http2::{Executor, Http2, Place};
use super::resolve::Resolver;
use super::{Reuse, Shared};
use futures::FutureExt;
use futures::future::{LocalBoxFuture, WeakShared};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// More idle connections than this are closed: each costs some 30 KiB, and no burst of a pod is larger.
const MOST_IDLE: usize = 256;

/// Less than the 60 s after which the usual balancers close an idle connection.
const MOST_IDLE_SWEEPS: u32 = 50;

/// What has been opened to one endpoint.
pub(super) struct Pool {
    shared: Rc<Shared>,
    resolver: Resolver,
    /// HTTP/1 connections between two requests; the last one used is used next, so that the others can go.
    #[expect(
        clippy::vec_box,
        reason = "a connection moves between pool and exchange with each request"
    )]
    idle: RefCell<Vec<Box<Http1>>>,
    /// HTTP/2 connections that take new streams, oldest first.
    streams: RefCell<Vec<Rc<Http2>>>,
    /// The connection being opened for all who wait. Weak: when all of them have gone, it is given up.
    opening: RefCell<Option<WeakShared<Opening>>>,
    /// It has spoken HTTP/1 when last connected to: then one connection cannot be shared, and each opens its own.
    speaks_http1: Cell<bool>,
}

/// A connection that is the caller's.
pub(super) enum Taken {
    Http1(Box<Http1>),
    Http2(Place),
}

/// A new connection.
enum Opened {
    Http1(Box<Http1>),
    Http2(Rc<Http2>),
}

/// Gives the HTTP/2 connection, or nothing when it became HTTP/1 and was put aside.
type Opening = LocalBoxFuture<'static, Result<Option<Rc<Http2>>, ConnectError>>;

impl Pool {
    pub(super) fn new(shared: Rc<Shared>, endpoint: &Endpoint) -> Rc<Self> {
        Rc::new(Self {
            shared,
            resolver: Resolver::default(),
            idle: RefCell::default(),
            streams: RefCell::default(),
            opening: RefCell::default(),
            speaks_http1: Cell::new(endpoint.tls.is_none()),
        })
    }

    /// An idle connection, or a new one within `timeout`.
    pub(super) async fn take(
        self: &Rc<Self>,
        endpoint: &Arc<Endpoint>,
        reuse: Reuse,
        timeout: Duration,
    ) -> Result<Taken, ConnectError> {
        if let Some(taken) = self.take_idle(reuse) {
            return Ok(taken);
        }
        let opened = tokio::time::timeout(timeout, self.take_new(endpoint, reuse)).await;
        opened.unwrap_or_else(|_| {
            let sentence = format!(
                "no connection to {} within {} ms",
                endpoint.authority(),
                timeout.as_millis()
            );
            Err(ConnectError {
                failure: ConnectFailure::Timeout,
                sentence,
            })
        })
    }

    /// Keeps an HTTP/1 connection for the next request, if it can serve one.
    pub(super) fn put_aside(&self, connection: Box<Http1>) {
        let mut idle = self.idle.borrow_mut();
        if connection.is_ready() && idle.len() < MOST_IDLE && !self.shared.closed.get() {
            idle.push(connection);
            self.shared.keep_swept();
        }
    }

    /// Closes what has idled for too long or has been closed by the upstream. True while anything is left to sweep.
    pub(super) fn sweep(&self) -> bool {
        let mut idle = self.idle.borrow_mut();
        idle.retain_mut(|connection| connection.idle_sweeps().is_some_and(|sweeps| sweeps < MOST_IDLE_SWEEPS));
        let mut streams = self.streams.borrow_mut();
        streams.retain(|http2| http2.is_usable() && http2.idle_sweeps() < MOST_IDLE_SWEEPS);
        !idle.is_empty() || !streams.is_empty()
    }

    /// Lets go of everything; answers that are under way end undisturbed.
    pub(super) fn close(&self) {
        self.idle.take();
        self.streams.take();
    }

    fn take_idle(&self, reuse: Reuse) -> Option<Taken> {
        if reuse == Reuse::Never {
            return None;
        }
        if let Some(connection) = self.idle.borrow_mut().pop() {
            return Some(Taken::Http1(connection));
        }
        let mut streams = self.streams.borrow_mut();
        streams.retain(|http2| http2.is_usable());
        streams.iter().find_map(Http2::place).map(Taken::Http2)
    }

    async fn take_new(self: &Rc<Self>, endpoint: &Arc<Endpoint>, reuse: Reuse) -> Result<Taken, ConnectError> {
        while !self.speaks_http1.get() {
            let opening = self.join_opening(endpoint);
            if let Some(place) = opening.await?.and_then(|http2| http2.place()) {
                return Ok(Taken::Http2(place));
            }
            // It is full already, or became HTTP/1 and is among the idle.
            if let Some(taken) = self.take_idle(reuse) {
                return Ok(taken);
            }
        }
        match Rc::clone(self).open(Arc::clone(endpoint)).await? {
            Opened::Http1(connection) => Ok(Taken::Http1(connection)),
            Opened::Http2(http2) => Ok(Taken::Http2(http2.place().expect("a new connection has room"))),
        }
    }

    /// The attempt under way, or a new one.
    fn join_opening(self: &Rc<Self>, endpoint: &Arc<Endpoint>) -> futures::future::Shared<Opening> {
        if let Some(opening) = self.opening.borrow().as_ref().and_then(WeakShared::upgrade) {
            return opening;
        }
        let opening = Rc::clone(self)
            .open_for_all(Arc::clone(endpoint))
            .boxed_local()
            .shared();
        self.opening.replace(opening.downgrade());
        opening
    }

    async fn open_for_all(self: Rc<Self>, endpoint: Arc<Endpoint>) -> Result<Option<Rc<Http2>>, ConnectError> {
        let opened = Rc::clone(&self).open(endpoint).await;
        // Whoever comes from here on finds the connection itself, or tries again.
        self.opening.take();
        match opened? {
            Opened::Http2(http2) => Ok(Some(http2)),
            Opened::Http1(connection) => {
                self.put_aside(connection);
                Ok(None)
            }
        }
    }

    async fn open(self: Rc<Self>, endpoint: Arc<Endpoint>) -> Result<Opened, ConnectError> {
        let transport = connect(&endpoint, &self.resolver, &self.shared).await?;
        let http2 = transport.speaks_http2();
        self.speaks_http1.set(!http2);
        let failed = |error: hyper::Error| ConnectError {
            failure: ConnectFailure::Other,
            sentence: format!(
                "the connection to {} ended as it began: {}",
                endpoint.authority(),
                reason(&error)
            ),
        };
        if !http2 {
            return Ok(Opened::Http1(Box::new(
                Http1::handshake(transport).await.map_err(failed)?,
            )));
        }
        let executor = Executor::new(self.shared.tasks.clone(), self.shared.gauges.clone());
        let http2 = Http2::handshake(transport, executor).await.map_err(failed)?;
        if !self.shared.closed.get() {
            self.streams.borrow_mut().push(Rc::clone(&http2));
            self.shared.keep_swept();
        }
        Ok(Opened::Http2(http2))
    }
}
