//! An answer as it comes: held until it is committed, then handed on event by event.
//!
//! Before the commit a failure is the next attempt's business ([`AnswerStream::until_content`]). After it, a failure
//! ends the client's stream with an error event of its dialect and without the terminator: never a truncation that
//! looks like an end.

use super::Settlement;
use super::keeper::Keeper;
use crate::body::Broken;
use crate::dialect::{
    Asked, Carrier, ClientDialect, Effect, EventArray, Fault, Framer, Keeping, Listener, Losses, Reasoned, Translator,
    Usage, Watch, error_event,
};
use crate::meter::Outcome;
use crate::sse;
use crate::upstream::UpstreamBody;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use tokio_util::task::TaskTracker;

/// Most that is held of a stream before its first content, bytes.
const MAX_PREAMBLE: usize = 64 * 1024;
/// How long the rest of a finished answer may take, so that its connection can be used again.
const TAIL_TIME: Duration = Duration::from_secs(1);

/// What happens to the bytes between upstream and client.
pub(super) enum Conversion {
    /// Nothing is looked at: a long answer that is no stream.
    Raw,
    /// Same dialect: watched, and forwarded as they came.
    Watched(Box<Watch>, Option<Box<Listening>>),
    /// Another dialect; what is reasoned may be kept.
    Translated(Box<Translator>, Option<(Keeper, Keeping)>),
}

impl Conversion {
    /// The number that the next event has in a dialect that numbers them.
    fn sequence(&self) -> u64 {
        match self {
            Self::Raw => 0,
            Self::Watched(watch, _) => watch.sequence(),
            Self::Translated(translator, _) => translator.sequence(),
        }
    }
}

/// What a stream that passes through reasons.
pub(super) struct Listening {
    listener: Listener,
    /// Absent before the commit.
    keeper: Option<(Keeper, Keeping)>,
    /// Not yet kept.
    reasoned: Option<Reasoned>,
}

impl Listening {
    pub(super) fn new(carrier: Carrier, asked: &Asked<'_>) -> Self {
        Self {
            listener: Listener::new(carrier, asked),
            keeper: None,
            reasoned: None,
        }
    }

    /// Before the client has the end of the answer, and can ask again.
    fn block(&mut self, block: &Bytes) {
        sse::events(block).for_each(|event| self.listener.event(&event));
        self.reasoned = self.listener.take().or(self.reasoned.take());
        self.keep();
    }

    fn finish(&mut self) {
        self.reasoned = self.listener.finish().or(self.reasoned.take());
        self.keep();
    }

    fn keep(&mut self) {
        let Some((keeper, keeping)) = &self.keeper else { return };
        if let Some(reasoned) = self.reasoned.take() {
            keeper.keep(*keeping, &reasoned);
        }
    }
}

/// The silence that is waited out, and the moment when the attempt must be over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timers {
    pub idle: Duration,
    pub end: Instant,
    /// When the whole request must be.
    pub total: Instant,
}

/// Why an answer was never committed.
pub(super) enum Uncommitted {
    /// Its connection was lost, with this sentence.
    BrokeOff(String),
    /// What came was an error, or no answer.
    Fault(Fault),
}

impl From<Fault> for Uncommitted {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// One upstream's answer on its way to the client.
pub(crate) struct AnswerStream {
    upstream: Option<UpstreamBody>,
    framer: Framer,
    conversion: Conversion,
    client: ClientDialect,
    /// The client wants no events but an array of them.
    array: Option<EventArray>,
    /// What the last block became in the client's dialect, bytes: the next one will be about as long.
    room: usize,
    /// Made ready for the client and not yet taken.
    ready: VecDeque<Bytes>,
    timers: Timers,
    heard: Instant,
    alarm: Option<Pin<Box<Sleep>>>,
    ended: bool,
    /// Still to be told by breaking off.
    broken: bool,
    usage: Option<Usage>,
    /// What of the answer cannot be said to the client and was not yet counted.
    lost: Losses,
    /// Who remembers what only the provider can read again.
    keeper: Option<Keeper>,
    /// Absent before the commit.
    settlement: Option<Settlement>,
    tasks: TaskTracker,
}

impl AnswerStream {
    pub(super) fn new(
        upstream: UpstreamBody,
        conversion: Conversion,
        (client, framer): (ClientDialect, Framer),
        timers: Timers,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            upstream: Some(upstream),
            framer,
            conversion,
            client,
            array: None,
            room: 0,
            ready: VecDeque::new(),
            timers,
            heard: Instant::now(),
            alarm: None,
            ended: false,
            broken: false,
            usage: None,
            lost: Losses::new(),
            keeper: None,
            settlement: None,
            tasks,
        }
    }

    /// The client gets the events as an array.
    pub(super) fn as_array(mut self: Pin<Box<Self>>) -> Pin<Box<Self>> {
        self.array = Some(EventArray::default());
        self
    }

    /// What only its provider can read again is remembered.
    pub(super) fn kept_by(mut self: Pin<Box<Self>>, keeper: Keeper) -> Pin<Box<Self>> {
        self.keeper = Some(keeper);
        self
    }

