//! What one sidecar is sent next. Pure: it knows what the sidecar has and what it is to have, and no socket.
//!
//! Two lanes. *Configuration* goes in batches. A batch that has begun is finished, so that a slow reader gets somewhere;
//! the next one is for the newest view, and those in between are never sent. *Keys* that change go ahead of it, between
//! any two lines. Both lanes are differences between views, not queues of changes: whatever is lost on the way to the
//! newest view is in it, and all that is remembered of a sidecar is which view it was sent last.

use super::view::{Line, Named, View};
use bytes::Bytes;
use pilotfish_wire::{Begin, Commit, Hello, Kind, Message, Remove, known_kind};
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

/// Keys are sent in lines of about this many bytes.
const URGENT_LINE: usize = 64 * 1024;
/// Batches that were sent and not yet acknowledged, of which the views are remembered. A sidecar acknowledges in order,
/// so one that owes more has stopped.
const MOST_UNACKNOWLEDGED: usize = 8;

/// The lanes of one stream.
#[derive(Debug)]
pub(super) struct Lanes {
    newest: Arc<View>,
    /// The configuration that was committed last.
    committed: Base,
    batch: Option<Batch>,
    /// The view whose keys the sidecar has, once the first batch has begun, which carries them itself.
    keys: Option<Arc<View>>,
    urgent: Option<Difference>,
    nonce: u64,
    unacknowledged: VecDeque<(u64, Arc<View>)>,
}

/// Something to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outgoing {
    /// One line, with its newline.
    pub(super) line: Bytes,
    /// For those who count.
    pub(super) what: What,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Begin,
    Resource(Kind),
    Remove,
    Commit,
    /// With this many new or changed keys.
    Urgent(usize),
}

/// What a sidecar has.
#[derive(Clone, Debug)]
enum Base {
    /// What it says it has, in the order of kind and name.
    Told(Arc<[Told]>),
    /// What it was sent.
    Sent(Arc<View>),
}

#[derive(Debug)]
struct Told {
    kind: Kind,
    name: String,
    version: String,
}

#[derive(Debug)]
struct Batch {
    nonce: u64,
    difference: Difference,
}

/// From one configuration to another, a resource at a time.
#[derive(Debug)]
struct Difference {
    from: Base,
    to: Arc<View>,
    only: Only,
    from_next: usize,
    to_next: usize,
}

/// The part of two configurations that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only {
    All,
    Keys,
    AllButKeys,
}

enum Change {
    Put(Line),
    Remove(Remove),
}

impl Lanes {
    /// To a sidecar that introduced itself so and is to have `view`. What it knows and still is right is not sent.
    pub(super) fn new(hello: Hello, view: Arc<View>) -> Self {
        Self {
            newest: view,
            committed: Base::told(hello),
            batch: None,
            keys: None,
            urgent: None,
            nonce: 0,
            unacknowledged: VecDeque::new(),
        }
    }

    /// From now on the sidecar is to have `view`. Whether one that was never begun is left out for it.
    pub(super) fn offer(&mut self, view: Arc<View>) -> bool {
        if view.version() == self.newest.version() {
            return false;
        }
        let begun = match &self.batch {
            Some(batch) => batch.difference.to.version() == self.newest.version(),
            None => self.committed.is(&self.newest),
        };
        self.newest = view;
        !begun
    }

    /// Whether there is certainly nothing to send.
    pub(super) fn is_idle(&self) -> bool {
        let has_keys = self
            .keys
            .as_ref()
            .is_some_and(|keys| keys.version() == self.newest.version());
        has_keys && self.urgent.is_none() && self.batch.is_none() && self.committed.is(&self.newest)
    }

    /// The next line; `None`: the sidecar was sent all there is.
    pub(super) fn next(&mut self) -> Option<Outgoing> {
        if let Some(urgent) = self.next_urgent() {
            return Some(urgent);
        }
        let Some(batch) = &mut self.batch else {
            return (!self.committed.is(&self.newest)).then(|| self.begin());
        };
        match batch.difference.next() {
            Some(Change::Put(line)) => Some(Outgoing {
                line: line.bytes,
                what: What::Resource(line.resource.kind),
            }),
            Some(Change::Remove(remove)) => Some(Outgoing::of(&Message::Remove(remove), What::Remove)),
            None => self.commit(),
        }
    }

    /// The view of the batch with this nonce, which is answered by it.
    pub(super) fn acknowledged(&mut self, nonce: u64) -> Option<Arc<View>> {
        let place = self.unacknowledged.iter().position(|(sent, _)| *sent == nonce)?;
        self.unacknowledged.drain(..place);
        self.unacknowledged.pop_front().map(|(_, view)| view)
    }

    fn begin(&mut self) -> Outgoing {
        self.nonce += 1;
        let nonce = self.nonce;
        let only = if self.keys.is_none() {
            Only::All
        } else {
            Only::AllButKeys
        };
        self.keys.get_or_insert_with(|| Arc::clone(&self.newest));
        let difference = Difference::new(self.committed.clone(), Arc::clone(&self.newest), only);
        self.batch = Some(Batch { nonce, difference });
        Outgoing::of(&Message::Begin(Begin { nonce }), What::Begin)
    }

