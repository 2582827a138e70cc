//! Receive → check → swap → ack, or nack and keep the last good.
//!
//! A batch runs from `begin` to `commit` and is applied whole; a new `begin` discards one that was not committed. What
//! cannot be used is refused by name in the ack and replaced by its previous good version. Keys alone may be changed
//! outside a batch, at once.
//!
//! Messages come from an [`operator`], whose last good configuration is kept in a file for the time without it, or
//! through a channel. Both on a thread of their own ([`source`]): TLS, JSON and the making of a snapshot take no time
//! from requests.

mod backoff;
mod certificate;
mod connection;
mod error;
mod identity;
mod last_good;
mod lines;
mod operator;
mod outbox;
mod received;
mod source;
mod stream;

pub use operator::Operator;
pub(crate) use source::Configuring;
pub use source::{Source, Subscribed};

use crate::pipeline::Shared;
use crate::policy::{Builder, Configuration};
use pilotfish_wire::{Ack, Refusal};
use received::{Received, Said};
use std::sync::Arc;
use tokio::time::Instant;

/// Puts what was received in force.
struct Subscription {
    shared: Arc<Shared>,
    builder: Builder,
    /// What of the configuration in force could not be used.
    refused: Vec<Refusal>,
}

/// The two clocks at the moment a message is handled.
#[derive(Clone, Copy, Debug)]
struct Clock {
    now: Instant,
    /// Seconds since the Unix epoch.
    unix_seconds: i64,
}

impl Clock {
    fn read() -> Self {
        Self {
            now: Instant::now(),
            unix_seconds: crate::app::unix_seconds(),
        }
    }
}

impl Subscription {
    fn new(shared: Arc<Shared>) -> Self {
        let builder = Builder::new(Arc::clone(&shared.meter));
        Self {
            shared,
            builder,
            refused: Vec::new(),
        }
    }

    /// Counts what came in.
    fn count(&self, said: &Said) {
        if let Said::Batch { resources, .. } = said {
            self.shared.meter.batches.inc();
            self.shared.meter.resources.inc_by(*resources);
        }
    }

    /// Obeys a stream's configuration after what it `said`. A batch is answered by an ack, and so is what is urgent
    /// and asks for it.
    fn obey(&mut self, configuration: &Configuration, said: Said, clock: Clock) -> Option<Ack> {
        match said {
            Said::Batch { nonce, changed, .. } => {
                if changed {
                    self.put_in_force(configuration, clock.unix_seconds, clock.now);
                    self.shared.meter.configuration(&configuration.version);
                    tracing::info!(
                        version = configuration.version,
                        resources = configuration.resources.len(),
                        "configuration in force"
                    );
                }
                Some(self.ack(configuration, nonce))
            }
            Said::Urgent {
                nonce,
                changed,
                refused,
            } => {
                if changed {
                    // The configuration is as old as its last commit; without one, it is none.
                    let since = self.shared.in_force.load().since;
                    self.put_in_force(configuration, since, clock.now);
                }
                let mut ack = self.ack(configuration, nonce?);
                ack.refused.extend(refused);
                Some(ack)
            }
        }
    }

    fn put_in_force(&mut self, configuration: &Configuration, since: i64, now: Instant) {
        let (snapshot, refused) = self.builder.build(configuration, since, now);
        for refusal in refused.iter().filter(|refusal| !self.refused.contains(refusal)) {
            self.shared.meter.refused(refusal.kind);
            tracing::warn!(kind = ?refusal.kind, name = refusal.name, reason = refusal.reason, "resource refused");
        }
        self.refused = refused;
        let snapshot = Arc::new(snapshot);
        self.shared.in_force.store(Arc::clone(&snapshot));
        self.shared
            .health
            .retain(|tenant, deployment| snapshot.knows(tenant, deployment));
    }

    fn ack(&self, configuration: &Configuration, nonce: u64) -> Ack {
        Ack {
            nonce,
            version: configuration.version.clone(),
            refused: self.refused.clone(),
            unnamed: 0,
        }
    }
}

#[cfg(test)]
mod tests;
