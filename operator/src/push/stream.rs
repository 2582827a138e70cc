//! One sidecar's stream, from its hello to its end.

use super::Server;
use super::lanes::{Lanes, What};
use super::reports::{Broken, Reports};
use super::view::View;
use crate::ack::Session;
use crate::foreign::{LONGEST_WORD, shown};
use crate::identity::Verified;
use crate::lease::{Leader, Leadership};
use crate::metrics::Ending;
use crate::watch::Compilations;
use bytes::{Bytes, BytesMut};
use hyper::body::Incoming;
use pilotfish_wire::{Ack, Hello, Kind, Message, REVISION, Report};
use prometheus::IntGauge;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Short lines are sent together up to this many bytes; what is longer is shared, and not copied.
const TOGETHER: usize = 4096;

/// A stream at work.
struct Stream {
    server: Arc<Server>,
    verified: Verified,
    session: Session,
    compilations: Compilations,
    leadership: Leadership,
    lanes: Lanes,
    /// The operator's own hello is due.
    greet: bool,
    /// A line that was too long to be sent together with those before it.
    kept_back: Option<Bytes>,
    /// Since when there is something to send that the sidecar does not take.
    waiting_since: Option<Instant>,
    ends: Instant,
}

/// Serves the sidecar until one of them has enough.
pub(super) async fn run(server: Arc<Server>, verified: Verified, body: Incoming, lines: mpsc::Sender<Bytes>) {
    let metrics = Arc::clone(&server.metrics);
    let _counted = Counted::new(metrics.sidecars.clone());
    let pod = verified.pod().clone();
    tracing::debug!(%pod, "sidecar connected");
    let ending = serve(server, verified, body, lines).await;
    metrics.stream_ended(ending);
    tracing::debug!(%pod, ending = ending.label(), "sidecar's stream ended");
}

async fn serve(server: Arc<Server>, verified: Verified, body: Incoming, lines: mpsc::Sender<Bytes>) -> Ending {
    let session = server.acks.open(verified.uid().clone());
    let mut reports = Reports::new(body);
    let hello = tokio::select! {
        hello = tokio::time::timeout(server.timing.first, reports.next()) => hello,
        () = server.stop.cancelled() => return Ending::Stopping,
    };
    let hello = match hello {
        Ok(Ok(Some(Report::Hello(hello)))) => hello,
        Ok(Ok(Some(Report::Ack(_) | Report::Unknown(_)))) => return protocol(&verified, "its first line is no hello"),
        Ok(Ok(None)) => return Ending::Closed,
        Ok(Err(broken)) => return ended_by(&verified, &broken),
        Err(_) => return Ending::Lost,
    };
    tracing::info!(
        pod = %verified.pod(),
        revision = hello.revision,
        features = hello.features.len(),
        known = hello.known.len(),
        "sidecar says hello"
    );
    match Stream::new(server, verified, session, hello) {
        Some(stream) => stream.run(reports, lines).await,
        None => Ending::PodGone,
    }
}

impl Stream {
    /// `None` when the pod has gone meanwhile.
    fn new(server: Arc<Server>, verified: Verified, session: Session, hello: Hello) -> Option<Self> {
        let mut compilations = server.compilations.clone();
        let mut leadership = server.leadership.clone();
        compilations.mark_unchanged();
        leadership.mark_unchanged();
        let view = server.view(&verified)?;
        Some(Self {
            session,
            compilations,
            leadership,
            lanes: Lanes::new(hello, view),
            greet: true,
            kept_back: None,
            waiting_since: None,
            ends: Instant::now() + server.timing.stream.mul_f64(0.8 + 0.4 * fastrand::f64()),
            server,
            verified,
        })
    }

