//! Same dialect on both sides: the client's bytes, with the permitted splices and nothing else.

use super::{Asked, ClientDialect, Operation, gemini, responses};
use crate::json;
use bytes::Bytes;
use smallvec::{SmallVec, smallvec};
use std::ops::Range;

/// A piece of the body to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// This range of the client's body.
    Body(Range<usize>),
    /// New bytes.
    Fresh(Vec<u8>),
}

/// The body to send, in order. Slicing the client's [`Bytes`] copies nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassThrough {
    /// Never empty ranges; seldom more than five of them.
    pub segments: SmallVec<[Segment; 5]>,
}

/// The client's request with `model` for its model, written in front where only the path named one, and, where `include_usage` says so and the client's stream does not
/// ask for it, `stream_options.include_usage`; signatures of other makers, which Google refuses, and other makers'
/// reasoning, which OpenAI refuses, are taken out. Every other byte is the client's.
pub fn pass_through(asked: &Asked<'_>, model: &str, include_usage: bool) -> PassThrough {
    let whole = asked.object.text().len();
    let mut splices: SmallVec<[(Range<usize>, Vec<u8>); 2]> = SmallVec::new();
    let resource;
    let model = match asked.names_resources() {
        true => {
            resource = gemini::request::resource(model);
            splices.extend(inner_models(&resource, asked));
            &*resource
        }
        false => model,
    };
    match &asked.model_span {
        // The path's may be another than the body's.
        Some(span) if !is_at(span, model, asked) => splices.push((span.clone(), spelt(model))),
        Some(_) => {}
        None if asked.dialect == ClientDialect::Gemini => {}
        None => splices.push(in_front(model, asked)),
    }
    if asked.dialect == ClientDialect::Gemini {
        splices.extend(gemini::request::foreign_signatures(&asked.object));
    }
    if include_usage && asked.dialect == ClientDialect::Chat && asked.stream && !asked.wants_usage {
        splices.extend(ask_for_usage(asked));
    }
    if asked.dialect == ClientDialect::Responses && asked.operation == Operation::Generate {
        let foreign = responses::carried::foreign(&asked.object).into_iter();
        splices.extend(foreign.map(|range| (range, Vec::new())));
    }
    // They never overlap: one lies inside `model` or in front of all members, the other inside `stream_options`,
    // behind `model`, or in front as well; there the order in which they were pushed stays.
    splices.sort_by_key(|(range, _)| range.start);
    PassThrough::of(whole, splices)
}

/// Google's APIs want the model of what is in a body to be the one in the path.
fn inner_models(model: &str, asked: &Asked<'_>) -> Vec<(Range<usize>, Vec<u8>)> {
    let spans = gemini::request::inner_models(&asked.object).into_iter();
    spans.map(|span| (span, spelt(model))).collect()
}

fn is_at(span: &Range<usize>, model: &str, asked: &Asked<'_>) -> bool {
    let value = asked
        .object
        .get("model")
        .filter(|value| asked.object.span(*value) == *span);
    value.and_then(json::Raw::string).as_deref() == Some(model)
}

fn spelt(model: &str) -> Vec<u8> {
    let mut fresh = Vec::with_capacity(model.len() + 2);
    json::write_string(&mut fresh, model);
    fresh
}

/// A member before all others.
fn in_front(model: &str, asked: &Asked<'_>) -> (Range<usize>, Vec<u8>) {
    let mut fresh = b"\"model\":".to_vec();
    json::write_string(&mut fresh, model);
    if !asked.object.members().is_empty() {
        fresh.push(b',');
    }
    (front(asked), fresh)
}

/// Behind the brace that opens the body.
fn front(asked: &Asked<'_>) -> Range<usize> {
    let brace = asked.object.text().find('{').map_or(0, |at| at + 1);
    brace..brace
}

/// The smallest change after which the last `stream_options` asks for usage.
fn ask_for_usage(asked: &Asked<'_>) -> Option<(Range<usize>, Vec<u8>)> {
    let Some(options) = asked.object.get("stream_options") else {
        // A body that asks for a stream has members, so a comma can stand behind.
        return Some(match &asked.model_span {
            Some(model) => (
                model.end..model.end,
                b",\"stream_options\":{\"include_usage\":true}".to_vec(),
            ),
            None => (front(asked), b"\"stream_options\":{\"include_usage\":true},".to_vec()),
        });
    };
    if options.is_null() {
        return Some((asked.object.span(options), b"{\"include_usage\":true}".to_vec()));
    }
    // Neither absent, null nor an object is the client's mistake, and the provider's to name.
    let members = options.object()?;
    if let Some(value) = members.get("include_usage") {
        return Some((asked.object.span(value), b"true".to_vec()));
    }
    let inside = asked.object.span(options).start + 1;
    let fresh: &[u8] = if members.members().is_empty() {
        b"\"include_usage\":true"
    } else {
        b"\"include_usage\":true,"
    };
    Some((inside..inside, fresh.to_vec()))
}

impl PassThrough {
    pub(super) fn of(whole: usize, splices: SmallVec<[(Range<usize>, Vec<u8>); 2]>) -> Self {
        let mut segments = smallvec![];
        let mut from = 0;
        for (range, fresh) in splices {
            push_body(&mut segments, from..range.start);
            if !fresh.is_empty() {
                segments.push(Segment::Fresh(fresh));
            }
            from = range.end;
        }
        push_body(&mut segments, from..whole);
        Self { segments }
    }

    /// The same with these pieces put into the client's part of it, in the order of their places, which lie inside of
    /// what is sent of the client's body.
    pub fn with(self, splices: Vec<(Range<usize>, Vec<u8>)>) -> Self {
        if splices.is_empty() {
            return self;
        }
        let mut splices = splices.into_iter().peekable();
        let mut segments = smallvec![];
        for segment in self.segments {
            let Segment::Body(range) = segment else {
                segments.push(segment);
                continue;
            };
            let mut from = range.start;
            while let Some((place, fresh)) = splices.next_if(|(place, _)| place.end <= range.end) {
                push_body(&mut segments, from..place.start);
                segments.push(Segment::Fresh(fresh));
                from = place.end;
            }
            push_body(&mut segments, from..range.end);
        }
        Self { segments }
    }

    /// How many bytes will be sent.
    pub fn length(&self) -> usize {
        let length = |segment: &Segment| match segment {
            Segment::Body(range) => range.len(),
            Segment::Fresh(bytes) => bytes.len(),
        };
        self.segments.iter().map(length).sum()
    }

    /// The pieces to send; `body` is what was read.
    pub fn into_pieces(self, body: &Bytes) -> SmallVec<[Bytes; 5]> {
        let piece = |segment| match segment {
            Segment::Body(range) => body.slice(range),
            Segment::Fresh(bytes) => Bytes::from(bytes),
        };
        self.segments.into_iter().map(piece).collect()
    }
}

fn push_body(segments: &mut SmallVec<[Segment; 5]>, range: Range<usize>) {
    if !range.is_empty() {
        segments.push(Segment::Body(range));
    }
}

#[cfg(test)]
mod tests;
