//! Whether this replica may ask for the Lease, and how long it leads. Pure: it is told what was read, and the time.

use super::{ADDRESS, Candidate, LEASE, Leader};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use std::time::Duration;
use tokio::time::Instant;

/// How long others wait after the last renewal that they saw.
const LASTS: Duration = Duration::from_secs(8);
/// The same, as it stands in the Lease.
const LASTS_SECONDS: i32 = 8;
/// A replica of another version may ask for more time, up to this.
const LASTS_AT_MOST: Duration = Duration::from_secs(60);
/// How long a leader leads after it began its last successful renewal.
const LEADS: Duration = Duration::from_secs(6);

/// What this replica knows of the Lease.
#[derive(Debug)]
pub(super) struct Election {
    candidate: Candidate,
    /// As last read; `None`: there is none.
    lease: Option<Lease>,
    /// Of the Lease as last read, which may be gone since.
    record: LeaseSpec,
    /// When, by this clock, the record was first seen as it is.
    since: Instant,
    /// Until when this replica leads.
    until: Option<Instant>,
}

impl Election {
    pub(super) fn new(candidate: Candidate) -> Self {
        Self {
            candidate,
            lease: None,
            record: LeaseSpec::default(),
            since: Instant::now(),
            until: None,
        }
    }

    /// Takes note of what was read at `now`, or that there is nothing to read.
    pub(super) fn saw(&mut self, lease: Option<Lease>, now: Instant) {
        if let Some(record) = lease.as_ref().and_then(|lease| lease.spec.as_ref())
            && *record != self.record
        {
            self.record = record.clone();
            self.since = now;
        }
        if !self.is_ours() {
            self.until = None;
        }
        self.lease = lease;
    }

    /// The Lease is ours, by a request that began at `asked`: whoever saw its effect saw it later.
    pub(super) fn won(&mut self, asked: Instant) {
        self.until = Some(asked + LEADS);
    }

    /// Whether this replica still leads at `now`. A time that has run out is forgotten, or the next request would be
    /// over before it began.
    pub(super) fn goes_on(&mut self, now: Instant) -> bool {
        self.until = self.until.filter(|until| now < *until);
        self.until.is_some()
    }

    pub(super) fn is_won(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// The Lease to write in order to have it or to keep it, if that may be tried at `now`. `wall` is for people to
    /// read.
    pub(super) fn bid(&self, now: Instant, wall: Timestamp) -> Option<Lease> {
        let takes = !self.is_ours();
        if takes && !self.is_free(now) {
            return None;
        }
        let acquired = self.record.acquire_time.clone().filter(|_| !takes);
        let mut lease = self.lease.clone().unwrap_or_default();
        lease.metadata.name = Some(LEASE.to_owned());
        let annotations = lease.metadata.annotations.get_or_insert_default();
        annotations.insert(ADDRESS.to_owned(), self.candidate.address.clone());
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = Some(self.candidate.identity.clone());
        spec.lease_duration_seconds = Some(LASTS_SECONDS);
        spec.acquire_time = Some(acquired.unwrap_or(MicroTime(wall)));
        spec.renew_time = Some(MicroTime(wall));
        let transitions = self.record.lease_transitions.unwrap_or(0);
        spec.lease_transitions = Some(transitions.saturating_add(i32::from(takes)));
        Some(lease)
    }

    /// Ends this replica's time as leader; false where it did not lead.
    pub(super) fn resign(&mut self, now: Instant) -> bool {
        let led = self.is_won(now);
        self.until = None;
        led
    }

    /// The Lease to write so that another replica need not wait for its end, if it is ours.
    pub(super) fn release(&self) -> Option<Lease> {
        let mut lease = self.lease.clone().filter(|_| self.is_ours())?;
        lease.spec.get_or_insert_default().holder_identity = None;
        Some(lease)
    }

    /// Who leads at `now`.
    pub(super) fn leader(&self, now: Instant) -> Leader {
        if self.is_won(now) {
            return Leader::new(self.until, Some(self.candidate.address.clone()));
        }
        let known = !self.is_ours() && !self.is_free(now);
        let annotations = self
            .lease
            .as_ref()
            .and_then(|lease| lease.metadata.annotations.as_ref());
        let address = annotations.and_then(|annotations| annotations.get(ADDRESS));
        Leader::new(None, address.cloned().filter(|_| known))
    }

    /// Waits for the end of this replica's time as leader; for ever, where it does not lead.
    pub(super) async fn end(&self) {
        match self.until {
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
    }

    fn is_ours(&self) -> bool {
        self.record.holder_identity.as_ref() == Some(&self.candidate.identity)
    }

    /// Nobody holds it, or its holder has been silent for as long as it lasts. That somebody deleted it does not end
    /// the holder's time.
    fn is_free(&self, now: Instant) -> bool {
        let held = self
            .record
            .holder_identity
            .as_ref()
            .is_some_and(|holder| !holder.is_empty());
        let seconds = self.record.lease_duration_seconds.unwrap_or(0);
        let lasts = Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).clamp(LASTS, LASTS_AT_MOST);
        !held || now >= self.since + lasts
    }
}

#[cfg(test)]
mod tests;
