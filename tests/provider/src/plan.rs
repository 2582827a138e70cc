//! Answer and step → what a connection does, action by action. Pure: the connections only play what stands here.

use crate::answer::{Answer, Body, Event, EventKind};
use crate::step::{HangUp, Pause, Point, Reply, Step};
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;

/// An answer as it will be delivered.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) length: Length,
    /// Waited out before the head.
    pub(crate) before_head: Vec<Pause>,
    /// Set when it comes to nothing but a piece of the head.
    pub(crate) head_bytes: Option<usize>,
    /// What stands in the place of the head.
    pub(crate) wire: Option<Bytes>,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) end: End,
}

/// How the body's end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// `content-length`, true or not.
    Said(u64),
    /// Chunks; on HTTP/2 the end of the stream.
    Open,
}

/// One write.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) pauses: Vec<Pause>,
    pub(crate) bytes: Bytes,
    pub(crate) tokens: u64,
}

/// What comes after the last piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The body's proper end, and the next request.
    Whole,
    /// The body's proper end, and no next request, for the length lied.
    WholeThenClose,
    /// No end.
    HungUp(HangUp),
}

/// `error` makes the provider's error event of a status.
pub(crate) fn plan(answer: Answer, step: &Step, error: impl Fn(u16) -> Bytes) -> Plan {
    let mut answer = answer;
    for (name, value) in &step.delivery.headers {
        match value {
            Some(value) => answer.set_header(name, value),
            None => answer.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name)),
        }
    }
    let (events, streamed) = match answer.body {
        Body::Whole(bytes) => (
            vec![Event::content(bytes, answer.bill.map_or(0, |bill| bill.whole.output))],
            false,
        ),
        Body::Events(events) => (edited(events, step, error), true),
    };
    let layout = Layout::of(&events);
    let length = match step.delivery.content_length {
        Some(length) => Length::Said(length),
        None if streamed => Length::Open,
        None => Length::Said(as_u64(layout.length())),
    };
    let cut = step.delivery.hang_up.map(|(at, how)| (layout.offset(at), how));
    Plan {
        status: answer.status,
        headers: answer.headers,
        length,
        before_head: pauses_before_head(step),
        head_bytes: head_bytes(step),
        wire: match &step.reply {
            Reply::Wire(bytes) => Some(bytes.clone()),
            Reply::Normal | Reply::Refusal(_) | Reply::Raw { .. } => None,
        },
        pieces: pieces(&layout, step, cut.map_or(layout.length(), |(offset, _)| offset)),
        end: match cut {
            Some((_, how)) => End::HungUp(how),
            None if matches!(length, Length::Said(said) if said > as_u64(layout.length())) => End::WholeThenClose,
            None => End::Whole,
        },
    }
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).expect("a length fits 64 bits")
}

fn pauses_before_head(step: &Step) -> Vec<Pause> {
    let before = |at: &Point| matches!(at, Point::BeforeBody | Point::BeforeHead | Point::HeadByte(_));
    step.delivery
        .pauses
        .iter()
        .filter(|(at, _)| before(at))
        .map(|(_, pause)| pause.clone())
        .collect()
}

fn head_bytes(step: &Step) -> Option<usize> {
    match step.delivery.hang_up {
        Some((Point::BeforeBody | Point::BeforeHead, _)) => Some(0),
        Some((Point::HeadByte(bytes), _)) => Some(bytes),
        Some((Point::AfterHead | Point::Byte(_) | Point::Event(_) | Point::Content(_) | Point::End, _)) | None => None,
    }
}

/// The events as the step wants them.
fn edited(events: Vec<Event>, step: &Step, error: impl Fn(u16) -> Bytes) -> Vec<Event> {
    let mut events = events;
    if step.stream.without_terminator {
        events.retain(|event| event.kind != EventKind::Terminator);
    }
    if let Some((after, bytes)) = &step.stream.insert {
        events.insert(place_after_content(&events, *after), Event::frame(bytes.clone()));
    }
    if let Some((after, status)) = step.stream.error {
        events.truncate(place_after_content(&events, after));
        events.push(Event::frame(error(status)));
    }
    for event in &mut events {
        event.bytes = reworded(&event.bytes, step.stream.comment.as_deref(), step.stream.line_end);
    }
    events
}

