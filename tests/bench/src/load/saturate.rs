//! Closed loop: so many connections, each with its next request as soon as it has its answer.
//!
//! One event loop, because a thread per connection would cost the proxy a wake-up per answer and this side two context
//! switches, and this core has to keep up with the proxy's while the fake upstream runs on it too.

use super::answer::Answer;
use super::{Aim, PATIENCE, connect};
use crate::awake::Awake;
use anyhow::{Context, Result, ensure};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Answers that a figure takes; a window in which there are fewer is made longer.
const FEWEST: u32 = 8;

/// How hard and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Requests under way at any time.
    pub(crate) connections: usize,
    /// Not measured: pools fill, allocators and caches settle.
    pub(crate) warm_up: Duration,
    /// Measured, at least.
    pub(crate) window: Duration,
}

/// What happened in the window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throughput {
    /// Answers that became whole.
    pub(crate) requests: u32,
    /// CPU time of the process under load.
    pub(crate) cpu: Duration,
    /// How long the window was in the end.
    pub(crate) wall: Duration,
}

/// Carries out `plan`; `cpu` reads the CPU time that the process under load has used so far.
pub(crate) fn run(plan: Plan, aim: Aim<'_>, awake: &Awake, cpu: impl Fn() -> Result<Duration>) -> Result<Throughput> {
    let _awake = awake.hold();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let answered = Arc::new(AtomicU32::new(0));
        let mut clients = JoinSet::new();
        let turning = awake.clone();
        clients.spawn(async { Ok(turning.keep().await) });
        for number in 0..plan.connections {
            let stream = connect(aim.target)?;
            stream.set_nonblocking(true)?;
            clients.spawn(ask(
                TcpStream::from_std(stream)?,
                (aim.request)(number),
                answered.clone(),
            ));
        }
        tokio::select! {
            throughput = measure(plan, &answered, cpu) => throughput,
            Some(ended) = clients.join_next() => ended?.map(|never| match never {}),
        }
    })
}

async fn measure(plan: Plan, answered: &AtomicU32, cpu: impl Fn() -> Result<Duration>) -> Result<Throughput> {
    sleep(plan.warm_up).await;
    let (began, used, before) = (Instant::now(), cpu()?, answered.load(Ordering::Relaxed));
    let mut requests = 0;
    while requests < FEWEST {
        sleep(plan.window).await;
        requests = answered.load(Ordering::Relaxed) - before;
        ensure!(began.elapsed() < PATIENCE, "{requests} answers within {PATIENCE:?}");
    }
    Ok(Throughput {
        requests,
        cpu: cpu()?.saturating_sub(used),
        wall: began.elapsed(),
    })
}

async fn ask(mut stream: TcpStream, request: Vec<u8>, answered: Arc<AtomicU32>) -> Result<Infallible> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        stream.write_all(&request).await?;
        let mut answer = Answer::default();
        while !answer.is_whole() {
            let count = stream.read(&mut buffer).await.context("waiting for an answer")?;
            ensure!(count > 0, "the connection was closed before the answer was whole");
            answer.push(&buffer[..count])?;
        }
        answered.fetch_add(1, Ordering::Relaxed);
    }
}
