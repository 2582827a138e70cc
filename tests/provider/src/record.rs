//! What a fake saw: every request as it came, every connection, how each exchange ended. Tests read it, and wait for it.

use crate::ledger::Bill;
use crate::received::{Protocol, Received};
use bytes::{Bytes, BytesMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a test waits for an event before it is told that the event never came.
const PATIENCE: Duration = Duration::from_secs(30);

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer was sent to its end.
    Answered,
    /// The script broke it off.
    BrokenOff,
    /// The client went away: it closed or reset its connection, or its stream.
    ClientGone,
}

/// What was sent of an answer, in the bytes that were meant: before chunks or frames are made of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// 0 before the head is sent.
    pub status: u16,
    /// In the order in which they were sent; without `content-length` and `transfer-encoding`.
    pub headers: Vec<(String, String)>,
    /// As far as it got.
    pub body: Bytes,
}

/// When an exchange ended, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// When.
    pub at: Instant,
    /// Since the request's head had been read.
    pub after: Duration,
}

/// The connections of a fake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// Since it was started, those whose TLS handshake failed included.
    pub accepted: usize,
    /// Now.
    pub open: usize,
}

/// An event that did not come in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("waited 30 s for {awaited}; {seen}")]
pub struct NeverCame {
    awaited: String,
    seen: String,
}

/// The log of one fake.
#[derive(Debug)]
pub(crate) struct Record {
    log: Mutex<Log>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Log {
    requests: Vec<Entry>,
    bills: Vec<Bill>,
    violations: Vec<String>,
    connections: Connections,
}

#[derive(Debug)]
struct Entry {
    received: Received,
    /// The body was read, or the script acted without it.
    taken: bool,
    ended: Option<Ended>,
    head: Option<(u16, Vec<(String, String)>)>,
    body: BytesMut,
}

/// What is known of a request when its head has been read.
pub(crate) struct Head {
    pub(crate) connection: usize,
    pub(crate) on_connection: usize,
    pub(crate) protocol: Protocol,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, Bytes)>,
}

impl Record {
    pub(crate) fn new() -> Record {
        Record {
            log: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }

    /// Returns the connection's number.
    pub(crate) fn accepted(&self) -> usize {
        self.change(|log| {
            log.connections.accepted += 1;
            log.connections.open += 1;
            log.connections.accepted - 1
        })
    }

    pub(crate) fn closed(&self) {
        self.change(|log| log.connections.open -= 1);
    }

    /// Returns the request's number.
    pub(crate) fn arrived(&self, head: Head) -> usize {
        self.change(|log| {
            let number = log.requests.len();
            let received = Received {
                number,
                connection: head.connection,
                on_connection: head.on_connection,
                protocol: head.protocol,
                method: head.method,
                target: head.target,
                headers: head.headers,
                body: Bytes::new(),
                complete: false,
                arrived: Instant::now(),
            };
            log.requests.push(Entry {
                received,
                taken: false,
                ended: None,
                head: None,
                body: BytesMut::new(),
            });
            number
        })
    }

    pub(crate) fn body(&self, number: usize, body: Bytes, complete: bool) {
        self.change(|log| {
            if let Some(entry) = log.requests.get_mut(number) {
                entry.received.body = body;
                entry.received.complete = complete;
            }
        });
    }

    /// The request is read, or the script needs no more of it. Returns it as far as it came.
    pub(crate) fn taken(&self, number: usize) -> Received {
        self.change(|log| {
            let entry = log.requests.get_mut(number).expect("a number that `arrived` gave");
            entry.taken = true;
            entry.received.clone()
        })
    }

    /// Only the first end of an exchange counts.
    pub(crate) fn ended(&self, number: usize, outcome: Outcome) {
        let at = Instant::now();
        self.change(|log| {
            if let Some(entry) = log.requests.get_mut(number) {
                let after = at.duration_since(entry.received.arrived);
                entry.ended.get_or_insert(Ended { outcome, at, after });
            }
        });
    }

    pub(crate) fn bill(&self, bill: Bill) {
        self.change(|log| log.bills.push(bill));
    }

    pub(crate) fn head_sent(&self, request: usize, status: u16, headers: &[(String, String)]) {
        self.change(|log| {
            if let Some(entry) = log.requests.get_mut(request) {
                entry.head = Some((status, headers.to_vec()));
            }
        });
    }

    /// A piece of the body, and the output tokens it stands for.
    pub(crate) fn piece_sent(&self, request: usize, piece: &[u8], tokens: u64) {
        self.change(|log| {
            if let Some(entry) = log.requests.get_mut(request) {
                entry.body.extend_from_slice(piece);
            }
            if let Some(bill) = log.bills.iter_mut().find(|bill| bill.request == request) {
                bill.output_made += tokens;
            }
        });
    }

    pub(crate) fn violation(&self, sentence: String) {
        self.change(|log| log.violations.push(sentence));
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.lock()
            .requests
            .iter()
            .filter(|entry| entry.taken)
            .map(|entry| entry.received.clone())
            .collect()
    }

    pub(crate) fn sent(&self, number: usize) -> Option<Sent> {
        let log = self.lock();
        let entry = log.requests.get(number)?;
        let (status, headers) = entry.head.clone().unwrap_or_default();
        Some(Sent {
            status,
            headers,
            body: Bytes::copy_from_slice(&entry.body),
        })
    }

    pub(crate) fn bills(&self) -> Vec<Bill> {
        self.lock().bills.clone()
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    pub(crate) fn connections(&self) -> Connections {
        self.lock().connections
    }

    pub(crate) async fn until_arrived(&self, count: usize) -> Result<Vec<Received>, NeverCame> {
        let taken = |log: &Log| log.requests.iter().filter(|entry| entry.taken).count();
        self.until(&format!("{count} requests"), |log| (taken(log) >= count).then_some(()))
            .await?;
        Ok(self.requests())
    }

    pub(crate) async fn until_ended(&self, number: usize) -> Result<Ended, NeverCame> {
        let ended = |log: &Log| log.requests.get(number).and_then(|entry| entry.ended);
        self.until(&format!("the end of request {number}"), ended).await
    }

    pub(crate) async fn until_connections(
        &self,
        holds: impl Fn(Connections) -> bool,
    ) -> Result<Connections, NeverCame> {
        self.until("a number of connections", |log| {
            holds(log.connections).then_some(log.connections)
        })
        .await
    }

    async fn until<T>(&self, awaited: &str, found: impl Fn(&Log) -> Option<T>) -> Result<T, NeverCame> {
        let mut changes = self.changed.subscribe();
        let search = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = found(&self.lock()) {
                    return found;
                }
                changes.changed().await.expect("the record holds the sender");
            }
        };
        let never = |_| NeverCame {
            awaited: awaited.to_owned(),
            seen: self.lock().summary(),
        };
        tokio::time::timeout(PATIENCE, search).await.map_err(never)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Log) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.send_replace(());
        result
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn summary(&self) -> String {
        let ends: Vec<String> = self.requests.iter().map(Entry::summary).collect();
        let Connections { accepted, open } = self.connections;
        format!(
            "of {accepted} connections {open} are open; requests: [{}]",
            ends.join(", ")
        )
    }
}

impl Entry {
    fn summary(&self) -> String {
        let end = self
            .ended
            .map_or("going on".to_owned(), |ended| format!("{:?}", ended.outcome));
        format!("{} {} {end}", self.received.method, self.received.target)
    }
}
