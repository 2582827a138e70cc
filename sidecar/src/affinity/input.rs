//! The bytes that are hashed: a common prefix, laid out once a request, and a name after it in turn.
//!
//! An array rather than a `SmallVec`, whose insertions cost as much as all hashing and drawing together.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Room for a session id of 255 bytes and names of usual length.
const USUAL: usize = 512;

/// Parts one after another, each preceded by its length: that keeps `("ab", "c")` and `("a", "bc")` apart.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is the usual one, and lives on the stack"
)]
pub(super) enum Input {
    Usual { bytes: [u8; USUAL], len: usize },
    Long(Vec<u8>),
}

impl Input {
    pub(super) fn new(parts: [&str; 3]) -> Self {
        let mut input = Self::Usual {
            bytes: [0; USUAL],
            len: 0,
        };
        for part in parts {
            input.append(part);
        }
        input
    }

    /// The hash of what has been laid out.
    pub(super) fn hash(&self, seed: u64) -> u64 {
        xxh3_64_with_seed(self.as_bytes(), seed)
    }

    /// The hash with one more part, which is taken away again.
    pub(super) fn hash_with(&mut self, part: &str, seed: u64) -> u64 {
        let common = self.as_bytes().len();
        self.append(part);
        let hash = self.hash(seed);
        match self {
            Self::Usual { bytes: _, len } => *len = common,
            Self::Long(bytes) => bytes.truncate(common),
        }
        hash
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Usual { bytes, len } => &bytes[..*len],
            Self::Long(bytes) => bytes,
        }
    }

    fn append(&mut self, part: &str) {
        self.push(&(part.len() as u64).to_le_bytes());
        self.push(part.as_bytes());
    }

    fn push(&mut self, more: &[u8]) {
        match self {
            Self::Usual { bytes, len } if *len + more.len() <= USUAL => {
                bytes[*len..*len + more.len()].copy_from_slice(more);
                *len += more.len();
            }
            Self::Usual { bytes, len } => *self = Self::Long([&bytes[..*len], more].concat()),
            Self::Long(bytes) => bytes.extend_from_slice(more),
        }
    }
}
