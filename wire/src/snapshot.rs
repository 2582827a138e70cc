//! A batch in a file: a hello, one batch and a checksum, a line each.

use crate::{Begin, Commit, Hello, Kind, Message, Resource, version_of};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The last line: the version of all bytes before it.
#[derive(Serialize, Deserialize)]
struct Trailer {
    checksum: String,
}

/// Why a snapshot file was not used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No last line, or it is no checksum.
    #[error("the snapshot ends without its checksum; it was cut short")]
    NoChecksum,
    /// The bytes are not those that were written.
    #[error("the snapshot's checksum is {found}, its contents hash to {computed}; it was altered or damaged")]
    WrongChecksum {
        /// As written in the file.
        found: String,
        /// Of the bytes in the file.
        computed: String,
    },
    /// A line that is not a message.
    #[error("line {line} of the snapshot: {source}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What was wrong with it.
        source: crate::DecodeError,
    },
}

/// The version of a configuration: a hash over the kinds, names and versions of all its resources in order.
pub fn configuration_version<'a>(resources: impl IntoIterator<Item = &'a Resource>) -> String {
    let named = |resource: &'a Resource| (resource.kind, resource.name.as_str(), resource.version.as_str());
    version_of_names(resources.into_iter().map(named))
}

/// The same, where there are no resources: of the kind, name and version of each.
pub fn version_of_names<'a>(resources: impl IntoIterator<Item = (Kind, &'a str, &'a str)>) -> String {
    let mut names = String::new();
    for (kind, name, version) in resources {
        names.push_str(&format!("{kind:?} {name} {version}\n"));
    }
    version_of(names.as_bytes())
}

/// The messages of one whole batch, hello included.
pub fn batch(scope: BTreeMap<String, String>, resources: &[Resource]) -> Vec<Message> {
    let hello = Hello {
        revision: crate::REVISION,
        scope,
        ..Hello::default()
    };
    let mut messages = vec![Message::Hello(hello), Message::Begin(Begin { nonce: 1 })];
    messages.extend(resources.iter().cloned().map(Message::Resource));
    messages.push(Message::Commit(Commit {
        nonce: 1,
        version: configuration_version(resources),
    }));
    messages
}

/// The file's text for `messages`; the same messages make the same bytes.
pub fn write(messages: &[Message]) -> String {
    let mut text = String::new();
    for message in messages {
        text.push_str(&message.encode());
        text.push('\n');
    }
    let checksum = version_of(text.as_bytes());
    let trailer = Trailer { checksum };
    text.push_str(&serde_json::to_string(&trailer).expect("one string field"));
    text.push('\n');
    text
}

/// The messages of a file, if it is whole.
pub fn read(text: &str) -> Result<Vec<Message>, ReadError> {
    let body_end = text.trim_end_matches('\n').rfind('\n').map_or(0, |newline| newline + 1);
    let (body, trailer) = text.split_at(body_end);
    let trailer: Trailer = serde_json::from_str(trailer.trim_end()).map_err(|_| ReadError::NoChecksum)?;
    let computed = version_of(body.as_bytes());
    if trailer.checksum != computed {
        return Err(ReadError::WrongChecksum {
            found: trailer.checksum,
            computed,
        });
    }
    let decode = |(index, line)| {
        Message::decode(line).map_err(|source| ReadError::Line {
            line: index + 1,
            source,
        })
    };
    body.lines().enumerate().map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Routes;

    fn file() -> String {
        write(&batch(
            BTreeMap::new(),
            &[Resource::new(Kind::Routes, "routes", &Routes::default())],
        ))
    }

    #[test]
    fn what_was_written_is_read_again() {
        let messages = read(&file()).unwrap();
        assert_eq!(write(&messages), file());
        assert_eq!(messages.len(), 4);
    }

    #[test]
    fn a_changed_byte_or_a_missing_line_is_told() {
        let changed = file().replace("routes", "rootes");
        assert!(matches!(read(&changed), Err(ReadError::WrongChecksum { .. })));
        let text = file();
        let cut = text.lines().take(3).collect::<Vec<_>>().join("\n");
        assert!(matches!(read(&cut), Err(ReadError::NoChecksum)));
        assert!(matches!(read(""), Err(ReadError::NoChecksum)));
    }
}
