//! On which line each field of a document stands.
//!
//! serde_yaml gives values without their lines, so the text is read a second time as events. While at it this finds
//! words that YAML 1.1 readers, kubectl among them, take for something else than YAML 1.2 readers do.

use granit_parser::{Event, Parser, ScalarStyle};
use std::collections::{BTreeMap, BTreeSet};

/// The words of YAML 1.1 for true and false that are plain text in YAML 1.2.
const OLD_BOOLEANS: [&str; 16] = [
    "y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF",
];

/// Levels below which no line is looked for: serde_yaml refuses half as many, and each level's field names all above.
const DEEPEST: usize = 256;

/// The lines of one document.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// By field, such as `spec.rules[0].name`; the document itself is the empty field.
    by_field: BTreeMap<String, usize>,
    /// Fields whose text is read differently by others.
    pub(super) ambiguous: Vec<String>,
    /// Fields that are written a second time, and where.
    pub(super) repeated: Vec<(String, usize)>,
}

impl Lines {
    /// The line of `field`, or of the nearest field around it that is written.
    pub(super) fn of(&self, field: &str) -> usize {
        let mut field = field;
        loop {
            match (self.by_field.get(field), field.rfind(['.', '['])) {
                (Some(line), _) => return *line,
                (None, Some(end)) => field = field.split_at(end).0,
                (None, None) => return self.by_field.get("").copied().unwrap_or(1),
            }
        }
    }
}

/// The lines of every document of `text`, as far as it can be read.
pub(super) fn of_documents(text: &str) -> Vec<Lines> {
    let mut walk = Walk::default();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        if walk.open.len() > DEEPEST {
            break;
        }
        walk.step(&event, span.start.line());
    }
    walk.documents
}

/// The spelling of a field's child.
pub(super) fn child(parent: &str, key: &str) -> String {
    if parent.is_empty() {
        key.to_owned()
    } else {
        format!("{parent}.{key}")
    }
}

#[derive(Default)]
struct Walk {
    documents: Vec<Lines>,
    open: Vec<Open>,
}

/// A collection that is being read.
struct Open {
    field: String,
    inside: Inside,
}

enum Inside {
    /// A mapping: the keys that were read, and the one whose value comes next.
    Mapping(BTreeSet<String>, Option<String>),
    /// A sequence; the index of the next item.
    Sequence(usize),
}

impl Walk {
    fn step(&mut self, event: &Event<'_>, line: usize) {
        match event {
            Event::DocumentStart(..) => self.documents.push(Lines::default()),
            Event::Scalar(text, style, _, tag) => {
                let plain = *style == ScalarStyle::Plain && tag.is_none();
                self.scalar(text, plain, line);
            }
            Event::Alias(_) => drop(self.value(line)),
            Event::MappingStart(..) => self.start(Inside::Mapping(BTreeSet::new(), None), line),
            Event::SequenceStart(..) => self.start(Inside::Sequence(0), line),
            Event::MappingEnd | Event::SequenceEnd => drop(self.open.pop()),
            _ => {}
        }
    }

    fn scalar(&mut self, text: &str, plain: bool, line: usize) {
        if let Some((field, repeated)) = self.key(text) {
            if repeated && let Some(document) = self.documents.last_mut() {
                document.repeated.push((field.clone(), line));
            }
            return self.note(field, line);
        }
        let field = self.value(line);
        if plain
            && is_ambiguous(text)
            && let Some(document) = self.documents.last_mut()
        {
            document.ambiguous.push(field);
        }
    }

    /// If `text` is a key: the field that it begins, and whether that was begun before.
    fn key(&mut self, text: &str) -> Option<(String, bool)> {
        match self.open.last_mut() {
            Some(Open {
                field,
                inside: Inside::Mapping(keys, key @ None),
            }) => {
                *key = Some(text.to_owned());
                Some((child(field, text), !keys.insert(text.to_owned())))
            }
            _ => None,
        }
    }

    fn start(&mut self, inside: Inside, line: usize) {
        let field = self.value(line);
        self.open.push(Open { field, inside });
    }

    /// The field of the value that begins on `line`. A value in a mapping keeps the line of its key.
    fn value(&mut self, line: usize) -> String {
        let (field, noted) = match self.open.last_mut() {
            None => (String::new(), false),
            Some(Open {
                field,
                inside: Inside::Mapping(_, key),
            }) => (child(field, &key.take().unwrap_or_default()), true),
            Some(Open {
                field,
                inside: Inside::Sequence(next),
            }) => {
                let item = format!("{field}[{next}]");
                *next += 1;
                (item, false)
            }
        };
        if !noted {
            self.note(field.clone(), line);
        }
        field
    }

    fn note(&mut self, field: String, line: usize) {
        if let Some(document) = self.documents.last_mut() {
            document.by_field.entry(field).or_insert(line);
        }
    }
}

/// A boolean, an octal number or one with underscores to a YAML 1.1 reader, text to a YAML 1.2 one.
fn is_ambiguous(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let is_odd = digits.contains('_') || (digits.len() > 1 && digits.starts_with('0'));
    OLD_BOOLEANS.contains(&text) || (is_number && is_odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# a comment
kind: A
spec:
  models:
  - chat
  - yes
  rules:
  - name: one
    when: {tags: [a, b], min: 0777}
  - name: 'no'
--- # second
{\"kind\": \"B\",
 \"spec\": {\"x\": 1_000}}
";

    #[test]
    fn every_field_has_the_line_of_its_key_or_item() {
        let documents = of_documents(TEXT);
        let cases = [
            (0, "kind", 2),
            (0, "spec", 3),
            (0, "spec.models", 4),
            (0, "spec.models[1]", 6),
            (0, "spec.rules[0]", 8),
            (0, "spec.rules[0].name", 8),
            (0, "spec.rules[0].when.tags[1]", 9),
            (0, "spec.rules[1].name", 10),
            (1, "kind", 12),
            (1, "spec.x", 13),
        ];
        for (document, field, line) in cases {
            assert_eq!(documents[document].of(field), line, "{field}");
        }
    }

    #[test]
    fn what_is_not_written_has_the_line_of_what_is_around_it() {
        let documents = of_documents(TEXT);
        assert_eq!(documents[0].of("spec.rules[1].targets"), 10);
        assert_eq!(documents[0].of("spec.rules[1].targets[0].weight"), 10);
        assert_eq!(documents[0].of("metadata.name"), 2);
        assert_eq!(documents[1].of("spec.nothing"), 13);
    }

    #[test]
    fn a_field_that_is_written_twice_is_found() {
        let documents = of_documents("a: {b: 1}\na.b: 2\na:\n- c: 1\n- c: 1\n  c: 2\n");
        assert_eq!(documents[0].repeated, [("a".to_owned(), 3), ("a[1].c".to_owned(), 6)]);
    }

    #[test]
    fn words_that_two_readers_read_differently_are_found() {
        let documents = of_documents(TEXT);
        assert_eq!(documents[0].ambiguous, ["spec.models[1]", "spec.rules[0].when.min"]);
        assert_eq!(documents[1].ambiguous, ["spec.x"]);
        let cases = [
            ("YES", true),
            ("Off", true),
            ("yEs", false),
            ("0", false),
            ("10", false),
            ("0x1f", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_ambiguous(text), expected, "{text}");
        }
    }
}
