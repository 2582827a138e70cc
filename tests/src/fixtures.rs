//! The table of good and bad documents in `tests/fixtures/api`.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// A document and the comments that introduce it, by their keys.
#[derive(Clone, Debug)]
pub struct Case {
    /// `# key: text`, by key.
    pub comments: BTreeMap<String, String>,
    /// The document, comments included.
    pub document: String,
}

impl Case {
    /// The comment of this key.
    pub fn comment(&self, key: &str) -> Result<&str> {
        let comment = self.comments.get(key);
        Ok(comment.with_context(|| format!("no {key:?} in {}", self.document))?)
    }
}

/// The cases of a file: its documents without what stands before the first.
pub fn cases(file: &str) -> Result<Vec<Case>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/api").join(file);
    let text = std::fs::read_to_string(path)?;
    let documents = text.split("\n---\n").skip(1);
    Ok(documents.map(case).collect())
}

fn case(document: &str) -> Case {
    let comment = |line: &str| {
        let (key, value) = line.strip_prefix("# ")?.split_once(": ")?;
        Some((key.to_owned(), value.to_owned()))
    };
    Case {
        comments: document.lines().map_while(comment).collect(),
        document: document.to_owned(),
    }
}
