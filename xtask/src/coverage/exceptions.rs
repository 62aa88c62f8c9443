//! What differs between the tables and the crate on purpose, each with its reason.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::error::{Context as _, Error, Result};

/// The sections of the file: what each key stands for.
const SECTIONS: [&str; 6] = [
    "object-names",
    "enum-names",
    "without-type",
    "without-entry",
    "replies",
    "bodies",
];

/// The file, with a note of which of its lines were needed.
#[derive(Debug, Default)]
pub(super) struct Exceptions {
    sections: BTreeMap<String, BTreeMap<String, String>>,
    used: RefCell<BTreeSet<(String, String)>>,
}

impl Exceptions {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).context(|| format!("reading {}", path.display()))
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let table: serde_json::Map<String, Value> =
            serde_json::from_str(text).map_err(|error| Error::new(error.to_string()))?;
        let mut sections = BTreeMap::new();
        for (name, section) in table {
            if !SECTIONS.contains(&name.as_str()) {
                return Err(Error::new(format!(
                    "no section `{name}`; there are {}",
                    SECTIONS.join(", ")
                )));
            }
            let lines = section
                .as_object()
                .ok_or_else(|| Error::new(format!("`{name}` is no section")))?
                .iter()
                .map(|(key, value)| match value.as_str() {
                    Some(text) if !text.trim().is_empty() => Ok((key.clone(), text.to_owned())),
                    _ => Err(Error::new(format!("`{key}` needs a text"))),
                })
                .collect::<Result<_>>()?;
            sections.insert(name, lines);
        }
        Ok(Self {
            sections,
            used: RefCell::default(),
        })
    }

    /// The text of a line, which counts as needed from now on.
    pub(super) fn get(&self, section: &str, key: &str) -> Option<&str> {
        let text = self.sections.get(section)?.get(key)?;
        self.used
            .borrow_mut()
            .insert((section.to_owned(), key.to_owned()));
        Some(text)
    }

    pub(super) fn has(&self, section: &str, key: &str) -> bool {
        self.get(section, key).is_some()
    }

    /// How many lines give a reason for something missing.
    pub(super) fn reasons(&self) -> usize {
        ["without-type", "without-entry", "replies", "bodies"]
            .iter()
            .filter_map(|section| self.sections.get(*section))
            .map(BTreeMap::len)
            .sum()
    }

    /// Lines that nothing needed.
    pub(super) fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        self.sections
            .iter()
            .flat_map(|(section, lines)| lines.keys().map(move |key| (section, key)))
            .filter(|(section, key)| !used.contains(&((*section).clone(), (*key).clone())))
            .map(|(section, key)| format!("[{section}] {key}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_nobody_needs_are_found() {
        let exceptions = Exceptions::parse(r#"{"without-type":{"A.b":"why","C":"why"}}"#).unwrap();
        assert!(exceptions.has("without-type", "A.b") && !exceptions.has("replies", "A.b"));
        assert_eq!(exceptions.unused(), ["[without-type] C"]);
        assert_eq!(exceptions.reasons(), 2);
    }

    #[test]
    fn a_reason_is_needed_and_sections_are_known() {
        assert!(Exceptions::parse(r#"{"without-type":{"A":""}}"#).is_err());
        assert!(Exceptions::parse(r#"{"other":{"A":"x"}}"#).is_err());
    }
}
