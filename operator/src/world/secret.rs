//! What of a Secret may be used: texts that a header can carry.
//!
//! Whoever may create Secrets in one namespace decides how much there is of them, so no more is held of any than
//! credentials take. What is left out is named where it is asked for.

use super::ObjectName;
use pilotfish_wire::ProviderKey;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest entry that is read, in bytes. No server takes a longer header.
const LONGEST: usize = 16 * 1024;
/// How much is held of a Secret, in bytes.
const MOST: usize = 64 * 1024;
/// What an entry takes besides its name and its text.
const OVERHEAD: usize = 64;

/// The entries of a Secret. A copy shares their texts.
#[derive(Clone, Debug, Default)]
pub struct Secret {
    entries: BTreeMap<String, Entry>,
    /// There are more than are held.
    is_cut: bool,
}

#[derive(Clone, Debug)]
enum Entry {
    Text(Arc<ProviderKey>),
    TooLong,
    NotText,
}

impl Secret {
    /// Of all that is in it. The shortest entries are held where not all fit.
    pub fn of(data: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let read = data.into_iter().map(|(key, value)| (key, Entry::of(value)));
        let mut read: Vec<_> = read.collect();
        read.sort_by(|(one, a), (other, b)| (a.size(), one).cmp(&(b.size(), other)));
        let mut held = Self::default();
        let mut room = MOST;
        for (key, entry) in read {
            let Some(left) = room.checked_sub(OVERHEAD + key.len() + entry.size()) else {
                held.is_cut = true;
                break;
            };
            room = left;
            held.entries.insert(key, entry);
        }
        held
    }

    /// Adds `text` at `key`, or puts it in the place of what is there.
    pub fn insert(&mut self, key: String, text: ProviderKey) {
        self.entries.insert(key, Entry::Text(Arc::new(text)));
    }

    /// Whether there is anything at `key`.
    pub fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The text at `key` of this Secret, whose name is `name`, without the white space around it that editors and `echo`
    /// leave behind; or a sentence that says what is wrong.
    pub(super) fn text(&self, name: &ObjectName, key: &str) -> Result<&str, String> {
        let text = match self.entries.get(key) {
            Some(Entry::Text(text)) => text.expose().trim_ascii(),
            Some(Entry::TooLong) => {
                return Err(format!(
                    "key {key} of Secret {name} is too long: at most {LONGEST} bytes are read"
                ));
            }
            Some(Entry::NotText) => return Err(format!("key {key} of Secret {name} is not text")),
            None if self.is_cut => {
                return Err(format!(
                    "key {key} of Secret {name} is not among the {MOST} bytes of it that are read"
                ));
            }
            None => return Err(format!("Secret {name} has no key {key}")),
        };
        if text.is_empty() {
            return Err(format!("key {key} of Secret {name} is empty"));
        }
        if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(format!(
                "key {key} of Secret {name} has a character that no header can carry"
            ));
        }
        Ok(text)
    }
}

impl FromIterator<(String, ProviderKey)> for Secret {
    fn from_iter<I: IntoIterator<Item = (String, ProviderKey)>>(entries: I) -> Self {
        let mut secret = Self::default();
        for (key, text) in entries {
            secret.insert(key, text);
        }
        secret
    }
}

impl<const N: usize> From<[(String, ProviderKey); N]> for Secret {
    fn from(entries: [(String, ProviderKey); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl Entry {
    fn of(value: Vec<u8>) -> Self {
        if value.len() > LONGEST {
            return Self::TooLong;
        }
        match String::from_utf8(value) {
            Ok(text) => Self::Text(Arc::new(ProviderKey::new(text))),
            Err(_) => Self::NotText,
        }
    }

    /// How much of it is held.
    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.expose().len(),
            Self::TooLong | Self::NotText => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[(&str, Vec<u8>)]) -> Secret {
        let owned = entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        Secret::of(owned)
    }

    fn said(secret: &Secret, key: &str) -> Result<String, String> {
        secret.text(&ObjectName::new("shop", "s"), key).map(str::to_owned)
    }

    #[test]
    fn what_no_header_can_carry_is_not_held_and_named() {
        let secret = of(&[
            ("key", b" sk-1\n".to_vec()),
            ("longest", vec![b'a'; LONGEST]),
            ("blob", vec![b'a'; LONGEST + 1]),
            ("binary", vec![0xff, 0xfe]),
            ("empty", b" \n".to_vec()),
            ("umlaut", "ü".into()),
        ]);
        assert_eq!(said(&secret, "key"), Ok("sk-1".to_owned()));
        assert_eq!(said(&secret, "longest").unwrap().len(), LONGEST);
        for (key, sentence) in [
            (
                "blob",
                "key blob of Secret shop/s is too long: at most 16384 bytes are read",
            ),
            ("binary", "key binary of Secret shop/s is not text"),
            ("empty", "key empty of Secret shop/s is empty"),
            (
                "umlaut",
                "key umlaut of Secret shop/s has a character that no header can carry",
            ),
            ("other", "Secret shop/s has no key other"),
        ] {
            assert_eq!(said(&secret, key), Err(sentence.to_owned()));
        }
    }

    #[test]
    fn a_secret_takes_no_more_room_than_credentials_do_whatever_is_in_it() {
        let many = (0..100_000).map(|number| (format!("k{number}"), Vec::new()));
        let large = (0..60).map(|number| (format!("l{number}"), vec![b'a'; LONGEST]));
        let key = [("z".to_owned(), b"sk-1".to_vec())];
        for (data, is_cut) in [
            (many.chain([]).collect::<Vec<_>>(), true),
            (large.chain(key.clone()).collect(), true),
            (key.to_vec(), false),
        ] {
            let secret = Secret::of(data);
            let held = secret
                .entries
                .iter()
                .map(|(key, entry)| OVERHEAD + key.len() + entry.size());
            assert!(held.sum::<usize>() <= MOST);
            assert_eq!(secret.is_cut, is_cut);
        }
        let secret = of(&[
            ("a", vec![b'a'; LONGEST]),
            ("b", vec![b'a'; LONGEST]),
            ("z", b"sk-1".to_vec()),
        ]);
        assert_eq!(said(&secret, "z"), Ok("sk-1".to_owned()));
    }

    #[test]
    fn the_shortest_entries_are_read_where_not_all_fit() {
        let large = (0..60).map(|number| (format!("l{number:02}"), vec![b'a'; LONGEST]));
        let secret = Secret::of(large.chain([("z".to_owned(), b"sk-1".to_vec())]));
        assert_eq!(said(&secret, "z"), Ok("sk-1".to_owned()));
        let sentence = "key l59 of Secret shop/s is not among the 65536 bytes of it that are read";
        assert_eq!(said(&secret, "l59"), Err(sentence.to_owned()));
    }
}
