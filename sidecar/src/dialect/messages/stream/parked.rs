//! Blocks that must wait. Anthropic's blocks follow one another, while a chat stream may go on with one tool call
//! after it has begun another: the first stays open, the others wait here until it is complete.

use crate::dialect::Fault;
use crate::dialect::text::Text;
use std::collections::VecDeque;

/// Most that may wait, bytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// A waiting block.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) kind: Kind,
    /// Its text or arguments so far.
    pub(super) text: String,
}

#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Call {
        call: usize,
        id: String,
        name: String,
        complete: bool,
    },
}

/// The blocks that wait, in their order.
#[derive(Debug, Default)]
pub(super) struct Lot {
    blocks: VecDeque<Parked>,
    bytes: usize,
}

impl Lot {
    pub(super) fn call(&mut self, call: usize, id: &Text<'_>, name: String) {
        let kind = Kind::Call {
            call,
            id: id.plain().into_owned(),
            name,
            complete: false,
        };
        self.blocks.push_back(Parked {
            kind,
            text: String::new(),
        });
    }

    pub(super) fn text(&mut self, text: &Text<'_>) -> Result<(), Fault> {
        if !matches!(self.blocks.back(), Some(Parked { kind: Kind::Text, .. })) {
            self.blocks.push_back(Parked {
                kind: Kind::Text,
                text: String::new(),
            });
        }
        let last = self.blocks.len() - 1;
        self.add(last, text)
    }

    pub(super) fn arguments(&mut self, call: usize, json: &Text<'_>) -> Result<(), Fault> {
        match self.position(call) {
            Some(at) => self.add(at, json),
            None => Ok(()),
        }
    }

    pub(super) fn complete(&mut self, call: usize) {
        let block = self.position(call).and_then(|at| self.blocks.get_mut(at));
        if let Some(Parked {
            kind: Kind::Call { complete, .. },
            ..
        }) = block
        {
            *complete = true;
        }
    }

    pub(super) fn next(&mut self) -> Option<Parked> {
        let next = self.blocks.pop_front()?;
        self.bytes -= next.text.len();
        Some(next)
    }

    fn position(&self, wanted: usize) -> Option<usize> {
        self.blocks
            .iter()
            .position(|block| matches!(block.kind, Kind::Call { call, .. } if call == wanted))
    }

    fn add(&mut self, at: usize, text: &Text<'_>) -> Result<(), Fault> {
        let text = text.plain();
        self.bytes += text.len();
        if self.bytes > MOST_BYTES {
            return Err(Fault::malformed(
                "the answer interleaves more tool calls than can be held",
            ));
        }
        if let Some(block) = self.blocks.get_mut(at) {
            block.text.push_str(&text);
        }
        Ok(())
    }
}
