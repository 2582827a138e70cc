//! Steps into a stream of completions.

use super::{OBJECT, finish_reason, unsaid};
use crate::dialect::chat::{response::write_head, stream::write_end};
use crate::dialect::item::{Finish, Step};
use crate::dialect::text::Text;
use crate::dialect::unsaid::lost_remark;
use crate::dialect::{Exchange, Loss, Usage};
use crate::json::ObjectWriter;

/// Writes chunks that all begin alike.
#[derive(Debug)]
pub(in crate::dialect) struct Encoder {
    exchange: Exchange,
    /// `data: {"id":…,"object":…,"created":…,"model":…` as it stands before `,"choices"`.
    head: Vec<u8>,
    usage: Option<Usage>,
    /// What the last step said that has no place here.
    unsaid: Option<Loss>,
}

impl Encoder {
    pub(in crate::dialect) fn new(exchange: &Exchange) -> Self {
        Self {
            exchange: exchange.clone(),
            head: Vec::new(),
            usage: None,
            unsaid: None,
        }
    }

    /// What the last step said that could not be told.
    pub(in crate::dialect) fn unsaid(&mut self) -> Option<Loss> {
        self.unsaid.take()
    }

    pub(in crate::dialect) fn step(&mut self, step: Step<'_>, out: &mut Vec<u8>) {
        match step {
            Step::Start { id, model, created } => self.start(id.as_ref(), model.as_ref(), created),
            Step::Text(text) | Step::Refusal(text) => self.chunk(&text, None, out),
            Step::Image(_) => self.unsaid = Some(unsaid()),
            Step::Remark(remark) => self.unsaid = Some(lost_remark(self.exchange.upstream, &remark)),
            Step::Thinking(_)
            | Step::Signature(_)
            | Step::Reasoning(_)
            | Step::Call { .. }
            | Step::CustomCall { .. }
            | Step::Arguments { .. }
            | Step::CallEnd { .. }
            // Such a loss does not get here.
            | Step::Lost(_) => {}
            Step::Finish(finish) => self.finish(&finish, out),
            Step::Usage(counted) => self.usage = Some(counted),
            Step::End => self.end(out),
        }
    }

    fn start(&mut self, id: Option<&Text<'_>>, model: Option<&Text<'_>>, created: Option<u64>) {
        self.head.extend_from_slice(b"data: ");
        let mut object = ObjectWriter::new(&mut self.head);
        write_head(&self.exchange, id, model, created, OBJECT, &mut object);
        object.end();
        // The object goes on in every chunk.
        self.head.pop();
    }

    fn chunk(&self, text: &Text<'_>, finish: Option<&str>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b",\"choices\":[");
        let mut choice = ObjectWriter::new(out);
        text.write(choice.member("text"));
        choice.u64("index", 0);
        choice.null("logprobs");
        match finish {
            Some(reason) => choice.string("finish_reason", reason),
            None => choice.null("finish_reason"),
        }
        choice.end();
        out.extend_from_slice(b"]}\n\n");
    }

    fn finish(&self, finish: &Finish<'_>, out: &mut Vec<u8>) {
        let nothing = Text::from("");
        let text = match finish {
            Finish::Refused(Some(explanation)) => explanation,
            _ => &nothing,
        };
        self.chunk(text, Some(finish_reason(finish)), out);
    }

    fn end(&self, out: &mut Vec<u8>) {
        write_end(&self.head, self.usage.filter(|_| self.exchange.include_usage), out);
    }
}
