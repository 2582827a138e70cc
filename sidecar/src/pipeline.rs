//! The life of a request, in order; read this first.
//!
//! `recognise` (method and path) → `authenticate` (who) → bounded body → model → policy → `authenticate` (may they) →
//! `route` (candidates) → for each attempt: `limit` (admission) → translate → `attempt` → settle → translate back.
//! Whatever stops a request on the way is a refusal, and `respond` alone turns it into a status.

mod attempt;
mod authenticate;
mod deadline;
mod explain;
mod limit;
mod models;
mod recognise;
mod respond;
mod route;
mod stamp;
mod verdict;

pub(crate) use attempt::AnswerStream;
pub use recognise::call_of;

use crate::affinity::displaced::Displaced;
use crate::app;
use crate::body::{self, Body, Held};
use crate::dialect::{Asked, InPath, Operation};
use crate::health::Registry;
use crate::json::Index;
use crate::meter::{InFlight, Meter, Shape};
use crate::policy::{Broken, InForce, Route, Snapshot};
use crate::sealed::Sealed;
use crate::stored::Stored;
use crate::thoughts::Thoughts;
use crate::uncounted::Uncounted;
use crate::upstream::{Gauges, Pools};
use authenticate::Caller;
use deadline::Deadlines;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use recognise::Wanted;
use respond::{Refusal, Stamp};
use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// What all workers of a sidecar share.
pub(crate) struct Shared {
    pub in_force: Arc<InForce>,
    pub meter: Arc<Meter>,
    pub bodies: Arc<body::Pool>,
    pub health: Registry,
    pub displaced: Displaced,
    pub thoughts: Thoughts,
    pub stored: Stored,
    pub sealed: Sealed,
    pub uncounted: Uncounted,
}

impl Shared {
    pub(crate) fn new(meter: Arc<Meter>, body_pool: u64, now: Instant) -> Self {
        Self {
            in_force: app::nothing_in_force(),
            bodies: body::Pool::new(body_pool, Arc::clone(&meter)),
            meter,
            health: Registry::default(),
            displaced: Displaced::new(now),
            thoughts: Thoughts::new(),
            stored: Stored::default(),
            sealed: Sealed::default(),
            uncounted: Uncounted::default(),
        }
    }
}

/// One thread's part: its connections to providers, and its tasks.
pub(crate) struct Worker {
    pub shared: Arc<Shared>,
    pub pools: Rc<Pools>,
    pub tasks: TaskTracker,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, tasks: TaskTracker) -> Rc<Self> {
        let gauges = Gauges {
            connections: shared.meter.connections_out.clone(),
            tasks: shared.meter.tasks.clone(),
        };
        let pools = Pools::new(tasks.clone(), gauges);
        Rc::new(Self { shared, pools, tasks })
    }
}

/// One request's visit: what holds from its first byte to its answer's last.
struct Visit {
    worker: Rc<Worker>,
    /// The one snapshot this request sees.
    snapshot: Arc<Snapshot>,
    started: Instant,
    unix_seconds: i64,
    request_id_header: HeaderValue,
    in_flight: Rc<InFlight>,
    // For the labels of its count, as far as known by now.
    shape: Cell<Shape>,
    route: RefCell<Option<Arc<Route>>>,
    /// Why it was refused, for a client that asked for it.
    trace: RefCell<Option<HeaderValue>>,
    /// It is counted: answered, refused, or by the attempt that is under way.
    counted: Cell<bool>,
}

impl Drop for Visit {
    /// A client that went away while nothing was under way is counted as well.
    fn drop(&mut self) {
        if !self.counted.get() {
            self.count(CLIENT_GONE);
        }
    }
}

/// What the client that went away would have seen: nginx's 499.
pub(crate) const CLIENT_GONE: u16 = 499;

