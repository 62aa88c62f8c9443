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

#[tokio::test]
async fn every_described_read_gives_the_required_members() {
    let emulator = start().await;
    let description = control(&emulator, "GET", "openapi.json", &json!(null)).await;
    assert_eq!(description.header("content-type"), Some("application/json"));
    let description = description.json();
    emulator.say(qq_emulator::Say::c2c("x")).await;
    crate::client::call(&emulator, "GET", "/nowhere", &json!(null)).await;
    let (_gateway, _) = crate::client::Gateway::ready(&emulator, 1 << 25).await;
    emulator
        .fault(qq_emulator::Fault::route("get_me").status(500))
        .unwrap();
    let mut compared = 0;
    for (path, operations) in description["paths"].as_object().unwrap() {
        let schema =
            &operations["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let Some(of) = schema["$ref"]
            .as_str()
            .or_else(|| schema["items"]["$ref"].as_str())
        else {
            continue;
        };
        let schema = description.pointer(&of[1..]).unwrap();
        let answer = control(&emulator, "GET", &path[1..], &json!(null))
            .await
            .json();
        let one = answer.as_array().map_or(Some(&answer), |list| list.first());
        let Some(one) = one else { continue };
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(
                one.get(required.as_str().unwrap()).is_some(),
                "{path}: {required}"
            );
            compared += 1;
        }
        if let Some(known) = schema["properties"]
            .as_object()
            .filter(|known| !known.is_empty())
        {
            for name in one.as_object().unwrap().keys() {
                assert!(known.contains_key(name), "{path}: {name} is not described");
            }
        }
    }
    assert!(compared > 25, "{compared}");
}