    /// Puts bytes that were read already before all others.
    pub(crate) fn preceded_by(mut self: Pin<Box<Self>>, bytes: Bytes) -> Pin<Box<Self>> {
        self.ready.push_front(bytes);
        self
    }

    /// What passes through is kept from here on; nothing of what has not reasoned by now.
    pub(super) fn remember(&mut self, whose: impl FnOnce() -> Option<(Keeper, Keeping)>) {
        let Conversion::Watched(_, slot) = &mut self.conversion else {
            return;
        };
        let Some(mut listening) = slot.take().filter(|listening| !listening.listener.heard_nothing()) else {
            return;
        };
        if let Some(keeper) = whose() {
            listening.keeper = Some(keeper);
            listening.keep();
            *slot = Some(listening);
        }
    }

    /// From here on the answer is the client's, and ends with this settlement.
    pub(super) fn commit(&mut self, mut settlement: Settlement) {
        settlement.usage = self.usage;
        self.settlement = Some(settlement);
    }

    /// What the client could not be told until now: while there is a head to write it in.
    pub(super) fn losses(&mut self) -> Losses {
        std::mem::take(&mut self.lost)
    }

    fn settle(&mut self, outcome: Outcome) {
        if let Some(settlement) = &mut self.settlement {
            settlement.deployment.series.lost(&std::mem::take(&mut self.lost));
            settlement.usage = self.usage;
            settlement.finish(outcome);
        }
    }

    /// Reads on until the answer is committed: content, or as much preamble as may be held. The caller sets the time.
    pub(super) async fn until_content(&mut self) -> Result<(), Uncommitted> {
        let mut held = 0;
        while let Some(upstream) = &mut self.upstream {
            let frame = std::future::poll_fn(|cx| Pin::new(&mut *upstream).poll_frame(cx)).await;
            let content = match frame {
                Some(Ok(frame)) => self.take(frame.into_data().unwrap_or_default())?,
                Some(Err(error)) => return Err(Uncommitted::BrokeOff(error.to_string())),
                None => {
                    self.upstream = None;
                    self.finish()?;
                    true
                }
            };
            self.heard = Instant::now();
            held = self.ready.iter().map(Bytes::len).sum::<usize>().max(held);
            if content || held > MAX_PREAMBLE {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next bytes for the client. A stream tells of its failure itself; only an answer that is none ends in an error.
    pub(crate) fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        let this = &mut *self;
        loop {
            if let Some(bytes) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(bytes)));
            }
            if std::mem::take(&mut this.broken) {
                return Poll::Ready(Some(Err(Broken)));
            }
            if this.ended {
                if let Some(end) = this.array.as_mut().and_then(EventArray::end) {
                    return Poll::Ready(Some(Ok(end)));
                }
                this.rest();
                return Poll::Ready(None);
            }
            let Some(upstream) = &mut this.upstream else {
                this.ended = true;
                this.settle(Outcome::Ok);
                continue;
            };
            let step = match Pin::new(upstream).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.heard = Instant::now();
                    this.take(frame.into_data().unwrap_or_default()).map(drop)
                }
                Poll::Ready(Some(Err(error))) => Err(Fault::malformed(error.to_string())),
                Poll::Ready(None) => {
                    this.upstream = None;
                    this.finish()
                }
                Poll::Pending => {
                    let (fault, outcome) = ready!(this.poll_alarm(cx));
                    this.fail(fault, outcome);
                    continue;
                }
            };
            if let Err(fault) = step {
                this.fail(fault, Outcome::Broken);
            }
        }
    }

    /// Frames, looks at and converts one chunk; true when it held content.
    fn take(&mut self, chunk: Bytes) -> Result<bool, Fault> {
        if let Conversion::Raw = self.conversion {
            self.push(chunk);
            return Ok(true);
        }
        let block = self.framer.push(chunk)?;
        self.convert(block)
    }

    fn convert(&mut self, block: Bytes) -> Result<bool, Fault> {
        let mut content = false;
        match &mut self.conversion {
            Conversion::Raw => self.push(block),
            Conversion::Watched(watch, listening) => {
                if let Some(listening) = listening {
                    listening.block(&block);
                }
                let (forwarded, seen) = watched(watch, &block, &mut self.usage, &mut self.ended);
                if let Some((keeper, kept)) = self.keeper.as_ref().zip(watch.kept()) {
                    keeper.kept(&kept);
                }
                self.push(forwarded);
                content = seen?;
            }
            Conversion::Translated(translator, keeper) => {
                let mut out = Vec::with_capacity(block.len().max(self.room));
                let translated = self.framer.each_event(&block, |event| {
                    let effect = translator.event(event, &mut out)?;
                    content |= note(effect, &mut self.usage, &mut self.ended);
                    Ok(())
                });
                // Before the client has the end of the answer, and can ask again.
                keep(translator, keeper.as_ref());
                self.lost.extend(translator.losses());
                self.room = out.len().min(MAX_PREAMBLE);
                self.push(out.into());
                translated?;
            }
        }
        Ok(content)
    }

    fn push(&mut self, bytes: Bytes) {
        let bytes = match &mut self.array {
            Some(array) => array.elements(&bytes),
            None => bytes,
        };
        if !bytes.is_empty() {
            self.ready.push_back(bytes);
        }
    }

    /// The upstream has ended: so has the answer, or else it was cut.
    fn finish(&mut self) -> Result<(), Fault> {
        let rest = self.framer.finish();
        if !rest.is_empty() {
            self.convert(rest)?;
        }
        let mut out = Vec::new();
        match &mut self.conversion {
            Conversion::Raw => {}
            Conversion::Watched(watch, listening) => {
                watch.finish()?;
                if let Some(listening) = listening {
                    listening.finish();
                }
            }
            Conversion::Translated(translator, keeper) => {
                translator.finish(&mut out)?;
                keep(translator, keeper.as_ref());
                self.lost.extend(translator.losses());
            }
        }
        self.push(out.into());
        self.ended = true;
        self.settle(Outcome::Ok);
        Ok(())
    }

    /// Tells the client, in its own dialect if the answer is a stream, and ends.
    fn fail(&mut self, fault: Fault, outcome: Outcome) {
        let fault = match &self.settlement {
            Some(settlement) => fault.redacted(|text| settlement.standing.redacted_text(text)),
            None => fault,
        };
        if let Conversion::Raw = self.conversion {
            self.broken = true;
        } else {
            let status = fault.status_in_stream();
            self.push(error_event(self.client, status, &fault.body(), self.conversion.sequence()).into());
        }
        self.upstream = None;
        self.ended = true;
        self.settle(outcome);
    }

    /// Ready when the upstream has been silent, or has taken, for too long.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<(Fault, Outcome)> {
        loop {
            let due = (self.heard + self.timers.idle).min(self.timers.end);
            let alarm = self
                .alarm
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            ready!(alarm.as_mut().poll(cx));
            // Bytes came since the alarm was set: it is moved only now, so that a chunk costs no timer.
            let now = Instant::now();
            if now >= due {
                let (what, outcome) = if now >= self.timers.total {
                    ("the answer was not complete in time", Outcome::Deadline)
                } else if now >= self.timers.end {
                    ("the answer was not complete in time", Outcome::Broken)
                } else {
                    ("the upstream went silent in the middle of its answer", Outcome::Broken)
                };
                return Poll::Ready((Fault::malformed(what), outcome));
            }
            alarm.as_mut().reset(due);
        }
    }

    /// Lets the upstream's last bytes arrive on their own time: then its connection can serve again.
    fn rest(&mut self) {
        self.settle(Outcome::Ok);
        if let Some(mut upstream) = self.upstream.take() {
            drop(self.tasks.spawn_local(async move {
                let end = async {
                    while std::future::poll_fn(|cx| Pin::new(&mut upstream).poll_frame(cx))
                        .await
                        .is_some()
                    {}
                };
                // An upstream that does not end in time loses its connection, nothing else.
                drop(tokio::time::timeout(TAIL_TIME, end).await);
            }));
        }
    }
}

