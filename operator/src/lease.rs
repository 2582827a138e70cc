//! Who of the replicas leads: the one that holds the Lease `pilotfish-operator`.
//!
//! Every replica compiles and serves; only the leader writes status, Events, ControllerRevisions and keys. The Lease
//! lasts 8 s and is renewed every 2 s, and the API server's optimistic concurrency lets one writer win. Nobody trusts
//! another host's clock: a follower measures by its own how long the record has not changed, and a leader stops 6 s
//! after it began its last successful renewal, two seconds before anybody else may start.
//!
//! The record names the holder, and an annotation says where sidecars reach it: acks matter to the leader, so a
//! follower tells its sidecars where to go.

mod election;

use crate::metrics::Metrics;
use election::Election;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, PostParams};
use kube::{Client, core::Status};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// The name of the Lease.
pub const LEASE: &str = "pilotfish-operator";
/// The annotation that says where sidecars reach the holder, as `host:port`.
pub const ADDRESS: &str = "pilotfish.dev/address";
/// Between two renewals, or two looks at who leads.
const PERIOD: Duration = Duration::from_secs(2);
/// Before a failed request is made again.
const RETRY: Duration = Duration::from_millis(500);
/// How long the API server may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// One replica, as it stands for leader.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Unlike that of every other process, past ones included.
    pub identity: String,
    /// Where sidecars reach it, as `host:port`.
    pub address: String,
}

/// Who leads, as far as this replica knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leader {
    /// Until when this replica leads, if it does.
    until: Option<Instant>,
    /// Where sidecars reach the leader, as `host:port`; absent while there is none.
    pub address: Option<String>,
}

/// Who leads, and word when that changes. A renewal is no change.
pub type Leadership = watch::Receiver<Leader>;

impl Candidate {
    /// A replica of this name, told apart from an earlier process of the same name.
    pub fn new(name: &str, address: impl Into<String>) -> Self {
        Self {
            identity: format!("{name}_{:08x}", fastrand::u32(..)),
            address: address.into(),
        }
    }
}

impl Leader {
    /// This replica until `until`, or another one; it is reached at `address`.
    pub fn new(until: Option<Instant>, address: Option<String>) -> Self {
        Self { until, address }
    }

    /// Whether this replica leads at `now`. Asked before each write: a process that was stopped for a while may hold a
    /// value that time has passed.
    pub fn is_me(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// Whether somebody who acts on `self` acts differently on `other`.
    fn differs(&self, other: &Self) -> bool {
        self.until.is_some() != other.until.is_some() || self.address != other.address
    }
}

/// Stands for leader until `stop`, then gives the Lease back.
pub struct Standing {
    api: Api<Lease>,
    election: Election,
    leader: watch::Sender<Leader>,
    metrics: Arc<Metrics>,
}

impl Standing {
    /// Of `candidate`, by the Lease of `namespace`.
    pub fn new(client: Client, namespace: &str, candidate: Candidate, metrics: Arc<Metrics>) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            election: Election::new(candidate),
            leader: watch::Sender::default(),
            metrics,
        }
    }

    /// Who leads, from now on.
    pub fn leadership(&self) -> Leadership {
        self.leader.subscribe()
    }

    /// Runs until `stop` is cancelled.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let attempted = tokio::select! {
                attempted = self.attempt() => attempted,
                () = stop.cancelled() => break,
            };
            let rest = match attempted {
                Ok(()) => PERIOD,
                Err(error) => {
                    tracing::warn!(%error, "the lease could not be had or kept");
                    RETRY
                }
            };
            self.publish();
            tokio::select! {
                () = tokio::time::sleep(jittered(rest)) => {}
                // Whatever the API server does, a leader that has not renewed in time is none.
                () = self.election.end() => self.publish(),
                () = stop.cancelled() => break,
            }
        }
        self.release().await;
    }

    /// Looks at the Lease unless it is ours, and asks for it if it may be had.
    async fn attempt(&mut self) -> Result<(), Failure> {
        if !self.election.goes_on(Instant::now()) {
            self.look().await?;
        }
        let asked = Instant::now();
        let Some(bid) = self.election.bid(asked, jiff::Timestamp::now()) else {
            return Ok(());
        };
        match self.write(&bid).await {
            Ok(lease) => {
                self.election.saw(Some(lease), asked);
                self.election.won(asked);
                Ok(())
            }
            Err(Failure::Overtaken) => self.look().await,
            Err(failure) => Err(failure),
        }
    }

    async fn look(&mut self) -> Result<(), Failure> {
        let lease = self.in_time(self.api.get_opt(LEASE)).await?;
        self.election.saw(lease, Instant::now());
        Ok(())
    }

    /// What was read is only ever replaced as it was read.
    async fn write(&self, bid: &Lease) -> Result<Lease, Failure> {
        let params = PostParams::default();
        if bid.metadata.resource_version.is_some() {
            self.in_time(self.api.replace(LEASE, &params, bid)).await
        } else {
            self.in_time(self.api.create(&params, bid)).await
        }
    }

    /// A leader's request does not outlast its time as leader.
    async fn in_time<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T, Failure> {
        let deadline = Instant::now() + PATIENCE;
        let deadline = self.election.until().map_or(deadline, |until| until.min(deadline));
        let answer = timeout_at(deadline, request).await.map_err(|_| Failure::Late)?;
        answer.map_err(Failure::from)
    }

    fn publish(&self) {
        let leader = self.election.leader(Instant::now());
        self.metrics.leader.set(leader.until.is_some().into());
        self.leader.send_if_modified(|published| {
            let differs = leader.differs(published);
            if differs {
                let leads = leader.until.is_some();
                tracing::info!(leads, address = leader.address.as_deref().unwrap_or(""), "leadership");
            }
            *published = leader;
            differs
        });
    }

    /// First nobody here acts as leader any more, then another may start.
    async fn release(&mut self) {
        if !self.election.resign(Instant::now()) {
            return;
        }
        self.publish();
        let released = match self.give_back().await {
            // By ourselves: the renewal that was cut off had its effect.
            Err(Failure::Overtaken) => match self.look().await {
                Ok(()) => self.give_back().await,
                Err(failure) => Err(failure),
            },
            released => released,
        };
        if let Err(error) = released {
            tracing::warn!(%error, "the lease was not given back and runs out by itself");
        }
    }

    async fn give_back(&self) -> Result<(), Failure> {
        match self.election.release() {
            Some(release) => self.write(&release).await.map(drop),
            None => Ok(()),
        }
    }
}

/// Replicas that were started together do not ask together.
fn jittered(period: Duration) -> Duration {
    period.mul_f64(0.9 + 0.2 * fastrand::f64())
}

/// Why a request for the Lease came to nothing.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the API server did not answer in time")]
    Late,
    #[error("another replica was faster")]
    Overtaken,
    #[error(transparent)]
    Refused(kube::Error),
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) if overtaken(status) => Self::Overtaken,
            _ => Self::Refused(error),
        }
    }
}

/// The Lease was changed, made or deleted by somebody else since it was read.
fn overtaken(status: &Status) -> bool {
    status.code == 409 || status.code == 404
}
