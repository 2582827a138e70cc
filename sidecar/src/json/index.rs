//! Where the long values of a text end: taken down by the validating pass, so that later walks leap where they would
//! otherwise look for an end once more, level by level.
//!
//! An index helps and is never relied on: a value that it does not have is walked over. So it may leave values out, short
//! ones because they are walked over as fast, and others once a hostile text has filled its room.

/// Shortest value that has an entry, bytes.
const LONG: usize = 64;

/// The long values of one text. It takes at most three eighths of the text's size.
#[derive(Debug, Default)]
pub struct Index {
    entries: Vec<Entry>,
}

/// One long value. Entries stand in the order in which their values begin, so that those of what lies inside of a value
/// follow its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Where the value begins in memory: what is looked up is a slice of the text, wherever it was cut from.
    address: usize,
    /// In bytes.
    length: usize,
    /// How many of the next entries are of values inside of this one.
    inside: usize,
}

impl Index {
    pub(super) fn recorder(&mut self, text: &str) -> Recorder<'_> {
        self.entries = Vec::with_capacity(text.len() / LONG);
        Recorder {
            text: text.as_ptr().addr(),
            room: text.len() / LONG,
            entries: &mut self.entries,
            open: 0,
            left_out: 0,
        }
    }

    pub(super) fn entries(&self) -> Entries<'_> {
        Entries(&self.entries)
    }
}

/// Fills an index while its text is validated.
pub(super) struct Recorder<'i> {
    /// The text's address.
    text: usize,
    room: usize,
    entries: &'i mut Vec<Entry>,
    /// Which entry is that of the innermost open object or array. Until it is closed, `inside` says which is that of the
    /// next outer one.
    open: usize,
    /// How many objects and arrays are open within it for which there was no room.
    left_out: usize,
}

impl<'i> Recorder<'i> {
    /// Takes nothing down.
    pub(super) fn none(entries: &'i mut Vec<Entry>) -> Self {
        Self {
            text: 0,
            room: 0,
            entries,
            open: 0,
            left_out: 0,
        }
    }

    /// A string was read.
    #[inline(always)]
    pub(super) fn string(&mut self, start: usize, end: usize) {
        if end - start >= LONG && self.has_room() {
            self.entries.push(Entry {
                address: self.text + start,
                length: end - start,
                inside: 0,
            });
        }
    }

    /// An object or array begins.
    #[inline(always)]
    pub(super) fn open(&mut self, start: usize) {
        if !self.has_room() {
            self.left_out += 1;
            return;
        }
        let outer = std::mem::replace(&mut self.open, self.entries.len());
        self.entries.push(Entry {
            address: self.text + start,
            length: 0,
            inside: outer,
        });
    }

    /// The innermost object or array ends.
    #[inline(always)]
    pub(super) fn close(&mut self, end: usize) {
        if self.left_out > 0 {
            self.left_out -= 1;
            return;
        }
        let inside = self.entries.len().saturating_sub(self.open + 1);
        let Some(entry) = self.entries.get_mut(self.open) else {
            return;
        };
        entry.length = (self.text + end).saturating_sub(entry.address);
        self.open = std::mem::replace(&mut entry.inside, inside);
        if entry.length < LONG {
            // Nothing in it is long, so it is the last one.
            self.entries.pop();
        }
    }

    #[inline(always)]
    fn has_room(&self) -> bool {
        self.entries.len() < self.room
    }
}

/// Entries of values that lie side by side, or within each other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entries<'i>(&'i [Entry]);

impl<'i> Entries<'i> {
    /// The length of the value at `address` and the entries of what lies inside of it, if it has an entry; then `self`
    /// goes on behind it.
    #[inline(always)]
    pub(super) fn leap(&mut self, address: usize) -> Option<(usize, Self)> {
        let (entry, rest) = self.0.split_first().filter(|(entry, _)| entry.address == address)?;
        let (inside, behind) = rest.split_at_checked(entry.inside)?;
        self.0 = behind;
        Some((entry.length, Self(inside)))
    }

    /// Into the value at `address`: passes its own entry.
    #[inline(always)]
    pub(super) fn enter(&mut self, address: usize) {
        if let Some((entry, inside)) = self.0.split_first()
            && entry.address == address
        {
            self.0 = inside;
        }
    }
}
