//! Steps into a Responses stream: items, in them parts, each begun before its deltas and told as a whole after them.
//!
//! Unlike the other encoders this one remembers what the answer said: the dialect ends every part, every item and the
//! stream itself by repeating it.

use super::forms::{copy, event, list, locate, write_call, write_message, write_part, write_summary, write_thought};
use super::open::{Call, Kind, Message, Open, Remarks};
use crate::dialect::item::{Citation, Finish, Reasoning, Remark, Source, Step};
use crate::dialect::responses::response::{
    NO_ARGUMENTS, item_id, write_citation, write_head, write_image, write_repeated,
};
use crate::dialect::responses::{finish, usage};
use crate::dialect::text::Text;
use crate::dialect::{Exchange, Fault, Usage};
use crate::json::{self, ObjectWriter, to_one_line};

/// Longest answer that can be repeated, bytes: far beyond what any model says.
const LONGEST: usize = 32 * 1024 * 1024;

#[derive(Debug)]
pub(in crate::dialect) struct Encoder {
    exchange: Exchange,
    /// What every telling of the response begins with, as an object.
    head: Vec<u8>,
    /// The next event's number.
    sequence: u64,
    /// The output so far, as JSON; empty at the place of an item that is not complete.
    output: Vec<Vec<u8>>,
    /// Bytes that are remembered.
    held: usize,
    message: Option<Open<Message>>,
    thought: Option<Open<String>>,
    calls: Vec<Open<Call>>,
    /// A call that ended, told as soon as it is known whether more follows: the last one may be cut off.
    ended: Option<Open<Call>>,
    /// How likely the tokens of the next text are, as a JSON array.
    measured: Vec<u8>,
    refuses: bool,
    finish: Finish<'static>,
    usage: Option<Usage>,
}

impl Encoder {
    pub(in crate::dialect) fn new(exchange: &Exchange) -> Self {
        Self {
            exchange: exchange.clone(),
            head: Vec::new(),
            sequence: 0,
            output: Vec::new(),
            held: 0,
            message: None,
            thought: None,
            calls: Vec::new(),
            ended: None,
            measured: Vec::new(),
            refuses: false,
            finish: Finish::Stop,
            usage: None,
        }
    }

    /// The number that the next event will have.
    pub(in crate::dialect) fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(in crate::dialect) fn step(&mut self, step: Step<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        if !matches!(step, Step::Finish(_) | Step::Usage(_)) {
            self.call_done("completed", out);
        }
        match step {
            Step::Start { id, model, created } => self.start(id.as_ref(), model.as_ref(), created, out),
            Step::Text(text) => return self.say(Kind::Text, &text, out),
            Step::Refusal(text) => {
                self.refuses = true;
                return self.say(Kind::Refusal, &text, out);
            }
            Step::Thinking(text) => return self.think(&text, out),
            Step::Signature(signature) => self.sign(&signature, out),
            Step::Reasoning(reasoning) => self.reason(&reasoning, out),
            Step::Call { call, id, name } => self.call(call, &id, &name, false, out),
            Step::CustomCall { call, id, name } => self.call(call, &id, &name, true, out),
            Step::Remark(Remark::Logprobs(measured)) => {
                let list = measured.openai();
                self.hold(list.len())?;
                self.measured.clear();
                self.measured.extend_from_slice(list.as_bytes());
                to_one_line(&mut self.measured);
            }
            Step::Remark(Remark::Citation(citation)) => return self.cite(&citation, out),
            Step::Arguments { call, json } => return self.arguments(call, &json, out),
            Step::CallEnd { call } => self.call_end(call, out),
            Step::Image(source) => return self.image(&source, out),
            // Such a loss does not get here.
            Step::Lost(_) => {}
            Step::Finish(finish) => return self.finish(finish, out),
            Step::Usage(counted) => self.usage = Some(counted),
            Step::End => self.end(out),
        }
        Ok(())
    }

    fn start(&mut self, id: Option<&Text<'_>>, model: Option<&Text<'_>>, created: Option<u64>, out: &mut Vec<u8>) {
        let mut head = ObjectWriter::new(&mut self.head);
        write_head(&self.exchange, id, model, created, &mut head);
        head.end();
        for name in ["response.created", "response.in_progress"] {
            self.lifecycle(name, out, |response, _| {
                response.string("status", "in_progress");
                response.null("error");
                response.null("incomplete_details");
                response.array("output").end();
                response.null("usage");
            });
        }
    }

