//! What the manifests must say.

use toml::{Table, Value};

use super::facts::Member;
use super::{Breach, Facts};
use crate::error::{Context as _, Error, Result};

const LICENSE: &str = "MIT OR Apache-2.0";
const LICENSE_FILES: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT"];
const DEPENDENCY_TABLES: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

pub(super) fn check_features(facts: &Facts<'_>) -> Result<Vec<Breach>> {
    let mut breaches = shared_with_defaults(&manifest(facts, "Cargo.toml")?);
    for member in &facts.members {
        let file = facts.relative(&member.manifest);
        breaches.extend(own_versions(&file, &manifest(facts, &file)?));
    }
    Ok(breaches)
}

pub(super) fn check_members(facts: &Facts<'_>) -> Result<Vec<Breach>> {
    let mut breaches = Vec::new();
    for file in LICENSE_FILES {
        if facts.read(file)?.is_none_or(|text| text.trim().is_empty()) {
            breaches.push(Breach::new(*file, "the licence text is missing"));
        }
    }
    for member in &facts.members {
        let file = facts.relative(&member.manifest);
        breaches.extend(unset(&file, member, &manifest(facts, &file)?));
    }
    Ok(breaches)
}

fn manifest(facts: &Facts<'_>, file: &str) -> Result<Table> {
    let text = facts
        .read(file)?
        .ok_or_else(|| Error::new(format!("{file} is missing")))?;
    text.parse().context(|| format!("reading {file}"))
}

/// Entries of `[workspace.dependencies]` that leave the default features on.
fn shared_with_defaults(root: &Table) -> Vec<Breach> {
    let shared = root
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(Value::as_table);
    shared
        .into_iter()
        .flatten()
        .filter(|(_, entry)| entry.get("path").is_none() && !defaults_are_off(entry))
        .map(|(name, _)| {
            let problem = format!(
                "{name} needs `default-features = false`; each crate names the features it uses"
            );
            Breach::new("Cargo.toml", problem)
        })
        .collect()
}

fn defaults_are_off(entry: &Value) -> bool {
    entry.get("default-features").and_then(Value::as_bool) == Some(false)
}

/// Dependencies of a member that do not come from the shared table, or turn the defaults on again.
fn own_versions(file: &str, member: &Table) -> Vec<Breach> {
    let per_target = member
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(|targets| targets.values())
        .filter_map(Value::as_table);
    std::iter::once(member)
        .chain(per_target)
        .flat_map(|table| DEPENDENCY_TABLES.iter().filter_map(|key| table.get(*key)))
        .filter_map(Value::as_table)
        .flatten()
        .filter_map(|(name, entry)| {
            let on = entry.get("default-features").and_then(Value::as_bool) == Some(true);
            let shared = entry.get("workspace").and_then(Value::as_bool) == Some(true);
            let problem = if on {
                format!("{name} turns default features on; name the features instead")
            } else if shared || entry.get("path").is_some() {
                return None;
            } else {
                format!("{name} must come from [workspace.dependencies]: `{name}.workspace = true`")
            };
            Some(Breach::new(file, problem))
        })
        .collect()
}

/// What a member's manifest leaves unsaid.
fn unset(file: &str, member: &Member, manifest: &Table) -> Vec<Breach> {
    let mut problems = Vec::new();
    if member.license.as_deref() != Some(LICENSE) {
        problems.push(format!(
            "needs `license = \"{LICENSE}\"`, as `license.workspace = true`"
        ));
    }
    if member.rust_version.is_none() {
        problems.push("needs `rust-version.workspace = true`".into());
    }
    let lints = manifest
        .get("lints")
        .and_then(|lints| lints.get("workspace"));
    if lints.and_then(Value::as_bool) != Some(true) {
        problems.push("needs `[lints] workspace = true`".into());
    }
    problems
        .into_iter()
        .map(|problem| Breach::new(file, problem))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().unwrap()
    }

    #[test]
    fn default_features_left_on_are_found() {
        let good = table(
            "[workspace.dependencies]\n\
             own = { path = \"crates/own\" }\n\
             bytes = { version = \"1\", default-features = false }",
        );
        assert_eq!(shared_with_defaults(&good), []);
        for bad in [
            "bytes = \"1\"",
            "bytes = { version = \"1\" }",
            "bytes = { version = \"1\", default-features = true }",
        ] {
            let found = shared_with_defaults(&table(&format!("[workspace.dependencies]\n{bad}")));
            assert_eq!(found.len(), 1, "{bad}");
            assert!(found[0].problem.contains("bytes"));
        }
    }

    #[test]
    fn a_version_outside_the_shared_table_is_found() {
        let good = "[dependencies]\n\
             bytes = { workspace = true, features = [\"serde\"] }\n\
             [dev-dependencies]\n\
             own = { path = \"../own\" }";
        assert_eq!(own_versions("Cargo.toml", &table(good)), []);
        for bad in [
            "[dependencies]\nbytes = \"1\"",
            "[dev-dependencies]\nbytes = { version = \"1\", default-features = false }",
            "[target.'cfg(unix)'.dependencies]\nbytes = \"1\"",
            "[build-dependencies]\nbytes = { workspace = true, default-features = true }",
        ] {
            assert_eq!(own_versions("Cargo.toml", &table(bad)).len(), 1, "{bad}");
        }
    }

    #[test]
    fn what_a_member_leaves_unsaid_is_found() {
        let member = |license: Option<&str>, rust_version: Option<&str>| Member {
            name: "qq-model".into(),
            manifest: "Cargo.toml".into(),
            license: license.map(str::to_owned),
            rust_version: rust_version.map(str::to_owned),
            targets: Vec::new(),
        };
        let linted = table("[lints]\nworkspace = true");
        let complete = member(Some(LICENSE), Some("1.88"));
        assert_eq!(unset("f", &complete, &linted), []);
        assert_eq!(unset("f", &complete, &Table::new()).len(), 1);
        assert_eq!(
            unset("f", &member(Some("MIT"), Some("1.88")), &linted).len(),
            1
        );
        assert_eq!(unset("f", &member(None, Some("1.88")), &linted).len(), 1);
        assert_eq!(unset("f", &member(Some(LICENSE), None), &linted).len(), 1);
    }
}
