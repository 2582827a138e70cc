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
        match Value::deserialize(document) {
            Ok(Value::Null) => {}
            Ok(value) => documents.push(Ok(with_lines(file, value, lines))),
            Err(error) => {
                documents.push(Err(vec![unparsed(file, &error)]));
                break;
            }
        }
    }
    documents
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

/// serde_yaml ends its sentences with where it stood, which is said before them here.
fn unparsed(file: &SourceFile, error: &serde_yaml::Error) -> Problem {
    let mut place = Place::start_of(&file.name);
    let mut sentence = error.to_string();
    if let Some(location) = error.location() {
        place.line = location.line();
        let at = format!(" at line {} column {}", location.line(), location.column());
        sentence = sentence.replace(&at, "");
    }
    place.problem("", sentence)
}
