//! What stands in the way of keys, for their conditions, and when it is tried again.

use super::LONGEST_REST;
use super::order::Order;
use super::step::Step;
use super::write::Failure;
use crate::compile::{Finding, Reason};
use crate::world::ObjectName;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// After a failure, doubled by each further one.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// At most.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// Why a VirtualKey's Secret is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// For its conditions.
    pub finding: Finding,
    /// It is why there is no key. Otherwise there is one, and something else is wrong.
    pub explains_a_missing_key: bool,
}

/// Those of all VirtualKeys that have any.
pub type Troubles = BTreeMap<ObjectName, Trouble>;

/// Who has which trouble, and who has to wait.
#[derive(Default)]
pub(super) struct Account {
    troubles: Troubles,
    failed: BTreeMap<ObjectName, Failed>,
}

/// A write that came to nothing.
struct Failed {
    times: u32,
    until: Instant,
}

impl Account {
    /// How long nothing is to be done for `order`; `None`: something is, now.
    pub(super) fn wait(&mut self, order: &Order<'_>, (now, instant): (Timestamp, Instant)) -> Option<Duration> {
        match &order.step {
            Step::Rest(until) => {
                self.settle(order.name);
                Some(until.map_or(LONGEST_REST, |until| span(now, until)))
            }
            Step::Stuck(finding) => {
                self.settle(order.name);
                let trouble = Trouble {
                    finding: finding.clone(),
                    explains_a_missing_key: false,
                };
                self.troubles.insert(order.name.clone(), trouble);
                Some(LONGEST_REST)
            }
            Step::Create | Step::Fill | Step::Rotate | Step::EndOverlap | Step::CorrectTimes => {
                let until = self.failed.get(order.name)?.until;
                (instant < until).then(|| until - instant)
            }
        }
    }

    /// Takes note of what came of `order`, and says when to look again.
    pub(super) fn note(&mut self, order: &Order<'_>, outcome: Result<(), Failure>, now: Instant) -> Duration {
        let Err(failure) = outcome else {
            self.settle(order.name);
            return LONGEST_REST;
        };
        if let Some(sentence) = failure.sentence() {
            let trouble = Trouble {
                finding: Finding::new(Reason::InvalidSecret, sentence),
                explains_a_missing_key: matches!(order.step, Step::Create | Step::Fill),
            };
            self.troubles.insert(order.name.clone(), trouble);
        }
        let times = self.failed.get(order.name).map_or(0, |failed| failed.times);
        let wait = (FIRST_BACKOFF * 2u32.saturating_pow(times.min(8))).min(LONGEST_BACKOFF);
        let failed = Failed {
            times: times + 1,
            until: now + wait,
        };
        self.failed.insert(order.name.clone(), failed);
        wait
    }

    /// Forgets what no longer exists.
    pub(super) fn retain(&mut self, exists: impl Fn(&ObjectName) -> bool) {
        self.troubles.retain(|name, _| exists(name));
        self.failed.retain(|name, _| exists(name));
    }

    pub(super) fn publish(&self, to: &watch::Sender<Troubles>) {
        to.send_if_modified(|published| {
            let differs = *published != self.troubles;
            if differs {
                published.clone_from(&self.troubles);
            }
            differs
        });
    }

    fn settle(&mut self, name: &ObjectName) {
        self.troubles.remove(name);
        self.failed.remove(name);
    }
}

/// From `now` to `until`, at most as long as anything rests.
pub(crate) fn span(now: Timestamp, until: Timestamp) -> Duration {
    let span = Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO);
    span.min(LONGEST_REST)
}
