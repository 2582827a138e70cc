//! Text → documents, each with the lines of its fields.

use super::directory::SourceFile;
use super::position::{self, Lines};
use super::problem::{Place, Problem};
use pilotfish_operator::world::ObjectName;
use serde::Deserialize;
use serde_json::Value;

/// One document that parses.
#[derive(Debug)]
pub(super) struct Document {
    /// `apiVersion`, or nothing.
    pub(super) api_version: String,
    /// `kind`, or nothing.
    pub(super) kind: String,
    /// Namespace and name, once its metadata were looked at.
    pub(super) name: ObjectName,
    /// Its first line.
    pub(super) place: Place,
    /// The whole of it.
    pub(super) value: Value,
    lines: Lines,
}

impl Document {
    /// Something wrong at `field`.
    pub(super) fn problem(&self, field: impl Into<String>, sentence: impl Into<String>) -> Problem {
        let field = field.into();
        let place = Place {
            file: self.place.file.clone(),
            line: self.lines.of(&field),
        };
        place.problem(field, sentence)
    }

    /// Fields whose text YAML 1.1 readers take for another value.
    pub(super) fn ambiguous(&self) -> &[String] {
        &self.lines.ambiguous
    }
}

/// The documents of a file. After one that does not parse there is nothing more to find.
pub(super) fn documents(file: &SourceFile) -> Vec<Result<Document, Vec<Problem>>> {
    let mut lines = position::of_documents(&file.text).into_iter();
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(&file.text) {
        let lines = lines.next().unwrap_or_default();
        match parsed(document) {
            Ok(Value::Null) => {}
            Ok(value) => documents.push(Ok(with_lines(file, value, lines))),
            Err(error) => {
                documents.push(Err(unparsed(file, &error, lines)));
                break;
            }
        }
    }
    documents
}

/// By way of YAML's own value, which knows merge keys and lets no key stand twice.
fn parsed(document: serde_yaml::Deserializer<'_>) -> Result<Value, serde_yaml::Error> {
    let mut value = serde_yaml::Value::deserialize(document)?;
    value.apply_merge()?;
    serde_json::to_value(value).map_err(serde::de::Error::custom)
}

fn with_lines(file: &SourceFile, value: Value, lines: Lines) -> Document {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let place = Place {
        file: file.name.clone(),
        line: lines.of(""),
    };
    Document {
        api_version: text("apiVersion"),
        kind: text("kind"),
        name: ObjectName::new("", ""),
        place,
        value,
        lines,
    }
}

/// serde_yaml's words for more levels than it reads.
const TOO_DEEP: &str = "recursion limit exceeded";

/// serde_yaml ends its sentences with where it stood, which is said before them here. Of a key that stands twice it
/// says where the mapping begins, and here the second key is known.
fn unparsed(file: &SourceFile, error: &serde_yaml::Error, lines: Lines) -> Vec<Problem> {
    let at = |line| Place {
        file: file.name.clone(),
        line,
    };
    if !lines.repeated.is_empty() {
        let twice = |(field, line): (String, usize)| at(line).problem(field, "is written twice");
        return lines.repeated.into_iter().map(twice).collect();
    }
    let Some(location) = error.location() else {
        return vec![at(lines.of("")).problem("", error.to_string())];
    };
    let place = format!(" at line {} column {}", location.line(), location.column());
    let sentence = error.to_string().replace(&place, "");
    let sentence = sentence.replace(TOO_DEEP, "is nested too deeply");
    vec![at(location.line()).problem("", sentence)]
}