    fn commit(&mut self) -> Option<Outgoing> {
        let Batch { nonce, difference } = self.batch.take()?;
        let view = difference.to;
        let version = match &self.keys {
            Some(keys) if keys.version() != view.version() => view.version_with_keys_of(keys),
            _ => view.version().to_owned(),
        };
        if self.unacknowledged.len() == MOST_UNACKNOWLEDGED {
            self.unacknowledged.pop_front();
        }
        self.unacknowledged.push_back((nonce, Arc::clone(&view)));
        self.committed = Base::Sent(view);
        Some(Outgoing::of(&Message::Commit(Commit { nonce, version }), What::Commit))
    }

    /// Keys that changed since the first batch began.
    fn next_urgent(&mut self) -> Option<Outgoing> {
        let keys = self.keys.as_ref()?;
        if self.urgent.is_none() && keys.version() != self.newest.version() {
            let from = Base::Sent(Arc::clone(keys));
            self.urgent = Some(Difference::new(from, Arc::clone(&self.newest), Only::Keys));
        }
        let difference = self.urgent.as_mut()?;
        let mut line = UrgentLine::default();
        while line.length < URGENT_LINE {
            let Some(change) = difference.next() else {
                self.keys = Some(Arc::clone(&difference.to));
                self.urgent = None;
                break;
            };
            line.add(change);
        }
        line.finish()
    }
}

impl Outgoing {
    fn of(message: &Message, what: What) -> Self {
        let mut line = message.encode();
        line.push('\n');
        Self {
            line: line.into(),
            what,
        }
    }
}

impl Base {
    /// An entry that cannot be read is one it lacks.
    fn told(hello: Hello) -> Self {
        let mut told: Vec<Told> = hello
            .known
            .into_iter()
            .filter_map(|(known, version)| {
                let (kind, name) = known_kind(&known)?;
                let name = name.to_owned();
                Some(Told { kind, name, version })
            })
            .collect();
        told.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
        Self::Told(told.into())
    }

    fn at(&self, index: usize) -> Option<Named<'_>> {
        match self {
            Self::Told(told) => told.get(index).map(|told| (told.kind, &*told.name, &*told.version)),
            Self::Sent(view) => view.named(index),
        }
    }

    /// Whether it was sent `view`. What it says it has is not enough: it is told so by a batch.
    fn is(&self, view: &View) -> bool {
        matches!(self, Self::Sent(sent) if sent.version() == view.version())
    }
}

impl Difference {
    fn new(from: Base, to: Arc<View>, only: Only) -> Self {
        Self {
            from,
            to,
            only,
            from_next: 0,
            to_next: 0,
        }
    }

    /// Both sides are in order, so what is on one of them alone shows by the other's being ahead.
    fn next(&mut self) -> Option<Change> {
        loop {
            let (have, want) = (self.from.at(self.from_next), self.to.named(self.to_next));
            let order = match (have, want) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((kind, name, _)), Some((wanted, wanted_name, _))) => (kind, name).cmp(&(wanted, wanted_name)),
            };
            let gone = have.filter(|(kind, ..)| order.is_lt() && self.only.covers(*kind));
            let put = want.filter(|(kind, ..)| order.is_ge() && have != want && self.only.covers(*kind));
            let change = match (gone, put) {
                (Some((kind, name, _)), _) => Some(Change::Remove(Remove {
                    kind,
                    name: name.to_owned(),
                })),
                (None, Some(_)) => self.to.line(self.to_next).map(Change::Put),
                (None, None) => None,
            };
            self.from_next += usize::from(order.is_le());
            self.to_next += usize::from(order.is_ge());
            if change.is_some() {
                return change;
            }
        }
    }
}

impl Only {
    fn covers(self, kind: Kind) -> bool {
        match self {
            Self::All => true,
            Self::Keys => kind == Kind::Key,
            Self::AllButKeys => kind != Kind::Key,
        }
    }
}

/// An urgent line in the making, of resources that are encoded already.
#[derive(Default)]
struct UrgentLine {
    put: Vec<Line>,
    remove: Vec<Remove>,
    length: usize,
}

impl UrgentLine {
    fn add(&mut self, change: Change) {
        match change {
            Change::Put(line) => {
                self.length += line.body().len();
                self.put.push(line);
            }
            Change::Remove(remove) => {
                self.length += remove.name.len();
                self.remove.push(remove);
            }
        }
    }

    fn finish(self) -> Option<Outgoing> {
        if self.put.is_empty() && self.remove.is_empty() {
            return None;
        }
        let remove = serde_json::to_vec(&self.remove).expect("a kind and a name each");
        let resources: Vec<&[u8]> = self.put.iter().map(|line| line.body()).collect();
        let (put, remove) = (resources.join(&b','), remove.as_slice());
        let parts: [&[u8]; 5] = [br#"{"urgent":{"put":["#, &put, br#"],"remove":"#, remove, b"}}\n"];
        Some(Outgoing {
            line: parts.concat().into(),
            what: What::Urgent(self.put.len()),
        })
    }
}

#[cfg(test)]
mod tests;