/// The index of the first event after `count` content events; with 0, of the first content event, for whatever
/// precedes it is no content.
fn place_after_content(events: &[Event], count: usize) -> usize {
    content_index(events, count).unwrap_or_else(|| {
        // Fewer than `count` content events: before the terminator, if there is one.
        events
            .iter()
            .position(|event| event.kind == EventKind::Terminator)
            .unwrap_or(events.len())
    })
}

fn content_index(events: &[Event], number: usize) -> Option<usize> {
    let contents = events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.kind == EventKind::Content);
    contents.map(|(index, _)| index).nth(number)
}

fn reworded(bytes: &Bytes, comment: Option<&str>, line_end: Option<&str>) -> Bytes {
    let mut text = Vec::new();
    if let Some(comment) = comment {
        text.extend_from_slice(format!(": {comment}\n\n").as_bytes());
    }
    text.extend_from_slice(bytes);
    match line_end {
        None => text.into(),
        Some(end) => {
            let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
            lines.join(end.as_bytes()).into()
        }
    }
}

/// The body's bytes and where its events begin.
struct Layout {
    bytes: Bytes,
    starts: Vec<usize>,
    content_starts: Vec<usize>,
    /// Where an event ends, and the tokens it took.
    tokens: BTreeMap<usize, u64>,
}

impl Layout {
    fn of(events: &[Event]) -> Layout {
        let mut bytes = BytesMut::new();
        let (mut starts, mut content_starts, mut tokens) = (Vec::new(), Vec::new(), BTreeMap::new());
        for event in events {
            starts.push(bytes.len());
            if event.kind == EventKind::Content {
                content_starts.push(bytes.len());
            }
            bytes.extend_from_slice(&event.bytes);
            *tokens.entry(bytes.len()).or_insert(0) += event.tokens;
        }
        Layout {
            bytes: bytes.freeze(),
            starts,
            content_starts,
            tokens,
        }
    }

    fn length(&self) -> usize {
        self.bytes.len()
    }

    /// Tokens of the events that end after `start` and not after `end`.
    fn tokens_between(&self, start: usize, end: usize) -> u64 {
        self.tokens
            .iter()
            .filter(|(offset, _)| **offset > start && **offset <= end)
            .map(|(_, tokens)| tokens)
            .sum()
    }

    /// The offset of a point in the body; a point that is never reached is its end.
    fn offset(&self, at: Point) -> usize {
        match at {
            Point::BeforeBody | Point::BeforeHead | Point::HeadByte(_) | Point::AfterHead => 0,
            Point::Byte(offset) => offset.min(self.length()),
            Point::Event(number) => self.starts.get(number).copied().unwrap_or(self.length()),
            Point::Content(number) => self.content_starts.get(number).copied().unwrap_or(self.length()),
            Point::End => self.length(),
        }
    }
}

/// The body up to `end`, cut wherever an event begins, the step splits or a pause stands.
fn pieces(layout: &Layout, step: &Step, end: usize) -> Vec<Piece> {
    let mut cuts: BTreeMap<usize, Vec<Pause>> = layout.starts.iter().map(|start| (*start, Vec::new())).collect();
    if let Some(size) = step.delivery.split {
        cuts = (0..layout.length())
            .step_by(size)
            .map(|offset| (offset, Vec::new()))
            .collect();
    }
    if let Some(pace) = step.delivery.pace {
        for start in paced(layout, step) {
            cuts.entry(start).or_default().push(Pause::For(pace));
        }
    }
    for (at, pause) in &step.delivery.pauses {
        if matches!(
            at,
            Point::AfterHead | Point::Byte(_) | Point::Event(_) | Point::Content(_) | Point::End
        ) {
            cuts.entry(layout.offset(*at)).or_default().push(pause.clone());
        }
    }
    let offsets: Vec<usize> = cuts.keys().copied().skip(1).chain([end]).collect();
    let mut pieces = Vec::new();
    for ((start, pauses), next) in cuts.into_iter().zip(offsets) {
        // A pause at the very place of the cut is still waited out.
        if start > end || (start == end && pauses.is_empty()) {
            break;
        }
        let next = next.min(end).max(start);
        pieces.push(Piece {
            pauses,
            bytes: layout.bytes.slice(start..next),
            tokens: layout.tokens_between(start, next),
        });
    }
    pieces
}

/// Where a paced answer waits: before each piece it is split into, or before each event that holds content.
fn paced(layout: &Layout, step: &Step) -> Vec<usize> {
    match step.delivery.split {
        Some(size) => (0..layout.length()).step_by(size).collect(),
        None => layout.content_starts.clone(),
    }
}
