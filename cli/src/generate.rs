//! The CustomResourceDefinitions as YAML, one file for each kind.

use anyhow::Context;
use pilotfish_crds::definitions;
use std::collections::BTreeMap;
use std::path::Path;

/// What every file starts with.
const HEADER: &str = "# Generated from crds/src by `make generate`. Do not edit.\n";

/// The files by name, with their text.
pub fn files() -> anyhow::Result<BTreeMap<String, String>> {
    let file = |definition| {
        let value = serde_json::to_value(&definition)?;
        let plural = value["spec"]["names"]["plural"]
            .as_str()
            .context("a definition without a plural")?;
        Ok((
            format!("{plural}.yaml"),
            format!("{HEADER}{}", serde_saphyr::to_string(&value)?),
        ))
    };
    definitions().into_iter().map(file).collect()
}

/// Writes them into `directory`.
pub fn write(directory: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    for (name, text) in files()? {
        let path = directory.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_chart_holds_what_is_generated() {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../charts/pilotfish-crds/templates");
        for (name, text) in files().unwrap() {
            let written = std::fs::read_to_string(templates.join(&name)).unwrap();
            assert!(written == text, "{name} is not what `make generate` writes");
        }
        assert_eq!(std::fs::read_dir(templates).unwrap().count(), files().unwrap().len());
    }

    #[test]
    fn the_files_say_what_the_types_say_and_helm_takes_them_as_they_are() {
        for (definition, (name, text)) in definitions().iter().zip(files().unwrap()) {
            let read: Value = serde_yaml::from_str(&text).unwrap();
            assert_eq!(read, serde_json::to_value(definition).unwrap(), "{name}");
            assert!(!text.contains("{{"), "{name}");
        }
    }

    #[test]
    fn words_that_are_no_text_to_every_reader_are_quoted() {
        let words = [
            "yes", "no", "on", "y", "0777", "1e3", "null", "true", "~", "", "1_000", "- a", "a: b", "*",
        ];
        let text = serde_saphyr::to_string(&words).unwrap();
        for (line, word) in text.lines().zip(words) {
            let written = line.trim_start_matches("- ");
            assert!(written.starts_with(['"', '\'']), "{word:?} is written as {written}");
        }
        assert_eq!(serde_yaml::from_str::<Vec<String>>(&text).unwrap(), words);
    }
}
