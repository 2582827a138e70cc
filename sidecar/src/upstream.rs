//! Calls to providers: connection pools, credentials, deadlines on connecting.
//!
//! One [`Pools`] per worker thread. A connection belongs to an endpoint's identity (scheme, host, port, roots, version
//! of the credential), so that pools outlive snapshots, and what one key opened another never uses. HTTP/1.1 on plain
//! connections; on TLS what the upstream prefers of HTTP/2 and HTTP/1.1. No redirects, no proxies from the environment:
//! a call goes where the configuration says.
//!
//! [`Pools::send`] repeats nothing that an upstream may have seen. The one thing it does again by itself: when an idle
//! connection turns out to be closed before any of the request was written, it takes the next. Everything else is
//! reported as a row of the failure table ([`SendErrorKind`]), and whoever asked decides.
//!
//! Dropping cancels: the future of [`Pools::send`] and the [`UpstreamBody`] close their HTTP/1 connection, or reset
//! their HTTP/2 stream, when they are dropped before the end.

mod body;
mod connect;
mod credential;
mod endpoint;
mod error;
mod http1;
mod http2;
mod out_body;
mod pool;
mod quoted;
mod relay;
mod resolve;
mod signature;
mod tls;
mod token;
mod transport;

pub use crate::meter::IntGauge;
pub use body::UpstreamBody;
pub(crate) use connect::{encrypted_http1, tcp};
pub use credential::{Credential, HeaderError, StandingHeaders};
pub use endpoint::{Endpoint, EndpointError};
pub(crate) use error::reason;
pub use error::{BodyError, ConnectFailure, SendError, SendErrorKind};
pub use out_body::{OutBody, Progress, Sent};
pub use signature::SignError;
pub use tls::RootsError;
pub use token::TokenError;

use endpoint::Identity;
use http1::Failed;
use pool::{Pool, Taken};
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;
use transport::Counted;

/// Of an answer's head on HTTP/2, bytes.
const MAX_HEAD: u32 = 64 * 1024;

/// How often idle connections are looked at, while there are any.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// What the pools of all workers count together.
#[derive(Clone, Debug)]
pub struct Gauges {
    /// Open connections to upstreams.
    pub connections: IntGauge,
    /// Tasks that the pools spawned: one per worker, and a few per HTTP/2 connection and stream.
    pub tasks: IntGauge,
}

/// Which connections a call may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// An idle one, or one with room for another stream; else a new one.
    Allowed,
    /// A new one: after a [`SendErrorKind::Stale`] or [`SendErrorKind::NotProcessed`].
    Never,
}

/// An answer whose head is there.
pub struct Response {
    /// Status and headers.
    pub head: http::response::Parts,
    /// The rest, as it comes in.
    pub body: UpstreamBody,
    /// The connection had served before.
    pub reused: bool,
}

/// The connections of one worker.
pub struct Pools {
    by_endpoint: RefCell<BTreeMap<Identity, Rc<Pool>>>,
    shared: Rc<Shared>,
    sweeper: AbortHandle,
}

/// What all pools of a worker have in common.
struct Shared {
    tasks: TaskTracker,
    gauges: Gauges,
    /// Where clients have reached this sidecar.
    own: RefCell<SmallVec<[SocketAddr; 2]>>,
    closed: Cell<bool>,
    sweeping: Cell<bool>,
    something_to_sweep: Notify,
}

impl Pools {
    /// Starts the worker's sweeper on `tasks`; to be called on the worker's thread, inside its runtime.
    pub fn new(tasks: TaskTracker, gauges: Gauges) -> Rc<Self> {
        let shared = Rc::new(Shared {
            tasks,
            gauges,
            own: RefCell::default(),
            closed: Cell::new(false),
            sweeping: Cell::new(false),
            something_to_sweep: Notify::new(),
        });
        Rc::new_cyclic(|pools| {
            let sweeper = shared
                .tasks
                .spawn_local(sweep(Weak::clone(pools), Rc::clone(&shared)))
                .abort_handle();
            Self {
                by_endpoint: RefCell::default(),
                shared,
                sweeper,
            }
        })
    }