    /// An event that tells of the whole response.
    fn lifecycle(&mut self, name: &str, out: &mut Vec<u8>, write: impl FnOnce(&mut ObjectWriter<'_>, &Self)) {
        let sequence = self.number();
        event(name, sequence, out, |data| {
            let mut response = data.object("response");
            let head = json::parse(&self.head).ok();
            head.iter()
                .flat_map(json::Object::members)
                .for_each(|member| response.copy(member));
            write(&mut response, self);
            write_repeated(&self.exchange, &mut response);
        });
    }

    fn number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence - 1
    }

    /// Remembers as many bytes more.
    fn hold(&mut self, bytes: usize) -> Result<(), Fault> {
        self.held += bytes;
        match self.held > LONGEST {
            true => Err(Fault::malformed("the answer is longer than its end can repeat")),
            false => Ok(()),
        }
    }

    /// The next item's place.
    fn place(&mut self) -> usize {
        self.output.push(Vec::new());
        self.output.len() - 1
    }

    fn say(&mut self, kind: Kind, text: &Text<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let plain = text.plain();
        self.hold(plain.len())?;
        self.close_thought(None, out);
        self.open_part(kind, out);
        let sequence = self.number();
        let Some(Open { index, id, inside }) = &mut self.message else {
            return Ok(());
        };
        if let Some((_, said)) = &mut inside.part {
            said.push_str(&plain);
        }
        let measured = std::mem::take(&mut self.measured);
        if !measured.is_empty() && kind == Kind::Text {
            inside.remarks.measure(&measured);
        }
        let name = match kind {
            Kind::Text => "response.output_text.delta",
            Kind::Refusal => "response.refusal.delta",
        };
        event(name, sequence, out, |data| {
            locate(data, id, *index);
            data.u64("content_index", inside.count);
            text.write(data.member("delta"));
            if kind == Kind::Text && !measured.is_empty() {
                copy(&measured, "logprobs", data);
            } else if kind == Kind::Text {
                data.array("logprobs").end();
            }
        });
        Ok(())
    }

    /// Of the text that is open; without one there is nothing that could have been cited for.
    fn cite(&mut self, citation: &Citation<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let mut written = Vec::new();
        write_citation(citation, &mut ObjectWriter::new(&mut written));
        to_one_line(&mut written);
        self.hold(written.len())?;
        self.close_thought(None, out);
        self.open_part(Kind::Text, out);
        let sequence = self.number();
        let Some(Open { index, id, inside }) = &mut self.message else {
            return Ok(());
        };
        event("response.output_text.annotation.added", sequence, out, |data| {
            locate(data, id, *index);
            data.u64("content_index", inside.count);
            data.u64("annotation_index", inside.remarks.cited);
            copy(&written, "annotation", data);
        });
        if inside.remarks.cited > 0 {
            inside.remarks.annotations.push(b',');
        }
        inside.remarks.annotations.append(&mut written);
        inside.remarks.cited += 1;
        Ok(())
    }

    /// Makes a part of this kind the one that text goes into.
    fn open_part(&mut self, kind: Kind, out: &mut Vec<u8>) {
        let open = self.message.as_ref().and_then(|message| message.inside.part.as_ref());
        if open.is_some_and(|(open, _)| *open == kind) {
            return;
        }
        self.close_part(out);
        self.open_message(out);
        let sequence = self.number();
        let Some(Open { index, id, inside }) = &mut self.message else {
            return;
        };
        inside.part = Some((kind, String::new()));
        event("response.content_part.added", sequence, out, |data| {
            locate(data, id, *index);
            data.u64("content_index", inside.count);
            write_part(kind, "", &Remarks::default(), &mut data.object("part"));
        });
    }

    fn open_message(&mut self, out: &mut Vec<u8>) {
        if self.message.is_some() {
            return;
        }
        let place = self.place();
        let message = Open::new("msg", &self.exchange, place, Message::default());
        let sequence = self.number();
        event("response.output_item.added", sequence, out, |data| {
            data.u64("output_index", message.index as u64);
            write_message(&message.id, "in_progress", &[], &mut data.object("item"));
        });
        self.message = Some(message);
    }

    fn close_part(&mut self, out: &mut Vec<u8>) {
        let (done, part_done) = (self.sequence, self.sequence + 1);
        let Some(Open { index, id, inside }) = &mut self.message else {
            return;
        };
        let Some((kind, said)) = inside.part.take() else { return };
        let remarks = std::mem::take(&mut inside.remarks);
        let name = match kind {
            Kind::Text => "response.output_text.done",
            Kind::Refusal => "response.refusal.done",
        };
        event(name, done, out, |data| {
            locate(data, id, *index);
            data.u64("content_index", inside.count);
            data.string(kind.key(), &said);
            if kind == Kind::Text {
                list("logprobs", &remarks.logprobs, data);
            }
        });
        let mut part = Vec::with_capacity(said.len() + 64);
        write_part(kind, &said, &remarks, &mut ObjectWriter::new(&mut part));
        event("response.content_part.done", part_done, out, |data| {
            locate(data, id, *index);
            data.u64("content_index", inside.count);
            copy(&part, "part", data);
        });
        if inside.count > 0 {
            inside.parts.push(b',');
        }
        inside.parts.extend_from_slice(&part);
        inside.count += 1;
        self.sequence += 2;
    }

