//! The read-me lists what the code does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::json;

use crate::client::{control, start};

const README: &str = include_str!("../../README.md");

/// Every string literal of the sources that is the code of a violation.
fn codes(folder: &Path, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            codes(&path, into);
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        into.extend(
            text.split('"')
                .filter(|literal| {
                    ["token.", "rest.", "ws.", "webhook."]
                        .iter()
                        .any(|room| literal.starts_with(room))
                        && literal
                            .bytes()
                            .all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_')
                })
                .map(str::to_owned),
        );
    }
}

#[test]
fn every_violation_is_listed_and_every_listed_one_exists() {
    let mut known = BTreeSet::new();
    codes(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut known,
    );
    assert!(known.len() > 35, "{known:?}");
    let listed: BTreeSet<String> = README
        .split('`')
        .filter(|word| {
            known.contains(*word)
                || ["ws.", "rest.", "webhook."]
                    .iter()
                    .any(|room| word.starts_with(room))
        })
        // The rooms themselves.
        .filter(|word| !word.ends_with('.'))
        .map(str::to_owned)
        .collect();
    assert_eq!(listed, known);
}

#[tokio::test]
async fn every_setting_of_the_read_me_exists() {
    let emulator = start().await;
    let settings = control(&emulator, "GET", "settings", &json!(null))
        .await
        .json();
    let section = README.split("## Settings").nth(1).unwrap();
    let section = section.split("## ").next().unwrap();
    let mut rows = 0;
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let name = row.split('`').nth(1).unwrap();
        assert!(settings.get(name).is_some(), "{name}");
        rows += 1;
    }
    assert!(rows > 10, "{rows}");
}