    async fn run(mut self, mut reports: Reports<Incoming>, lines: mpsc::Sender<Bytes>) -> Ending {
        loop {
            let has_more = self.greet || self.kept_back.is_some() || !self.lanes.is_idle();
            self.waiting_since = has_more.then(|| self.waiting_since.unwrap_or_else(Instant::now));
            let stuck = self.waiting_since.map(|since| since + self.server.timing.stuck);
            // Every arm but the last is only waited for, and reading a report keeps what it has read.
            tokio::select! {
                () = self.server.stop.cancelled() => return Ending::Stopping,
                () = self.session.replaced() => return Ending::Replaced,
                () = tokio::time::sleep_until(stuck.unwrap_or(self.ends).min(self.ends)) => return self.out_of_time(),
                report = reports.next() => match report {
                    Ok(Some(Report::Ack(ack))) => self.acknowledged(ack),
                    Ok(Some(Report::Hello(_) | Report::Unknown(_))) => {}
                    Ok(None) => return Ending::Closed,
                    Err(broken) => return ended_by(&self.verified, &broken),
                },
                changed = self.compilations.changed() => match self.server.view(&self.verified) {
                    Some(view) if changed.is_ok() => self.offer(view),
                    Some(_) => return Ending::Stopping,
                    None => return Ending::PodGone,
                },
                changed = self.leadership.changed() => match changed {
                    Ok(()) => self.greet = true,
                    Err(_) => return Ending::Stopping,
                },
                permit = lines.reserve(), if has_more => match permit {
                    Ok(permit) => {
                        if let Some(together) = self.next_lines() {
                            permit.send(together);
                        }
                        self.waiting_since = None;
                    }
                    Err(_) => return Ending::Lost,
                },
            }
        }
    }

    fn out_of_time(&self) -> Ending {
        if Instant::now() >= self.ends {
            return Ending::Rebalanced;
        }
        tracing::warn!(pod = %self.verified.pod(), "sidecar reads nothing, its stream is closed");
        Ending::Lost
    }

    fn offer(&mut self, view: Arc<View>) {
        if self.lanes.offer(view) {
            self.server.metrics.dropped_snapshots.inc();
        }
    }

    fn acknowledged(&mut self, ack: Ack) {
        let Some(view) = self.lanes.acknowledged(ack.nonce) else {
            return;
        };
        let metrics = &self.server.metrics;
        metrics.acks.inc();
        metrics.nacks.inc_by(ack.refused.len() as u64);
        for refusal in &ack.refused {
            tracing::debug!(
                pod = %self.verified.pod(),
                kind = refusal.kind.as_str(),
                name = refusal.name,
                reason = refusal.reason,
                "sidecar refused a resource"
            );
        }
        self.session.acked(view, &ack);
    }

    /// What to send now: several short lines, or a long one.
    fn next_lines(&mut self) -> Option<Bytes> {
        if let Some(line) = self.kept_back.take() {
            return Some(line);
        }
        let mut together = BytesMut::new();
        if std::mem::take(&mut self.greet) {
            together.extend_from_slice(&self.hello());
        }
        while together.len() < TOGETHER {
            let Some(outgoing) = self.lanes.next() else { break };
            self.count(outgoing.what);
            if outgoing.line.len() < TOGETHER {
                together.extend_from_slice(&outgoing.line);
            } else if together.is_empty() {
                return Some(outgoing.line);
            } else {
                self.kept_back = Some(outgoing.line);
                break;
            }
        }
        (!together.is_empty()).then(|| together.freeze())
    }

    fn hello(&self) -> Vec<u8> {
        let hello = Hello {
            revision: REVISION,
            scope: self.verified.scope(),
            leader: leader_elsewhere(&self.leadership.borrow(), Instant::now()),
            ..Hello::default()
        };
        let mut line = Message::Hello(hello).encode().into_bytes();
        line.push(b'\n');
        line
    }

    fn count(&self, what: What) {
        let metrics = &self.server.metrics;
        match what {
            What::Begin | What::Remove => {}
            What::Resource(kind) => metrics.resource_sent(kind),
            What::Commit => metrics.batches.inc(),
            What::Urgent(keys) => {
                metrics.urgent.inc();
                (0..keys).for_each(|_| metrics.resource_sent(Kind::Key));
            }
        }
    }
}

/// Where the leader takes sidecars, if it is another replica.
fn leader_elsewhere(leader: &Leader, now: Instant) -> Option<String> {
    leader.address.clone().filter(|_| !leader.is_me(now))
}

fn ended_by(verified: &Verified, broken: &Broken) -> Ending {
    match broken {
        Broken::Lost(_) => {
            tracing::debug!(pod = %verified.pod(), %broken, "sidecar's stream broke");
            Ending::Lost
        }
        Broken::TooLong | Broken::NotText | Broken::NotReport(_) => protocol(verified, &broken.to_string()),
    }
}

fn protocol(verified: &Verified, why: &str) -> Ending {
    let why = shown(why, LONGEST_WORD);
    tracing::warn!(pod = %verified.pod(), why, "sidecar does not keep to the protocol, its stream is closed");
    Ending::Protocol
}

/// Adds one to a gauge for as long as it lives.
struct Counted(IntGauge);

impl Counted {
    fn new(gauge: IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
