//! Damage, the same for the same seed.

use fastrand::Rng;

/// What parsers stumble over.
const TOKENS: &[&str] = &[
    "null",
    "{}",
    "[]",
    "\"\"",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\udc00\\ud800",
    "\u{feff}",
    "-1",
    "1e999",
    "18446744073709551616",
    "0.1",
    "true",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    "data: ",
    "event: ",
    "data: [DONE]\n\n",
    ": comment\n\n",
    "%",
    "%2F",
    "\u{0}",
    "é",
    "\"type\":",
    "\"index\":4294967295,",
    "\"id\":\"\",",
    "\"name\":null,",
];

/// A few changes to one of the seeds, sometimes with a piece of another.
pub(crate) fn mutate(rng: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[rng.usize(..seeds.len())].clone();
    for _ in 0..rng.usize(1..6) {
        let at = rng.usize(..=bytes.len());
        let end = (at + rng.usize(..64)).min(bytes.len());
        match rng.u8(..8) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes.truncate(at),
            2 => insert(&mut bytes, at, TOKENS[rng.usize(..TOKENS.len())].as_bytes()),
            3 => replace(&mut bytes, at, rng.u8(..)),
            4 => {
                let piece = bytes[at..end].to_vec();
                insert(&mut bytes, rng.usize(..=at), &piece);
            }
            5 => {
                let other = &seeds[rng.usize(..seeds.len())];
                let from = rng.usize(..=other.len());
                insert(&mut bytes, at, &other[from..(from + 200).min(other.len())]);
            }
            6 => insert(&mut bytes, at, &"[{\"a\":".as_bytes().repeat(rng.usize(..80))),
            _ => replace(&mut bytes, at, TOKENS[rng.usize(..TOKENS.len())].as_bytes()[0]),
        }
    }
    bytes
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    drop(bytes.splice(at..at, piece.iter().copied()));
}

fn replace(bytes: &mut [u8], at: usize, byte: u8) {
    if let Some(place) = bytes.get_mut(at) {
        *place = byte;
    }
}
