//! What users are told: verdicts and acks become conditions, and the leader writes them.
//!
//! A status follows from one compilation, from what sidecars acknowledged and from the status before it, and it is
//! written when it differs: soon after a condition or its generation changed, later where only figures did
//! (`schedule.rs`). Every write names the version of the object that it is based on (`written.rs`). One that is refused
//! because the object has changed is worked out anew from what the object is then; so nothing is written twice, and
//! nobody fights over a status. What others write there stays.
//!
//! *Desired* are the live pods whose configuration has the resource, connected or not; one whose sidecar is refused has none,
//! and is counted as *unserved* (`refused.rs` tells that pod). *Programmed* are those that acknowledged exactly this version of it and did not refuse it (`count.rs`). A new leader takes over what is published
//! of pods that have not reported to it yet (`inherited.rs`).

mod conditions;
mod count;
mod inherited;
mod observed;
mod occurrences;
mod published;
mod queue;
mod schedule;
mod write;
mod written;

use crate::ack::Acks;
use crate::events::Recorder;
use crate::foreign::{LONGEST_WORD, shown};
use crate::keys::Troubles;
use crate::lease::Leadership;
use crate::metrics::{Metrics, Subject};
use crate::push::Views;
use crate::watch::{Compilation, Compilations, LivePod};
use crate::world::ObjectName;
use count::{Report, Sidecar};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use kube::Client;
use observed::subjects;
use pilotfish_wire::Resource;
use queue::Queue;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use write::Writer;

/// How many statuses are written at once.
const AT_ONCE: usize = 16;
/// Acks come in swarms; they are looked at together.
const SWARM: Duration = Duration::from_millis(50);

/// A kind and the name of an object of it.
type Id = (Subject, ObjectName);

/// What status follows from.
pub struct Sources {
    /// What there is, and what is in force of it.
    pub compilations: Compilations,
    /// What each pod is to have of it.
    pub views: Arc<Views>,
    /// What sidecars made of it.
    pub acks: Arc<Acks>,
    /// What stands in the way of keys.
    pub troubles: watch::Receiver<Troubles>,
    /// Whether it is ours to write.
    pub leadership: Leadership,
}

/// Writes statuses while this replica leads.
pub struct Controller {
    sources: Sources,
    writer: Writer,
    queue: Queue,
}

impl Controller {
    /// One that has written nothing yet.
    pub fn new(client: Client, sources: Sources, recorder: Recorder, metrics: Arc<Metrics>) -> Self {
        Self {
            writer: Writer::new(client, recorder, metrics),
            sources,
            queue: Queue::default(),
        }
    }

    /// Writes for as long as it is polled.
    pub async fn run(mut self) {
        let mut acks = self.sources.acks.changed();
        let mut writes = FuturesUnordered::new();
        let mut look = Some(Instant::now());
        loop {
            let room = AT_ONCE - writes.len();
            let due = self.queue.next().filter(|_| room > 0);
            let next_look = look.into_iter().chain(self.queue.next_look()).min();
            let sources = &mut self.sources;
            let goes_on = tokio::select! {
                () = until(next_look) => {
                    look = None;
                    if self.leads() {
                        self.look();
                    } else {
                        writes.clear();
                        self.queue = Queue::default();
                    }
                    continue;
                }
                () = until(due) => {
                    if self.leads() {
                        let drafts = self.queue.due(room, Instant::now());
                        writes.extend(drafts.into_iter().map(|draft| self.writer.clone().carry_out(draft)));
                    } else {
                        writes.clear();
                        self.queue = Queue::default();
                    }
                    continue;
                }
                Some(outcome) = writes.next() => {
                    if !self.queue.note(outcome, Instant::now()) {
                        continue;
                    }
                    true
                }
                changed = sources.compilations.changed() => changed.is_ok(),
                changed = sources.leadership.changed() => changed.is_ok(),
                changed = sources.troubles.changed() => changed.is_ok(),
                changed = acks.changed() => changed.is_ok(),
            };
            if !goes_on {
                return;
            }
            look.get_or_insert(Instant::now() + SWARM);
        }
    }

    fn leads(&self) -> bool {
        self.sources.leadership.borrow().is_me(Instant::now())
    }

    /// Finds out what is to be written.
    fn look(&mut self) {
        let Some(compilation) = self.sources.compilations.borrow().clone() else {
            return;
        };
        let troubles = self.sources.troubles.borrow().clone();
        let sidecars = self.sidecars(&compilation);
        self.queue.look(&subjects(&compilation, &troubles), &sidecars);
    }

    /// Those of all live pods. One that is being deleted is served to its end, and waited for no more; one that is refused
    /// cannot acknowledge anything, and is counted apart.
    fn sidecars(&self, compilation: &Compilation) -> Vec<Sidecar> {
        let stays = |pod: &LivePod| pod.has_sidecar && !pod.terminating;
        let pods = compilation.pods.iter().filter(|(_, pod)| stays(pod));
        let sidecars = pods.map(|(uid, pod)| Sidecar {
            pod: pod.name.clone(),
            wanted: self.wanted(compilation, pod),
            report: self.sources.acks.of(uid).map(|acked| Report::of(&acked)),
            unserved: pod.refused.as_deref().map(|why| shown(why, LONGEST_WORD)),
        });
        sidecars.collect()
    }

    fn wanted(&self, compilation: &Compilation, pod: &LivePod) -> Arc<[Arc<Resource>]> {
        let view = self
            .sources
            .views
            .of(&compilation.compiled, &pod.name.namespace, &pod.labels);
        Arc::clone(view.resources())
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