    /// A client has reached this sidecar at `address`: no connection goes there, or a deployment that names its own
    /// sidecar would call it without end.
    pub fn serves_at(&self, address: SocketAddr) {
        let mut own = self.shared.own.borrow_mut();
        let address = canonical(address);
        if !own.contains(&address) && own.len() < MOST_OWN {
            own.push(address);
        }
    }

    /// Sends `request` and waits for the answer's head. Of its URI the path counts; `Host` and `Content-Length` are
    /// written here. `connect_timeout` is for each connection that has to be opened: name, TCP and TLS together. The
    /// wait for the head has no deadline of its own: drop the future to give up.
    pub async fn send(
        &self,
        endpoint: &Arc<Endpoint>,
        mut request: http::Request<OutBody>,
        connect_timeout: Duration,
        reuse: Reuse,
    ) -> Result<Response, SendError> {
        let pool = self.pool(endpoint);
        loop {
            let taken = pool.take(endpoint, reuse, connect_timeout).await?;
            request = match Self::exchange(&pool, taken, endpoint, request).await {
                Ok(response) => return Ok(response),
                Err(Failed::Lost(error)) => return Err(error),
                // Each round uses up an idle connection; a new one's failure is final.
                Err(Failed::Unsent(request)) => *request,
            };
        }
    }

    /// Closes what is idle and keeps nothing from now on; answers that are under way end undisturbed, and with the last
    /// of them the last of the pools' tasks.
    pub fn close(&self) {
        self.shared.closed.set(true);
        self.sweeper.abort();
        self.by_endpoint.borrow().values().for_each(|pool| pool.close());
    }

    fn pool(&self, endpoint: &Endpoint) -> Rc<Pool> {
        let mut pools = self.by_endpoint.borrow_mut();
        let pool = pools.entry(endpoint.identity).or_insert_with(|| {
            // Swept even if it never connects, or endpoints that are gone would stay for ever.
            self.shared.keep_swept();
            Pool::new(Rc::clone(&self.shared), endpoint)
        });
        Rc::clone(pool)
    }

    async fn exchange(
        pool: &Rc<Pool>,
        taken: Taken,
        endpoint: &Endpoint,
        request: http::Request<OutBody>,
    ) -> Result<Response, Failed> {
        match taken {
            Taken::Http1(connection) => {
                let reused = connection.is_reused();
                let (answer, connection) = connection.exchange(request, &endpoint.host_header).await?;
                let (head, incoming) = answer.into_parts();
                Ok(Response {
                    head,
                    body: UpstreamBody::http1(incoming, connection, Rc::clone(pool)),
                    reused,
                })
            }
            Taken::Http2(place) => {
                let reused = place.is_reused();
                let (answer, place) = place.exchange(request, endpoint).await?;
                let (head, incoming) = answer.into_parts();
                Ok(Response {
                    head,
                    body: UpstreamBody::http2(incoming, place),
                    reused,
                })
            }
        }
    }

    /// True while anything is left to sweep.
    fn sweep(&self) -> bool {
        let mut left = false;
        // A pool that only this map holds has nothing under way either.
        self.by_endpoint.borrow_mut().retain(|_, pool| {
            let keep = pool.sweep();
            left |= keep;
            keep || Rc::strong_count(pool) > 1
        });
        left
    }
}

impl Drop for Pools {
    fn drop(&mut self) {
        self.close();
    }
}

/// More addresses of its own than a sidecar has.
const MOST_OWN: usize = 16;

/// An IPv4 address may come as an IPv6 one.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl Shared {
    fn is_own(&self, address: SocketAddr) -> bool {
        self.own.borrow().contains(&canonical(address))
    }

    /// Wakes the sweeper if it sleeps.
    fn keep_swept(&self) {
        if !self.sweeping.replace(true) {
            self.something_to_sweep.notify_one();
        }
    }
}

/// Sleeps while there is nothing to sweep, or an idle sidecar would wake up every second for nothing.
async fn sweep(pools: Weak<Pools>, shared: Rc<Shared>) {
    let _counted = Counted::new(&shared.gauges.tasks);
    loop {
        shared.something_to_sweep.notified().await;
        while shared.sweeping.get() {
            tokio::time::sleep(SWEEP_EVERY).await;
            let Some(pools) = pools.upgrade() else { return };
            shared.sweeping.set(pools.sweep());
        }
    }
}

#[cfg(test)]
mod tests;