/// Serves one request. `length_seen`: its head named a `Content-Length`, whether or not hyper kept it.
pub(crate) async fn serve(worker: Rc<Worker>, request: Request<Incoming>, length_seen: bool) -> Response<Body> {
    let (head, mut incoming) = request.into_parts();
    let shape = Shape {
        dialect: recognise::error_dialect(head.uri.path()),
        operation: Operation::Generate,
        stream: false,
    };
    let visit = Visit::new(worker, shape);
    match visit.answer(&head, &mut incoming, length_seen).await {
        Ok(response) => {
            visit.counted.set(true);
            response
        }
        Err(refusal) => visit.refuse(&refusal, incoming),
    }
}

impl Visit {
    fn new(worker: Rc<Worker>, shape: Shape) -> Self {
        Self {
            shape: Cell::new(shape),
            route: RefCell::new(None),
            trace: RefCell::new(None),
            counted: Cell::new(false),
            snapshot: worker.shared.in_force.load_full(),
            started: Instant::now(),
            unix_seconds: app::unix_seconds(),
            request_id_header: request_id(),
            in_flight: Rc::new(InFlight::new(&worker.shared.meter)),
            worker,
        }
    }

    /// Our own id for this request.
    fn request_id(&self) -> &str {
        self.request_id_header.to_str().unwrap_or_default()
    }

    fn shape_of(&self, asked: &Asked<'_>) -> Shape {
        Shape {
            dialect: asked.dialect,
            operation: asked.operation,
            stream: asked.stream,
        }
    }

    async fn answer(
        &self,
        head: &Parts,
        incoming: &mut Incoming,
        length_seen: bool,
    ) -> Result<Response<Body>, Refusal> {
        if !self.snapshot.is_ready() {
            return Err(Refusal::NotReady);
        }
        match recognise::recognise(&head.method, head.uri.path(), head.uri.query())? {
            Wanted::Models(name, google) => {
                let shape = models::Shape::of(&head.headers, google);
                // Whoever reads the list reads a refusal, too.
                self.shape.set(Shape {
                    dialect: shape.dialect(),
                    ..self.shape.get()
                });
                let caller = self.identify(head)?;
                self.models(shape, &caller, name)
            }
            Wanted::Call(dialect, operation, path) => {
                self.shape.set(Shape {
                    dialect,
                    operation,
                    stream: false,
                });
                plain_body(head, length_seen)?;
                let caller = self.identify(head)?;
                self.call(head, incoming, &caller, path).await
            }
        }
    }

    fn identify(&self, head: &Parts) -> Result<Caller, Refusal> {
        authenticate::identify(head, &self.snapshot, self.unix_seconds)
    }

    async fn call(
        &self,
        head: &Parts,
        incoming: &mut Incoming,
        caller: &Caller,
        path: InPath<'_>,
    ) -> Result<Response<Body>, Refusal> {
        let shared = &self.worker.shared;
        let mut held = Held::none(&shared.bodies);
        let body = body::collect_limited(incoming, &mut held).await?;
        let received = Instant::now();
        let Shape { dialect, operation, .. } = self.shape.get();
        let mut index = Index::default();
        let asked = Asked::read_indexed(dialect, operation, path, &body, &mut index)?;
        self.shape.set(self.shape_of(&asked));
        let route = self.route(&asked, caller)?;
        self.route.replace(Some(Arc::clone(route)));
        let policy = self.policy(route, &asked)?;
        let authorised = authenticate::authorise(caller, policy, &asked.model)?;

        let facts = route::Facts::new(&asked, &head.headers, body.len());
        let rule = route::rule(&authorised, &facts).ok_or_else(|| no_rule(&asked))?;
        let health = |target: &crate::policy::Target| {
            caller.health(&target.deployment, operation, &self.snapshot, &shared.health)
        };
        let random = || fastrand::u64(..);
        let plan = route::plan(&authorised, rule, &facts, health, &shared.displaced, random, received);
        let request = attempt::Request {
            visit: self,
            head,
            body: &body,
            asked: &asked,
            route,
            policy,
            tenant: &authorised.caller.tenant,
            album: attempt::Album::default(),
            deadlines: Deadlines::new(&head.headers, policy.timeouts, asked.stream, self.started),
            sdk_retries: sdk_retries(head),
        };
        policy.retry_budget.earn(policy.retry.budget_percent, received);
        let (response, upstream) = attempt::attempts(&request, &plan).await?;
        // Reading the client's body and waiting for the upstream are not the sidecar's own time.
        let own = received.elapsed().saturating_sub(upstream);
        shared.meter.overhead.observe(own.as_secs_f64());
        Ok(response)
    }

