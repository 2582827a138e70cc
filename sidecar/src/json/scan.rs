//! The validating pass: RFC 8259 to the letter, without recursion and without a copy.
//!
//! All steps are inlined into one loop, so that the position stays in a register; that makes it a sixth faster.

use super::index::{Entries, Recorder};
use super::{Error, MAX_DEPTH, token};

/// A place in a text that is known to be UTF-8.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Of the values that follow, in a text that was validated before.
    entries: Entries<'a>,
}

impl<'a> Scanner<'a> {
    /// At the first byte of `text` that is no white space.
    pub(super) fn new(text: &'a [u8]) -> Result<Self, Error> {
        let text = simdutf8::compat::from_utf8(text).map_err(|error| Error {
            problem: "invalid UTF-8",
            offset: error.valid_up_to(),
        })?;
        let mut scan = Self::trusted(text, Entries::default());
        scan.white_space();
        Ok(scan)
    }

    /// At the first byte of a text that was validated before.
    pub(super) fn trusted(text: &'a str, entries: Entries<'a>) -> Self {
        Self { text, at: 0, entries }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Past the value that stands here, if it has an entry; the entries of what lies inside of it.
    #[inline(always)]
    pub(super) fn leap(&mut self) -> Option<Entries<'a>> {
        let (length, inside) = self.entries.leap(self.address())?;
        self.advance(length);
        Some(inside)
    }

    /// The value that stands here is looked into, not passed.
    #[inline(always)]
    pub(super) fn enter(&mut self) {
        self.entries.enter(self.address());
    }

    fn address(&self) -> usize {
        self.text.as_ptr().addr() + self.at
    }

    /// What was passed since `start`, a position between tokens.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    #[inline(always)]
    pub(super) fn error(&self, problem: &'static str) -> Error {
        Error {
            problem,
            offset: self.at,
        }
    }

    /// Refuses, before anything is read, what begins unlike an object.
    pub(super) fn expect_object(&self) -> Result<(), Error> {
        Err(self.error(match self.peek() {
            Some(b'{') => return Ok(()),
            None => "expected a JSON object, found nothing",
            Some(b'[') => "expected a JSON object, found an array",
            Some(b'"') => "expected a JSON object, found a string",
            Some(b'-' | b'0'..=b'9') => "expected a JSON object, found a number",
            Some(_) if self.at_byte_order_mark() => "expected a JSON object, found a byte order mark",
            Some(_) => "expected a JSON object",
        }))
    }

    /// Refuses a text without a value.
    pub(super) fn expect_something(&self) -> Result<(), Error> {
        match self.peek() {
            None => Err(self.error("expected a JSON value, found nothing")),
            Some(_) if self.at_byte_order_mark() => Err(self.error("expected a JSON value, found a byte order mark")),
            Some(_) => Ok(()),
        }
    }

    /// Only white space may follow.
    pub(super) fn expect_end(&mut self) -> Result<(), Error> {
        self.white_space();
        self.peek()
            .map_or(Ok(()), |_| Err(self.error("unexpected text after the JSON value")))
    }

    /// Past the opening bracket or brace; whether anything stands before `close`, which is passed if not.
    #[inline(always)]
    pub(super) fn open(&mut self, close: u8) -> bool {
        self.at += 1;
        self.white_space();
        !self.pass(close)
    }

    /// After a member or an element: past the comma if another one follows, past `close` if none does.
    #[inline(always)]
    pub(super) fn another(&mut self, close: u8) -> Result<bool, Error> {
        self.white_space();
        if self.pass(b',') {
            self.white_space();
            return Ok(true);
        }
        let problem = if close == b'}' {
            "expected `,` or `}`"
        } else {
            "expected `,` or `]`"
        };
        if self.pass(close) {
            Ok(false)
        } else {
            Err(self.error(problem))
        }
    }

