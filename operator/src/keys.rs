//! VirtualKeys get their keys: the leader makes each one's Secret, and replaces the key in it as `rotation` says.
//!
//! The Secret is the truth, and sidecars take what it holds. A key is written once; a Secret that somebody else made is
//! used if it has our label and is never written to; what stands in the way is told by the VirtualKey's conditions
//! ([`Troubles`]). Every write is based on one version of the Secret, so two leaders could not make two keys. The times
//! are annotations of the Secret ([`Kept`]): a leader that was away for longer than a period rotates once. A leader whose
//! clock is ahead rotates early, and the next one puts back what it wrote.
//!
//! A Secret goes with the VirtualKey that made it. After a change of `secretName` the former Secret stays until then,
//! but its key is no longer taken.

mod change;
mod generate;
mod kept;
mod order;
mod step;
mod troubles;
mod write;

pub(crate) use generate::recognisable;
pub use kept::Kept;
pub(crate) use troubles::span;
pub use troubles::{Trouble, Troubles};

use crate::events::Recorder;
use crate::lease::Leadership;
use crate::metrics::{Metrics, Outcome};
use crate::watch::{Compilation, Compilations};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use kube::Client;
use order::{Order, orders};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use troubles::Account;
use write::{Failure, Writer};

/// How many Secrets are written at once.
const AT_ONCE: usize = 8;
/// Clocks are set now and then; a rotation is at most this much late for it.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Makes and replaces keys while this replica leads.
pub struct Controller {
    compilations: Compilations,
    leadership: Leadership,
    writer: Writer,
    recorder: Recorder,
    metrics: Arc<Metrics>,
    account: Account,
    troubles: watch::Sender<Troubles>,
}

impl Controller {
    /// One that does nothing yet.
    pub fn new(
        client: Client,
        compilations: Compilations,
        leadership: Leadership,
        recorder: Recorder,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            compilations,
            writer: Writer::new(client, leadership.clone()),
            leadership,
            recorder,
            metrics,
            account: Account::default(),
            troubles: watch::Sender::default(),
        }
    }

    /// What stands in the way of keys, from now on.
    pub fn troubles(&self) -> watch::Receiver<Troubles> {
        self.troubles.subscribe()
    }

    /// Works for as long as it is polled.
    pub async fn run(mut self) {
        loop {
            let compilation = self.compilations.borrow_and_update().clone();
            let leads = self.leadership.borrow_and_update().is_me(Instant::now());
            let rest = match compilation.filter(|_| leads) {
                Some(compilation) => self.look(&compilation).await,
                None => LONGEST_REST,
            };
            tokio::select! {
                changed = self.compilations.changed() => if changed.is_err() { return },
                changed = self.leadership.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Does what is to be done now, and says for how long there is nothing more.
    async fn look(&mut self, compilation: &Compilation) -> Duration {
        let now = Timestamp::now();
        let orders = orders(compilation, now);
        self.account.retain(|name| compilation.world.keys.contains_key(name));
        let mut rest = LONGEST_REST;
        let mut due = Vec::new();
        for order in &orders {
            match self.account.wait(order, (now, Instant::now())) {
                Some(wait) => rest = rest.min(wait),
                None => due.push(order),
            }
        }
        for (order, outcome) in self.carry_out(due).await {
            rest = rest.min(self.account.note(order, outcome, Instant::now()));
        }
        self.account.publish(&self.troubles);
        rest
    }

    async fn carry_out<'o>(&self, due: Vec<&'o Order<'o>>) -> Vec<(&'o Order<'o>, Result<(), Failure>)> {
        let mut work = Vec::with_capacity(due.len());
        for order in due {
            work.push(async move { (order, self.carry_out_one(order).await) });
        }
        stream::iter(work).buffer_unordered(AT_ONCE).collect().await
    }

    async fn carry_out_one(&self, order: &Order<'_>) -> Result<(), Failure> {
        let done = self.writer.carry_out(order).await;
        match &done {
            Ok(occurrence) => {
                self.metrics.key_write(Outcome::Ok);
                tracing::info!(key = %order.name, step = order.step.as_str(), "a key's secret was written");
                if let Some(occurrence) = occurrence {
                    self.recorder.record(&order.regarding, occurrence).await;
                }
            }
            Err(Failure::Overtaken | Failure::NoLeader) => {}
            Err(failure) => {
                self.metrics.key_write(Outcome::Failed);
                tracing::warn!(key = %order.name, step = order.step.as_str(), %failure, "a key's secret was not written");
            }
        }
        done.map(drop)
    }
}
