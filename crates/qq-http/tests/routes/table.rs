//! The platform's route table, from the model's test data.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

pub(crate) struct Row(Value);

pub(crate) fn rows() -> Vec<Row> {
    let text = fs::read_to_string(folder().join("routes.json")).unwrap();
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    rows.into_iter().map(Row).collect()
}

impl Row {
    pub(crate) fn text(&self, member: &str) -> &str {
        self.0[member].as_str().unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        self.text("id")
    }

    /// The names in `query` or `body`; only those that must be there, or all.
    pub(crate) fn names(&self, place: &str, only_required: bool) -> BTreeSet<&str> {
        let members = self.0[place].as_array().unwrap().iter();
        members
            .filter(|member| !only_required || member["required"] == true)
            .map(|member| member["name"].as_str().unwrap())
            .collect()
    }

    pub(crate) fn success_status(&self) -> u16 {
        self.0["success_status"]
            .as_u64()
            .unwrap()
            .try_into()
            .unwrap()
    }

    /// A path of this call, with its parameters in braces taken for anything.
    pub(crate) fn fits(&self, path: &str) -> bool {
        let template: Vec<&str> = self.text("path").split('/').collect();
        let path: Vec<&str> = path.split('/').collect();
        template.len() == path.len()
            && template
                .iter()
                .zip(&path)
                .all(|(expected, part)| expected.starts_with('{') || expected == part)
    }

    /// The sample answers of this call.
    pub(crate) fn answers(&self) -> Vec<Value> {
        let mut files: Vec<PathBuf> = fs::read_dir(folder().join("fixtures/rest"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                let name = path.file_name().unwrap().to_string_lossy();
                let mut parts = name.split('.');
                parts.next() == Some(self.id())
                    && name.ends_with(".response.json")
                    && parts.next() != Some("error")
            })
            .collect();
        files.sort();
        files
            .iter()
            .map(|path| serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
            .collect()
    }

    /// Whether the platform answers nothing, or an empty object.
    pub(crate) fn answers_nothing(&self) -> bool {
        let response = &self.0["response"];
        matches!(response["type"].as_str(), Some("none" | "empty")) || response["empty"] == true
    }

    pub(crate) fn answers_list(&self) -> bool {
        self.0["response"]["type"] == "array"
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../qq-model/tables")
}
