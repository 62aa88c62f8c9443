//! What the manifests must say.

use toml::de::{DeTable, DeValue};

use super::facts::Member;
use super::{Breach, Facts};
use crate::error::{Context as _, Error, Result};

const LICENSE: &str = "MIT OR Apache-2.0";
const LICENSE_FILES: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT"];
const DEPENDENCY_TABLES: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

pub(super) fn check_features(facts: &Facts<'_>) -> Result<Vec<Breach>> {
    let root = text_of(facts, "Cargo.toml")?;
    let mut breaches = shared_with_defaults(&parse("Cargo.toml", &root)?);
    for member in &facts.members {
        let file = facts.relative(&member.manifest);
        let text = text_of(facts, &file)?;
        breaches.extend(own_versions(&file, &parse(&file, &text)?));
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
        let text = text_of(facts, &file)?;
        breaches.extend(unset(&file, member, &parse(&file, &text)?));
    }
    Ok(breaches)
}

fn text_of(facts: &Facts<'_>, file: &str) -> Result<String> {
    facts
        .read(file)?
        .ok_or_else(|| Error::new(format!("{file} is missing")))
}

fn parse<'t>(file: &str, text: &'t str) -> Result<DeTable<'t>> {
    let table = DeTable::parse(text).context(|| format!("reading {file}"))?;
    Ok(table.into_inner())
}

/// Entries of `[workspace.dependencies]` that leave the default features on.
fn shared_with_defaults(root: &DeTable<'_>) -> Vec<Breach> {
    let shared = root
        .get("workspace")
        .and_then(|workspace| workspace.get_ref().get("dependencies"))
        .map(|shared| entries(shared.get_ref()))
        .unwrap_or_default();
    shared
        .into_iter()
        .filter(|(_, entry)| {
            entry.get("path").is_none() && flag(entry, "default-features") != Some(false)
        })
        .map(|(name, _)| {
            let problem = format!(
                "{name} needs `default-features = false`; each crate names the features it uses"
            );
            Breach::new("Cargo.toml", problem)
        })
        .collect()
}

/// Dependencies of a member that do not come from the shared table, or turn the defaults on again.
fn own_versions(file: &str, member: &DeTable<'_>) -> Vec<Breach> {
    let per_target = member
        .get("target")
        .map(|targets| entries(targets.get_ref()))
        .unwrap_or_default();
    let own = DEPENDENCY_TABLES.iter().filter_map(|key| member.get(*key));
    let targeted = per_target
        .iter()
        .flat_map(|(_, target)| DEPENDENCY_TABLES.iter().filter_map(|key| target.get(*key)));
    own.chain(targeted)
        .flat_map(|dependencies| entries(dependencies.get_ref()))
        .filter_map(|(name, entry)| {
            let problem = if flag(entry, "default-features") == Some(true) {
                format!("{name} turns default features on; name the features instead")
            } else if flag(entry, "workspace") == Some(true) || entry.get("path").is_some() {
                return None;
            } else {
                format!("{name} must come from [workspace.dependencies]: `{name}.workspace = true`")
            };
            Some(Breach::new(file, problem))
        })
        .collect()
}

/// What a member's manifest leaves unsaid.
fn unset(file: &str, member: &Member, manifest: &DeTable<'_>) -> Vec<Breach> {
    let mut problems = Vec::new();
    if member.license.as_deref() != Some(LICENSE) {
        problems.push(format!(
            "needs `license = \"{LICENSE}\"`, as `license.workspace = true`"
        ));
    }
    if member.rust_version.is_none() {
        problems.push("needs `rust-version.workspace = true`".into());
    }
    let lints = manifest.get("lints").map(toml::Spanned::get_ref);
    if lints.and_then(|lints| flag(lints, "workspace")) != Some(true) {
        problems.push("needs `[lints] workspace = true`".into());
    }
    problems
        .into_iter()
        .map(|problem| Breach::new(file, problem))
        .collect()
}

/// The entries of a table; none if the value is something else.
fn entries<'v, 't>(value: &'v DeValue<'t>) -> Vec<(&'v str, &'v DeValue<'t>)> {
    value
        .as_table()
        .into_iter()
        .flatten()
        .map(|(name, entry)| (name.get_ref().as_ref(), entry.get_ref()))
        .collect()
}

fn flag(entry: &DeValue<'_>, key: &str) -> Option<bool> {
    entry.get(key)?.get_ref().as_bool()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> DeTable<'_> {
        parse("Cargo.toml", text).unwrap()
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
        assert_eq!(unset("f", &complete, &table("")).len(), 1);
        assert_eq!(
            unset("f", &member(Some("MIT"), Some("1.88")), &linted).len(),
            1
        );
        assert_eq!(unset("f", &member(None, Some("1.88")), &linted).len(), 1);
        assert_eq!(unset("f", &member(Some(LICENSE), None), &linted).len(), 1);
    }
}