impl Drop for AnswerStream {
    /// The client went away: what was produced until now is what is counted.
    fn drop(&mut self) {
        self.settle(Outcome::Cancelled);
    }
}

fn keep(translator: &mut Translator, keeper: Option<&(Keeper, Keeping)>) {
    if let (Some((keeper, keeping)), Some(reasoned)) = (keeper, translator.reasoned()) {
        keeper.keep(*keeping, &reasoned);
    }
}

/// Looks at a block's events; gives back what of it the client sees, and whether there was content.
fn watched(
    watch: &mut Watch,
    block: &Bytes,
    usage: &mut Option<Usage>,
    ended: &mut bool,
) -> (Bytes, Result<bool, Fault>) {
    let mut content = false;
    // Where the bytes to forward begin, and what was copied because something before them was taken out.
    let mut from = 0;
    let mut kept = BytesMut::new();
    let mut at = 0;
    for event in sse::events(block) {
        let (start, end) = (at, at + event.raw.len());
        at = end;
        let effect = match watch.event(&event) {
            Ok(effect) => effect,
            Err(fault) => return (forward(block, kept, from, start), Err(fault)),
        };
        let out = match (effect.omit, effect.cut) {
            (true, _) => Some((start, end)),
            (false, Some(cut)) => Some((start + cut.start, start + cut.end)),
            (false, None) => None,
        };
        if let Some((out_start, out_end)) = out {
            kept.extend_from_slice(&block[from..out_start]);
            from = out_end;
        }
        content |= note(effect, usage, ended);
    }
    (forward(block, kept, from, block.len()), Ok(content))
}

fn forward(block: &Bytes, mut kept: BytesMut, from: usize, to: usize) -> Bytes {
    if kept.is_empty() {
        return block.slice(from..to.max(from));
    }
    kept.extend_from_slice(&block[from..to.max(from)]);
    kept.freeze()
}

fn note(effect: Effect, usage: &mut Option<Usage>, ended: &mut bool) -> bool {
    if effect.usage.is_some() {
        *usage = effect.usage;
    }
    *ended |= effect.end;
    effect.content
}
