//! Arguments → tasks, wired by hand, joined, drained.

use crate::admin::{self, Admin};
use crate::body;
use crate::inbound;
use crate::meter::Meter;
use crate::pipeline::{Shared, Worker};
use crate::policy::{InForce, Snapshot};
use crate::subscribe::Configuring;
pub use crate::subscribe::{Operator, Source, Subscribed};
use crate::telemetry;
use anyhow::Context;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections waiting to be accepted.
const BACKLOG: u32 = 1024;

/// What a sidecar is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where applications call; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Where it is scraped and probed.
    pub telemetry: SocketAddr,
    /// Threads that serve requests; one is enough for tens of thousands of requests a second.
    pub workers: usize,
    /// How many bytes of bodies it may hold at once.
    pub body_pool: u64,
    /// How long requests in hand may take to end once it is told to stop.
    pub drain: Duration,
    /// Where it can be asked what it does, and told.
    pub admin: Option<Admin>,
}

impl Config {
    /// The defaults around two addresses.
    pub fn new(listen: SocketAddr, telemetry: SocketAddr) -> Self {
        Self {
            listen,
            telemetry,
            workers: 1,
            body_pool: body::DEFAULT_POOL,
            drain: Duration::from_secs(30),
            admin: None,
        }
    }
}

/// Runs a sidecar until `stop` is cancelled or one of its tasks ends unasked, which is an error. Blocks the thread.
pub fn run(config: Config, source: Source, stop: CancellationToken) -> anyhow::Result<()> {
    block_on(serve(config, source, stop))?
}

/// [`run`] until the process is told to stop: SIGTERM, or Ctrl-C.
pub fn run_until_signal(config: Config, source: Source) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    block_on(async {
        let told = async {
            let signal = signal().await;
            stop.cancel();
            match signal {
                Ok(()) => std::future::pending().await,
                Err(error) => Err(error).context("signals cannot be waited for"),
            }
        };
        tokio::select! {
            ended = serve(config, source, stop.clone()) => ended,
            failed = told => failed,
        }
    })?
}

async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Does `work` on this thread, with a runtime of its own. A name that is still being looked up when it is done, which
/// can take long, is not waited for.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder
        .enable_all()
        .build_local(Default::default())
        .context("the runtime could not be started")?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(done)
}

async fn serve(config: Config, source: Source, stop: CancellationToken) -> anyhow::Result<()> {
    let meter = Meter::new();
    let shared = Arc::new(Shared::new(meter, config.body_pool, Instant::now()));
    let tasks = TaskTracker::new();
    let listener = listen(config.listen, config.workers > 1)?;
    let listening = listener.local_addr()?;
    let scraped = listen(config.telemetry, false)?;
    tracing::info!(address = %listening, telemetry = %scraped.local_addr()?, "listening");

    let mut owned = JoinSet::new();
    let worker = Worker::new(Arc::clone(&shared), tasks.clone());
    let (configuring, ended) = Configuring::start(source, Arc::clone(&shared))?;
    owned.spawn_local(async move { drop(ended.await) });
    owned.spawn_local(telemetry::serve(
        scraped,
        Arc::clone(&shared),
        tasks.clone(),
        stop.clone(),
    ));
    if let Some(admin) = config.admin.as_ref().and_then(admin::listen) {
        owned.spawn_local(admin.serve(Arc::clone(&shared), tasks.clone(), stop.clone()));
    }
    owned.spawn_local(accept(listener, Rc::clone(&worker), stop.clone()));
    let threads = more_workers(&config, listening, &shared, &tasks, &stop)?;

    let outcome = tokio::select! {
        () = stop.cancelled() => Ok(()),
        Some(ended) = owned.join_next() => match ended {
            Ok(()) => Err(anyhow::anyhow!("a task of the sidecar ended unasked")),
            Err(error) => Err(anyhow::Error::new(error).context("a task of the sidecar failed")),
        },
    };
    stop.cancel();
    worker.pools.close();
    drain(&tasks, config.drain).await;
    // Until here configuration is received and acknowledged as ever.
    configuring.stop();
    owned.shutdown().await;
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a worker thread panicked");
        }
    }
    outcome
}

/// Requests in hand end by themselves, or are given up after `limit`.
async fn drain(tasks: &TaskTracker, limit: Duration) {
    tasks.close();
    if tokio::time::timeout(limit, tasks.wait()).await.is_err() {
        tracing::warn!(
            tasks = tasks.len(),
            "requests were still open when the time to drain was up"
        );
    }
}

fn listen(address: SocketAddr, shared: bool) -> anyhow::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    if shared {
        socket.set_reuseport(true)?;
    }
    socket
        .bind(address)
        .with_context(|| format!("cannot listen on {address}"))?;
    Ok(socket.listen(BACKLOG)?)
}

async fn accept(listener: TcpListener, worker: Rc<Worker>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // The listener is closed here, so that a probe sees at once that nothing new is taken.
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "nodelay not set");
                }
                drop(
                    worker
                        .tasks
                        .spawn_local(inbound::serve(Rc::clone(&worker), stream, stop.clone())),
                );
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                // Out of descriptors, most likely: the next attempt would fail at once, too.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    // Ending here would look like a failure to the owner, who is draining.
    std::future::pending().await
}

/// Seconds since the Unix epoch, read at the edge and passed on as a value.
pub(crate) fn unix_seconds() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Workers beyond the first, each a thread with a runtime, pools and an accepting socket of its own.
fn more_workers(
    config: &Config,
    address: SocketAddr,
    shared: &Arc<Shared>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<std::thread::JoinHandle<()>>> {
    let mut threads = Vec::new();
    for number in 1..config.workers {
        let (shared, tasks, stop, limit) = (Arc::clone(shared), tasks.clone(), stop.clone(), config.drain);
        let work = move || {
            let working = block_on(async {
                let listener = match listen(address, true) {
                    Ok(listener) => listener,
                    Err(error) => return tracing::error!(%error, "worker not started"),
                };
                let worker = Worker::new(shared, tasks.clone());
                let mut owned = JoinSet::new();
                owned.spawn_local(accept(listener, Rc::clone(&worker), stop.clone()));
                stop.cancelled().await;
                worker.pools.close();
                drain(&tasks, limit).await;
                owned.shutdown().await;
            });
            if let Err(error) = working {
                tracing::error!(%error, "worker not started");
            }
        };
        threads.push(
            std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(work)?,
        );
    }
    Ok(threads)
}

/// The state that all workers share, before anything is configured.
pub(crate) fn nothing_in_force() -> Arc<InForce> {
    Arc::new(InForce::from_pointee(Snapshot::empty()))
}