    fn close_message(&mut self, status: &str, out: &mut Vec<u8>) {
        self.close_part(out);
        let Some(Open { index, id, inside }) = self.message.take() else {
            return;
        };
        let mut item = Vec::with_capacity(inside.parts.len() + 128);
        write_message(&id, status, &inside.parts, &mut ObjectWriter::new(&mut item));
        self.item_done(index, item, out);
    }

    fn item_done(&mut self, index: usize, item: Vec<u8>, out: &mut Vec<u8>) {
        let sequence = self.number();
        event("response.output_item.done", sequence, out, |data| {
            data.u64("output_index", index as u64);
            copy(&item, "item", data);
        });
        if let Some(place) = self.output.get_mut(index) {
            *place = item;
        }
    }

    fn think(&mut self, text: &Text<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let plain = text.plain();
        self.hold(plain.len())?;
        self.open_thought(out);
        let sequence = self.number();
        let Some(Open { index, id, inside }) = &mut self.thought else {
            return Ok(());
        };
        inside.push_str(&plain);
        event("response.reasoning_summary_text.delta", sequence, out, |data| {
            locate(data, id, *index);
            data.u64("summary_index", 0);
            text.write(data.member("delta"));
        });
        Ok(())
    }

    fn open_thought(&mut self, out: &mut Vec<u8>) {
        if self.thought.is_some() {
            return;
        }
        self.close_message("completed", out);
        let place = self.place();
        let thought = Open::new("rs", &self.exchange, place, String::new());
        let (added, part_added) = (self.number(), self.number());
        event("response.output_item.added", added, out, |data| {
            data.u64("output_index", thought.index as u64);
            write_thought(&thought.id, "", None, &mut data.object("item"));
        });
        event("response.reasoning_summary_part.added", part_added, out, |data| {
            locate(data, &thought.id, thought.index);
            data.u64("summary_index", 0);
            write_summary("", &mut data.object("part"));
        });
        self.thought = Some(thought);
    }

    /// Closes its thought: a reasoning item has one thing to return.
    fn sign(&mut self, signature: &Text<'_>, out: &mut Vec<u8>) {
        match &self.thought {
            Some(_) => self.close_thought(Some(signature), out),
            None => {
                let (text, signature) = (Text::from(""), signature.clone());
                self.reason(&Reasoning::Signed { text, signature }, out);
            }
        }
    }

    fn close_thought(&mut self, signature: Option<&Text<'_>>, out: &mut Vec<u8>) {
        let Some(Open { index, id, inside }) = self.thought.take() else {
            return;
        };
        let (done, part_done) = (self.number(), self.number());
        event("response.reasoning_summary_text.done", done, out, |data| {
            locate(data, &id, index);
            data.u64("summary_index", 0);
            data.string("text", &inside);
        });
        event("response.reasoning_summary_part.done", part_done, out, |data| {
            locate(data, &id, index);
            data.u64("summary_index", 0);
            write_summary(&inside, &mut data.object("part"));
        });
        let signed = signature.map(|signature| Reasoning::Signed {
            text: Text::Plain(inside.as_str().into()),
            signature: signature.clone(),
        });
        let mut item = Vec::with_capacity(inside.len() + 128);
        write_thought(&id, &inside, signed.as_ref(), &mut ObjectWriter::new(&mut item));
        self.item_done(index, item, out);
    }

    /// Reasoning that comes in one piece.
    fn reason(&mut self, reasoning: &Reasoning<'_>, out: &mut Vec<u8>) {
        self.close_thought(None, out);
        self.close_message("completed", out);
        let text = match reasoning {
            Reasoning::Unsigned(text) | Reasoning::Signed { text, .. } => text.plain(),
            Reasoning::Sealed(_) | Reasoning::Foreign(_) => "".into(),
        };
        let index = self.place();
        let id = item_id("rs", &self.exchange, index);
        let sequence = self.number();
        event("response.output_item.added", sequence, out, |data| {
            data.u64("output_index", index as u64);
            write_thought(&id, "", None, &mut data.object("item"));
        });
        let mut item = Vec::new();
        write_thought(&id, &text, Some(reasoning), &mut ObjectWriter::new(&mut item));
        self.item_done(index, item, out);
    }