    /// Past a key and its colon; the key as written, and whether it holds an escape.
    #[inline(always)]
    pub(super) fn key(&mut self) -> Result<(&'a str, bool), Error> {
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a key in quotes"));
        }
        let start = self.at + 1;
        let escaped = self.string()?;
        let key = self.text.get(start..self.at - 1).unwrap_or_default();
        self.white_space();
        if !self.pass(b':') {
            return Err(self.error("expected `:`"));
        }
        self.white_space();
        Ok((key, escaped))
    }

    /// Past a value that stands within `depth` objects and arrays.
    pub(super) fn value(&mut self, depth: usize, index: &mut Recorder<'_>) -> Result<(), Error> {
        let mut open = Open {
            objects: 0,
            depth,
            outside: depth,
        };
        loop {
            let begun = self.begin(&mut open, index)?;
            if !begun && !self.end(&mut open, index)? {
                return Ok(());
            }
        }
    }

    /// Past a scalar, an empty array or object, or what opens a filled one; true if an inner value comes next.
    #[inline(always)]
    fn begin(&mut self, open: &mut Open, index: &mut Recorder<'_>) -> Result<bool, Error> {
        // Most values are strings, and the jump of the `match` is often mispredicted.
        if self.peek() == Some(b'"') {
            let start = self.at;
            self.string()?;
            index.string(start, self.at);
            return Ok(false);
        }
        match self.peek() {
            Some(b'{') => self.begin_nested(open, index, true),
            Some(b'[') => self.begin_nested(open, index, false),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| false),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            Some(_) => Err(self.error("expected a value")),
            None => Err(self.error("unexpected end of the text")),
        }
    }

    #[inline(always)]
    fn begin_nested(&mut self, open: &mut Open, index: &mut Recorder<'_>, object: bool) -> Result<bool, Error> {
        open.push(object, self)?;
        index.open(self.at);
        let filled = self.open(if object { b'}' } else { b']' });
        if !filled {
            open.pop();
            index.close(self.at);
        } else if object {
            self.key()?;
        }
        Ok(filled)
    }

    /// After a value: past everything that ends here; true if a further value comes next, false if all is closed.
    #[inline(always)]
    fn end(&mut self, open: &mut Open, index: &mut Recorder<'_>) -> Result<bool, Error> {
        while open.depth > open.outside {
            let object = open.in_object();
            if self.another(if object { b'}' } else { b']' })? {
                return if object { self.key().map(|_| true) } else { Ok(true) };
            }
            open.pop();
            index.close(self.at);
        }
        Ok(false)
    }

    /// Past a string; whether it holds an escape.
    #[inline(always)]
    fn string(&mut self) -> Result<bool, Error> {
        let (length, escaped) = token::string(self.rest()).map_err(|refusal| self.refused(refusal))?;
        self.at += length;
        Ok(escaped)
    }

    #[inline(always)]
    fn number(&mut self) -> Result<(), Error> {
        self.at += token::number(self.rest()).map_err(|refusal| self.refused(refusal))?;
        Ok(())
    }

    #[inline(always)]
    fn literal(&mut self, word: &'static str) -> Result<bool, Error> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.error("expected a value"));
        }
        self.at += word.len();
        Ok(false)
    }

    #[inline(always)]
    fn refused(&self, (problem, into): token::Refusal) -> Error {
        Error {
            problem,
            offset: self.at + into,
        }
    }

    fn at_byte_order_mark(&self) -> bool {
        self.rest().starts_with("\u{feff}".as_bytes())
    }

    #[inline(always)]
    pub(super) fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Past `byte` if it stands here. A branch, not an addition of 0 or 1: a foreseen branch lets the processor read on,
    /// an addition makes it wait for each byte.
    #[inline(always)]
    pub(super) fn pass(&mut self, byte: u8) -> bool {
        if self.peek() != Some(byte) {
            return false;
        }
        self.at += 1;
        true
    }

    /// Past `count` bytes, at most to the end.
    pub(super) fn advance(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.text.len());
    }

    #[inline(always)]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline(always)]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }
}

/// The arrays and objects that are open: a bit each, the innermost lowest.
struct Open {
    /// Set for an object.
    objects: u128,
    depth: usize,
    /// How many of `depth` stand around the value that is read.
    outside: usize,
}

const _: () = assert!(MAX_DEPTH <= u128::BITS as usize, "a bit for each level");

impl Open {
    #[inline(always)]
    fn push(&mut self, object: bool, scan: &Scanner<'_>) -> Result<(), Error> {
        if self.depth == MAX_DEPTH {
            return Err(scan.error("nesting deeper than 128"));
        }
        self.objects = self.objects << 1 | u128::from(object);
        self.depth += 1;
        Ok(())
    }

    #[inline(always)]
    fn pop(&mut self) {
        self.objects >>= 1;
        self.depth -= 1;
    }

    #[inline(always)]
    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }
}
