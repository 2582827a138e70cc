//! The pools against real sockets on loopback. The other side is a script in the same task, so that what happens first
//! is written down and nothing waits on a clock.

mod certificates;
mod credential;
mod endpoint;
mod frames;
mod http1;
mod http2;
mod lifetime;
pub(super) mod script;
mod tls;

use super::*;
use bytes::Bytes;
use http::Method;
use script::Script;
use tokio::net::TcpListener;

/// Longer than any test: a hang becomes a failure.
const TOO_LONG: Duration = Duration::from_secs(20);

/// One worker.
struct Worker {
    pools: Rc<Pools>,
    gauges: Gauges,
    tasks: TaskTracker,
}

impl Worker {
    fn new() -> Self {
        let gauges = Gauges {
            connections: IntGauge::default(),
            tasks: IntGauge::default(),
        };
        let tasks = TaskTracker::new();
        Self {
            pools: Pools::new(tasks.clone(), gauges.clone()),
            gauges,
            tasks,
        }
    }

    async fn send(&self, endpoint: &Arc<Endpoint>, body: impl Into<OutBody>) -> Result<Response, SendError> {
        self.pools
            .send(endpoint, post(body.into()), TOO_LONG, Reuse::Allowed)
            .await
    }

    async fn send_on_new(&self, endpoint: &Arc<Endpoint>, body: impl Into<OutBody>) -> Result<Response, SendError> {
        self.pools
            .send(endpoint, post(body.into()), TOO_LONG, Reuse::Never)
            .await
    }

    /// What every test ends with: no connection and no task is left behind.
    async fn ends_with_nothing_left(self) {
        self.pools.close();
        self.tasks.close();
        self.tasks.wait().await;
        assert_eq!(
            (self.gauges.connections.get(), self.gauges.tasks.get()),
            (0, 0),
            "connections, tasks"
        );
    }
}

/// Runs `test` as a worker would run a request: on its own thread's runtime.
fn on_a_worker(test: impl AsyncFnOnce(&Worker)) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build_local(Default::default()).unwrap();
    let whole = async {
        let worker = Worker::new();
        test(&worker).await;
        worker.ends_with_nothing_left().await;
    };
    runtime.block_on(async { tokio::time::timeout(TOO_LONG, whole).await.expect("the test hangs") });
}

async fn plain() -> (TcpListener, Arc<Endpoint>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    (listener, Endpoint::parse(&url, None, "").unwrap())
}

fn post(body: OutBody) -> http::Request<OutBody> {
    let mut request = http::Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static("/v1/chat/completions");
    request
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// More than any socket's buffers take.
fn large() -> Bytes {
    Bytes::from(vec![b'x'; 32 * 1024 * 1024])
}

/// The whole body, or where it broke off.
async fn read(mut response: Response) -> Result<String, BodyError> {
    let mut text = Vec::new();
    while let Some(piece) = response.body.next().await {
        text.extend_from_slice(&piece?);
    }
    Ok(String::from_utf8(text).unwrap())
}

/// The row and how much was sent, or a panic with what came instead.
fn row(outcome: Result<Response, SendError>) -> (SendErrorKind, Sent) {
    match outcome {
        Ok(response) => panic!("an answer came: {:?}", response.head),
        Err(error) => (error.kind(), error.sent()),
    }
}

/// Everything that happened on other sockets before this call has been noticed when it returns: the event this waits
/// for came after.
async fn everything_is_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (near, far) = tokio::join!(tokio::net::TcpStream::connect(address), listener.accept());
    let (mut near, mut far) = (Script::new(near.unwrap()), Script::new(far.unwrap().0));
    near.write("x").await;
    far.read_exactly(1).await;
}