    /// An image comes whole; the events between its beginning and its end say that it is made.
    fn image(&mut self, source: &Source<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let mut item = Vec::new();
        let index = self.output.len();
        let id = item_id("ig", &self.exchange, index);
        write_image(&id, "completed", Some(source), &mut ObjectWriter::new(&mut item));
        self.hold(item.len())?;
        self.close_thought(None, out);
        self.close_message("completed", out);
        let index = self.place();
        let sequence = self.number();
        event("response.output_item.added", sequence, out, |data| {
            data.u64("output_index", index as u64);
            write_image(&id, "in_progress", None, &mut data.object("item"));
        });
        for name in [
            "response.image_generation_call.in_progress",
            "response.image_generation_call.completed",
        ] {
            event(name, self.number(), out, |data| locate(data, &id, index));
        }
        self.item_done(index, item, out);
        Ok(())
    }

    fn call(&mut self, call: usize, id: &Text<'_>, name: &Text<'_>, custom: bool, out: &mut Vec<u8>) {
        self.close_thought(None, out);
        self.close_message("completed", out);
        let inside = Call {
            call,
            id: id.plain().into_owned(),
            name: self.exchange.client_name(&name.plain()).to_owned(),
            arguments: String::new(),
            custom,
        };
        let place = self.place();
        let kind = if custom { "ctc" } else { "fc" };
        let open = Open::new(kind, &self.exchange, place, inside);
        let sequence = self.number();
        event("response.output_item.added", sequence, out, |data| {
            data.u64("output_index", open.index as u64);
            write_call(&open, "in_progress", &mut data.object("item"));
        });
        self.calls.push(open);
    }

    fn arguments(&mut self, call: usize, json: &Text<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let plain = json.plain();
        self.hold(plain.len())?;
        let sequence = self.sequence;
        let Some(open) = self.calls.iter_mut().find(|open| open.inside.call == call) else {
            return Ok(());
        };
        open.inside.arguments.push_str(&plain);
        let name = match open.inside.custom {
            true => "response.custom_tool_call_input.delta",
            false => "response.function_call_arguments.delta",
        };
        event(name, sequence, out, |data| {
            locate(data, &open.id, open.index);
            json.write(data.member("delta"));
        });
        self.sequence += 1;
        Ok(())
    }

    fn call_end(&mut self, call: usize, out: &mut Vec<u8>) {
        let Some(at) = self.calls.iter().position(|open| open.inside.call == call) else {
            return;
        };
        self.call_done("completed", out);
        self.ended = Some(self.calls.remove(at));
    }

    fn call_done(&mut self, status: &str, out: &mut Vec<u8>) {
        let Some(mut open) = self.ended.take() else {
            return;
        };
        if open.inside.arguments.trim().is_empty() && !open.inside.custom {
            let sequence = self.number();
            open.inside.arguments.push_str(NO_ARGUMENTS);
            event("response.function_call_arguments.delta", sequence, out, |data| {
                locate(data, &open.id, open.index);
                data.string("delta", NO_ARGUMENTS);
            });
        }
        let sequence = self.number();
        if open.inside.custom {
            event("response.custom_tool_call_input.done", sequence, out, |data| {
                locate(data, &open.id, open.index);
                data.string("input", &open.inside.arguments);
            });
        } else {
            event("response.function_call_arguments.done", sequence, out, |data| {
                locate(data, &open.id, open.index);
                data.string("name", &open.inside.name);
                data.string("arguments", &open.inside.arguments);
            });
        }
        let mut item = Vec::with_capacity(open.inside.arguments.len() + 128);
        write_call(&open, status, &mut ObjectWriter::new(&mut item));
        self.item_done(open.index, item, out);
    }

    fn finish(&mut self, finish: Finish<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.finish = finish.into_owned();
        let status = finish::status(self.reason_given());
        while let Some(call) = self.calls.first().map(|open| open.inside.call) {
            self.call_end(call, out);
        }
        self.call_done(status, out);
        if let Finish::Refused(Some(explanation)) = self.finish.clone() {
            self.say(Kind::Refusal, &explanation, out)?;
        }
        self.close_thought(None, out);
        self.close_message(status, out);
        Ok(())
    }

    fn reason_given(&self) -> Option<&'static str> {
        finish::reason(&self.finish, self.refuses)
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let reason = self.reason_given();
        let name = match reason {
            None => "response.completed",
            Some(_) => "response.incomplete",
        };
        self.lifecycle(name, out, |response, this| {
            finish::write(reason, response);
            let mut output = response.array("output");
            for item in this.output.iter().filter_map(|item| json::parse_value(item).ok()) {
                output.raw(item);
            }
            output.end();
            // Not every SDK's type takes an answer without it.
            usage::write(&this.usage.unwrap_or_default(), &mut response.object("usage"));
        });
    }
}