    fn route(&self, asked: &Asked<'_>, caller: &Caller) -> Result<&Arc<Route>, Refusal> {
        self.snapshot.route(&asked.model).ok_or_else(|| Refusal::UnknownModel {
            model: asked.model.to_string(),
            offered: models::offered(&self.snapshot, caller),
        })
    }

    fn policy<'a>(&self, route: &'a Arc<Route>, asked: &Asked<'_>) -> Result<&'a Arc<crate::policy::Policy>, Refusal> {
        let broken = |Broken(reason): &Broken| Refusal::Broken {
            model: asked.model.to_string(),
            reason: reason.clone(),
        };
        route.policy.as_ref().map_err(broken)
    }

    fn models(&self, shape: models::Shape, caller: &Caller, name: Option<&str>) -> Result<Response<Body>, Refusal> {
        let body = models::answer(&self.snapshot, caller, shape, name)?;
        let mut response = Response::new(Body::whole(body));
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.stamp().on(response.headers_mut());
        Ok(response)
    }

    fn stamp(&self) -> Stamp<'_> {
        Stamp {
            request_id: &self.request_id_header,
            config: &self.snapshot.version,
            trace: self.trace.take(),
        }
    }

    /// Counts a request that no deployment answered.
    fn count(&self, code: u16) {
        let route = self.route.borrow();
        let label = route.as_ref().map(|route| &*route.label);
        self.worker.shared.meter.unserved(label, self.shape.get(), code);
        self.counted.set(true);
    }

    /// Counts and answers; the rest of the client's body is read in the background, or it would see a reset.
    fn refuse(&self, refusal: &Refusal, incoming: Incoming) -> Response<Body> {
        let response = respond::refuse(refusal, self.shape.get().dialect, &self.stamp());
        let code = response.status().as_u16();
        self.count(code);
        tracing::info!(
            request_id = self.request_id(),
            code,
            reason = refusal.word(),
            model = self.route.borrow().as_ref().map(|route| &*route.label),
            milliseconds = self.started.elapsed().as_millis(),
            "request refused"
        );
        if !http_body::Body::is_end_stream(&incoming) {
            drop(self.worker.tasks.spawn_local(body::drain(incoming)));
        }
        response
    }
}

/// 64 random bits: unique enough to find one request among a day's.
fn request_id() -> HeaderValue {
    let mut text = String::with_capacity(19);
    // Writing to a string cannot fail.
    let _written = write!(text, "pf-{:016x}", fastrand::u64(..));
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("pf-0"))
}

/// What makes a body unreadable, before any of it is read.
fn plain_body(head: &Parts, length_seen: bool) -> Result<(), Refusal> {
    if length_seen && head.headers.contains_key(TRANSFER_ENCODING) {
        return Err(Refusal::LengthAndChunked);
    }
    let encoded = |value: &HeaderValue| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    if head.headers.get_all(CONTENT_ENCODING).iter().any(encoded) {
        return Err(Refusal::Encoded);
    }
    Ok(())
}

/// The compiler sees to it that the last rule has no condition; a policy without one is answered all the same.
fn no_rule(asked: &Asked<'_>) -> Refusal {
    let reason = "none of its policy's rules matches this request".to_owned();
    Refusal::Broken {
        model: asked.model.to_string(),
        reason,
    }
}

static RETRY_COUNT: HeaderName = HeaderName::from_static("x-stainless-retry-count");

/// The official SDKs count their own repetitions.
fn sdk_retries(head: &Parts) -> bool {
    head.headers
        .get(&RETRY_COUNT)
        .is_some_and(|count| count.as_bytes() != b"0")
}
